"""TopK, Gather, OneHot, EyeLike, Argmax-like ops, ConstantOp, Hardmax, Assign, Cast."""
import cntk as C
import numpy as np

from . import Data, batch, case, normal, ragged, whole


def distinct(*shape):
    """No ties: their order is not defined."""
    n = int(np.prod(shape))
    return (Data.rng.permutation(n).reshape(shape) - n / 2).astype(np.float32)


for _axis in (0, 1, 2, -1, -2, -3):
    @case("top_k_axis_" + str(_axis).replace("-", "neg"))
    def _(axis=_axis):
        x = C.input_variable((3, 4, 5), name="x")
        return C.combine(C.top_k(x, 2, axis).outputs), {x: distinct(2, 3, 4, 5)}
for _k in (1, 5):
    @case("top_k_k%d" % _k)
    def _(k=_k):
        x = C.input_variable((5,), name="x")
        return C.combine(C.top_k(x, k).outputs), {x: distinct(2, 5)}


@case("top_k_values_only")
def _():
    x = C.input_variable((2, 5), name="x")
    return C.top_k(x, 3).outputs[0] * 2, {x: distinct(2, 2, 5)}


@case("top_k_with_a_name")
def _():
    x = C.input_variable((2, 5), name="x")
    return C.combine(C.top_k(x, 3, name="best").outputs), {x: distinct(2, 2, 5)}


@case("top_k_sequence")
def _():
    x = C.sequence.input_variable((4,), name="x")
    return C.combine(C.top_k(x, 2).outputs), {x: [distinct(n, 4) for n in (3, 5, 1)]}


for _axis in (None, 0, 1, 2, -1, -2):
    @case("gather_axis_" + str(_axis).replace("-", "neg").lower())
    def _(axis=_axis):
        table = C.parameter((4, 5, 3), init=normal(4, 5, 3), name="table")
        at = C.input_variable((2,), name="at")
        return C.gather(table, at, axis=axis), {at: whole(3, 2, 2)}


@case("gather_rank2_indices")
def _():
    table, at = C.parameter((6, 2), init=normal(6, 2)), C.input_variable((3, 2), name="at")
    return C.gather(table, at), {at: whole(6, 2, 3, 2)}


@case("gather_rank1_table")
def _():
    table, at = C.parameter((6,), init=normal(6)), C.input_variable((3,), name="at")
    return C.gather(table, at), {at: whole(6, 2, 3)}


@case("gather_truncates_indices")
def _():
    table, at = C.parameter((6, 2), init=normal(6, 2)), C.input_variable((4,), name="at")
    return C.gather(table, at), {at: np.array([[0.9, 1.5, 2.0, 4.99], [0, 0.1, 3.7, 5.2]], np.float32)}


@case("gather_sequence_of_indices")
def _():
    table, at = C.parameter((6, 2), init=normal(6, 2)), C.sequence.input_variable((1,), name="at")
    return C.gather(table, at), {at: [whole(6, n, 1) for n in (3, 5, 1)]}


for _axis in (0, 1, 2, -1, -2, -3):
    @case("one_hot_axis_" + str(_axis).replace("-", "neg"))
    def _(axis=_axis):
        x = C.input_variable((2, 3), name="x")
        return C.one_hot(x, 4, False, axis), {x: whole(4, 2, 2, 3)}


@case("one_hot_sparse_times")
def _():
    x = C.input_variable((), name="x")
    return C.times(C.one_hot(x, 5, True), C.parameter((5, 3), init=normal(5, 3))), {x: whole(5, 2)}


@case("one_hot_out_of_range_and_fractions")
def _():
    x = C.input_variable((6,), name="x")
    return C.one_hot(x, 3), {x: np.array([[-1, 0, 2.9, 3, 7, 1.5], [-2, -1.5, 0.2, 2, 100, 1]], np.float32)}


@case("one_hot_small_negative")
def _():
    x = C.input_variable((2,), name="x")
    return C.one_hot(x, 3), {x: np.array([[-0.5, 0.5], [-0.9, 1]], np.float32)}


@case("one_hot_sequence")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.one_hot(x, 3), {x: [whole(3, n, 2) for n in (3, 5, 1)]}


for _sparse in (True, False):
    @case("eye_like_" + ("sparse" if _sparse else "dense"))
    def _(sparse=_sparse):
        x = C.input_variable((4,), name="x")
        return C.times(C.eye_like(x, sparse), C.parameter((4, 2), init=normal(4, 2))), {x: batch(4, n=3)}


@case("eye_like_parameter")
def _():
    x = C.input_variable((4,), name="x")
    return x + C.reduce_sum(C.eye_like(C.parameter((3, 4), init=normal(3, 4)), False), 0, keepdims=False), {x: batch(4)}


@case("hardmax_ties")
def _():
    x = C.input_variable((4,), name="x")
    return C.hardmax(x), {x: np.array([[1, 3, 3, 2], [0, 0, 0, 0], [-1, -2, -1, -3]], np.float32)}


@case("hardmax_rank2")
def _():
    x = C.input_variable((2, 3), name="x")
    return C.hardmax(x), {x: distinct(2, 2, 3)}


@case("hardmax_sequence")
def _():
    x = C.sequence.input_variable((3,), name="x")
    return C.hardmax(x), {x: ragged(3)}


@case("zeros_like_ones_like")
def _():
    x = C.input_variable((2, 3), name="x")
    return C.combine([C.zeros_like(x), C.ones_like(x)]), {x: batch(2, 3)}


@case("zeros_like_sequence")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.ones_like(x) + x, {x: ragged(2)}


@case("assign_value")
def _():
    x = C.input_variable((3,), name="x")
    return C.assign(C.constant(np.zeros(3, np.float32)), C.parameter((3,), init=normal(3))) + x, {x: batch(3)}


for _from, _to in [(np.float32, np.float64), (np.float64, np.float32), (np.float32, np.float16), (np.float16, np.float32)]:
    @case("cast_%s_to_%s" % (np.dtype(_from).name, np.dtype(_to).name))
    def _(a=_from, b=_to):
        x = C.input_variable((2, 3), dtype=a, name="x")
        return C.cast(x, b), {x: batch(2, 3).astype(a)}


@case("cast_overflow_to_half")
def _():
    x = C.input_variable((3,), name="x")
    return C.cast(C.cast(x, np.float16), np.float32), {x: np.array([[1e5, -1e6, 65504], [1e-8, 0.1, 3]], np.float32)}, {"finite": False}


for _axes, _feed in (("batch", [[0, 2, 4], [5, -1, 1]]), ("sequence", None)):
    @case("embedding_of_one_hot_" + _axes)
    def _(axes=_axes, feed=_feed):
        table = C.parameter((5, 3), init=normal(5, 3), name="table")
        if axes == "batch":
            at = C.input_variable((3,), name="at")
            return C.times(C.one_hot(at, 5), table), {at: np.array(feed, np.float32)}
        at = C.sequence.input_variable((), name="at")
        return C.times(C.one_hot(at, 5), table), {at: [whole(5, n) for n in (3, 1, 4)]}

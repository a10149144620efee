"""Times, TransposeTimes, batch and other normalisation, criteria."""
import cntk as C
import numpy as np

from . import batch, case, normal, positive, ragged, whole


def weights(*shape):
    return C.parameter(shape, init=normal(*shape), name="W")


for _name, _x, _w, _rank in [
        ("vector_matrix", (3,), (3, 4), 1), ("vector_column", (3,), (3, 1), 1), ("matrix_matrix", (2, 3), (3, 4), 1), ("rank3_matrix", (2, 5, 3), (3, 4), 1),
        ("reduce_two", (2, 3), (2, 3, 4), 1), ("reduce_two_keep_one", (5, 2, 3), (2, 3, 4), 1), ("output_rank_2", (3,), (3, 2, 4), 2),
        ("output_rank_3", (3,), (3, 2, 4, 1), 3), ("reduce_two_output_rank_2", (2, 3), (2, 3, 2, 4), 2), ("reduce_three", (2, 3, 2), (2, 3, 2, 4), 1),
        ("outer_product", (3, 1), (1, 4), 1)]:
    @case("times_" + _name)
    def _(xs=_x, ws=_w, rank=_rank):
        x = C.input_variable(xs, name="x")
        return C.times(x, weights(*ws), output_rank=rank), {x: batch(*xs)}

    @case("times_sequence_" + _name)
    def _(xs=_x, ws=_w, rank=_rank):
        x = C.sequence.input_variable(xs, name="x")
        return C.times(x, weights(*ws), output_rank=rank), {x: ragged(*xs)}


@case("times_parameter_left")
def _():
    x = C.input_variable((3, 4), name="x")
    return C.times(weights(2, 3), x), {x: batch(3, 4)}


@case("times_parameter_left_vector")
def _():
    x = C.input_variable((3,), name="x")
    return C.times(weights(2, 3), C.reshape(x, (3, 1))), {x: batch(3)}


@case("times_two_inputs")
def _():
    x, y = C.input_variable((2, 3), name="x"), C.input_variable((3, 4), name="y")
    return C.times(x, y), {x: batch(2, 3), y: batch(3, 4)}


@case("times_two_sequences")
def _():
    x, y = C.sequence.input_variable((2, 3), name="x"), C.sequence.input_variable((3, 2), name="y")
    return C.times(x, y), {x: ragged(2, 3), y: ragged(3, 2)}


@case("times_two_parameters")
def _():
    x = C.input_variable((2, 4), name="x")
    return x + C.times(weights(2, 3), C.parameter((3, 4), init=normal(3, 4))), {x: batch(2, 4)}


@case("times_sparse_input")
def _():
    x = C.input_variable((5,), is_sparse=True, name="x")
    return C.times(x, weights(5, 3)), {x: np.eye(5, dtype=np.float32)[[1, 4]]}


@case("times_sparse_sequence")
def _():
    x = C.sequence.input_variable((5,), is_sparse=True, name="x")
    return C.times(x, weights(5, 3)), {x: [np.eye(5, dtype=np.float32)[list(i)] for i in ((0, 1, 4), (2, 2, 3, 0, 1), (4,))]}


@case("times_infer_rank")
def _():
    x = C.input_variable((2, 3), name="x")
    return C.times(x, weights(2, 3, 4), output_rank=1, infer_input_rank_to_map=0), {x: batch(2, 3)}


@case("times_free_dimension")
def _():
    x = C.input_variable((C.FreeDimension, 3), name="x")
    return C.times(x, weights(3, 2)), {x: batch(4, 3)}


# Free axes: reduced, kept, in the result; of two inputs or of one and a weight.
FREE = C.FreeDimension
for _name, _x, _w, _rank in [("reduced", (2, FREE), (FREE, 3), 1), ("reduced_two", (2, FREE, 3), (FREE, 3, 2), 1), ("reduced_all", (FREE, FREE), (FREE, FREE, 2), 1),
                             ("kept", (FREE, FREE, 3), (3, 2), 1), ("outputs", (2, 3), (3, FREE, FREE), 2), ("vector", (FREE,), (FREE, 2), 1)]:
    @case("times_free_" + _name)
    def _(xs=_x, ws=_w, rank=_rank):
        x, w = C.input_variable(xs, name="x"), C.input_variable(ws, name="w")
        sizes = [[4 if n == FREE else n for n in shape] for shape in (xs, ws)]
        return C.times(x, w, output_rank=rank) * 2, {x: batch(*sizes[0]), w: batch(*sizes[1])}


@case("times_free_kept_by_weight")
def _():
    x = C.input_variable((FREE, FREE, 2, 3), name="x")
    return C.times(x, weights(2, 3, 4), output_rank=1), {x: batch(3, 4, 2, 3)}


@case("times_transpose_free")
def _():
    x, y = C.input_variable((FREE, 3), name="x"), C.input_variable((FREE, 3), name="y")
    return C.times_transpose(x, y), {x: batch(2, 3), y: batch(4, 3)}


for _name, _x, _w in [("matrix", (3,), (4, 3)), ("matrix_matrix", (2, 3), (4, 3)), ("row", (3,), (1, 3))]:
    @case("times_transpose_" + _name)
    def _(xs=_x, ws=_w):
        x = C.input_variable(xs, name="x")
        return C.times_transpose(x, weights(*ws)), {x: batch(*xs)}


@case("times_transpose_two_inputs")
def _():
    x, y = C.input_variable((2, 3), name="x"), C.input_variable((4, 3), name="y")
    return C.times_transpose(x, y), {x: batch(2, 3), y: batch(4, 3)}


@case("times_transpose_sequence")
def _():
    x = C.sequence.input_variable((3,), name="x")
    return C.times_transpose(x, weights(2, 3)), {x: ragged(3)}


for _type in (np.float64, np.float16):
    @case("times_" + np.dtype(_type).name)
    def _(t=_type):
        x = C.input_variable((2, 3), dtype=t, name="x")
        return C.times(x, C.parameter((3, 4), init=normal(3, 4).astype(t), dtype=t)), {x: batch(2, 3).astype(t)}


for _shape in [(4,), (2, 3), (2, 3, 4)]:
    @case("dense_%d" % len(_shape))
    def _(shape=_shape):
        x = C.input_variable(shape, name="x")
        return C.layers.Dense(3, activation=C.tanh, init_bias=0.2, name="d")(x), {x: batch(*shape)}


@case("dense_map_rank")
def _():
    x = C.input_variable((2, 3, 4), name="x")
    return C.layers.Dense((2, 5), map_rank=1)(x), {x: batch(2, 3, 4)}


@case("dense_input_rank")
def _():
    x = C.input_variable((2, 3, 4), name="x")
    return C.layers.Dense(5, input_rank=2, bias=False)(x), {x: batch(2, 3, 4)}


@case("dense_sequence")
def _():
    x = C.sequence.input_variable((2, 3), name="x")
    return C.layers.Dense(4, activation=C.relu)(x), {x: ragged(2, 3)}


@case("embedding_sparse")
def _():
    x = C.sequence.input_variable((6,), is_sparse=True, name="x")
    return C.layers.Embedding(3)(x), {x: [np.eye(6, dtype=np.float32)[list(i)] for i in ((0, 1, 5), (2, 2, 3, 0, 1), (4,))]}


def batch_norm(x, n, spatial, dtype=np.float32, **more):
    p = [C.parameter(n, init=v.astype(dtype), dtype=dtype) for v in (normal(*n), normal(*n), normal(*n), positive(*n))]
    return C.batch_normalization(x, *p, spatial=spatial, running_count=C.constant(7, dtype=dtype), **more)


for _name, _shape, _n, _spatial, _more in [
        ("per_element", (3,), (3,), False, {}), ("per_element_rank3", (2, 3, 4), (2, 3, 4), False, {}), ("spatial", (2, 3, 4), (2,), True, {}),
        ("spatial_rank2", (2, 5), (2,), True, {}), ("spatial_rank4", (2, 3, 2, 2), (2,), True, {}), ("spatial_vector", (3,), (3,), True, {}),
        ("epsilon", (2, 3, 4), (2,), True, {"epsilon": 0.5}), ("cudnn", (2, 3, 4), (2,), True, {"use_cudnn_engine": True}),
        ("blend", (2, 3, 4), (2,), True, {"blend_time_constant": 100}), ("no_regularization", (2, 3, 4), (2,), True, {"disable_regularization": True}),
        ("time_constant_negative", (3,), (3,), False, {"normalization_time_constant": -1})]:
    @case("batch_norm_" + _name)
    def _(shape=_shape, n=_n, spatial=_spatial, more=_more):
        x = C.input_variable(shape, name="x")
        return batch_norm(x, n, spatial, **more), {x: batch(*shape)}


@case("batch_norm_of_a_value_without_batch_axis")
def _():
    x = C.input_variable((1, 2), dynamic_axes=[], name="x")
    return batch_norm(C.tanh(x), (1, 2), False), {x: normal(1, 2)}


@case("batch_norm_double")
def _():
    x = C.input_variable((2, 3, 3), dtype=np.float64, name="x")
    return batch_norm(x, (2,), True, np.float64), {x: batch(2, 3, 3).astype(np.float64)}


@case("batch_norm_sequence")
def _():
    x = C.sequence.input_variable((3,), name="x")
    return batch_norm(x, (3,), False), {x: ragged(3)}


@case("batch_norm_spatial_sequence")
def _():
    x = C.sequence.input_variable((2, 3, 3), name="x")
    return batch_norm(x, (2,), True), {x: ragged(2, 3, 3)}


@case("batch_norm_free_dimensions")
def _():
    x = C.input_variable((2, C.FreeDimension, C.FreeDimension), name="x")
    return batch_norm(x, (2,), True), {x: batch(2, 3, 4)}


for _channels in (True, False):
    for _variance in (True, False):
        @case("mean_variance_normalization_%s_%s" % ("channels" if _channels else "each", "scaled" if _variance else "centred"))
        def _(channels=_channels, variance=_variance):
            x = C.input_variable((3, 4, 4), name="x")
            return C.mean_variance_normalization(x, use_stats_across_channels=channels, do_variance_scaling=variance), {x: batch(3, 4, 4)}

for _shape in [(4,), (2, 3), (2, 3, 4)]:
    @case("layer_normalization_%d" % len(_shape))
    def _(shape=_shape):
        x = C.input_variable(shape, name="x")
        return C.layers.LayerNormalization(initial_scale=1.5, initial_bias=0.2)(x), {x: batch(*shape)}


@case("layer_normalization_sequence")
def _():
    x = C.sequence.input_variable((4,), name="x")
    return C.layers.LayerNormalization()(x), {x: ragged(4)}


for _n in (1, 2, 3):
    @case("local_response_normalization_%d" % _n)
    def _(n=_n):
        x = C.input_variable((5, 3, 3), name="x")
        return C.local_response_normalization(x, n, 1.0 + n, 0.5 * n, 0.75), {x: batch(5, 3, 3)}


@case("local_response_normalization_sequence")
def _():
    x = C.sequence.input_variable((5, 3, 2), name="x")
    y = C.local_response_normalization(x, 2, 2.0, 1.5, 0.75)
    return C.reduce_sum(C.sequence.past_value(y), axis=0), {x: ragged(5, 3, 2)}


@case("gelu_tanh_sequence")
def _():
    x = C.sequence.input_variable(4, name="x")
    cube = 0.044715 * x * x * x
    return C.sequence.past_value(x * 0.5 * (1 + C.tanh(np.sqrt(2 / np.pi).astype(np.float32) * (x + cube)))), {x: ragged(4)}


@case("image_scaler")
def _():
    x = C.input_variable((3, 2, 2), name="x")
    return C.image_scaler(x, 0.5, [1.0, -2.0, 3.0]), {x: batch(3, 2, 2)}


@case("per_dim_mean_variance_normalize")
def _():
    x = C.input_variable((3, 2), name="x")
    return C.per_dim_mean_variance_normalize(x, C.constant(normal(3, 2)), C.constant(positive(3, 2))), {x: batch(3, 2)}


# --- criteria
def one_hot(n, *at):
    return np.eye(n, dtype=np.float32)[list(at)]


for _n in (1, 2, 3):
    @case("classification_error_top_%d" % _n)
    def _(n=_n):
        x, t = C.input_variable((5,), name="x"), C.input_variable((5,), name="t")
        return C.classification_error(x, t, topN=n), {x: batch(5, n=4), t: one_hot(5, 1, 4, 0, 2)}


@case("classification_error_axis_0")
def _():
    x, t = C.input_variable((3, 2), name="x"), C.input_variable((3, 2), name="t")
    return C.classification_error(x, t, axis=0), {x: batch(3, 2), t: np.stack([one_hot(3, 0, 2).T, one_hot(3, 1, 1).T])}


@case("classification_error_sequence")
def _():
    x, t = C.sequence.input_variable((3,), name="x"), C.sequence.input_variable((3,), name="t")
    return C.classification_error(x, t), {x: ragged(3), t: [one_hot(3, *i) for i in ((0, 1, 2), (2, 2, 1, 0, 1), (1,))]}


for _axis in (-1, 0, 1):
    @case("cross_entropy_axis_" + str(_axis).replace("-", "neg"))
    def _(axis=_axis):
        x, t = C.input_variable((2, 3), name="x"), C.input_variable((2, 3), name="t")
        return C.cross_entropy_with_softmax(x, t, axis=axis), {x: batch(2, 3), t: positive(2, 2, 3)}


@case("cross_entropy_sparse_labels")
def _():
    x, t = C.input_variable((4,), name="x"), C.input_variable((4,), is_sparse=True, name="t")
    return C.cross_entropy_with_softmax(x, t), {x: batch(4), t: one_hot(4, 3, 1)}


@case("cross_entropy_sequence")
def _():
    x, t = C.sequence.input_variable((3,), name="x"), C.sequence.input_variable((3,), name="t")
    return C.cross_entropy_with_softmax(x, t), {x: ragged(3), t: [one_hot(3, *i) for i in ((0, 1, 2), (2, 2, 1, 0, 1), (1,))]}


@case("squared_error_rank2")
def _():
    x, t = C.input_variable((2, 3), name="x"), C.input_variable((2, 3), name="t")
    return C.squared_error(x, t), {x: batch(2, 3), t: batch(2, 3)}


@case("binary_cross_entropy")
def _():
    x, t = C.input_variable((3,), name="x"), C.input_variable((3,), name="t")
    return C.binary_cross_entropy(x, t), {x: np.array([[0.1, 0.5, 0.9], [0.7, 0.3, 0.6]], np.float32), t: np.array([[0, 1, 1], [1, 0.5, 0]], np.float32)}


@case("weighted_binary_cross_entropy")
def _():
    x, t, w = C.input_variable((1,), name="x"), C.input_variable((1,), name="t"), C.input_variable((1,), name="w")
    return C.weighted_binary_cross_entropy(x, t, w), {x: np.array([[0.1], [0.7], [0.4]], np.float32), t: whole(2, 3, 1), w: positive(3, 1)}


@case("cosine_distance_rank2_and_zero")
def _():
    x, y = C.input_variable((2, 3), name="x"), C.input_variable((2, 3), name="y")
    return C.cosine_distance(x, y), {x: np.concatenate([batch(2, 3), np.zeros((1, 2, 3), np.float32)]), y: batch(2, 3, n=3)}


@case("cosine_distance_tiny_and_huge")
def _():
    # The squares of the norms fit single precision, their product does not.
    x, y = C.input_variable((3,), name="x"), C.input_variable((3,), name="y")
    scale = np.array([[1e-12], [1e12], [1e-8]], np.float32)
    return C.cosine_distance(x, y), {x: batch(3, n=3) * scale, y: (batch(3, n=3) + 1) * scale}


@case("cosine_distance_sequence")
def _():
    x, y = C.sequence.input_variable((3,), name="x"), C.sequence.input_variable((3,), name="y")
    return C.cosine_distance(x, y), {x: ragged(3), y: ragged(3)}


for _shift, _negatives in [(1, 2), (2, 3)]:
    @case("cosine_distance_negative_samples_%d_%d" % (_shift, _negatives))
    def _(shift=_shift, negatives=_negatives):
        x, y = C.input_variable((3,), name="x"), C.input_variable((3,), name="y")
        return C.cosine_distance_with_negative_samples(x, y, shift, negatives), {x: batch(3, n=5), y: batch(3, n=5)}


for _name, _ranking in [("lambda_rank", C.lambda_rank), ("ndcg", C.ndcg_at_1)]:
    @case(_name + "_ragged")
    def _(ranking=_ranking):
        # Documents are the columns of the minibatch, where the short sequence shares a row with the first one. The first of two
        # scores counts; a gap is a document, too.
        x, gain, group = C.sequence.input_variable((2,), name="x"), C.sequence.input_variable(1, name="gain"), C.sequence.input_variable(1, name="group")
        gains = [np.array([[3], [1], [4]], np.float32), np.array([[1], [5], [2], [6], [5]], np.float32), np.array([[2]], np.float32)]
        groups = [np.full((n, 1), k, np.float32) for n, k in ((3, 1), (5, 1), (1, 2))]
        return C.combine([x * 2, ranking(x, gain, group)]), {x: ragged(2), gain: gains, group: groups}


@case("fmeasure")
def _():
    x, t = C.input_variable((4,), name="x"), C.input_variable((4,), name="t")
    return C.losses.fmeasure(x, t, beta=2), {x: positive(3, 4), t: whole(2, 3, 4)}


# --- operands that CNTK sees as vectors, whatever their shapes are
for _name, _f, _a, _b in [
        ("cosine_distance_of_column_and_row", C.cosine_distance, (4, 1), (1, 4)), ("cosine_distance_of_ranks_3_and_2", C.cosine_distance, (2, 1, 4), (2, 4)),
        ("classification_error_top_2_of_column", lambda a, b: C.classification_error(a, b, topN=2), (2, 3), (2, 1)),
        ("classification_error_top_2_of_column_and_row", lambda a, b: C.classification_error(a, b, topN=2), (4, 1), (1, 4))]:
    @case(_name)
    def _(f=_f, a=_a, b=_b):
        x, y = C.input_variable(a, name="x"), C.input_variable(b, name="y")
        return f(x, y), {x: batch(*a, n=5), y: batch(*b, n=5)}

    @case(_name + "_of_sequences")
    def _(f=_f, a=_a, b=_b):
        x, y = C.sequence.input_variable(a, name="x"), C.sequence.input_variable(b, name="y")
        return f(x, y), {x: ragged(*a), y: ragged(*b)}


@case("cosine_distance_negative_samples_of_sequences")
def _():
    x, y = (C.sequence.input_variable(3, name=n) for n in "xy")
    return C.cosine_distance_with_negative_samples(x, y, 2, 3), {x: ragged(3, lengths=(3, 5, 1)), y: ragged(3, lengths=(3, 5, 1))}


@case("cosine_distance_negative_samples_of_short_sequences")
def _():
    x, y = (C.sequence.input_variable((2, 2), name=n) for n in "xy")
    lengths = (2, 1, 4, 2, 1, 1, 3)
    return C.cosine_distance_with_negative_samples(x, y, 1, 2), {x: ragged(2, 2, lengths=lengths), y: ragged(2, 2, lengths=lengths)}


@case("cosine_distance_negative_samples_of_matrix_and_vector")
def _():
    x, y = C.input_variable((2, 3), name="x"), C.input_variable((6,), name="y")
    return C.cosine_distance_with_negative_samples(x, y, 1, 2), {x: batch(2, 3, n=4), y: batch(6, n=4)}


@case("logistic_of_computed_sequences")
def _():
    """CNTK adds the loss of its padding, which is what a sigmoid makes of it: there is no number to compare."""
    x, t, w = (C.sequence.input_variable((1,), name=n) for n in "xtw")
    return C.weighted_binary_cross_entropy(C.sigmoid(x), t, w), {x: ragged(1), t: ragged(1), w: ragged(1)}, {"deterministic": False}

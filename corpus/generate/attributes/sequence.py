"""Ops along the sequence axis: slices, delays, where/gather/scatter, reductions, unpacking, broadcasting, several axes."""
import cntk as C
import numpy as np
from cntk.axis import Axis

from . import batch, case, normal, positive, ragged, whole

LONG = (4, 6, 3)


def short(n):
    return str(n).replace("-", "neg")


# --- sequence.slice: all signs; a fixed result of one frame has no sequence axis
for _begin, _end in [(0, 0), (0, 1), (1, 0), (1, 2), (0, 2), (1, 3), (2, 3), (0, -1), (1, -1), (0, -2), (2, 0), (-1, 0), (-2, 0), (-2, -1), (-3, -1),
                     (-3, 0), (-3, 3), (-2, 2)]:
    @case("sequence_slice_%s_%s" % (short(_begin), short(_end)))
    def _(b=_begin, e=_end):
        x = C.sequence.input_variable((2,), name="x")
        return C.sequence.slice(x, b, e), {x: ragged(2, lengths=(3, 3, 3) if (b, e) in ((-3, 3), (-2, 2)) else LONG)}


@case("sequence_first_last")
def _():
    x = C.sequence.input_variable((2, 3), name="x")
    return C.combine([C.sequence.first(x), C.sequence.last(x)]), {x: ragged(2, 3)}


@case("sequence_is_first_is_last")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.combine([C.sequence.is_first(x), C.sequence.is_last(x)]), {x: ragged(2)}


@case("sequence_last_of_slice")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.sequence.last(C.sequence.slice(x, 1, -1)) * 2, {x: ragged(2, lengths=LONG)}


@case("sequence_slice_then_reduce")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.sequence.reduce_sum(C.sequence.slice(x, 1, 0)), {x: ragged(2, lengths=LONG)}


# --- delays: offset, direction, kind of initial state
for _f in ("past_value", "future_value"):
    for _step in (1, 2, 4):
        @case("%s_offset_%d" % (_f, _step))
        def _(f=getattr(C.sequence, _f), step=_step):
            x = C.sequence.input_variable((2,), name="x")
            return f(x, time_step=step), {x: ragged(2)}

    @case("%s_scalar_state" % _f)
    def _(f=getattr(C.sequence, _f)):
        x = C.sequence.input_variable((2,), name="x")
        return f(x, initial_state=1.5, time_step=2), {x: ragged(2)}

    @case("%s_parameter_state" % _f)
    def _(f=getattr(C.sequence, _f)):
        x = C.sequence.input_variable((2, 3), name="x")
        return f(x, initial_state=C.parameter((2, 3), init=normal(2, 3))), {x: ragged(2, 3)}

    @case("%s_batch_state" % _f)
    def _(f=getattr(C.sequence, _f)):
        x, s = C.sequence.input_variable((2,), name="x"), C.input_variable((2,), name="s")
        return f(x, initial_state=s), {x: ragged(2), s: batch(2, n=3)}

    @case("%s_batch_state_offset_2" % _f)
    def _(f=getattr(C.sequence, _f)):
        x, s = C.sequence.input_variable((2,), name="x"), C.input_variable((2,), name="s")
        return f(x, initial_state=s, time_step=2), {x: ragged(2), s: batch(2, n=3)}

    @case("%s_sequence_state" % _f)
    def _(f=getattr(C.sequence, _f)):
        x, s = C.sequence.input_variable((2,), name="x"), C.sequence.input_variable((2,), name="s")
        return f(x, initial_state=s, time_step=2), {x: ragged(2), s: ragged(2)}

    @case("%s_sequence_state_of_another_axis" % _f)
    def _(f=getattr(C.sequence, _f)):
        x = C.sequence.input_variable((2,), name="x")
        s = C.sequence.input_variable((2,), sequence_axis=Axis("other"), name="s")
        return f(x, initial_state=s, time_step=2), {x: ragged(2), s: ragged(2, lengths=(2, 2, 2))}

    @case("%s_one_step_sequence_state" % _f)
    def _(f=getattr(C.sequence, _f)):
        x = C.sequence.input_variable((2,), name="x")
        s = C.sequence.input_variable((2,), sequence_axis=Axis("other"), name="s")
        return f(x, initial_state=s, time_step=3), {x: ragged(2, lengths=LONG), s: ragged(2, lengths=(1, 3, 4))}

    @case("%s_one_step_sequence_state_in_a_loop" % _f)
    def _(f=getattr(C.sequence, _f)):
        x = C.sequence.input_variable((2,), name="x")
        s = C.sequence.input_variable((2,), sequence_axis=Axis("other"), name="s")
        p = C.placeholder(shape=(2,), dynamic_axes=x.dynamic_axes)
        y = C.tanh(x + f(p, initial_state=s, time_step=3) * 0.5)
        return y.replace_placeholders({p: y.output}), {x: ragged(2, lengths=LONG), s: ragged(2, lengths=(1, 3, 4))}

    for _step in (1, 2):
        for _loop in (False, True):
            @case("%s_offset_%d_sequence_state_of_lower_rank%s" % (_f, _step, "_in_a_loop" if _loop else ""))
            def _(f=getattr(C.sequence, _f), step=_step, loop=_loop):
                x, s = C.sequence.input_variable((1, 2), name="x"), C.sequence.input_variable((2,), name="s")
                feeds = {x: ragged(1, 2, lengths=LONG), s: ragged(2, lengths=LONG)}
                if not loop:
                    return f(x, initial_state=s, time_step=step), feeds
                p = C.placeholder(shape=(1, 2), dynamic_axes=x.dynamic_axes)
                y = C.tanh(x + f(p, initial_state=s, time_step=step) * 0.5)
                return y.replace_placeholders({p: y.output}), feeds

    @case("%s_operand_broadcast_to_state" % _f)
    def _(f=getattr(C.sequence, _f)):
        x, s = C.sequence.input_variable((1, 3, 1), name="x"), C.input_variable((3, 2), name="s")
        return f(x, initial_state=s), {x: ragged(1, 3, 1), s: batch(3, 2, n=3)}

    @case("%s_twice" % _f)
    def _(f=getattr(C.sequence, _f)):
        x = C.sequence.input_variable((2,), name="x")
        return f(f(x), initial_state=3.0) + x, {x: ragged(2)}

    @case("%s_double" % _f)
    def _(f=getattr(C.sequence, _f)):
        x = C.sequence.input_variable((2,), dtype=np.float64, name="x")
        return f(x), {x: [s.astype(np.float64) for s in ragged(2)]}

    @case("%s_scalar" % _f)
    def _(f=getattr(C.sequence, _f)):
        x = C.sequence.input_variable((), name="x")
        return f(x), {x: ragged()}


@case("delay_both_ways")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.splice(C.sequence.delay(x, time_step=1), x, C.sequence.delay(x, time_step=-1)), {x: ragged(2)}


@case("past_value_window")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.combine(C.layers.PastValueWindow(3, axis=-2)(x).outputs), {x: ragged(2)}


@case("past_value_window_backwards")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.combine(C.layers.PastValueWindow(3, axis=-2, go_backwards=True)(x).outputs), {x: ragged(2)}


# --- where, gather, scatter: at least one frame of each sequence is taken
def conditions(lengths=LONG):
    picks = [[1, 0, 1, 1], [0, 0, 1, 0, 0, 1], [0, 1, 0]]
    return [np.array(p[:n], np.float32).reshape(-1, 1) for p, n in zip(picks, lengths)]


@case("sequence_where")
def _():
    c = C.sequence.input_variable((1,), name="c")
    return C.sequence.where(c), {c: conditions()}


@case("sequence_gather")
def _():
    x, c = C.sequence.input_variable((2,), name="x"), C.sequence.input_variable((1,), name="c")
    return C.sequence.gather(x, c), {x: ragged(2, lengths=LONG), c: conditions()}


@case("sequence_gather_rank2")
def _():
    x, c = C.sequence.input_variable((2, 3), name="x"), C.sequence.input_variable((1,), name="c")
    return C.sequence.gather(x, c) + 1, {x: ragged(2, 3, lengths=LONG), c: conditions()}


@case("sequence_gather_computed_condition")
def _():
    x = C.sequence.input_variable((1,), name="x")
    data = [np.array(v, np.float32).reshape(-1, 1) for v in ([1, -1, 2, 3], [-1, -2, 4, -1, -1, 5], [-1, 1, -1])]
    return C.sequence.gather(x * 2, C.greater(x, 0)), {x: data}


@case("sequence_gather_then_last")
def _():
    x, c = C.sequence.input_variable((2,), name="x"), C.sequence.input_variable((1,), name="c")
    return C.sequence.last(C.sequence.gather(x, c)), {x: ragged(2, lengths=LONG), c: conditions()}


@case("sequence_gather_then_reduce")
def _():
    x, c = C.sequence.input_variable((2,), name="x"), C.sequence.input_variable((1,), name="c")
    return C.sequence.reduce_max(C.sequence.gather(x, c)), {x: ragged(2, lengths=LONG), c: conditions()}


# The same frames for every input: what a condition is worth depends on the ends of the sequence alone.
for _name, _condition in {
    "first_equal": lambda first, last: C.equal(first, 1),
    "first_not_equal": lambda first, last: C.not_equal(first, 1),
    "last_less": lambda first, last: C.less(last, 1),
    "last_less_equal": lambda first, last: C.less_equal(last, 0),
    "first_greater": lambda first, last: C.greater(first, 0),
    "last_greater_equal": lambda first, last: C.greater_equal(last, 1),
    "first_negated": lambda first, last: C.negate(first) + 1,
    "ends": lambda first, last: first + last,
    "not_the_ends": lambda first, last: C.less(first + last, 1),
    "second": lambda first, last: C.sequence.past_value(first),
}.items():
    @case("frames_%s" % _name)
    def _(condition=_condition):
        x = C.sequence.input_variable((2,), name="x")
        c = condition(C.sequence.is_first(x), C.sequence.is_last(x))
        return C.sequence.gather(x, c), {x: ragged(2, lengths=LONG)}

# Conditions of the data that are 0 or 1, whatever they are made of.
for _name, _condition in {
    "negated": lambda x: 1 - C.greater(x, 0),
    "times_ones": lambda x: C.greater(x, 0) * C.ones_like(x),
    "select": lambda x: C.element_select(C.greater(x, 2), C.less(x, 3), C.ones_like(x)),
    "hardmax": lambda x: C.slice(C.hardmax(C.splice(x, C.sequence.past_value(x) + 1)), -1, 0, 1),
    "delayed": lambda x: C.sequence.past_value(C.greater(x, 0), initial_state=1),
    "floored": lambda x: C.floor(C.abs(C.not_equal(x, 2))),
}.items():
    @case("gather_where_%s" % _name)
    def _(condition=_condition):
        x = C.sequence.input_variable((1,), name="x")
        data = [np.array(v, np.float32).reshape(-1, 1) for v in ([1, -1, 2, 3], [-1, -2, 4, -1, -1, 5], [-1, 1, -1])]
        return C.sequence.gather(x, condition(x)), {x: data}


@case("sequence_scatter")
def _():
    x, c = C.sequence.input_variable((2,), name="x"), C.sequence.input_variable((1,), name="c")
    return C.sequence.scatter(C.sequence.gather(x, c) * 10, c), {x: ragged(2, lengths=LONG), c: conditions()}


@case("sequence_scatter_of_recurrence")
def _():
    x, c = C.sequence.input_variable((2,), name="x"), C.sequence.input_variable((1,), name="c")
    inner = C.sequence.past_value(C.sequence.gather(x, c), initial_state=0.5)
    return C.sequence.scatter(inner, c), {x: ragged(2, lengths=LONG), c: conditions()}


def first(x):
    return C.sequence.is_first(x)


def last(x):
    return C.sequence.is_last(x)


for _name, _condition in [("first", first), ("last", last), ("but_first", lambda x: 1 - first(x)), ("but_last", lambda x: 1 - last(x)),
                          ("inner", lambda x: (1 - first(x)) * (1 - last(x))), ("second", lambda x: C.sequence.past_value(first(x))),
                          ("last_but_one", lambda x: C.sequence.future_value(last(x))), ("all", lambda x: first(x) + 1 - first(x))]:
    @case("sequence_scatter_to_%s" % _name)
    def _(condition=_condition):
        x = C.sequence.input_variable((2,), name="x")
        frames = C.exp(C.sequence.gather(x, condition(x)))
        return C.sequence.scatter(frames, condition(x)), {x: ragged(2, lengths=LONG)}


@case("sequence_scatter_to_second_of_matrices")
def _():
    x = C.sequence.input_variable((2, 3), name="x")
    second = C.sequence.past_value(first(x))
    return C.sequence.scatter(C.exp(C.sequence.gather(x, second)), second), {x: ragged(2, 3, lengths=LONG)}


for _name, _one, _condition in [("first", C.sequence.first, first), ("last", C.sequence.last, last)]:
    @case("sequence_scatter_one_frame_to_%s" % _name)
    def _(one=_one, condition=_condition):
        x = C.sequence.input_variable((2,), name="x")
        return C.sequence.scatter(C.exp(one(x)), condition(x)), {x: ragged(2, lengths=LONG)}


# --- reductions and softmax over the sequence
@case("sequence_reduce_sum_max")
def _():
    x = C.sequence.input_variable((2, 3), name="x")
    return C.combine([C.sequence.reduce_sum(x), C.sequence.reduce_max(x)]), {x: ragged(2, 3)}


@case("sequence_reduce_max_negative_values")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.sequence.reduce_max(x), {x: [-positive(n, 2) for n in (3, 5, 1)]}


@case("sequence_softmax")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.sequence.softmax(x), {x: ragged(2)}


@case("sequence_softmax_large_negative_values")
def _():
    x = C.sequence.input_variable((1,), name="x")
    return C.sequence.softmax(x), {x: [-1000 * positive(n, 1) for n in (3, 5, 1)]}


for _f, _pad in [("reduce_sum", 0), ("reduce_max", -np.inf), ("reduce_min", np.inf), ("reduce_prod", 1), ("reduce_log_sum_exp", -np.inf),
                 ("argmax", -np.inf), ("argmin", np.inf)]:
    @case("unpack_%s" % _f)
    def _(f=getattr(C, _f), pad=_pad):
        x = C.sequence.input_variable((2, 3), name="x")
        return f(C.sequence.unpack(x, pad, no_mask_output=True), axis=0), {x: ragged(2, 3)}


@case("unpack_with_a_name")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.combine(C.sequence.unpack(x, 0, name="frames").outputs), {x: ragged(2)}


@case("unpack_with_mask")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.combine(C.sequence.unpack(x, 0).outputs), {x: ragged(2)}


@case("unpack_mask_only")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.reduce_sum(C.sequence.unpack(x, 0).outputs[1], 0), {x: ragged(2)}


for _pad in (0.0, -7.5, np.inf):
    @case("unpack_padding_%s" % str(_pad).replace("-", "neg").replace(".", "_"))
    def _(pad=_pad):
        x = C.sequence.input_variable((2,), name="x")
        return C.sequence.unpack(x, pad, no_mask_output=True), {x: ragged(2)}, {"finite": False}


@case("unpack_mean_by_mask")
def _():
    x = C.sequence.input_variable((2,), name="x")
    values, mask = C.sequence.unpack(x, 0).outputs
    return C.reduce_sum(values, 0) / C.reduce_sum(mask, 0), {x: ragged(2)}


@case("unpack_and_pack_again")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.to_sequence_like(C.sequence.unpack(x, 0, no_mask_output=True) * 2, x), {x: ragged(2)}


def attend(values, mask, query):
    score = C.times(values, query) + (1 - C.expand_dims(mask, -1)) * -1e9
    return C.reduce_sum(values * C.softmax(score, axis=0), 0)


@case("unpack_attention_scores")
def _():
    x, q = C.sequence.input_variable((3,), name="x"), C.input_variable((3,), name="q")
    values, mask = C.sequence.unpack(x, 0).outputs
    return attend(values, mask, C.reshape(q, (3, 1))), {x: ragged(3), q: batch(3, n=3)}


@case("to_sequence")
def _():
    x = C.input_variable((C.FreeDimension, 2), name="x")
    return C.sequence.last(C.to_sequence(x)) + 1, {x: batch(4, 2)}


@case("to_sequence_fixed_dimension")
def _():
    x = C.input_variable((4, 2), name="x")
    return C.sequence.reduce_sum(C.to_sequence(x)), {x: batch(4, 2)}


@case("to_sequence_lengths")
def _():
    x, n = C.input_variable((4, 2), name="x"), C.input_variable((), name="n")
    return C.to_sequence(x, n) * 2, {x: batch(4, 2, n=3), n: np.array([2, 4, 1], np.float32)}


@case("to_sequence_lengths_past_value")
def _():
    x, n = C.input_variable((C.FreeDimension, 2), name="x"), C.input_variable((), name="n")
    return C.sequence.future_value(C.to_sequence(x, n)), {x: batch(4, 2, n=3), n: np.array([2, 4, 1], np.float32)}


@case("to_sequence_like_reduce")
def _():
    x, y = C.input_variable((C.FreeDimension, 2), name="x"), C.sequence.input_variable((1,), name="y")
    return C.sequence.reduce_sum(C.to_sequence_like(x, y)) + C.sequence.last(y), {x: batch(5, 2, n=3), y: ragged(1)}


@case("to_sequence_like_add")
def _():
    x, y = C.input_variable((C.FreeDimension, 2), name="x"), C.sequence.input_variable((2,), name="y")
    return C.to_sequence_like(x, y) + y, {x: batch(5, 2, n=3), y: ragged(2)}


# --- broadcasting along, and multiplying over, the sequence
@case("broadcast_as_batch")
def _():
    x, b = C.sequence.input_variable((2,), name="x"), C.input_variable((3,), name="b")
    return C.sequence.broadcast_as(b, x), {x: ragged(2), b: batch(3, n=3)}


@case("broadcast_as_constant")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.sequence.broadcast_as(C.constant(normal(3)), x), {x: ragged(2)}


@case("broadcast_last_of_itself")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return x - C.sequence.broadcast_as(C.sequence.last(x), x), {x: ragged(2)}


@case("reconcile_same_lengths")
def _():
    x = C.sequence.input_variable((2,), sequence_axis=Axis("a"), name="x")
    y = C.sequence.input_variable((2,), sequence_axis=Axis("b"), name="y")
    return C.reconcile_dynamic_axes(x, y) + y, {x: ragged(2), y: ragged(2)}


@case("times_over_sequence")
def _():
    x, w = C.sequence.input_variable((3,), name="x"), C.sequence.input_variable((1,), name="w")
    return C.times(w, x, infer_input_rank_to_map=C.TIMES_REDUCE_SEQUENCE_AXIS_WITHOUT_INFERRED_INPUT_RANK), {x: ragged(3), w: ragged(1)}


@case("times_over_sequence_of_matrices")
def _():
    x, w = C.sequence.input_variable((3,), name="x"), C.sequence.input_variable((3, 4), name="w")
    return C.times(x, w, infer_input_rank_to_map=C.TIMES_REDUCE_SEQUENCE_AXIS_WITHOUT_INFERRED_INPUT_RANK), {x: ragged(3), w: ragged(3, 4)}


@case("times_over_sequence_of_free_matrices")
def _():
    x, w = C.sequence.input_variable((C.FreeDimension,), name="x"), C.sequence.input_variable((C.FreeDimension, 4), name="w")
    return C.times(x, w, infer_input_rank_to_map=C.TIMES_REDUCE_SEQUENCE_AXIS_WITHOUT_INFERRED_INPUT_RANK), {x: ragged(3), w: ragged(3, 4)}


@case("times_over_sequence_of_rows")
def _():
    x = C.sequence.input_variable((1,), name="x")
    w = C.reshape(C.sequence.input_variable((2,), name="w"), (1, 2))
    return C.times(x, w, infer_input_rank_to_map=C.TIMES_REDUCE_SEQUENCE_AXIS_WITHOUT_INFERRED_INPUT_RANK), {x: ragged(1), w.inputs[0]: ragged(2)}


@case("times_over_sequence_attention")
def _():
    x = C.sequence.input_variable((3,), name="x")
    w = C.sequence.softmax(C.times(x, C.parameter((3, 1), init=normal(3, 1))))
    return C.times(w, x, infer_input_rank_to_map=C.TIMES_REDUCE_SEQUENCE_AXIS_WITHOUT_INFERRED_INPUT_RANK), {x: ragged(3)}


# --- more than one sequence axis
def two_axes():
    return (C.sequence.input_variable((2,), sequence_axis=Axis("a"), name="x"), C.sequence.input_variable((2,), sequence_axis=Axis("b"), name="y"))


@case("two_axes_last")
def _():
    x, y = two_axes()
    return C.sequence.last(x) + C.sequence.last(y), {x: ragged(2), y: ragged(2, lengths=(2, 1, 4))}


@case("two_axes_two_outputs")
def _():
    x, y = two_axes()
    return C.combine([C.sequence.past_value(x), C.sequence.future_value(y)]), {x: ragged(2), y: ragged(2, lengths=(2, 1, 4))}


@case("two_axes_broadcast")
def _():
    x, y = two_axes()
    return y + C.sequence.broadcast_as(C.sequence.reduce_max(x), y), {x: ragged(2), y: ragged(2, lengths=(2, 1, 4))}


@case("two_axes_attention")
def _():
    x, y = two_axes()
    keys = C.sequence.unpack(x, 0)
    values, mask = C.sequence.broadcast_as(keys.outputs[0], y), C.sequence.broadcast_as(keys.outputs[1], y)
    return attend(values, mask, C.reshape(y, (2, 1))), {x: ragged(2), y: ragged(2, lengths=(2, 1, 4))}


@case("sequence_equal_lengths")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.sequence.last(x) + C.sequence.reduce_sum(x), {x: ragged(2, lengths=(4, 4))}


@case("sequence_single_frames")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return C.sequence.past_value(x, initial_state=2.0) + C.sequence.future_value(x), {x: ragged(2, lengths=(1, 1))}


@case("sequence_free_static_dimension")
def _():
    x = C.sequence.input_variable((C.FreeDimension, 2), name="x")
    return C.sequence.past_value(x), {x: ragged(3, 2)}


@case("sequence_axis_unused")
def _():
    x = C.sequence.input_variable((2, 4, 4), name="x")
    return C.relu(C.convolution(C.parameter((2, 2, 3, 3), init=normal(2, 2, 3, 3)), x, auto_padding=[False, True, True])), {x: ragged(2, 4, 4)}


# --- the batch axis as a static one
@case("unpack_batch")
def _():
    x = C.input_variable((3,), name="x")
    return C.unpack_batch(x) * 2, {x: batch(3, n=4)}


@case("unpack_batch_transposed_and_back")
def _():
    x = C.input_variable((2, 3), name="x")
    return C.to_batch(C.unpack_batch(x)) + 1, {x: batch(2, 3, n=3)}


@case("to_batch_of_parameter")
def _():
    p = C.parameter((4, 2), init=normal(4, 2))
    x = C.input_variable((2,), name="x")
    return C.combine([C.to_batch(p) * 2, C.reduce_sum(x, Axis.default_batch_axis())]), {x: batch(2, n=4)}


# --- sizes that are free, and made by an op before the loop
for _f in ("past_value", "future_value"):
    for _name, _make in (("pooling", lambda x: C.pooling(x, C.MAX_POOLING, (2, 2), (1, 1), auto_padding=[False, True])),
                         ("convolution", lambda x: C.convolution(C.parameter((2, 2, 2, 2), init=normal(2, 2, 2, 2)), x, auto_padding=[False, True, True]))):
        @case("%s_in_a_loop_over_%s_of_a_free_axis" % (_f, _name))
        def _(f=getattr(C.sequence, _f), make=_make):
            x = C.sequence.input_variable((2, C.FreeDimension, 3), name="x")
            p = C.placeholder()
            y = C.tanh(f(p) * 0.5 + make(x))
            return y.replace_placeholders({p: y.output}), {x: ragged(2, 4, 3)}


@case("sequence_of_one_step_broadcast_as_another")
def _():
    x = C.sequence.input_variable((1, 2), sequence_axis=Axis("x"), name="x")
    y = C.sequence.input_variable((2,), sequence_axis=Axis("y"), name="y")
    one_step = C.to_sequence(C.sequence.first(x))
    return C.sequence.broadcast_as(one_step, y) * y, {x: ragged(1, 2), y: ragged(2, lengths=LONG)}


@case("past_value_operand_broadcast_to_state_of_free_size")
def _():
    x, s = C.sequence.input_variable((), name="x"), C.input_variable((C.FreeDimension, 2), name="s")
    return C.sequence.past_value(x, initial_state=s), {x: ragged(), s: batch(3, 2, n=3)}

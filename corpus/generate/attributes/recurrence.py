"""Recurrent layers with their options, loops that are no known cell, folds and unfolds, interfaces without a batch axis, random ops."""
import cntk as C
import numpy as np
from cntk.axis import Axis
from cntk.layers import GRU, LSTM, Fold, Recurrence, RecurrenceFrom, RNNStep, Sequential, UnfoldFrom

from . import batch, case, normal, positive, ragged


def init():
    return C.glorot_uniform(scale=2, seed=1)


CELLS = {
    "lstm": lambda: LSTM(3, init=init(), init_bias=0.1), "lstm_peephole": lambda: LSTM(3, use_peepholes=True, init=init(), init_bias=0.1),
    "lstm_projection": lambda: LSTM(2, cell_shape=4, init=init(), init_bias=0.1),
    "lstm_peephole_projection": lambda: LSTM(2, cell_shape=4, use_peepholes=True, init=init()),
    "lstm_stabilized": lambda: LSTM(3, enable_self_stabilization=True, init=init(), init_bias=0.1),
    "lstm_everything": lambda: LSTM(2, cell_shape=3, use_peepholes=True, enable_self_stabilization=True, init=init(), init_bias=0.1),
    "lstm_relu": lambda: LSTM(3, activation=C.relu, init=init()), "lstm_sigmoid": lambda: LSTM(3, activation=C.sigmoid, init=init()),
    "lstm_one_unit": lambda: LSTM(1, init=init()),
    "gru": lambda: GRU(3, init=init(), init_bias=0.1), "gru_stabilized": lambda: GRU(3, enable_self_stabilization=True, init=init()),
    "gru_relu": lambda: GRU(3, activation=C.relu, init=init()), "gru_projection": lambda: GRU(2, cell_shape=2, init=init()),
    "rnn_sigmoid": lambda: RNNStep(3, init=init(), init_bias=0.1), "rnn_tanh": lambda: RNNStep(3, activation=C.tanh, init=init(), init_bias=0.1),
    "rnn_relu": lambda: RNNStep(3, activation=C.relu, init=init(), init_bias=0.1), "rnn_identity": lambda: RNNStep(3, activation=C.layers.identity, init=init()),
    "rnn_stabilized": lambda: RNNStep(3, enable_self_stabilization=True, init=init()),
}
for _name in CELLS:
    for _backwards in (False, True):
        @case("%s_%s" % (_name, "backwards" if _backwards else "forwards"))
        def _(cell=CELLS[_name], backwards=_backwards):
            x = C.sequence.input_variable((2,), name="x")
            return Recurrence(cell(), go_backwards=backwards)(x), {x: ragged(2)}

    @case("%s_last" % _name)
    def _(cell=CELLS[_name]):
        x = C.sequence.input_variable((2,), name="x")
        return C.sequence.last(Recurrence(cell())(x)), {x: ragged(2)}

for _name in ("lstm", "gru", "rnn_tanh"):
    @case("%s_scalar_state" % _name)
    def _(cell=CELLS[_name]):
        x = C.sequence.input_variable((2,), name="x")
        return Recurrence(cell(), initial_state=0.3)(x), {x: ragged(2)}

    @case("%s_fold" % _name)
    def _(cell=CELLS[_name]):
        x = C.sequence.input_variable((2,), name="x")
        return Fold(cell())(x), {x: ragged(2)}

    @case("%s_fold_backwards" % _name)
    def _(cell=CELLS[_name]):
        x = C.sequence.input_variable((2,), name="x")
        return Fold(cell(), go_backwards=True)(x), {x: ragged(2)}

    @case("%s_two_layers" % _name)
    def _(cell=CELLS[_name]):
        x = C.sequence.input_variable((2,), name="x")
        return Sequential([Recurrence(cell()), Recurrence(cell())])(x), {x: ragged(2)}

    @case("%s_bidirectional" % _name)
    def _(cell=CELLS[_name]):
        x = C.sequence.input_variable((2,), name="x")
        return C.splice(Recurrence(cell())(x), Recurrence(cell(), go_backwards=True)(x)), {x: ragged(2)}

    @case("%s_bidirectional_ends" % _name)
    def _(cell=CELLS[_name]):
        x = C.sequence.input_variable((2,), name="x")
        return C.splice(C.sequence.last(Recurrence(cell())(x)), C.sequence.first(Recurrence(cell(), go_backwards=True)(x))), {x: ragged(2)}

    @case("%s_full_state" % _name)
    def _(cell=CELLS[_name]):
        x = C.sequence.input_variable((2,), name="x")
        return C.combine(Recurrence(cell(), return_full_state=True)(x).outputs), {x: ragged(2)}

    @case("%s_shared" % _name)
    def _(cell=CELLS[_name]):
        x = C.sequence.input_variable((2,), sequence_axis=Axis("a"), name="x")
        y = C.sequence.input_variable((2,), sequence_axis=Axis("b"), name="y")
        layer = Recurrence(cell())
        return C.sequence.last(layer(x)) - C.sequence.last(layer(y)), {x: ragged(2), y: ragged(2, lengths=(2, 1, 4))}

    @case("%s_double" % _name)
    def _(name=_name):
        with C.default_options(dtype=np.float64):
            x = C.sequence.input_variable((2,), name="x")
            layer = {"lstm": lambda: LSTM(3, init=init()), "gru": lambda: GRU(3, init=init()), "rnn_tanh": lambda: RNNStep(3, activation=C.tanh, init=init())}
            return Recurrence(layer[name]())(x), {x: [s.astype(np.float64) for s in ragged(2)]}

    @case("%s_sparse_input" % _name)
    def _(cell=CELLS[_name]):
        x = C.sequence.input_variable((5,), is_sparse=True, name="x")
        return Recurrence(cell())(x), {x: [np.eye(5, dtype=np.float32)[list(i)] for i in ((0, 1, 4), (2, 2, 3, 0, 1), (4,))]}


@case("lstm_parameter_states")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return Recurrence(CELLS["lstm"](), initial_state=(C.parameter((3,), init=normal(3)), C.parameter((3,), init=normal(3))))(x), {x: ragged(2)}


@case("lstm_batch_states")
def _():
    x, h, c = C.sequence.input_variable((2,), name="x"), C.input_variable((3,), name="h"), C.input_variable((3,), name="c")
    return RecurrenceFrom(CELLS["lstm"]())(h, c, x), {x: ragged(2), h: batch(3, n=3), c: batch(3, n=3)}


@case("gru_batch_state_backwards")
def _():
    x, h = C.sequence.input_variable((2,), name="x"), C.input_variable((3,), name="h")
    return RecurrenceFrom(CELLS["gru"](), go_backwards=True)(h, x), {x: ragged(2), h: batch(3, n=3)}


@case("rnn_state_from_another_sequence")
def _():
    x = C.sequence.input_variable((2,), sequence_axis=Axis("a"), name="x")
    y = C.sequence.input_variable((2,), sequence_axis=Axis("b"), name="y")
    thought = C.sequence.last(Recurrence(CELLS["rnn_tanh"]())(x))
    return RecurrenceFrom(CELLS["rnn_tanh"]())(thought, y), {x: ragged(2), y: ragged(2, lengths=(2, 1, 4))}


# --- loops that are not a known cell
def loop(step, x, shape, backwards=False, initial=0, offset=1):
    before = C.placeholder(shape=shape, dynamic_axes=x.dynamic_axes)
    delay = C.sequence.future_value if backwards else C.sequence.past_value
    after = step(x, delay(before, initial_state=initial, time_step=offset))
    after.replace_placeholders({before: after.output})
    return after


for _backwards in (False, True):
    _way = "backwards" if _backwards else "forwards"

    @case("loop_running_sum_" + _way)
    def _(backwards=_backwards):
        x = C.sequence.input_variable((2,), name="x")
        return loop(lambda v, s: v + s, x, (2,), backwards), {x: ragged(2)}

    @case("loop_running_maximum_" + _way)
    def _(backwards=_backwards):
        x = C.sequence.input_variable((2,), name="x")
        return loop(C.element_max, x, (2,), backwards, initial=-100), {x: ragged(2)}

    @case("loop_offset_2_" + _way)
    def _(backwards=_backwards):
        x = C.sequence.input_variable((2,), name="x")
        return loop(lambda v, s: v + 0.5 * s, x, (2,), backwards, initial=1, offset=2), {x: ragged(2)}

    @case("loop_matrix_state_" + _way)
    def _(backwards=_backwards):
        x = C.sequence.input_variable((2, 3), name="x")
        return loop(lambda v, s: C.tanh(v + C.times(s, C.parameter((3, 3), init=normal(3, 3) * 0.5))), x, (2, 3), backwards), {x: ragged(2, 3)}


@case("loop_with_two_delays")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return loop(lambda v, s: v + 0.5 * s - 0.25 * C.sequence.past_value(s, initial_state=1), x, (2,)), {x: ragged(2)}


@case("loop_with_convolution")
def _():
    x = C.sequence.input_variable((1, 4, 4), name="x")
    w = C.parameter((1, 1, 3, 3), init=normal(1, 1, 3, 3) * 0.3)
    return loop(lambda v, s: C.tanh(v + C.convolution(w, C.reshape(s, (1, 4, 4)), auto_padding=[False, True, True])), x, (1, 4, 4)), {x: ragged(1, 4, 4)}


@case("loop_with_side_input")
def _():
    x, gain = C.sequence.input_variable((2,), name="x"), C.input_variable((2,), name="gain")
    g = C.sequence.broadcast_as(gain, x)
    return loop(lambda v, s: v + g * s, x, (2,)), {x: ragged(2), gain: batch(2, n=3)}


@case("loop_reset_by_condition")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return loop(lambda v, s: C.element_select(C.greater(C.reduce_sum(v, 0), 0), v, v + s), x, (2,)), {x: ragged(2)}


@case("loop_then_last_then_broadcast")
def _():
    x = C.sequence.input_variable((2,), name="x")
    total = C.sequence.last(loop(lambda v, s: v + s, x, (2,)))
    return x / (1 + C.abs(C.sequence.broadcast_as(total, x))), {x: ragged(2)}


@case("fold_sum")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return Fold(C.plus)(x), {x: ragged(2)}


@case("fold_max_initial_state")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return Fold(C.element_max, initial_state=0.25)(x), {x: ragged(2)}


@case("recurrence_sequential_with_dense")
def _():
    x = C.sequence.input_variable((2,), name="x")
    return Sequential([C.layers.Dense(3, activation=C.tanh), Recurrence(LSTM(3, init=init())), C.layers.Dense(2)])(x), {x: ragged(2)}


for _increase in (1, 2):
    @case("unfold_length_%d" % _increase)
    def _(increase=_increase):
        like, start = C.sequence.input_variable((1,), name="like"), C.input_variable((2,), name="start")
        w = C.parameter((2, 2), init=normal(2, 2))
        step = lambda s: C.tanh(C.times(s, w) + 0.1)
        return UnfoldFrom(step, length_increase=increase)(start, like), {like: ragged(1), start: batch(2, n=3)}


# --- interfaces
@case("no_batch_axis")
def _():
    x = C.input_variable((2, 3), dynamic_axes=[], name="x")
    return C.times(x, C.parameter((3, 2), init=normal(3, 2))), {x: normal(2, 3)}


@case("no_batch_axis_beside_one")
def _():
    x, y = C.input_variable((2, 3), dynamic_axes=[], name="x"), C.input_variable((3,), name="y")
    return x * y, {x: normal(2, 3), y: batch(3)}


@case("no_batch_axis_reduction")
def _():
    x = C.input_variable((2, 3), dynamic_axes=[], name="x")
    return C.reduce_sum(x, axis=Axis.all_static_axes()), {x: normal(2, 3)}


@case("constant_output_beside_input")
def _():
    x = C.input_variable((2,), name="x")
    return C.combine([x + 1, C.tanh(C.constant(normal(3)))]), {x: batch(2)}


@case("output_listed_twice")
def _():
    x = C.input_variable((2,), name="x")
    y = C.tanh(x, name="y")
    return C.combine([y, C.relu(y), y]), {x: batch(2)}


@case("same_names")
def _():
    x, y = C.input_variable((2,), name="v"), C.input_variable((2,), name="v")
    return C.plus(x, y, name="v"), {x.uid: batch(2), y.uid: batch(2)}


@case("scalar_input")
def _():
    x = C.input_variable((), name="x")
    return x * 2 + 1, {x: batch()}


@case("scalar_sequence_input")
def _():
    x = C.sequence.input_variable((), name="x")
    return C.sequence.reduce_sum(x) + C.sequence.last(x), {x: ragged()}


@case("sparse_input_elementwise")
def _():
    x = C.input_variable((4,), is_sparse=True, name="x")
    return C.times(x, C.constant(np.eye(4, dtype=np.float32))) * 3, {x: np.eye(4, dtype=np.float32)[[2, 0]]}


# --- random ops: loaded and checked, nothing to compare
RANDOM = {"deterministic": False}
for _f, _args in [("uniform", (-1, 2)), ("normal", (1, 0.5)), ("gumbel", (0.5, 2)), ("bernoulli", (0.3,))]:
    @case("random_" + _f)
    def _(f=getattr(C.random, _f), args=_args):
        x = C.input_variable((2, 3), name="x")
        return x + f((2, 3), np.float32, *args), {x: batch(2, 3)}, RANDOM

    @case("random_%s_like" % _f)
    def _(f=getattr(C.random, _f + "_like"), args=_args):
        x = C.input_variable((2, 3), name="x")
        return x * f(x, *args), {x: batch(2, 3)}, RANDOM


for _duplicates in (True, False):
    @case("random_sample_" + ("with_duplicates" if _duplicates else "without_duplicates"))
    def _(d=_duplicates):
        x = C.input_variable((4,), name="x")
        return C.times(C.random_sample(C.constant(positive(4)), 3, d), C.constant(normal(4, 4))) + x, {x: batch(4)}, RANDOM


@case("random_sample_inclusion_frequency")
def _():
    x = C.input_variable((4,), name="x")
    return C.random_sample_inclusion_frequency(C.constant(positive(4)), 3, True) + x, {x: batch(4)}

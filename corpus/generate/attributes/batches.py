"""Several batch axes in one model: what to_batch makes of static axes has a size of its own."""
import cntk as C
import numpy as np
from cntk.axis import Axis

from . import batch, case, normal, positive, ragged


def turned(x):
    """The batch as the outermost static axis, exchanged with the next one, which becomes the batch."""
    rank = len(x.shape) + 1
    return C.to_batch(C.transpose(C.unpack_batch(x), [1, 0] + list(range(2, rank))))


def sequences(x):
    """Of x (time, n), a batch of so many sequences as x has steps; the samples of x become the steps."""
    return C.to_sequence(turned(x))


def back(y):
    """Steps of a made batch as samples again."""
    return turned(C.sequence.unpack(y, 0, no_mask_output=True))


def made():
    x = C.input_variable((4, 2), name="x")
    return x, sequences(x), {x: batch(4, 2, n=3)}


@case("batch_made_beside_inputs")
def _():
    x = C.input_variable((4, 2), name="x")
    t = turned(x)
    w = C.parameter((2, 3), init=normal(2, 3))
    return C.combine([C.times(t, w) + 1, C.reduce_sum(x, 0)]), {x: batch(4, 2, n=3)}


@case("batch_made_and_back")
def _():
    x = C.input_variable((4, 2), name="x")
    return turned(C.tanh(turned(x))) + x, {x: batch(4, 2, n=3)}


@case("batch_made_twice")
def _():
    x = C.input_variable((4, 5), name="x")
    y = C.to_batch(C.transpose(C.unpack_batch(x), [2, 1, 0]))
    t = turned(x)
    return C.combine([t * 2, y - 1, x + 1]), {x: batch(4, 5, n=3)}


@case("batch_made_of_parameter_on_inputs")
def _():
    x = C.input_variable((2,), name="x")
    p = C.parameter((4, 2), init=normal(4, 2))
    return C.to_batch(p) * x, {x: batch(2, n=4)}


@case("batch_made_of_steps")
def _():
    x = C.sequence.input_variable((2,), name="x")
    steps = C.sequence.unpack(x, 0, no_mask_output=True)
    return C.combine([turned(steps) * 2, C.sequence.reduce_sum(x)]), {x: ragged(2)}


@case("batch_made_of_free_axis")
def _():
    x = C.input_variable((C.FreeDimension, 2), dynamic_axes=[], name="x")
    w = C.parameter((2, 3), init=normal(2, 3))
    b = C.to_batch(x)
    return C.splice(C.unpack_batch(C.times(b, w)), C.unpack_batch(b), axis=1), {x: normal(3, 2)}


@case("batch_of_one_convolved_and_spliced")
def _():
    x = C.input_variable((1, 2, 6, 6), dynamic_axes=[], name="x")
    one, other = C.parameter((3, 2, 3, 3), init=normal(3, 2, 3, 3)), C.parameter((2, 3, 1, 1), init=normal(2, 3, 1, 1))
    a = C.unpack_batch(C.relu(C.convolution(one, C.to_batch(x), auto_padding=[False, True, True])))
    b = C.unpack_batch(C.convolution(other, C.to_batch(a), auto_padding=[False, True, True]) + C.parameter((2, 1, 1), init=normal(2, 1, 1)))
    return C.splice(a, b, x, axis=1), {x: normal(1, 2, 6, 6)}


@case("batch_of_one_pooled_and_flattened")
def _():
    x = C.input_variable((1, 2, 6, 6), dynamic_axes=[], name="x")
    y = C.pooling(C.to_batch(x), C.MAX_POOLING, (2, 2), (2, 2))
    flat = C.reshape(C.unpack_batch(y), (C.InferredDimension, 18))
    return C.times(C.to_batch(flat), C.parameter((18, 3), init=normal(18, 3))), {x: normal(1, 2, 6, 6)}


@case("batch_made_reduced")
def _():
    x = C.input_variable((4, 2), name="x")
    t = turned(x)
    return C.combine([C.reduce_sum(t, Axis.default_batch_axis()), C.reduce_mean(t, Axis.all_axes()), C.reduce_max(x, Axis.default_batch_axis())]), \
        {x: batch(4, 2, n=3)}


@case("batch_made_softmax_normalized")
def _():
    x = C.input_variable((6,), name="x")
    t = C.to_batch(C.reshape(C.unpack_batch(x), (C.InferredDimension, 3)))
    p = [C.parameter((3,), init=f(3)) for f in (normal, normal, normal, positive)]
    y = C.batch_normalization(C.softmax(t), *p, running_count=C.constant(0), spatial=False)
    return C.unpack_batch(y), {x: batch(6, n=2)}


# --- sequences of another batch
@case("batch_made_sequence_lengths")
def _():
    x, s, feeds = made()
    return C.combine([s * 2, C.sequence.last(s)]), feeds


@case("batch_made_sequence_given_lengths")
def _():
    x = C.input_variable((4, 2), name="x")
    n = C.to_batch(C.constant(np.array([[3], [1], [2], [3]], dtype=np.float32)))
    s = C.to_sequence(turned(x), n)
    return C.combine([s + 1, C.sequence.reduce_sum(s), C.sequence.last(s), C.sequence.future_value(s)]), {x: batch(4, 2, n=3)}


for _f in ("past_value", "future_value"):
    @case("batch_made_%s" % _f)
    def _(f=getattr(C.sequence, _f)):
        x, s, feeds = made()
        p = C.parameter((2,), init=normal(2))
        return C.combine([f(s, 1.5), f(s, p), f(s, p, time_step=2), f(x=s, initial_state=C.sequence.last(s))]), feeds


@case("batch_made_slices")
def _():
    x, s, feeds = made()
    return C.combine([C.sequence.slice(s, 1, 0), C.sequence.slice(s, 0, -1), C.sequence.slice(s, -2, 0), C.sequence.first(s), C.sequence.is_first(s)]), feeds


@case("batch_made_gather_scatter")
def _():
    x, s, feeds = made()
    condition = C.greater(C.reduce_sum(C.sequence.is_first(s)), 0)
    picked = C.sequence.gather(s, condition)
    return C.combine([picked, C.sequence.scatter(picked, condition), C.sequence.where(condition)]), feeds


@case("batch_made_reductions")
def _():
    x, s, feeds = made()
    return C.combine([C.sequence.reduce_sum(s), C.sequence.reduce_max(s), C.sequence.softmax(C.reduce_sum(s))]), feeds


@case("batch_made_broadcast_as")
def _():
    x, s, feeds = made()
    p = C.parameter((3,), init=normal(3))
    return C.combine([C.splice(s, C.sequence.broadcast_as(p, s)), C.sequence.broadcast_as(C.sequence.last(s), s) - s,
                      C.sequence.broadcast_as(C.constant(2.5), s)]), feeds


@case("batch_made_unpacked_with_mask")
def _():
    x, s, feeds = made()
    values, mask = C.sequence.unpack(s, -1).outputs
    return C.combine([values * 2, mask + 1]), feeds


@case("batch_made_attention")
def _():
    x, s, feeds = made()
    weights = C.sequence.softmax(C.times(s, C.parameter((2, 1), init=normal(2, 1))))
    return C.combine([C.sequence.reduce_sum(weights * s), C.reduce_mean(x)]), feeds


@case("batch_made_loop_with_state")
def _():
    x, s, feeds = made()
    start = C.parameter((2,), init=normal(2))

    @C.Function
    def step(h, v):
        return C.sin(h * 0.5 + v)
    forward = C.layers.Recurrence(step, initial_state=start)(s)
    backward = C.layers.Recurrence(step, initial_state=0.25, go_backwards=True)(s)
    return C.combine([forward, C.sequence.first(backward), backward]), feeds


@case("batch_made_loop_of_two_frames")
def _():
    x, s, feeds = made()
    start = C.parameter((2,), init=normal(2))
    h = C.placeholder(shape=(2,), dynamic_axes=s.dynamic_axes)
    y = C.cos(C.sequence.past_value(h, start, time_step=2) * 0.5 + s)
    y.replace_placeholders({h: y.output})
    return back(y), feeds


@case("batch_made_loop_beside_inputs")
def _():
    x = C.sequence.input_variable((2,), name="x")
    steps = C.sequence.unpack(x, 0, no_mask_output=True)
    other = C.to_sequence(turned(steps))

    @C.Function
    def step(h, v):
        return C.tanh(h * 0.5 + C.abs(v))
    run = C.layers.Recurrence(step, initial_state=0.5)
    return C.combine([run(x), run(other)]), {x: ragged(2, lengths=(3, 5))}


for _cell, _make in (("lstm", C.layers.LSTM), ("gru", C.layers.GRU), ("rnn", C.layers.RNNStep)):
    for _way in (False, True):
        @case("batch_made_%s%s" % (_cell, "_backwards" if _way else ""))
        def _(cell=_make, backwards=_way, two=_cell == "lstm"):
            x, s, feeds = made()
            init = C.parameter((3,), init=normal(3))
            make = cell(3, init=C.normal(0.5, seed=3), init_bias=0.1)
            y = C.layers.Recurrence(make, initial_state=(init, init * 0.5) if two else init, go_backwards=backwards)(s)
            return C.combine([y, C.sequence.first(y) if backwards else C.sequence.last(y)]), feeds


@case("batch_made_lstm_state_of_another_batch")
def _():
    x = C.input_variable((4, 2), name="x")
    s = sequences(x)
    start = C.times(C.reshape(turned(C.reduce_mean(x, 1)), 3), C.parameter((3, 3), init=normal(3, 3)))
    y = C.layers.RecurrenceFrom(C.layers.LSTM(3, init=C.normal(0.5, seed=3)))(start, start * 0.5, s)
    return back(y), {x: batch(4, 2, n=3)}


@case("batch_made_both_directions")
def _():
    x, s, feeds = made()
    run = [C.layers.Recurrence(C.layers.GRU(2, init=C.normal(0.5, seed=k)), go_backwards=k == 2)(s) for k in (1, 2)]
    return C.combine([back(C.splice(*run)), x * 1]), feeds


@case("batch_made_by_transposed_sequences")
def _():
    x = C.input_variable((4, 2), name="x")
    y = C.layers.Recurrence(C.layers.RNNStep(3, init=C.normal(0.5, seed=4)), initial_state=0.5)(C.to_sequence(x))
    s = C.to_sequence(turned(C.sequence.unpack(y, 0, no_mask_output=True)))
    z = C.layers.Recurrence(C.layers.RNNStep(2, init=C.normal(0.5, seed=5)), initial_state=0.5)(s)
    return C.combine([C.sequence.last(y), C.sequence.last(z), z]), {x: batch(4, 2, n=3)}

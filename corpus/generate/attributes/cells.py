"""Recurrent cells written out by hand, in the ways that people write them, and loops that look like cells and are none;
loops over derived sequence axes; conditions that repeat frames."""
import cntk as C
import numpy as np
from cntk.axis import Axis
from cntk.layers import GRU, LSTM, Dense, Fold, Recurrence, RecurrenceFrom, UnfoldFrom

from . import Data, batch, case, normal, ragged

H = 3


def weights(*shape):
    return C.parameter(init=np.round(Data.rng.uniform(-0.7, 0.7, shape), 3).astype(np.float32))


def sequence(n=2, name="x", **more):
    return C.sequence.input_variable(n, name=name, **more)


def loop(step, sizes, backwards=False, initial=None):
    """The values of `step`, a function of its own last values."""
    delay = C.sequence.future_value if backwards else C.sequence.past_value
    open_values = [C.placeholder(n) for n in sizes]
    last = [delay(v, initial_state=initial[i] if initial else None) for i, v in enumerate(open_values)]
    values = step(*last)
    all_values = C.combine(values)
    all_values.replace_placeholders({p: v.output for p, v in zip(open_values, values)})
    return all_values


def lstm(x, n, peepholes=False, spliced=False, **more):
    """Each gate with weights of its own, summands and factors in any order."""
    W = {k: weights(n + H if spliced else n, H) for k in "ifgo"}
    U = {k: weights(H, H) for k in "ifgo"}
    b = {k: weights(H) for k in "ifgo"}
    p = {k: weights(H) for k in "ifo"}

    def gate(k, h, c=None):
        sum_ = C.times(C.splice(x, h), W[k]) + b[k] if spliced else b[k] + (C.times(h, U[k]) + C.times(x, W[k]))
        return sum_ if c is None or not peepholes else p[k] * c + sum_

    def step(h, c):
        new = C.tanh(gate("g", h)) * C.sigmoid(gate("i", h, c)) + c * C.sigmoid(gate("f", h, c))
        return [C.tanh(new) * C.sigmoid(gate("o", h, new)), new]
    return loop(step, [H, H], **more)


for _name, _options in [("plain", {}), ("peepholes", {"peepholes": True}), ("spliced", {"spliced": True}),
                        ("backwards", {"backwards": True}), ("peepholes_backwards", {"peepholes": True, "backwards": True})]:
    _end = C.sequence.first if "backwards" in _options else C.sequence.last
    _start = C.sequence.last if "backwards" in _options else C.sequence.first

    @case("cell_lstm_%s" % _name)
    def _(options=_options):
        x = sequence()
        return C.combine([lstm(x, 2, **options).outputs[0]]), {x: ragged(2)}

    @case("cell_lstm_%s_states" % _name)
    def _(options=_options):
        x = sequence()
        return lstm(x, 2, **options), {x: ragged(2)}

    @case("cell_lstm_%s_final_states" % _name)
    def _(options=_options, end=_end):
        x = sequence()
        y = lstm(x, 2, **options)
        return C.splice(end(y.outputs[0]), end(y.outputs[1])), {x: ragged(2)}

    @case("cell_lstm_%s_states_at_the_start" % _name)
    def _(options=_options, start=_start):
        x = sequence()
        y = lstm(x, 2, **options)
        return C.splice(start(y.outputs[0]), start(y.outputs[1])), {x: ragged(2)}


@case("cell_lstm_states_from_inputs")
def _():
    x, h, c = sequence(), C.input_variable(H, name="h"), C.input_variable(H, name="c")
    return C.combine([lstm(x, 2, initial=[h, c]).outputs[0]]), {x: ragged(2), h: batch(H, n=3), c: batch(H, n=3)}


for _way in ("forwards", "backwards"):
    @case("cell_lstm_state_from_a_sequence_%s" % _way)
    def _(backwards=_way == "backwards"):
        x, s = sequence(), sequence(H, "s", sequence_axis=Axis("other"))
        y = lstm(x, 2, initial=[s, C.constant(0.5)], backwards=backwards)
        return C.combine([y.outputs[0]]), {x: ragged(2), s: ragged(H, lengths=(2, 4, 3))}

    @case("cell_lstm_states_into_another_%s" % _way)
    def _(backwards=_way == "backwards"):
        x, y = sequence(2, "x", sequence_axis=Axis("encoder")), sequence(2, "y")
        states = Fold(LSTM(H), go_backwards=backwards, return_full_state=True)(x)
        return RecurrenceFrom(LSTM(H), go_backwards=backwards)(*(tuple(states.outputs) + (y,))), \
            {x: ragged(2, lengths=(4, 1, 3)), y: ragged(2)}


def gru(x, n, form, **more):
    W, U, b = ({k: weights(*s) for k in "zrn"} for s in ((n, H), (H, H), (H,)))
    inner = weights(H)

    def step(h):
        z, r = (C.sigmoid(C.times(x, W[k]) + C.times(h, U[k]) + b[k]) for k in "zr")
        if form in ("reset_after", "reset_after_bias"):
            product = C.times(h, U["n"])
            new = C.tanh(C.times(x, W["n"]) + b["n"] + r * (product + inner if form == "reset_after_bias" else product))
        else:
            new = C.tanh(C.times(x, W["n"]) + b["n"] + C.times(r * h, U["n"]))
        if form == "difference":
            return [new + z * (h - new)]
        return [z * new + (1 - z) * h] if form == "turned" else [z * h + (1 - z) * new]
    return loop(step, [H], **more)


for _form in ("reset_before", "reset_after", "reset_after_bias", "difference", "turned"):
    for _way in ("forwards", "backwards"):
        @case("cell_gru_%s_%s" % (_form, _way))
        def _(form=_form, backwards=_way == "backwards"):
            x = sequence()
            return gru(x, 2, form, backwards=backwards), {x: ragged(2)}


@case("cell_rnn_two_inputs")
def _():
    x, y = sequence(), sequence(4, "y")
    W, V, U, b = weights(2, H), weights(4, H), weights(H, H), weights(H)
    return loop(lambda h: [C.tanh(C.times(x, W) + C.times(h, U) + C.times(y, V) + b)], [H]), {x: ragged(2), y: ragged(4)}


@case("cell_rnn_no_bias")
def _():
    x, W, U = sequence(), weights(2, H), weights(H, H)
    return loop(lambda h: [C.relu(C.times(x, W) + C.times(h, U))], [H]), {x: ragged(2)}


@case("cell_rnn_two_biases")
def _():
    x, W, U, a, b = sequence(), weights(2, H), weights(H, H), weights(H), weights(H)
    return loop(lambda h: [C.tanh((C.times(x, W) + a) + (b + C.times(h, U)))], [H]), {x: ragged(2)}


@case("cell_rnn_matrix_input")
def _():
    x, W, U = sequence((2, 2)), weights(2, 2, H), weights(H, H)
    return loop(lambda h: [C.tanh(C.times(x, W) + C.times(h, U))], [H]), {x: ragged(2, 2)}


@case("cell_rnn_matrix_state")
def _():
    x, W, U = sequence((2, 2)), weights(2, H), weights(H, H)
    return loop(lambda h: [C.tanh(C.times(x, W) + C.times(h, U))], [(2, H)]), {x: ragged(2, 2)}


@case("cell_rnn_input_without_weights")
def _():
    x, U = sequence(H), weights(H, H)
    return loop(lambda h: [C.tanh(x + C.times(h, U))], [H]), {x: ragged(H)}


@case("cell_rnn_transposed_weights")
def _():
    x, W, U = sequence(), weights(2, H), weights(H, H)
    return loop(lambda h: [C.tanh(C.times(x, W) + C.times_transpose(h, U))], [H]), {x: ragged(2)}


@case("cell_lstm_output_delayed")
def _():
    x = sequence()
    y = Recurrence(LSTM(H))(x)
    return C.sequence.past_value(y) + y * C.sequence.future_value(y, time_step=2), {x: ragged(2)}


@case("cell_lstm_state_reduced")
def _():
    x = sequence()
    y = Recurrence(LSTM(H), return_full_state=True)(x)
    return C.sequence.reduce_max(y.outputs[1]) + C.sequence.last(y.outputs[0]), {x: ragged(2)}


# ---- loops

for _way in ("forwards", "backwards"):
    @case("loop_mixed_offsets_%s" % _way)
    def _(backwards=_way == "backwards"):
        x, W, V, h = sequence(H), weights(H, H), weights(H, H), C.placeholder(H)
        delay = C.sequence.future_value if backwards else C.sequence.past_value
        y = C.tanh(x + C.times(delay(h, time_step=1), W) + C.times(delay(h, 0.5, time_step=3), V))
        y.replace_placeholders({h: y.output})
        return y, {x: ragged(H, lengths=(3, 7, 1))}

    for _offset in (1, 3):
        @case("loop_state_from_a_sequence_offset_%d_%s" % (_offset, _way))
        def _(backwards=_way == "backwards", offset=_offset):
            x, s, h = sequence(), sequence(2, "s", sequence_axis=Axis("other")), C.placeholder(2)
            delay = C.sequence.future_value if backwards else C.sequence.past_value
            y = C.tanh(x + 0.5 * delay(h, s, time_step=offset))
            y.replace_placeholders({h: y.output})
            return y, {x: ragged(2), s: ragged(2, lengths=(4, 3, 6))}

    @case("loop_counts_frames_%s" % _way)
    def _(backwards=_way == "backwards"):
        x, n = sequence(), C.placeholder(1)
        delay = C.sequence.future_value if backwards else C.sequence.past_value
        y = delay(n) + C.sequence.broadcast_as(C.constant([1.0]), x)
        y.replace_placeholders({n: y.output})
        return y, {x: ragged(2)}

    @case("loop_with_another_axis_%s" % _way)
    def _(backwards=_way == "backwards"):
        x, y = sequence(), sequence(2, "y", sequence_axis=Axis("other"))
        return loop(lambda h: [C.tanh(x + 0.3 * h + C.reconcile_dynamic_axes(y, x))], [2], backwards=backwards), \
            {x: ragged(2), y: ragged(2)}

    @case("loop_with_a_matrix_per_sample_%s" % _way)
    def _(backwards=_way == "backwards"):
        x, m = sequence(), C.input_variable((2, 2), name="m")
        return loop(lambda h: [C.tanh(x + C.times(h, C.sequence.broadcast_as(m, x)))], [2], backwards=backwards), \
            {x: ragged(2), m: batch(2, 2, n=3)}


@case("loop_three_in_a_row")
def _():
    x = sequence()
    a = loop(lambda h: [0.5 * h + x], [2])
    b = loop(lambda h: [C.tanh(0.5 * h + a)], [2], backwards=True)
    return loop(lambda h: [C.tanh(0.5 * h - b * a)], [2]), {x: ragged(2)}


@case("loop_greedy_decoder")
def _():
    y, s = sequence(4, "y"), C.input_variable(H, name="s")
    E, out, cell = weights(4, 2), weights(H, 4), GRU(H)

    @C.Function
    def generate(h):
        new = cell(h, C.times(C.hardmax(C.times(h, out)), E))
        return C.hardmax(C.times(new, out)), new
    return UnfoldFrom(generate)(s, y), {y: ragged(4), s: batch(H, n=3)}


# ---- derived axes

def flags(lengths=(3, 5, 1)):
    found = [(Data.rng.rand(n, 1) > 0.5).astype(np.float32) for n in lengths]
    for f in found:
        f[0] = 1
    return found


@case("gather_then_lstm_backwards")
def _():
    x, c = sequence(), sequence(1, "c")
    return Recurrence(LSTM(H), go_backwards=True)(C.sequence.gather(x, c)), {x: ragged(2), c: flags()}


@case("gather_then_loop_backwards")
def _():
    x, c = sequence(), sequence(1, "c")
    y = Recurrence(lambda h, v: C.element_max(h * 0.5, v) + h * 0.1, go_backwards=True)(C.sequence.gather(x, c))
    return y, {x: ragged(2), c: flags()}


@case("gather_then_delays")
def _():
    x, c = sequence(), sequence(1, "c")
    g = C.sequence.gather(x, c)
    return C.sequence.future_value(g, time_step=2) + C.sequence.past_value(g), {x: ragged(2), c: flags()}


@case("gather_then_scatter")
def _():
    x, c = sequence(), sequence(1, "c")
    return C.sequence.scatter(C.sequence.gather(x, c) * 2, c) + x, {x: ragged(2), c: flags()}


def counts(lengths=(3, 5, 1)):
    """Conditions that select frames several times, and between others."""
    return [np.array(numbers[:n], np.float32).reshape(n, 1) for n, numbers in zip(lengths, ([0.5, -1, 2.5], [0, 2, -0.25, 0.5, 1], [3]))]


@case("gather_counted_then_scatter")
def _():
    x, c = sequence(), sequence(1, "c")
    return C.sequence.scatter(C.sequence.gather(x, c) * 2, c) + x, {x: ragged(2), c: counts()}


@case("gather_counted_matrices_then_scatter_sums")
def _():
    x, c = C.sequence.input_variable((2, 3), name="x"), sequence(1, "c")
    picked = C.sequence.gather(x, c)
    return C.sequence.scatter(picked + C.sequence.past_value(picked), c), {x: ragged(2, 3), c: counts()}


@case("slice_then_lstm_backwards")
def _():
    x = sequence()
    y = Recurrence(LSTM(H), go_backwards=True)(C.sequence.slice(x, 1, -1))
    return C.combine([y, C.sequence.last(y)]), {x: ragged(2, lengths=(4, 6, 3))}


@case("slice_two_of_one_axis")
def _():
    x = sequence()
    return C.sequence.slice(x, 1, 0) - C.sequence.slice(x, 0, -1), {x: ragged(2, lengths=(3, 5, 2))}


@case("to_sequence_then_gru_backwards")
def _():
    x = C.input_variable((5, 2), name="x")
    return Recurrence(GRU(H), go_backwards=True)(C.to_sequence(x)), {x: batch(5, 2)}


@case("where_fractions_add_up")
def _():
    x = sequence(1)
    return C.sequence.where(x), {x: [np.array(v, np.float32)[:, None] for v in ([.4, .7, 1.2], [2, 0, 1, .3, .3], [1.0])]}


@case("where_negative_numbers")
def _():
    x = sequence(1)
    return C.sequence.where(x), {x: [np.array(v, np.float32)[:, None] for v in ([1, -1, 1.2], [2, -3, 1, .3, 3], [1.0])]}


@case("gather_repeats_frames")
def _():
    x, c = sequence(), sequence(1, "c")
    return C.sequence.gather(x, c), {x: ragged(2), c: [np.round(np.abs(v) * 2 + 0.1, 2) for v in ragged(1)]}


for _increase in (1.5, 0.5):
    @case("unfold_length_%s" % str(_increase).replace(".", "_"))
    def _(increase=_increase):
        like, s = sequence(2, "like"), C.input_variable(H, name="s")
        generate = Dense(H, activation=C.tanh, init=C.glorot_uniform(scale=2, seed=3))
        return UnfoldFrom(generate, length_increase=increase)(s, like), {like: ragged(2), s: batch(H, n=3)}


@case("unfold_until")
def _():
    like, s = sequence(2, "like"), C.input_variable(H, name="s")
    generate = Dense(H, activation=C.tanh, init=C.glorot_uniform(scale=2, seed=3))
    y = UnfoldFrom(generate, until_predicate=lambda w: C.greater(C.slice(w, 0, 0, 1), 0.05))(s, like)
    return y, {like: ragged(2), s: batch(H, n=3)}


@case("times_large_sparse_input")
def _():
    n = 1 << 15
    x = C.input_variable(n, is_sparse=True, name="x")
    data = np.zeros((2, n), np.float32)
    data[0, [3, 70, 20000]] = 1, -2, 0.5
    data[1, [70, n - 1]] = 1.5, 1
    return C.times(x, C.parameter(init=normal(n, 2))), {x: data}


@case("two_axes_one_of_them_unread")
def _():
    x, y = sequence(2, "x"), sequence(3, "y", sequence_axis=Axis("other"))
    return C.combine([C.tanh(x), C.sequence.last(y)]), {x: ragged(2), y: ragged(3, lengths=(2, 4, 3))}


@case("two_axes_both_unread")
def _():
    x, y = sequence(2, "x"), sequence(3, "y", sequence_axis=Axis("other"))
    return C.combine([C.tanh(x), C.sigmoid(y)]), {x: ragged(2), y: ragged(3, lengths=(2, 4, 3))}

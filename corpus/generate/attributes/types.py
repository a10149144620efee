"""The same ops in double and in half precision, wherever CNTK's CPU build has them."""
import cntk as C
import numpy as np

from . import batch, case, normal, positive, ragged

HALF = {"rtol": 1e-2, "atol": 1e-2}


def static(f, shape=(2, 3)):
    def build(t):
        x = C.input_variable(shape, dtype=t, name="x")
        return f(x, t), {x: positive(2, *shape).astype(t)}
    return build


def sequence(f, shape=(2,)):
    def build(t):
        if t is np.float16:         # CNTK cannot feed a ragged batch of halves: casts around the op
            x = C.sequence.input_variable(shape, dtype=np.float32, name="x")
            outputs = f(C.cast(x, t), t).outputs
            return C.combine([C.cast(o, np.float32) for o in outputs]), {x: ragged(*shape)}
        x = C.sequence.input_variable(shape, dtype=t, name="x")
        return f(x, t), {x: [s.astype(t) for s in ragged(*shape)]}
    return build


def parameter(t, *shape):
    return C.parameter(shape, init=normal(*shape).astype(t), dtype=t)


def constant(t, value):
    return C.constant(value, dtype=t)


FORMS = {
    "plus_broadcast": static(lambda x, t: x + parameter(t, 3)), "minus": static(lambda x, t: x - constant(t, 0.5)),
    "times_elements": static(lambda x, t: x * parameter(t, 2, 1)), "divide": static(lambda x, t: x / parameter(t, 3)),
    "pow": static(lambda x, t: C.pow(x, constant(t, 1.5))), "compare": static(lambda x, t: C.less(x, constant(t, 1.0))),
    "select": static(lambda x, t: C.element_select(C.greater(x, constant(t, 1.0)), x, constant(t, 0.0))),
    "clip": static(lambda x, t: C.clip(x, constant(t, 0.5), constant(t, 1.0))), "max": static(lambda x, t: C.element_max(x, constant(t, 1.0))),
    "log_add_exp": static(lambda x, t: C.log_add_exp(x, parameter(t, 3))), "softmax": static(lambda x, t: C.softmax(x, axis=1)),
    "log_softmax": static(lambda x, t: C.log_softmax(x, axis=0)), "hardmax": static(lambda x, t: C.hardmax(x)),
    "reduce_sum": static(lambda x, t: C.reduce_sum(x, axis=0)), "reduce_mean": static(lambda x, t: C.reduce_mean(x, axis=1, keepdims=False)),
    "reduce_max": static(lambda x, t: C.reduce_max(x, axis=1)), "reduce_log_sum_exp": static(lambda x, t: C.reduce_log_sum_exp(x, axis=0)),
    "reduce_prod": static(lambda x, t: C.reduce_prod(x, axis=0)), "argmax": static(lambda x, t: C.argmax(x, axis=1)),
    "reshape": static(lambda x, t: C.reshape(x, (3, 2))), "transpose": static(lambda x, t: C.transpose(x, (1, 0))),
    "slice": static(lambda x, t: C.slice(x, 1, 0, 3, 2)), "splice": static(lambda x, t: C.splice(x, parameter(t, 2, 2), axis=1)),
    "pad": static(lambda x, t: C.pad(x, [(1, 0), (0, 1)], C.CONSTANT_PAD, 1.5)), "top_k": static(lambda x, t: C.combine(C.top_k(x, 2).outputs)),
    "one_hot": static(lambda x, t: C.one_hot(C.floor(x), 3)), "gather": static(lambda x, t: C.gather(parameter(t, 4, 2), C.floor(x))),
    "transpose_times": static(lambda x, t: C.times_transpose(x, parameter(t, 4, 3))), "elu": static(lambda x, t: C.elu(x - constant(t, 1.0))),
    "cosine_distance": static(lambda x, t: C.cosine_distance(x, x * x)), "ones_like": static(lambda x, t: C.ones_like(x) + x),
    "crop": static(lambda x, t: C.crop_manual(x, C.slice(x, 2, 0, 2), 1, 0), (1, 3, 4)),
    "unpooling": static(lambda x, t: C.unpooling(C.pooling(x, C.MAX_POOLING, (2, 2), (2, 2)), x, C.MAX_UNPOOLING, (2, 2), (2, 2)), (1, 4, 4)),
    "conv_groups": static(lambda x, t: C.convolution(parameter(t, 2, 1, 3, 3), x, groups=2, auto_padding=[False, True, True]), (2, 5, 5)),
    "past_value": sequence(lambda x, t: C.sequence.past_value(x)), "future_value": sequence(lambda x, t: C.sequence.future_value(x, time_step=2)),
    "sequence_last": sequence(lambda x, t: C.sequence.last(x)), "sequence_reduce_sum": sequence(lambda x, t: C.sequence.reduce_sum(x)),
    "sequence_softmax": sequence(lambda x, t: C.sequence.softmax(x)), "unpack": sequence(lambda x, t: C.combine(C.sequence.unpack(x, 0).outputs)),
    "sequence_slice": sequence(lambda x, t: C.sequence.slice(x, 0, 1)),
    "sequence_gather": sequence(lambda x, t: C.sequence.gather(x, C.sequence.is_first(x))),
}


def typed(build, t):
    def make():
        with C.default_options(dtype=t):
            made = build(t)
        return made + ((HALF,) if t is np.float16 else ())
    return make


# Not in the CPU build; gathering mixes precisions and fails.
NO_HALF = {"cosine_distance", "conv_groups", "unpooling", "sequence_gather", "sequence_last", "sequence_slice"}
for _name, _build in FORMS.items():
    for _type, _label in ((np.float64, "double"), (np.float16, "half")):
        if _type is np.float16 and _name in NO_HALF:
            continue
        _make = typed(_build, _type)
        _make.__module__ = __name__
        case("type_%s_%s" % (_label, _name))(_make)


@case("type_double_relu_then_clip")
def _():
    x = C.input_variable((2, 3), dtype=np.float64, name="x")
    low, high = C.constant(0.25, dtype=np.float64), C.constant(0.75, dtype=np.float64)
    return C.clip(C.relu(x), low, high), {x: batch(2, 3).astype(np.float64)}


@case("type_half_batch_norm")
def _():
    x = C.input_variable((2, 3, 3), dtype=np.float16, name="x")
    p = [C.parameter((2,), init=v) for v in (normal(2), normal(2), normal(2), positive(2))]
    return C.batch_normalization(x, *p, running_count=C.constant(0), spatial=True), {x: batch(2, 3, 3).astype(np.float16)}, HALF


@case("type_half_lstm")
def _():
    x = C.sequence.input_variable((2,), dtype=np.float32, name="x")
    inside = C.cast(x, np.float16)
    with C.default_options(dtype=np.float16):
        y = C.layers.Recurrence(C.layers.LSTM(3, init=C.glorot_uniform(seed=1)))(inside)
    return C.cast(y, np.float32), {x: ragged(2)}, HALF


@case("type_float_constants_in_double")
def _():
    x = C.input_variable((3,), dtype=np.float64, name="x")
    small = C.constant(1.000001)
    y = C.log(small - x) + x * C.constant(0.7) - C.clip(x, C.constant(0.3), C.constant(1 / 3))
    return C.combine([y, C.element_select(C.less(x, C.constant(0.1)), C.constant(0.2), x)]), {x: np.array([[1.0, 0.5, 0.25], [0.1, -1.0, 0.35]])}


for _label, _inside in (("half", np.float16), ("float", np.float32)):
    @case("type_%s_inside_double" % _label)
    def _(inside=_inside):
        x = C.sequence.input_variable((2,), dtype=np.float64, name="x")
        with C.default_options(dtype=inside):
            y = C.layers.Recurrence(C.layers.LSTM(3, init=C.glorot_uniform(seed=1)))(C.cast(x, inside))
            z = C.layers.Dense(2, init=C.glorot_uniform(seed=2))(y) * C.cast(C.sequence.last(x), inside)
        return C.combine([C.cast(y, np.float64), C.cast(z, np.float64)]), {x: [s.astype(np.float64) for s in ragged(2)]}, HALF

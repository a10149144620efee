"""Unary and binary ops: values at the edges, broadcasting of every kind, types, operands without a batch axis."""
import cntk as C
import numpy as np

from . import batch, case, normal, positive, ragged, whole

INF, NAN = np.inf, np.nan
EDGES = np.array([[0.0, -0.0, 1.0, -1.0, 0.5, -0.5], [2.5, -2.5, 1e-3, -1e-3, 30.0, -30.0]], np.float32)
UNARY = "negate abs exp floor ceil round tanh sin cos tan sinh cosh asinh atan sigmoid relu elu selu softplus softsign sqrt log reciprocal " \
        "square hard_sigmoid leaky_relu element_not".split()


for _f in UNARY:
    @case("unary_edges_" + _f)
    def _(f=_f):
        x = C.input_variable((6,), name="x")
        if f in ("log", "sqrt") or f == "exp":
            return getattr(C, f)(x), {x: EDGES}, {"rtol": 1e-3}
        return {"hard_sigmoid": lambda v: C.hard_sigmoid(v, 0.3, 0.4), "leaky_relu": lambda v: C.leaky_relu(v, 0.2)}.get(f, getattr(C, f))(x), {x: EDGES}
    if _f not in ("element_not", "hard_sigmoid", "round", "ceil"):
        @case("unary_double_" + _f)
        def _(f=_f):
            x = C.input_variable((2, 3), dtype=np.float64, name="x")
            return getattr(C, f)(x), {x: positive(2, 2, 3).astype(np.float64)}

        @case("unary_half_" + _f)
        def _(f=_f):
            x = C.input_variable((2, 3), dtype=np.float16, name="x")
            return getattr(C, f)(x), {x: positive(2, 2, 3).astype(np.float16)}, {"rtol": 1e-2, "atol": 1e-2}
for _f in ("asin", "acos", "atanh"):
    @case("unary_inside_" + _f)
    def _(f=_f):
        x = C.input_variable((5,), name="x")
        return getattr(C, f)(x), {x: np.array([[0, -0.0, 0.9, -0.9, 0.1], [0.5, -0.5, 0.25, -0.75, 1e-4]], np.float32)}


@case("unary_domain_edges")
def _():
    x = C.input_variable((4,), name="x")
    return C.combine([C.asin(x), C.acos(x), C.atanh(x)]), {x: np.array([[1, -1, 2, -2], [0.5, 1.5, -1.5, 0]], np.float32)}, {"finite": False}


@case("unary_infinities_and_nan")
def _():
    x = C.input_variable((3,), name="x")
    ops = [C.exp, C.tanh, C.sigmoid, C.abs, C.negate, C.floor, C.reciprocal]
    return C.combine([f(x) for f in ops]), {x: np.array([[INF, -INF, NAN], [0, 1, -1]], np.float32)}, {"finite": False}


@case("log_of_zero_negative_and_tiny")
def _():
    x = C.input_variable((6,), name="x")
    return C.log(x), {x: np.array([[0, -0.0, -1, -1e-30, 1e-30, 1e-36], [1, 2, 1e-20, 1e30, 0.5, -5]], np.float32)}, {"finite": False}


@case("log_of_nan_and_infinity")
def _():
    x = C.input_variable((2,), name="x")
    return C.log(x), {x: np.array([[NAN, INF], [1, 2]], np.float32)}, {"finite": False}


@case("log_of_zero_double")
def _():
    x = C.input_variable((4,), dtype=np.float64, name="x")
    return C.log(x), {x: np.array([[0, -1, 1e-30, 4], [1e-36, 1, 2, -0.0]], np.float64)}


@case("log_of_zero_seen_through_sin")
def _():
    # The smallest logarithm is -85.1, and not that of a rounded number.
    x = C.input_variable((3,), name="x")
    return C.sin(C.log(x) * 50), {x: np.array([[0, -1, 1], [1e-38, 0, 2]], np.float32)}


@case("sqrt_of_negative")
def _():
    x = C.input_variable((3,), name="x")
    return C.sqrt(x), {x: np.array([[-1, -1e-9, -1e9], [4, 0, -0.0]], np.float32)}


@case("sqrt_of_nan")
def _():
    x = C.input_variable((2,), name="x")
    return C.sqrt(x), {x: np.array([[NAN, 4], [9, NAN]], np.float32)}


@case("reciprocal_of_zero")
def _():
    x = C.input_variable((4,), name="x")
    return C.reciprocal(x), {x: np.array([[0, -0.0, 2, -4], [1e-3, 5, 0, 1]], np.float32)}


@case("divide_by_zero")
def _():
    x, y = C.input_variable((4,), name="x"), C.input_variable((4,), name="y")
    return x / y, {x: np.array([[0, 1, -1, 3], [5, 0, 2, 1]], np.float32), y: np.array([[0, 0, -0.0, 2], [1, 4, 0, -3]], np.float32)}


@case("pow_edges")
def _():
    x, y = C.input_variable((8,), name="x"), C.input_variable((8,), name="y")
    return C.pow(x, y), {x: np.array([[0, 0, 0, 2, -2, -2, 4, 1], [0, 3, 0.5, 0, 3, -1, 0.5, 100]], np.float32),
                         y: np.array([[0, -1, 2, -2, 2, 3, -0.5, 7], [-2, 0, 0, 5, -3, 4, 1.5, -7]], np.float32)}


@case("pow_negative_base_fraction")
def _():
    x = C.input_variable((2,), name="x")
    return C.pow(x, 0.5), {x: np.array([[-2, 4], [-1, 9]], np.float32)}, {"finite": False}


@case("pow_broadcast")
def _():
    x, y = C.input_variable((2, 3), name="x"), C.input_variable((3,), name="y")
    return C.pow(x, y), {x: positive(2, 2, 3), y: batch(3)}


@case("clip_edges")
def _():
    x = C.input_variable((5,), name="x")
    return C.clip(x, -1.0, 1.0), {x: np.array([[-1, 1, 0, -5, 5], [NAN, INF, -INF, 0.5, -0.5]], np.float32)}, {"finite": False}


@case("clip_min_above_max")
def _():
    x = C.input_variable((5,), name="x")
    return C.clip(x, 1.0, -1.0), {x: np.array([[-2, 0, 2, 1, -1], [0.5, -0.5, 3, -3, 0]], np.float32)}


@case("clip_tensor_bounds")
def _():
    x, low = C.input_variable((2, 3), name="x"), C.input_variable((3,), name="low")
    return C.clip(x, low, C.constant(np.array([0.5, 1, 2], np.float32))), {x: batch(2, 3), low: -positive(2, 3)}


@case("clip_sequence")
def _():
    x = C.sequence.input_variable((3,), name="x")
    return C.clip(x, -0.5, C.parameter((3,), init=positive(3))), {x: ragged(3)}


@case("select_conditions")
def _():
    c, x, y = [C.input_variable((6,), name=n) for n in "cxy"]
    return C.element_select(c, x, y), {c: np.array([[0, 1, -1, 0.5, NAN, -0.0], [INF, 0, 2, 1e-9, 0, 1]], np.float32), x: batch(6), y: batch(6)}


@case("select_broadcast")
def _():
    c, x = C.input_variable((1,), name="c"), C.input_variable((2, 3), name="x")
    return C.element_select(c, x, C.constant(normal(3))), {c: whole(2, 4, 1), x: batch(2, 3, n=4)}


@case("select_sequence")
def _():
    c, x = C.sequence.input_variable((1,), name="c"), C.sequence.input_variable((3,), name="x")
    return C.element_select(c, x, 0), {c: [whole(2, n, 1) for n in (3, 5, 1)], x: ragged(3)}


for _f in "equal not_equal less less_equal greater greater_equal".split():
    @case("compare_" + _f)
    def _(f=_f):
        x, y = C.input_variable((5,), name="x"), C.input_variable((5,), name="y")
        return getattr(C, f)(x, y), {x: np.array([[1, 2, 3, NAN, 0], [INF, -1, 0, NAN, -INF]], np.float32),
                                     y: np.array([[1, 3, 2, 1, -0.0], [INF, -1, 1, NAN, INF]], np.float32)}

    @case("compare_broadcast_" + _f)
    def _(f=_f):
        x, y = C.input_variable((2, 3), name="x"), C.input_variable((3,), name="y")
        return getattr(C, f)(x, y), {x: whole(3, 2, 2, 3), y: whole(3, 2, 3)}

for _f in "element_and element_or element_xor".split():
    @case("logic_" + _f)
    def _(f=_f):
        x, y = C.input_variable((4,), name="x"), C.input_variable((4,), name="y")
        return getattr(C, f)(x, y), {x: np.array([[0, 0, 1, 1], [0, 2, -1, 0.5]], np.float32), y: np.array([[0, 1, 0, 1], [3, 0, 0.1, 0.5]], np.float32)}

BINARY = {"plus": C.plus, "minus": C.minus, "times": C.element_times, "divide": C.element_divide, "max": C.element_max, "min": C.element_min,
          "log_add_exp": C.log_add_exp}
SHAPES = {"lower_rank": ((2, 3), (3,)), "lower_rank_first": ((3,), (2, 3)), "ones": ((2, 1), (1, 3)), "ones_and_rank": ((4, 1, 3), (2, 1)),
          "scalar": ((2, 3), ()), "rank3_by_1": ((4, 2, 3), (1,)), "equal": ((2, 3), (2, 3))}
for _f in BINARY:
    for _label, (_a, _b) in SHAPES.items():
        @case("binary_%s_%s" % (_f, _label))
        def _(f=BINARY[_f], a=_a, b=_b):
            x, y = C.input_variable(a, name="x"), C.input_variable(b, name="y")
            return f(x, y), {x: batch(*a), y: positive(2, *b)}


for _label, (_a, _b) in SHAPES.items():
    @case("broadcast_parameter_" + _label)
    def _(a=_a, b=_b):
        x = C.input_variable(a, name="x")
        return C.parameter(b, init=np.asarray(normal(*b), np.float32)) * x, {x: batch(*a)}

    @case("broadcast_sequence_and_parameter_" + _label)
    def _(a=_a, b=_b):
        x = C.sequence.input_variable(a, name="x")
        return x + C.parameter(b, init=np.asarray(normal(*b), np.float32)), {x: ragged(*a)}

    @case("broadcast_sequence_and_batch_" + _label)
    def _(a=_a, b=_b):
        x, y = C.sequence.input_variable(a, name="x"), C.input_variable(b, name="y")
        return x + C.sequence.broadcast_as(y, x), {x: ragged(*a), y: batch(*b, n=3)}


@case("log_add_exp_infinities")
def _():
    x, y = C.input_variable((4,), name="x"), C.input_variable((4,), name="y")
    return C.log_add_exp(x, y), {x: np.array([[1000, -INF, 0, -1000], [1, 2, -5, 88]], np.float32),
                                 y: np.array([[1000, 3, -INF, 1000], [-1, 2, 5, 89]], np.float32)}, {"finite": False}


for _axis in (None, 0, 1, -1, -2):
    for _f in ("softmax", "log_softmax"):
        @case("%s_axis_%s" % (_f, str(_axis).replace("-", "neg").lower()))
        def _(f=_f, axis=_axis):
            x = C.input_variable((2, 3), name="x")
            return (getattr(C, f)(x) if axis is None else getattr(C, f)(x, axis=axis)), {x: batch(2, 3) * 3}


@case("softmax_large_values")
def _():
    x = C.input_variable((3,), name="x")
    return C.combine([C.softmax(x), C.log_softmax(x)]), {x: np.array([[1000, 999, -1000], [-500, -501, -502]], np.float32)}


@case("log_softmax_of_a_certain_class")
def _():
    # The sum of the powers is rounded to 1, so the logarithm of the likely class is 0 and not a little less.
    x = C.input_variable((3,), name="x")
    return C.floor(C.log_softmax(x)), {x: np.array([[20, 0.25, -0.75], [-1.75, 30.25, 0.5]], np.float32)}


@case("softmax_of_sequences")
def _():
    x = C.sequence.input_variable((2, 3), name="x")
    return C.combine([C.softmax(x), C.log_softmax(x, axis=0)]), {x: ragged(2, 3)}


for _f in ("sum", "mean"):
    @case("variadic_" + _f)
    def _(f=_f):
        x, y = C.input_variable((2, 3), name="x"), C.input_variable((2, 3), name="y")
        return getattr(C, f)([x, y, C.tanh(x), C.constant(normal(2, 3))]), {x: batch(2, 3), y: batch(2, 3)}


@case("elu_alpha")
def _():
    x = C.input_variable((4,), name="x")
    return C.elu(x, 0.5), {x: batch(4)}


@case("selu_parameters")
def _():
    x = C.input_variable((4,), name="x")
    return C.selu(x, 1.2, 0.7), {x: batch(4)}


@case("param_relu")
def _():
    x = C.input_variable((3, 2, 2), name="x")
    return C.param_relu(C.parameter((3, 1, 1), init=positive(3, 1, 1)), x), {x: batch(3, 2, 2)}


@case("softplus_steepness")
def _():
    x = C.input_variable((4,), name="x")
    return C.softplus(x, 3), {x: batch(4) * 10}


@case("straight_through")
def _():
    x = C.input_variable((5,), name="x")
    return C.straight_through_impl(x), {x: np.array([[0, -0.0, 1, -1, NAN], [0.1, -0.1, 5, -5, 0]], np.float32)}


@case("dropout_is_identity")
def _():
    x = C.input_variable((4,), name="x")
    return C.dropout(x, 0.7, seed=3) + C.stop_gradient(x), {x: batch(4)}


@case("alias_and_combine_of_input")
def _():
    x = C.input_variable((2,), name="x")
    return C.combine([C.alias(x, "copy"), x, C.tanh(x)]), {x: batch(2)}

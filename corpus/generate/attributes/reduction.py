"""ReduceElements: every reduction, axis form and keepdims; the derived norms."""
import cntk as C
import numpy as np
from cntk import cntk_py
from cntk.axis import Axis
from cntk.internal import sanitize_input

from . import batch, case, normal, positive, ragged

NAMES = ["Sum", "LogSum", "Mean", "Max", "Min", "Prod", "Argmax", "Argmin"]
AXES = {"0": [0], "1": [1], "last": [-1], "neg3": [-3], "0_2": [0, 2], "all_static": [Axis.all_static_axes()]}


def reduce(x, name, axes, keep):
    """The primitive op as it is, without what the Python functions put around it. NumPy axes."""
    axes = [a if isinstance(a, Axis) else Axis(-a - 1) for a in axes]
    return cntk_py.reduce_elements(sanitize_input(x), name, axes, keep)


def data(name, *shape):
    return positive(*shape) if name == "Prod" else normal(*shape)


def static(name, axes, keep):
    def build():
        x = C.input_variable((2, 3, 4), name="x")
        return reduce(x, name, axes, keep), {x: data(name, 2, 2, 3, 4)}
    return build


def dropped(name, axes):
    """What Python writes: the op keeps the axes, and a Reshape drops them."""
    def build():
        x = C.input_variable((2, 3, 4), name="x")
        f = {"Sum": C.reduce_sum, "LogSum": C.reduce_log_sum_exp, "Mean": C.reduce_mean, "Max": C.reduce_max, "Min": C.reduce_min,
             "Prod": C.reduce_prod}[name]
        return f(x, axis=axes if len(axes) > 1 else axes[0], keepdims=False), {x: data(name, 2, 2, 3, 4)}
    return build


for _name in NAMES:
    for _label, _axes in AXES.items():
        arg = _name.startswith("Arg")
        if arg and len(_axes) > 1:
            continue
        case("reduce_%s_axis_%s_keep" % (_name.lower(), _label))(static(_name, _axes, True))
        if not arg and _label != "all_static":      # the Python functions cannot drop all
            case("reduce_%s_axis_%s_drop" % (_name.lower(), _label))(dropped(_name, _axes))
        if _label in ("0", "all_static"):       # CNTK cannot evaluate the op with inner axes dropped
            case("reduce_%s_axis_%s_drop_by_op" % (_name.lower(), _label))(static(_name, _axes, False))


def dynamic(name, axis, keep, sequence):
    def build():
        if sequence:
            x = C.sequence.input_variable((2, 3), name="x")
            return reduce(x, name, [axis], keep), {x: ragged(2, 3)}
        x = C.input_variable((2, 3), name="x")
        return reduce(x, name, [axis], keep), {x: data(name, 3, 2, 3)}
    return build


for _name in NAMES:
    if not _name.startswith("Arg"):
        case("reduce_%s_batch_axis" % _name.lower())(dynamic(_name, Axis.default_batch_axis(), False, False))
        case("reduce_%s_all_axes" % _name.lower())(dynamic(_name, Axis.all_axes(), False, False))
        case("reduce_%s_all_axes_of_sequences" % _name.lower())(dynamic(_name, Axis.all_axes(), False, True))
    case("reduce_%s_static_axis_of_sequences" % _name.lower())(dynamic(_name, 0, True, True))


@case("reduce_batch_axis_keepdims")
def _():
    x = C.input_variable((2, 3), name="x")
    return reduce(x, "Sum", [Axis.default_batch_axis()], True), {x: batch(2, 3, n=3)}


@case("reduce_batch_and_static_axes")
def _():
    x = C.input_variable((2, 3), name="x")
    return C.reduce_mean(x, axis=(Axis.default_batch_axis(), 0)), {x: batch(2, 3, n=3)}


@case("reduce_argmax_ties_and_nan")
def _():
    x = C.input_variable((4,), name="x")
    nan = np.nan
    rows = [[1, 3, 3, 2], [2, 2, 2, 2], [-1, -1, -5, -1], [nan, 1, 2, 3]]
    return C.combine([C.argmax(x, 0), C.argmin(x, 0)]), {x: np.array(rows, np.float32)}


@case("reduce_logsum_large_values")
def _():
    x = C.input_variable((3,), name="x")
    return C.reduce_log_sum_exp(x, 0), {x: np.array([[1000, 1000, -1000], [-500, -500.5, -501]], np.float32)}


@case("reduce_without_batch_axis")
def _():
    p = C.parameter((2, 3), init=normal(2, 3), name="p")
    x = C.input_variable((3,), name="x")
    return C.reduce_sum(p, axis=0, keepdims=False) + x, {x: batch(3)}


@case("reduce_scalar")
def _():
    x = C.input_variable((), name="x")
    return C.reduce_sum(x, axis=Axis.all_static_axes()), {x: batch()}


for _f in ("reduce_l1", "reduce_l2", "reduce_sum_square"):
    for _axis in (0, 1):
        for _keep in (True, False):
            def _build(f=getattr(C, _f), axis=_axis, keep=_keep):
                x = C.input_variable((2, 3), name="x")
                return f(x, axis=axis, keepdims=keep), {x: batch(2, 3)}
            _build.__module__ = __name__
            case("%s_axis_%d_%s" % (_f, _axis, "keep" if _keep else "drop"))(_build)


@case("reduce_free_dimension")
def _():
    x = C.input_variable((C.FreeDimension, 3), name="x")
    return C.combine([C.reduce_mean(x, axis=0), C.reduce_max(x, axis=1)]), {x: batch(4, 3)}


for _f in ("softmax", "log_softmax", "hardmax"):
    def _alone(f=getattr(C, _f)):
        x = C.input_variable((2, 3, 4), dynamic_axes=[], name="x")
        return f(x), {x: normal(2, 3, 4)}
    _alone.__module__ = __name__
    case("%s_without_dynamic_axes" % _f)(_alone)


# --- a value that is the same for all steps of a sequence
for _name in ("sum", "max", "log_sum_exp", "argmax"):
    @case("reduce_%s_of_a_sample_broadcast_to_steps" % _name)
    def _(name=_name):
        x, y = C.input_variable((3,), name="x"), C.sequence.input_variable((2,), name="y")
        reduce = C.argmax if name == "argmax" else getattr(C, "reduce_" + name)
        return reduce(C.sequence.broadcast_as(x, y), axis=0), {x: batch(3, n=3), y: ragged(2)}

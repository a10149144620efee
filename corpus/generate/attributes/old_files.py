"""What 2.7 reads but does not write: explicit pads, attributes that older versions left out, old op codes with other
attributes, fewer inputs. Files are saved by 2.7, then edited; CNTK loads and evaluates the edited file."""
import cntk as C
import numpy as np

from edit import edit
from wire import Axis, Shape

from . import batch, case, normal, positive, ragged, whole


def edited(name, make, *edits, **more):
    """A case whose file is changed by these edits (arguments of `edit`) after saving."""
    def build():
        model, feeds = make()

        def rewrite(path):
            for op, how in edits:
                edit(path, op, **how)
        return model, feeds, dict(more, rewrite=rewrite, note="saved by CNTK, then edited: " + ", ".join(op + " " + told(how) for op, how in edits))
    build.__module__ = __name__
    case(name)(build)


def told(how):
    words = []
    if how.get("drop"):
        words.append("without " + " and ".join(how["drop"]))
    if how.get("put"):
        words.append("with " + " and ".join("%s %s" % (k, list(v) if isinstance(v, tuple) else v) for k, v in sorted(how["put"].items())))
    if how.get("version"):
        words.append("version %d" % how["version"])
    if how.get("inputs"):
        words.append("%d inputs" % how["inputs"])
    if how.get("new_op"):
        words.append("as " + how["new_op"])
    return " ".join(words)


def joined(axis):
    x = C.input_variable((2, 3), name="x")
    return C.splice(C.tanh(x), x, axis=axis), {x: batch(2, 3)}


for _name, _axis in (("existing_axis", 1), ("new_axis", C.Axis.new_leading_axis())):
    edited("splice_of_one_value_" + _name, lambda a=_axis: joined(a), ("Splice", {"inputs": 1}))


def conv(shape=(2, 5, 6), kernel=(3, 2, 3, 2), transpose=False, strides=(1, 1), pad=False, **more):
    def make():
        x = C.input_variable(shape, name="x")
        w = C.parameter(kernel, init=normal(*kernel) * 0.5)
        f = C.convolution_transpose if transpose else C.convolution
        return f(w, x, strides=strides, auto_padding=[False, pad, pad], **more), {x: batch(*shape)}
    return make


def pool(kind, pad=False, **more):
    def make():
        x = C.input_variable((2, 5, 6), name="x")
        return C.pooling(x, kind, (3, 2), (2, 2), [pad], **more), {x: batch(2, 5, 6)}
    return make


# --- explicit pads (file order: width first)
edited("conv_explicit_pads", conv(), ("Convolution", {"put": {"lowerPad": Shape((1, 2, 0)), "upperPad": Shape((0, 1, 0))}}))
edited("conv_explicit_pads_strided", conv(strides=(2, 2)), ("Convolution", {"put": {"lowerPad": Shape((1, 2, 0)), "upperPad": Shape((1, 0, 0))}}))
edited("conv_explicit_pads_transposed", conv((2, 4, 5), (2, 3, 3, 3), True, (2, 2)),
       ("Convolution", {"put": {"lowerPad": Shape((1, 0, 0)), "upperPad": Shape((0, 1, 0))}}))
for _name, _kind in (("max", C.MAX_POOLING), ("average", C.AVG_POOLING)):
    edited("pooling_%s_explicit_pads" % _name, pool(_kind), ("Pooling", {"put": {"lowerPad": Shape((1, 2)), "upperPad": Shape((1, 0))}}))
    edited("pooling_%s_explicit_pads_ceil" % _name, pool(_kind, ceil_out_dim=True), ("Pooling", {"put": {"lowerPad": Shape((1, 1)), "upperPad": Shape((0, 0))}}))
edited("pooling_average_explicit_pads_included", pool(C.AVG_POOLING, include_pad=True),
       ("Pooling", {"put": {"lowerPad": Shape((1, 2)), "upperPad": Shape((1, 0))}}))

# --- lists shorter than the rank
edited("conv_strides_one_number", conv(strides=(2, 2), pad=True), ("Convolution", {"put": {"strides": Shape((2,))}}))
edited("conv_pads_one_number", conv(), ("Convolution", {"put": {"lowerPad": Shape((0,)), "upperPad": Shape((0,)), "dilation": Shape((1,))}}))

# --- attributes that older versions did not write
edited("old_conv_without_newer_attributes", conv(pad=True),
       ("Convolution", {"drop": ["groups", "dilation", "kernelShape", "sequential", "outputShape"], "version": 7}))
edited("old_pooling_without_newer_attributes", pool(C.AVG_POOLING, True), ("Pooling", {"drop": ["ceilOutDim", "includePad"], "version": 7}))
edited("old_max_pooling_without_newer_attributes", pool(C.MAX_POOLING, True), ("Pooling", {"drop": ["ceilOutDim", "includePad"], "version": 7}))


def slice_():
    x = C.input_variable((3, 5), name="x")
    return C.slice(x, 1, 1, -1), {x: batch(3, 5)}


def slice_two():
    x = C.input_variable((3, 5), name="x")
    return C.slice(x, [0, 1], [0, 1], [2, -1]), {x: batch(3, 5)}


edited("old_slice_without_strides", slice_, ("Slice", {"drop": ["sliceStrides"], "version": 7}))
edited("old_slice_axes_without_strides", slice_two, ("Slice", {"drop": ["sliceStridesVec"], "version": 18}))


def reshape():
    x = C.input_variable((3, 4), name="x")
    return C.reshape(x, (2, 6)), {x: batch(3, 4)}


def reshape_inferred():
    x = C.input_variable((3, 4), name="x")
    return C.reshape(x, (C.InferredDimension, 6)), {x: batch(3, 4)}


edited("old_reshape_without_axes", reshape, ("Reshape", {"drop": ["beginAxis", "endAxis"], "version": 7}))
edited("old_reshape_inferred_without_axes", reshape_inferred, ("Reshape", {"drop": ["beginAxis", "endAxis"], "version": 7}))


def reduced():
    x = C.input_variable((3, 4), name="x")
    return C.reduce_max(x, axis=1), {x: batch(3, 4)}


edited("old_reduction_without_keep_dimensions", reduced, ("ReduceElements", {"drop": ["reductionKeepDimensions"], "version": 7}))


def reduced_over_all():
    x = C.sequence.input_variable((1, 1), name="x")
    return C.reduce_mean(x, axis=C.Axis.all_axes()), {x: ragged(1, 1)}


# CNTK infers sizes of 1, and computes a value of the operand's sizes: only where these are 1, too, can it be evaluated.
edited("reduce_all_axes_keep_dimensions", reduced_over_all, ("ReduceElements", {"put": {"reductionKeepDimensions": True}}))


def normalized():
    x = C.input_variable((2, 3, 3), name="x")
    p = [C.parameter((2,), init=v) for v in (normal(2), normal(2), normal(2), positive(2))]
    return C.batch_normalization(x, *p, running_count=C.constant(0), spatial=True), {x: batch(2, 3, 3)}


edited("old_batch_norm_without_disable_regularization", normalized, ("BatchNormalization", {"drop": ["disableRegularization"], "version": 7}))


# --- op codes that 2.7 reads and no longer writes
def unary(shape, of_sequences=False):
    def make():
        x = C.sequence.input_variable(shape, name="x") if of_sequences else C.input_variable(shape, name="x")
        return C.tanh(x), {x: ragged(*shape) if of_sequences else batch(*shape)}
    return make


def binary(shape, probabilities=False, other=None):
    def make():
        right = shape if other is None else other
        x, y = C.input_variable(shape, name="x"), C.input_variable(right, name="y")
        a, b = (positive(2, *shape) / 2.1, whole(2, 2, *right)) if probabilities else (batch(*shape), positive(2, *right))
        return C.plus(x, y), {x: a, y: b}
    return make


for _op in ("Softmax", "LogSoftmax", "Hardmax", "Sigmoid", "Pass", "StopGradient", "SumAll", "LabelsToGraph", "NoOp"):
    edited("old_op_%s" % _op.lower(), unary((5,)), ("Tanh", {"new_op": _op}))
    edited("old_op_%s_rank2" % _op.lower(), unary((2, 3)), ("Tanh", {"new_op": _op}))
    edited("old_op_%s_sequence" % _op.lower(), unary((2,), True), ("Tanh", {"new_op": _op}))
for _op in ("SquaredError", "CrossEntropyWithSoftmax", "Logistic", "ClassificationError", "LogPlus", "CosDistance"):
    edited("old_op_%s" % _op.lower(), binary((4,), _op == "Logistic"), ("Plus", {"new_op": _op}))
for _op in ("SquaredError", "CrossEntropyWithSoftmax"):
    edited("old_op_%s_rank2" % _op.lower(), binary((2, 3)), ("Plus", {"new_op": _op}))
# Samples are vectors: a column and a row of as many numbers are compared one by one.
for _op in ("SquaredError", "CrossEntropyWithSoftmax", "Logistic", "CosDistance"):
    edited("old_op_%s_column" % _op.lower(), binary((3, 1), _op == "Logistic", (3,)), ("Plus", {"new_op": _op}))
    edited("old_op_%s_row" % _op.lower(), binary((1, 3), _op == "Logistic", (3, 1)), ("Plus", {"new_op": _op}))
edited("old_op_squarederror_number", binary((3,), other=(1,)), ("Plus", {"new_op": "SquaredError"}))


# --- static axes counted from the end of the stored shape: -1 is NumPy's first
def from_end(i):
    return Axis(i, "staticAxisIdx=%d" % i, True)


def spliced():
    x = C.input_variable((2, 3), name="x")
    return C.splice(x, C.tanh(x), axis=0), {x: batch(2, 3)}


def swapped():
    x = C.input_variable((2, 3, 4), name="x")
    return C.swapaxes(x, 0, 1), {x: batch(2, 3, 4)}


def one_hot():
    x = C.input_variable((2, 3), name="x")
    return C.one_hot(x, 4, False, 0), {x: whole(4, 2, 2, 3)}


def part_reshaped():
    x = C.input_variable((2, 6, 4), name="x")
    return C.reshape(x, (3, 2), 1, 2), {x: batch(2, 6, 4)}


edited("negative_axis_slice", slice_, ("Slice", {"put": {"axis": from_end(-2)}}))
edited("negative_axis_reduction", reduced, ("ReduceElements", {"drop": ["axisVec"], "put": {"axis": from_end(-1)}}))
edited("single_axis_reduction", reduced, ("ReduceElements", {"drop": ["axisVec"], "put": {"axis": from_end(0)}}))
edited("negative_axis_splice", spliced, ("Splice", {"put": {"axis": from_end(-1)}}))
edited("negative_axes_transpose", swapped, ("TransposeAxes", {"put": {"axis1": from_end(-1), "axis2": from_end(-3)}}))
edited("negative_axis_one_hot", one_hot, ("OneHot", {"put": {"onehotAxis": from_end(-2)}}))
edited("negative_axes_reshape", part_reshaped, ("Reshape", {"put": {"beginAxis": from_end(-2), "endAxis": from_end(-1)}}))

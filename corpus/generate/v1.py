"""Makes the cases of ../v1 that this project writes itself:    cntkpy v1.py OUT_DIR [--only PATTERN]

One case per step of the model version and per form of a node's body that CNTK 2.7 does not write any more. CNTK 2.7 is the
judge where it loads the file; where it does not, the operator's formula in NumPy is. Names end in the model version.
"""
import argparse
import fnmatch
import json
import os
import sys
import zlib

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from nodes import File, dense, f64, flag, i32, shape, size, sparse, text, u32  # noqa: E402
from recording import Refused, record_loaded, save_arrays, store  # noqa: E402

CASES = {}
LENGTHS = (3, 5, 1)


def case(name, *versions, **options):
    """A case at each of these model versions: a function of a file that gives samples, or (samples, {output: formula's samples})."""
    def add(make):
        for version in versions:
            CASES["%s_%d" % (name, version)] = (make, version, options)
        return make
    return add


RANDOM = np.random.RandomState(0)


def numbers(*dims):
    return RANDOM.uniform(-1, 1, dims).round(3)


def sequences(*row_major):
    """Samples of an input with the default dynamic axes."""
    return [numbers(*((n,) + row_major)) for n in LENGTHS]


def each(samples, formula):
    """A formula applied to every frame."""
    return [np.stack([formula(frame) for frame in sample]) for sample in samples]


# What all versions have in common: inputs, parameters, names, groups.

@case("mlp", 0, 1, 2, 3, 6, 7, 8, 10, 12, 16, 28, 31)
def mlp(f):
    f.input("features", (3,))
    f.label("labels", (2,))
    f.parameter("W1", numbers(4, 3))
    f.parameter("b1", numbers(4))
    f.parameter("W2", numbers(2, 4), rate=0.0)
    f.add("Times", "W1*features", f.times(), "W1", "features")
    f.add("Plus", "h.z", b"", "W1*features", "b1")
    f.add("Sigmoid", "h", b"", "H.Z")
    f.add("Times", "z", f.times(), "W2", "h")
    f.add("CrossEntropyWithSoftmax", "ce", b"", "labels", "z")
    f.add("ErrorPrediction" if f.version < 8 else "ClassificationError", "err", b"", "labels", "z")
    f.outputs, f.criteria, f.evaluation = ["z"], ["ce"], ["err"]
    return {"features": sequences(3), "labels": [np.eye(2)[RANDOM.randint(0, 2, n)] for n in LENGTHS]}


@case("double", 2, 6, 7, 31, dtype=np.float64)
def double(f):
    f.input("x", (3,))
    f.parameter("W", numbers(2, 3))
    f.add("Times", "z", f.times(), "W", "x")
    f.add("PastValue", "z1", f.delay(1, (2,), 0.25), "z")
    f.outputs = ["z1"]
    return {"x": sequences(3)}


@case("sparse_columns", 12)
def sparse_columns(f, by_rows=False):
    f.input("x", (4,))
    matrix = numbers(3, 4) * (RANDOM.uniform(size=(3, 4)) < 0.4)
    f.parameter("W", matrix, matrix_of=lambda m, dtype: sparse(m, dtype, by_rows))
    f.add("Times", "z", f.times(), "W", "x")
    f.outputs = ["z"]
    samples = sequences(4)
    return {"x": samples}, {"z": each(samples, lambda x: matrix.astype(np.float32).dot(x))}


@case("sparse_rows", 12)
def sparse_rows(f):
    return sparse_columns(f, True)


@case("sparse_input", 8, 31)
def sparse_input(f):
    f.input("x", (4,), sparse=True)
    f.parameter("W", numbers(3, 4))
    f.add("Times", "z", f.times(), "W", "x")
    f.outputs = ["z"]
    return {"x": [np.eye(4, dtype=np.float32)[RANDOM.randint(0, 4, n)] for n in LENGTHS]}


@case("old_dimensions", 2)
def old_dimensions(f):
    """Shapes from before there were shapes: an input of three dimensions, a parameter of a layout and columns."""
    f.input("x", (2, 3, 4), legacy=True)
    f.parameter("p", numbers(2, 12), old_shape=(size(3, 4, 2), 1))
    f.add("ElementTimes", "z", b"", "x", "p")
    f.outputs = ["z"]
    return {"x": sequences(4, 3, 2)}


@case("old_columns", 2)
def old_columns(f):
    f.input("x", (3,))
    f.parameter("W", numbers(2, 3), old_shape=(shape((2,)), 3))
    f.add("Times", "z", f.times(), "W", "x")
    f.outputs = ["z"]
    return {"x": sequences(3)}


@case("axis_without_sequence", 8, 31)
def axis_without_sequence(f):
    f.axis("__noSequenceAxis")
    f.input("x", (3,), axis="__noSequenceAxis")
    f.add("Tanh", "z", b"", "x")
    f.outputs = ["z"]
    return {"x": [numbers(3) for _ in range(2)]}


@case("default_axis_by_name", 8, 31)
def default_axis_by_name(f):
    f.axis("*")
    f.input("x", (3,), axis="*")
    f.add("Tanh", "z", b"", "x")
    f.outputs = ["z"]
    return {"x": sequences(3)}


@case("axis_of_its_own", 8, 31)
def axis_of_its_own(f):
    f.axis("words")
    f.input("x", (3,), axis="words")
    f.add("Tanh", "z", b"", "x")
    f.outputs = ["z"]
    return {"x": sequences(3)}


# Recurrence.

@case("delay", 1, 2, 3, 4, 7, 31)
def delay(f):
    f.input("x", (2,))
    f.parameter("R", numbers(2, 2))
    f.add("Delay" if f.version < 4 else "PastValue", "before", f.delay(1, (2,), 0.5), "h")
    f.add("Times", "R*before", f.times(), "R", "before")
    f.add("Plus", "h.z", b"", "x", "R*before")
    f.add("Tanh", "h", b"", "h.z")
    f.add("FutureValue", "after", f.delay(2, (2,), -0.5), "h")
    f.outputs = ["h", "after"]
    return {"x": sequences(2)}


@case("delay_with_initial_state", 7, 31)
def delay_with_initial_state(f):
    f.input("x", (2,))
    f.parameter("start", numbers(2))
    f.add("PastValue", "z", f.delay(1, (2,), 0.0), "x", "start")
    f.outputs = ["z"]
    return {"x": sequences(2)}


@case("delay_of_few_steps", 3, 31)
def delay_of_few_steps(f):
    """A delay by -2 steps looks two steps the other way, one by 0 steps is none."""
    f.input("x", (2,))
    f.add("PastValue", "later", f.delay(-2, (2,), 0.5), "x")
    f.add("FutureValue", "earlier", f.delay(-1, (2,), -0.5), "x")
    f.add("PastValue", "same", f.delay(0, (2,), 0.5), "x")
    f.outputs = ["later", "earlier", "same"]
    return {"x": sequences(2)}


# Slices, stacks and other changes of shape.

@case("slice", 2, 3, 21, 22, 26, 27, 31)
def slices(f):
    f.input("x", (6,))
    f.add("RowSlice" if f.version < 10 else "Slice", "low", f.slice((1, 4, 1, 1)), "x")
    f.add("Slice", "high", f.slice((-2, 0, 1, 1)), "x")
    f.add("RowStack", "z", f.stack(), "high", "low")
    f.outputs = ["z"]
    return {"x": sequences(6)}


@case("slice_of_two_axes", 22, 27)
def slice_of_two_axes(f):
    f.input("x", (3, 4))
    f.add("Slice", "z", f.slice((0, 2, 1, 1), (1, 3, 2, 1)), "x")
    f.outputs = ["z"]
    return {"x": sequences(4, 3)}


@case("transpose", 2, 3, 24, 25, 31)
def transpose(f):
    f.input("x", (2, 3))
    f.add("Transpose" if f.version < 8 else "TransposeDimensions", "z", f.transpose(1, 2), "x")
    f.outputs = ["z"]
    return {"x": sequences(3, 2)}


@case("permutation", 25, 31)
def permutation(f):
    f.input("x", (2, 3, 4))
    f.add("TransposeDimensions", "z", f.transpose(0, 0, (2, 0, 1)), "x")
    f.outputs = ["z"]
    samples = sequences(4, 3, 2)
    return {"x": samples}, {"z": each(samples, lambda x: x.transpose(1, 2, 0))}


@case("reshape", 3, 12, 31)
def reshape(f):
    f.input("x", (2, 3, 2))
    f.add("Reshape", "whole", i32(1, 0) + shape((3, 4)), "x")
    f.add("Reshape", "inferred", i32(1, 0) + shape((4, 0)), "x")
    f.add("Reshape", "part", i32(2, 3) + shape((3, 1)), "x")
    f.outputs = ["whole", "inferred", "part"]
    return {"x": sequences(2, 3, 2)}


@case("reshape_of_the_whole", 3, 12, 31)
def reshape_of_the_whole(f):
    """BrainScript's defaults: from axis 0 to axis 0."""
    f.input("x", (2, 3, 2))
    f.add("Reshape", "whole", i32(0, 0) + shape((3, 4)), "x")
    f.add("Reshape", "inferred", i32(0, 0) + shape((4, 0)), "x")
    f.add("Reshape", "part", i32(0, 3) + shape((6,)), "x")
    f.outputs = ["whole", "inferred", "part"]
    return {"x": sequences(2, 3, 2)}


@case("axes_past_the_rank", 12, 31)
def axes_past_the_rank(f):
    f.input("x", (4, 3))
    f.add("RowStack", "next", f.stack(3), "x", "x")
    f.add("RowStack", "past", f.stack(4), "x", "x")
    f.add("TransposeDimensions", "swapped", f.transpose(3, 1), "x")
    f.outputs = ["next", "past", "swapped"]
    return {"x": sequences(3, 4)}


@case("reduce", 3, 23, 24, 26, 27, 31)
def reduce(f):
    f.input("x", (2, 3))
    for i, (op, axis) in enumerate([("Sum", 1), ("Mean", 2), ("LogSum", 1), ("Max", 2), ("Min", 0)]):
        f.add("ReduceElements", "%d" % i + op, f.reduce(op, axis), "x")
        f.outputs.append("%d" % i + op)
    return {"x": sequences(3, 2)}


@case("reduce_two_axes", 27, 31)
def reduce_two_axes(f):
    f.input("x", (2, 3, 4))
    f.add("ReduceElements", "z", f.reduce("Sum", 1, 3), "x")
    f.outputs = ["z"]
    return {"x": sequences(4, 3, 2)}


@case("dropout", 3, 15, 16, 17, 31)
def dropout(f):
    f.input("x", (3,))
    f.add("Dropout", "d", f.random(), "x")
    f.add("Plus", "z", b"", "d", "x")
    f.outputs = ["z"]
    return {"x": sequences(3)}


# Convolution, pooling, normalization.

def images(f, channels):
    f.input("x", (6, 5, channels))
    return {"x": [numbers(n, channels, 5, 6) for n in (1, 2)]}


@case("convolution_before_5", 2, 3, 4)
def convolution_before_5(f):
    fed = images(f, 2)
    f.parameter("K", numbers(4, 3 * 3 * 2))
    f.add("Convolution", "z", f.old_convolution((3, 3), (1, 2), 4, True), "K", "x")
    f.outputs = ["z"]
    return fed


@case("convolution_unpadded_before_5", 3)
def convolution_unpadded_before_5(f):
    fed = images(f, 2)
    f.parameter("K", numbers(3, 2 * 3 * 2))
    f.add("Convolution", "z", f.old_convolution((2, 3), (2, 1), 3, False), "K", "x")
    f.outputs = ["z"]
    return fed


@case("convolution", 5, 8, 9, 17, 18, 19, 20, 21, 23, 31)
def convolution(f):
    fed = images(f, 2)
    f.parameter("K", numbers(3, 3 * 3 * 2 * 4 // 3), dims=(3, 3, 2, 4))
    f.add("Convolution", "z", f.windows((3, 3, 2), (4,), (1, 1, 2), (True, True, False), 0, flat=False), "K", "x")
    f.outputs = ["z"]
    return fed


@case("convolution_unshared", 5, 31)
def convolution_unshared(f):
    """Kernels of their own for each position, of which there is one."""
    f.input("x", (4, 3, 2))
    f.parameter("K", numbers(4, 3 * 2 * 3), dims=(4, 3, 2, 3))
    f.add("Convolution", "all", f.windows((4, 3, 2), (3,), (1, 1, 2), (False,), 0, flat=False, shared=(False,)), "K", "x")
    f.parameter("L", numbers(2, 3 * 2 * 3), dims=(2, 3, 2, 3))
    f.add("Convolution", "rows", f.windows((2, 3, 2), (3,), (1, 1, 2), (False,), 0, flat=False, shared=(True, False, True)), "L", "x")
    f.outputs = ["all", "rows"]
    return {"x": sequences(2, 3, 4)}


@case("crop_offsets", 31)
def crop_offsets(f):
    """CNTK computes the offsets itself, whatever the file has."""
    f.input("x", (6, 5, 2))
    f.add("Pooling", "inner", f.windows((3, 3, 1), (1,), (1, 1, 1), (False,), 1), "x")
    f.add("Crop", "other", f64(2, 0), "x", "inner")
    f.add("Crop", "nearly_whole", f64(1.0000000001, 1), "x", "inner")
    f.add("Crop", "negative", f64(-3.5, 0), "x", "inner")
    f.outputs = ["other", "nearly_whole", "negative"]
    return {"x": sequences(2, 5, 6)}


@case("cycle_that_nothing_reads", 31)
def cycle_that_nothing_reads(f):
    f.input("x", (3,))
    f.parameter("W", numbers(2, 3))
    f.add("Times", "z", f.times(), "W", "x")
    f.add("Plus", "sum", b"", "z", "same")
    f.add("Tanh", "same", b"", "sum")
    f.add("PastValue", "before", f.delay(1, (2,), 0.5), "sum2")
    f.add("Plus", "sum2", b"", "z", "before")
    f.outputs = ["z"]
    return {"x": sequences(3)}


@case("ranking_of_a_free_gain", 31)
def ranking_of_a_free_gain(f):
    """Gains that depend on no parameter, or on one behind StopGradient."""
    f.input("x", (3,), rate=0)
    f.label("gain", (1,), rate=0)
    f.label("group", (1,), rate=0)
    f.parameter("W", numbers(1, 3))
    f.add("Times", "z", f.times(), "W", "x")
    f.parameter("scale", [[2.0]])
    f.add("ElementTimes", "scaled", b"", "scale", "gain")
    f.add("StopGradient", "stopped", b"", "scaled")
    f.add("NDCG1Eval", "n", b"", "gain", "z", "group")
    f.add("NDCG1Eval", "m", b"", "stopped", "z", "group")
    f.outputs, f.evaluation = ["z"], ["n", "m"]
    gains = [RANDOM.randint(0, 3, (n, 1)).astype(float) for n in (3, 3)]
    return {"x": [numbers(3, 3), numbers(3, 3)], "gain": gains, "group": [np.array([[1.0], [1.0], [2.0]]), np.array([[3.0], [3.0], [3.0]])]}


@case("convolution_by_a_matrix", 5, 12, 31)
def convolution_by_a_matrix(f):
    fed = images(f, 2)
    f.parameter("K", numbers(4, 18))
    f.add("Convolution", "z", f.windows((3, 3, 2), (4,), (2, 2, 2), (True, True, False), 0, flat=True), "K", "x")
    f.outputs = ["z"]
    return fed


@case("convolution_by_a_matrix_without_channels", 12, 31)
def convolution_by_a_matrix_without_channels(f):
    """The window has fewer axes than the operand and covers the others; no distance is 0."""
    fed = images(f, 2)
    f.parameter("K", numbers(4, 18))
    body = f.windows((3, 3), (4,), (1, 2), (True, True), 0, flat=True)
    f.add("Convolution", "z", body[:-8] + shape((0,)) if f.version >= 18 else body, "K", "x")
    f.outputs = ["z"]
    return fed


@case("large_strides_and_pads", 31)
def large_strides_and_pads(f):
    """A stride past the end leaves one position; pads do not count where they are automatic."""
    fed = images(f, 2)
    f.parameter("K", numbers(3, 24), dims=(3, 3, 2, 4))
    large = 2 ** 32 - 1
    f.add("Convolution", "c", f.windows((3, 3, 2), (4,), (large, 1, 2), (True, True, False), 0, (large, 0, 0), flat=False), "K", "x")
    f.add("Pooling", "p", f.windows((2, 2, 1), (1,), (2 ** 31, 1, 1), (False, True, False), 1, upper=(0, 2 ** 31, 0)), "x")
    f.outputs = ["c", "p"]
    return fed


@case("large_strides", 4)
def large_strides(f):
    fed = images(f, 2)
    f.parameter("K", numbers(4, 18))
    f.add("Convolution", "c", f.old_convolution((3, 3), (2 ** 32 + 2, 2), 4, True), "K", "x")
    f.add("MaxPooling", "p", f.old_pooling((2, 3), (2 ** 63, 1)), "x")
    f.outputs = ["c", "p"]
    return fed


@case("pooling", 5, 9, 20, 21, 23, 31)
def pooling(f):
    fed = images(f, 2)
    f.add("Pooling", "max", f.windows((2, 2, 1), (1,), (2, 2, 1), (False,), 1), "x")
    f.add("Pooling", "mean", f.windows((3, 2, 1), (1,), (1, 2, 1), (True, True, False), 2), "x")
    f.outputs = ["max", "mean"]
    return fed


@case("pooling_counts_the_pads", 23, 31)
def pooling_counts_the_pads(f):
    fed = images(f, 1)
    f.add("Pooling", "z", f.windows((3, 3, 1), (1,), (2, 2, 1), (True, True, False), 2, include_pad=True), "x")
    f.outputs = ["z"]
    return fed


@case("old_pooling", 2, 4, 7, 14, 31)
def old_pooling(f):
    fed = images(f, 2)
    f.add("MaxPooling", "max", f.old_pooling((2, 3), (2, 1)), "x")
    f.add("AveragePooling", "mean", f.old_pooling((3, 2), (1, 2)), "x")
    f.outputs = ["max", "mean"]
    return fed


@case("roi_pooling", 25, 26, 31)
def roi_pooling(f):
    fed = images(f, 2)
    f.input("rois", (4, 2))
    body = shape((2, 2)) + (i32(1) + f64(0.5) if f.version >= 26 else b"")
    f.add("ROIPooling", "z", body, "x", "rois")
    f.outputs = ["z"]
    boxes = np.array([[0, 0, 5, 4], [1, 1, 4, 3]], np.float32)
    fed["rois"] = [np.stack([boxes] * len(sample)) for sample in fed["x"]]
    return fed


def normalized(f, body, spatial):
    channels = 2
    fed = images(f, channels) if spatial else {"x": sequences(4)}
    if not spatial:
        f.input("x", (4,))
    count = channels if spatial else 4
    for name, low in (("scale", 0.5), ("bias", -1), ("mean", -1), ("variance", 0.5)):
        f.parameter(name, RANDOM.uniform(low, 1, count).round(3), rate=1.0 if name in ("scale", "bias") else 0.0)
    children = ["x", "scale", "bias", "mean", "variance"]
    if f.version >= 19:
        children.append(f.parameter("count", [[7.0]], dims=(1,), rate=0.0))
    f.add("BatchNormalization", "z", body, *children)
    f.outputs = ["z"]
    return fed


@case("batch_normalization", 3, 5, 6, 12, 13, 15, 18, 19, 20, 31)
def batch_normalization(f):
    return normalized(f, f.batch_normalization(False, 0.001), False)


@case("batch_normalization_spatial", 3, 6, 13, 19, 31)
def batch_normalization_spatial(f):
    return normalized(f, f.batch_normalization(True, 0.001), True)


@case("batch_normalization_written_1", 3)
def batch_normalization_written_1(f):
    return normalized(f, f.batch_normalization(False, 0.001, 0x00010001), False)


@case("batch_normalization_written_2", 3)
def batch_normalization_written_2(f):
    return normalized(f, f.batch_normalization(False, 0.001, 0x00010002), False)


@case("batch_normalization_written_3", 3)
def batch_normalization_written_3(f):
    return normalized(f, f.batch_normalization(False, 0.001, 0x00010003), False)


@case("batch_normalization_double", 3, 31, dtype=np.float64)
def batch_normalization_double(f):
    return normalized(f, f.batch_normalization(False, 0.001), False)


# Names that CNTK has given up, and operators that are one v2 primitive under another name.

@case("aliases", 3, 7, 31)
def aliases(f):
    f.input("x", (3,))
    f.parameter("s", [[0.5]])
    f.parameter("c", numbers(3))
    f.add("Scale", "scaled", b"", "s", "x")
    f.add("RowElementTimes", "rows", b"", "scaled", "s")
    f.add("ColumnElementTimes", "columns", b"", "rows", "c")
    f.add("DiagTimes", "diagonal", b"", "c", "columns")
    f.add("If", "z", b"", "x", "diagonal", "rows")
    f.outputs = ["z", "columns"]
    fed = {"x": sequences(3)}
    return fed


@case("elementwise", 12, 31)
def elementwise(f):
    f.input("x", (3,))
    f.parameter("two", [[2.0]])
    f.parameter("low", [[-0.5]])
    f.parameter("high", [[0.5]])
    f.add("Abs", "abs", b"", "x")
    f.add("Plus", "above", b"", "abs", "two")
    unary = ["RectifiedLinear", "Sigmoid", "Tanh", "Cosine", "Sin", "Exp", "Floor", "Negate", "Softmax", "LogSoftmax", "Hardmax", "Pass",
             "StopGradient"]
    for op in unary:
        f.outputs.append(f.add(op, "of." + op, b"", "x"))
    for op in ["Log", "Sqrt", "Reciprocal"]:
        f.outputs.append(f.add(op, "of." + op, b"", "above"))
    f.outputs.append(f.add("Clip", "clipped", b"", "low", "high", "x"))
    for op in ["LogPlus", "Minus", "Less", "GreaterEqual", "NotEqual"]:
        f.outputs.append(f.add(op, "of." + op, b"", "x", "low"))
    return {"x": sequences(3)}


@case("criteria", 7, 12, 31)
def criteria(f):
    f.input("x", (3,))
    f.label("y", (3,))
    f.add("SquareError", "square", b"", "y", "x")
    f.add("CosDistance", "cosine", b"", "x", "y")
    f.add("SumElements", "sum", b"", "x")
    f.add("CrossEntropyWithSoftmax", "ce", b"", "y", "x")
    f.criteria, f.evaluation = ["square", "ce"], ["cosine", "sum"]
    return {"x": sequences(3), "y": [np.eye(3)[RANDOM.randint(0, 3, n)] for n in LENGTHS]}


# Statistics of the training data.

@case("statistics", 2, 7, 12, 31)
def statistics(f):
    f.input("x", (3,))
    f.statistic("Mean", "mean", numbers(3), "x")
    f.statistic("InvStdDev", "deviation", RANDOM.uniform(0.5, 2, 3).round(3), "x")
    f.add("PerDimMeanVarNormalization", "normalized", b"", "x", "mean", "deviation")
    f.add("Tanh", "z", b"", "normalized")
    f.outputs = ["z"]
    return {"x": sequences(3)}


@case("normalization_by_parameters", 3, 12, 31)
def normalization_by_parameters(f):
    f.input("x", (3,))
    f.parameter("mean", numbers(3), rate=0.0)
    f.parameter("deviation", RANDOM.uniform(0.5, 2, 3).round(3), rate=0.0)
    f.add("PerDimMeanVarNormalization", "normalized", b"", "x", "mean", "deviation")
    f.add("Tanh", "z", b"", "normalized")
    f.outputs = ["z"]
    return {"x": sequences(3)}


@case("denormalization", 3, 12, 31)
def denormalization(f):
    f.input("x", (3,))
    mean, deviation = numbers(3), RANDOM.uniform(0.5, 2, 3).round(3)
    f.parameter("mean", mean, rate=0.0)
    f.parameter("deviation", deviation, rate=0.0)
    f.add("PerDimMeanVarDeNormalization", "z", b"", "x", "mean", "deviation")
    f.outputs = ["z"]
    samples = sequences(3)
    return {"x": samples}, {"z": each(samples, lambda x: x / deviation + mean)}


# Nodes that the file lists, and others that no node reads.

@case("listed_outputs", 12)
def listed_outputs(f):
    f.input("x", (3,))
    f.add("Exp", "z", b"", "x")
    f.add("Sigmoid", "aside", b"", "x")
    f.outputs = ["z"]
    return {"x": sequences(3)}


@case("listed_evaluation", 12)
def listed_evaluation(f):
    f.input("x", (3,))
    f.add("Exp", "z", b"", "x")
    f.add("Sigmoid", "aside", b"", "x")
    f.evaluation = ["aside"]
    return {"x": sequences(3)}


# What CNTK 2.7 does not load: the formulas of CNTK 1.

@case("lookup_table", 3, 12, 31)
def lookup_table(f):
    f.input("x", (4,))
    table = numbers(3, 4)
    f.parameter("E", table)
    f.add("LookupTable", "z", b"", "E", "x")
    f.outputs = ["z"]
    samples = [np.eye(4)[RANDOM.randint(0, 4, n)] for n in LENGTHS]
    return {"x": samples}, {"z": each(samples, table.dot)}


@case("lookup_table_of_two_words", 12)
def lookup_table_of_two_words(f):
    f.input("x", (8,))
    table = numbers(3, 4)
    f.parameter("E", table)
    f.add("LookupTable", "z", b"", "E", "x")
    f.outputs = ["z"]
    samples = sequences(8)
    return {"x": samples}, {"z": each(samples, lambda x: np.concatenate([table.dot(x[:4]), table.dot(x[4:])]))}


@case("row_repeat", 3, 12, 31)
def row_repeat(f):
    f.input("x", (3,))
    f.add("RowRepeat", "z", size(3), "x")
    f.outputs = ["z"]
    samples = sequences(3)
    return {"x": samples}, {"z": each(samples, lambda x: np.tile(x, 3))}


@case("khatri_rao", 3, 12, 31)
def khatri_rao(f):
    f.input("a", (2,))
    f.input("b", (3,))
    f.add("KhatriRaoProduct", "z", b"", "a", "b")
    f.outputs = ["z"]
    a, b = sequences(2), sequences(3)
    return {"a": a, "b": b}, {"z": [np.stack([np.outer(y, x).ravel() for x, y in zip(p, q)]) for p, q in zip(a, b)]}


@case("diagonal", 3, 12, 31)
def diagonal(f):
    f.input("x", (1, 3))
    matrix = numbers(3, 3)
    f.parameter("M", matrix)
    f.add("Diagonal", "d", b"", "M")
    f.add("Plus", "z", b"", "x", "d")
    f.outputs = ["z"]
    samples = sequences(3, 1)
    return {"x": samples}, {"z": each(samples, lambda x: x + np.diag(matrix).reshape(3, 1))}


@case("sum_of_columns", 3, 12, 31)
def sum_of_columns(f):
    f.input("x", (3,))
    f.input("y", (2, 3))
    f.add("SumColumnElements", "of.x", b"", "x")
    f.add("SumColumnElements", "of.y", b"", "y")
    f.outputs = ["of.x", "of.y"]
    return {"x": sequences(3), "y": sequences(3, 2)}


@case("quantized_times", 3, 12, 31)
def quantized_times(f):
    f.input("x", (3,))
    matrix = numbers(2, 3)
    f.parameter("W", matrix)
    f.add("QuantizedTimes", "z", f.times() + size(1, 2), "W", "x")
    f.outputs = ["z"]
    samples = sequences(3)
    return {"x": samples}, {"z": each(samples, matrix.dot)}


@case("trace", 3, 12, 31)
def trace(f):
    f.input("x", (3,))
    body = text("of x") + size(10, 100) + flag(False, True) + text("labels.txt") + flag(False, True)
    f.add("Trace", "t", body + b"begin\0end\0\0\0 \0, \0\0%.4f\0" + size(2 ** 63, 2 ** 63), "x")
    f.add("Tanh", "z", b"", "t")
    f.outputs = ["z"]
    samples = sequences(3)
    return {"x": samples}, {"z": each(samples, np.tanh)}


@case("legacy_reshape", 3, 12, 31)
def legacy_reshape(f):
    f.input("x", (2, 3))
    f.add("LegacyReshape", "vector", size(6) + shape(()), "x")
    f.add("LegacyReshape", "matrix", size(6) + shape((3, 2)), "x")
    f.outputs = ["vector", "matrix"]
    samples = sequences(3, 2)
    return {"x": samples}, {"vector": each(samples, lambda x: x.ravel()), "matrix": each(samples, lambda x: x.reshape(2, 3))}


@case("training_terms", 3, 12, 31)
def training_terms(f):
    """Criteria that CNTK 2.7 does not load: they are converted when asked for."""
    f.input("p", (3,))
    f.label("y", (3,))
    matrix = numbers(2, 3)
    f.parameter("W", matrix)
    f.add("MatrixL1Reg", "l1", b"", "W")
    f.add("MatrixL2Reg", "l2", b"", "W")
    f.add("CrossEntropy", "ce", b"", "y", "p")
    f.criteria = ["l1", "l2", "ce"]
    p = [RANDOM.uniform(0.1, 1, (n, 3)) for n in LENGTHS]
    y = [np.eye(3)[RANDOM.randint(0, 3, n)] for n in LENGTHS]
    ce = -sum((b * np.log(a)).sum() for a, b in zip(p, y))
    return {"p": p, "y": y}, {"l1": np.abs(matrix).sum(), "l2": np.sqrt((matrix ** 2).sum()), "ce": ce}


@case("formula_in_double", 6, 31, dtype=np.float64)
def formula_in_double(f):
    f.input("x", (3,))
    mean, deviation = numbers(3), RANDOM.uniform(0.5, 2, 3).round(3)
    f.parameter("mean", mean)
    f.parameter("deviation", deviation)
    f.add("PerDimMeanVarDeNormalizationNode", "y", b"", "x", "mean", "deviation")
    f.add("RowRepeat", "z", size(2), "y")
    f.outputs = ["z"]
    samples = sequences(3)
    return {"x": samples}, {"z": each(samples, lambda x: np.tile(x / deviation + mean, 2))}


class Variable:
    """What recording.store asks of a variable."""

    def __init__(self, dtype):
        self.dtype = dtype


def formula(base, f, fed, results, source):
    """Records what a formula gives: inputs of the default dynamic axes, outputs of the same or of none."""
    arrays, inputs, outputs = {}, [], []
    variable = Variable(f.dtype)
    for prefix, entries, values in (("in", inputs, fed), ("out", outputs, results)):
        for i, (name, samples) in enumerate(values.items()):
            whole = not isinstance(samples, list)
            static = np.shape(samples) if whole else samples[0].shape[1:]
            entry = {"name": name, "uid": name, "dtype": f.dtype.name, "shape": [int(d) for d in static],
                     "dynamic_axes": [] if whole else ["batch", "sequence"]}
            if prefix == "in":
                entry["sparse"] = False
            store(arrays, entry, "%s%d" % (prefix, i), variable, np.asarray(samples) if whole else samples)
            entries.append(entry)
    save_arrays(base + ".npz", arrays)
    write(base, {"source": source, "ops": sorted({op for op, *_ in f.nodes}), "inputs": inputs, "outputs": outputs, "rtol": 1e-3,
                 "atol": 1e-4, "deterministic": True, "note": "CNTK 2.7 does not load it: the numbers are the formula's, in NumPy"})


def write(base, label):
    with open(base + ".json", "w", encoding="utf-8") as out:
        json.dump(label, out, indent=1, ensure_ascii=False)
        out.write("\n")


def make(folder, name):
    build, version, options = CASES[name]
    RANDOM.seed(zlib.crc32(name.encode()))
    f = File(version, options.get("dtype", np.float32))
    made = build(f)
    fed, results = made if isinstance(made, tuple) else (made, None)
    # CNTK looks for the precision of old files in the first matrix.
    if version <= 7 and not any(op == "LearnableParameter" for op, *_ in f.nodes):
        f.parameter("unused", [[0.0]])
    base = os.path.join(folder, "v1_" + name)
    f.write(base + ".model")
    source = "corpus/generate/v1.py: model version %d" % version
    if results is not None:
        formula(base, f, fed, results, source)
        return
    import cntk as C
    fed = {k: [np.asarray(s, f.dtype) for s in v] for k, v in fed.items()}
    record_loaded(base, C.Function.load(base + ".model"), fed, source)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder")
    p.add_argument("--only", default="*", help="glob of case names")
    o = p.parse_args()
    os.makedirs(o.folder, exist_ok=True)
    failed = 0
    for name in sorted(CASES):
        if not fnmatch.fnmatch(name, o.only):
            continue
        # CNTK's uids count up within a process, and it crashes on some files.
        child = os.fork()
        if child == 0:
            try:
                make(o.folder, name)
            except Exception as e:
                lines = [l.strip() for l in str(e).splitlines() if l.strip() and "CALL STACK" not in l]
                print("%s: %s: %s" % (name, type(e).__name__, lines[0] if lines else ""))
                os._exit(1)
            os._exit(0)
        failed += os.waitpid(child, 0)[1] != 0
    print("%d of %d failed" % (failed, len(CASES)))
    sys.exit(min(failed, 100))


if __name__ == "__main__":
    main()

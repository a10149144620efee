"""Reshape, TransposeAxes, Slice, Splice, Squeeze, Pad, Crop, flatten, expand_dims, block rearrangements."""
import cntk as C
from cntk.axis import Axis

from . import batch, case, normal, ragged


def one(name, shape, build, **more):
    """A case with one input `x` of this shape."""
    def make():
        x = C.input_variable(shape, name="x")
        return build(x), {x: batch(*shape)}, more
    make.__module__ = __name__
    case(name)(make)


def of_sequences(name, shape, build):
    def make():
        x = C.sequence.input_variable(shape, name="x")
        return build(x), {x: ragged(*shape)}
    make.__module__ = __name__
    case(name)(make)


# --- Reshape: whole and sub-ranges, one dimension inferred or not
for _name, _shape, _new, _begin, _end in [
        ("whole", (2, 3, 4), (4, 6), None, None), ("whole_inferred_first", (2, 3, 4), (C.InferredDimension, 4), None, None),
        ("whole_inferred_last", (2, 3, 4), (3, C.InferredDimension), None, None), ("to_scalar", (1, 1), (), None, None),
        ("from_scalar", (), (1, 1), None, None), ("range_first_two", (2, 3, 4), (6,), 0, 2), ("range_last_two", (2, 3, 4), (2, 6), 1, 3),
        ("range_middle", (2, 4, 3), (2, 2), 1, 2), ("range_inferred", (2, 12, 3), (3, C.InferredDimension), 1, 2),
        ("range_negative", (2, 6, 4), (3, 2), -2, -1), ("range_to_end", (2, 3, 4), (2, 2), -1, None), ("insert_first", (2, 3), (1,), 0, 0),
        ("insert_middle", (2, 3), (1,), 1, 1), ("insert_last", (2, 3), (1, 1), 2, 2), ("remove_ones", (2, 1, 3), (), 1, 2)]:
    one("reshape_" + _name, _shape, lambda x, n=_new, b=_begin, e=_end: C.reshape(x, n, b, e))
of_sequences("reshape_sequence_range", (4, 3), lambda x: C.reshape(x, (2, 2), 0, 1))
of_sequences("reshape_sequence_inferred", (4, 3), lambda x: C.reshape(x, (C.InferredDimension, 2)))


@case("reshape_free_dimension")
def _():
    x = C.input_variable((C.FreeDimension, 3, 2), name="x")
    return C.reshape(x, (6,), 1, 3), {x: batch(4, 3, 2)}


@case("reshape_parameter")
def _():
    x = C.input_variable((2, 3), name="x")
    return x + C.reshape(C.parameter((6,), init=normal(6)), (2, 3)), {x: batch(2, 3)}


# --- TransposeAxes: swaps by any numbering, permutations
for _name, _a, _b in [("0_1", 0, 1), ("0_2", 0, 2), ("1_2", 1, 2), ("last_first", -1, 0), ("neg3_neg2", -3, -2), ("same", 1, 1)]:
    one("swapaxes_" + _name, (2, 3, 4), lambda x, a=_a, b=_b: C.swapaxes(x, a, b))
for _perm in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0), (-1, 0, 1), (3, 1, 0, 2), (1, 0, 3, 2)]:
    one("transpose_" + "_".join(str(p).replace("-", "neg") for p in _perm), (2, 3, 4, 5)[:len(_perm)], lambda x, p=_perm: C.transpose(x, p))
of_sequences("transpose_sequence", (2, 3, 4), lambda x: C.transpose(x, (2, 0, 1)))

# --- Slice: each axis, signs of begin and end, strides, several axes
for _name, _axis, _begin, _end, _stride in [
        ("axis0", 0, 1, 3, None), ("axis1", 1, 1, 4, None), ("axis_last", -1, 0, 2, None), ("axis_neg2", -2, 2, 5, None),
        ("end_zero", 1, 2, 0, None), ("end_negative", 1, 1, -1, None), ("begin_negative", 1, -3, 4, None),
        ("both_negative", 1, -4, -1, None), ("begin_negative_end_zero", 1, -2, 0, None), ("one_element", 1, 2, 3, None),
        ("stride_2", 1, 0, 5, 2), ("stride_3_offset", 1, 1, 5, 3), ("stride_as_long_as_range", 1, 1, 4, 3),
        ("stride_2_end_zero", 1, 1, 0, 2), ("stride_neg1", 1, 0, 5, -1), ("stride_neg2", 1, 0, 5, -2), ("stride_neg2_window", 1, 1, 4, -2),
        ("stride_neg1_negative_window", 1, -4, -1, -1)]:
    one("slice_" + _name, (3, 5, 4), lambda x, a=_axis, b=_begin, e=_end, s=_stride: C.slice(x, a, b, e, s))
for _name, _axes, _begin, _end, _stride in [
        ("two_axes", [0, 2], [1, 0], [3, 3], None), ("two_axes_reversed", [2, 0], [0, 1], [3, 3], None),
        ("three_axes", [0, 1, 2], [1, 1, 1], [3, 4, 3], None), ("two_axes_negative", [-1, -3], [-3, 0], [0, -1], None),
        ("two_axes_strided", [1, 2], [0, 1], [5, 4], [2, 2]), ("two_axes_backwards", [0, 1], [0, 1], [3, 5], [-1, -2]),
        ("two_axes_mixed_strides", [1, 2], [1, 0], [0, 4], [2, -1])]:
    one("slice_" + _name, (3, 5, 4), lambda x, a=_axes, b=_begin, e=_end, s=_stride: C.slice(x, a, b, e, s))
of_sequences("slice_sequence_static_axis", (5, 2), lambda x: C.slice(x, 0, 1, -1, 2))


@case("slice_parameter")
def _():
    x = C.input_variable((2, 2), name="x")
    return x * C.slice(C.parameter((4, 2), init=normal(4, 2)), 0, 1, 3), {x: batch(2, 2)}


@case("slice_free_dimension")
def _():
    x = C.input_variable((C.FreeDimension, 3), name="x")
    return C.slice(x, 1, 1, 3), {x: batch(4, 3)}


for _name, _begin, _end in (("end_negative", 1, -1), ("begin_negative", -3, 0), ("begin_negative_end_negative", -3, -1), ("to_end", 1, 0)):
    @case("slice_free_axis_" + _name)
    def _(begin=_begin, end=_end):
        x = C.input_variable((C.FreeDimension, 3), name="x")
        return C.slice(x, 0, begin, end), {x: batch(5, 3)}


# --- Splice: each axis and numbering, unequal ranks, constants, many
for _axis in (0, 1, 2, -1, -2, -3):
    one("splice_axis_" + str(_axis).replace("-", "neg"), (2, 3, 4), lambda x, a=_axis: C.splice(x, C.tanh(x), x * 2, axis=a))
one("splice_with_constant", (2, 3), lambda x: C.splice(x, C.constant(normal(2, 2)), axis=1))
one("splice_constant_first", (2, 3), lambda x: C.splice(C.constant(normal(1, 3)), x, axis=0))
one("splice_new_axis", (2, 3), lambda x: C.splice(x, C.tanh(x), axis=Axis.new_leading_axis()))
one("splice_lower_rank", (2, 3), lambda x: C.splice(x, C.reshape(C.slice(x, 0, 0, 1), (3,)), axis=0))
one("splice_broadcast", (2, 3), lambda x: C.splice(x, C.slice(x, 0, 0, 1), axis=1))
of_sequences("splice_sequence", (2, 3), lambda x: C.splice(x, x * 2, axis=-1))
of_sequences("splice_sequence_with_parameter", (3,), lambda x: C.splice(x, C.parameter((2,), init=normal(2)), axis=0))

# --- Squeeze, expand_dims, flatten
one("squeeze_all", (1, 2, 1, 3), lambda x: C.squeeze(x))
for _name, _axes in [("first", 0), ("third", 2), ("negative", -2), ("two", (0, 2)), ("two_negative", (-4, -2))]:
    one("squeeze_" + _name, (1, 2, 1, 3), lambda x, a=_axes: C.squeeze(x, a))
for _axis in (0, 1, -1, -2):
    one("expand_dims_" + str(_axis).replace("-", "neg"), (2, 3), lambda x, a=_axis: C.expand_dims(x, a))
for _axis in (None, 0, 1, 2, -1):
    one("flatten_" + str(_axis).replace("-", "neg").lower(), (2, 3, 4), lambda x, a=_axis: C.flatten(x) if a is None else C.flatten(x, a))

# --- Pad: modes, sides, ranks, constants
for _mode_name, _mode in (("constant", C.CONSTANT_PAD), ("reflect", C.REFLECT_PAD), ("symmetric", C.SYMMETRIC_PAD)):
    for _name, _shape, _pattern in [
            ("last", (3, 4), [(0, 0), (2, 1)]), ("first", (3, 4), [(1, 2), (0, 0)]), ("both", (3, 4), [(1, 1), (2, 3)]),
            ("rank3", (2, 3, 4), [(0, 0), (1, 0), (0, 2)]), ("rank1", (5,), [(3, 4)]), ("none", (2, 3), [(0, 0), (0, 0)])]:
        one("pad_%s_%s" % (_mode_name, _name), _shape, lambda x, p=_pattern, m=_mode: C.pad(x, p, m, 0.0))
one("pad_constant_value_negative", (2, 3), lambda x: C.pad(x, [(1, 0), (1, 2)], C.CONSTANT_PAD, -1.5))
one("pad_constant_longer_than_axis", (2, 3), lambda x: C.pad(x, [(3, 4), (0, 0)], C.CONSTANT_PAD, 1.0))
for _mode_name, _mode in (("constant", C.CONSTANT_PAD), ("reflect", C.REFLECT_PAD), ("symmetric", C.SYMMETRIC_PAD)):
    @case("pad_%s_free_dimensions" % _mode_name)
    def _(mode=_mode):
        x = C.input_variable((C.FreeDimension, 2, C.FreeDimension), name="x")
        return C.pad(x, [(2, 1), (0, 1), (0, 3)], mode, 0.5) * 2, {x: batch(4, 2, 5)}
of_sequences("pad_sequence", (2, 3), lambda x: C.pad(x, [(1, 0), (0, 1)], C.REFLECT_PAD))


# --- Crop: by offset, from strides on the way to a common input, with named ancestors
def conv(x, n, k, strides=(1, 1), pad=False):
    return C.convolution(C.parameter((n, x.shape[0]) + k, init=normal(n, x.shape[0], *k) * 0.3), x, strides=strides, auto_padding=[False, pad, pad])


for _name, _dx, _dy in [("offset_0_0", 0, 0), ("offset_x", 2, 0), ("offset_y", 0, 1), ("offset_both", 2, 1)]:
    def _build(dx=_dx, dy=_dy):
        x, like = C.input_variable((2, 5, 6), name="x"), C.input_variable((1, 3, 4), name="like")
        return C.crop_manual(x, like, dx, dy), {x: batch(2, 5, 6), like: batch(1, 3, 4)}
    _build.__module__ = __name__
    case("crop_" + _name)(_build)


@case("crop_automatic_valid_convolution")
def _():
    x = C.input_variable((1, 8, 9), name="x")
    return C.crop_automatic(conv(x, 2, (3, 3), pad=True), conv(x, 1, (3, 3))), {x: batch(1, 8, 9)}


@case("crop_automatic_two_convolutions")
def _():
    x = C.input_variable((1, 9, 9), name="x")
    return C.crop_automatic(C.relu(x), conv(conv(x, 2, (3, 3)), 1, (3, 3))), {x: batch(1, 9, 9)}


@case("crop_automatic_pooled_and_upsampled")
def _():
    x = C.input_variable((1, 10, 10), name="x")
    down = C.pooling(conv(x, 2, (3, 3)), C.MAX_POOLING, (2, 2), (2, 2))
    up = C.convolution_transpose(C.parameter((2, 1, 2, 2), init=normal(2, 1, 2, 2)), down, strides=(2, 2), auto_padding=[False])
    return C.crop_automatic(x, up), {x: batch(1, 10, 10)}


@case("crop_automatic_with_ancestors")
def _():
    x, y = C.input_variable((1, 8, 8), name="x"), C.input_variable((1, 8, 8), name="y")
    return C.crop_automatic_with_ancestors(conv(x, 2, (3, 3), pad=True), conv(y, 1, (3, 3)), x, y), {x: batch(1, 8, 8), y: batch(1, 8, 8)}


# What may lie on the way: normalization, arithmetic, two paths that agree, another crop. CNTK refuses Dropout and Slice there.
for _name, _way in {
    "norm": lambda x: C.batch_normalization(conv(x, 2, (3, 3)), *[C.parameter((2,), init=v) for v in (1, 2, 3, 4)],
                                            running_count=C.constant(0), spatial=True),
    "residual": lambda x: conv(x, 2, (3, 3)) + conv(x, 1, (3, 3)),
    "arithmetic": lambda x: C.exp(-C.tanh(C.abs(conv(x, 2, (3, 3))))),
    "average_pooling": lambda x: C.pooling(conv(x, 2, (2, 2)), C.AVG_POOLING, (2, 2), (1, 1)),
    "crop": lambda x: C.crop_manual(x, conv(x, 1, (3, 3)), 1, 1),
}.items():
    def _build(way=_way):
        x = C.input_variable((1, 8, 9), name="x")
        return C.crop_automatic(x, way(x)), {x: batch(1, 8, 9)}
    _build.__module__ = __name__
    case("crop_automatic_past_" + _name)(_build)


# --- Blocks of depth and space
for _block in (2, 3):
    one("depth_to_space_%d" % _block, (2 * _block * _block, 2, 3), lambda x, b=_block: C.depth_to_space(x, b))
    one("space_to_depth_%d" % _block, (2, 2 * _block, 3 * _block), lambda x, b=_block: C.space_to_depth(x, b))

"""Convolution, its transpose, pooling and unpooling: strides, padding rules, groups, ranks, shapes given or free."""
import cntk as C
import numpy as np

from . import batch, case, normal, positive, ragged


def kernel(*shape):
    return C.parameter(shape, init=normal(*shape) * 0.5, name="W")


# --- strides, kernels and automatic padding, in one dimension: stride beyond the kernel gives negative pads
for _length in (5, 6, 7, 8):
    for _k in (1, 2, 3, 4):
        for _stride in (1, 2, 3, 5):
            if (_length, _stride) == (5, 5) and _k % 2 == 0:
                continue                    # CNTK's own library fails there
            if (_length + _k + _stride) % 3 == 0 or _stride > _k:
                @case("conv1d_pad_length%d_kernel%d_stride%d" % (_length, _k, _stride))
                def _(n=_length, k=_k, s=_stride):
                    x = C.input_variable((2, n), name="x")
                    return C.convolution(kernel(3, 2, k), x, strides=(s,), auto_padding=[False, True]), {x: batch(2, n)}

for _name, _shape, _w, _strides, _pad in [
        ("valid", (2, 5, 6), (3, 2, 3, 2), (1, 1), [False]), ("same", (2, 5, 6), (3, 2, 3, 2), (1, 1), [False, True, True]),
        ("pad_height_only", (2, 5, 6), (3, 2, 3, 2), (1, 1), [False, True, False]),
        ("pad_width_only", (2, 5, 6), (3, 2, 3, 2), (1, 1), [False, False, True]),
        ("even_kernel", (2, 5, 6), (3, 2, 4, 2), (1, 1), [False, True, True]), ("strides_differ", (2, 7, 8), (3, 2, 3, 3), (2, 3), [False, True, True]),
        ("stride_beyond_kernel", (2, 7, 8), (3, 2, 1, 2), (2, 3), [False, True, True]),
        ("stride_beyond_kernel_valid", (2, 7, 8), (3, 2, 1, 2), (3, 3), [False]), ("kernel_1", (3, 4, 4), (2, 3, 1, 1), (1, 1), [False]),
        ("kernel_as_input", (2, 3, 4), (5, 2, 3, 4), (1, 1), [False]), ("rank3", (2, 4, 4, 5), (2, 2, 3, 2, 3), (1, 2, 1), [False, True, False, True]), ("rank1", (2, 9), (3, 2, 4), (2,), [False, True])]:
    @case("conv_" + _name)
    def _(shape=_shape, w=_w, strides=_strides, pad=_pad):
        x = C.input_variable(shape, name="x")
        return C.convolution(kernel(*w), x, strides=strides, auto_padding=pad), {x: batch(*shape)}

    @case("conv_double_" + _name)
    def _(shape=_shape, w=_w, strides=_strides, pad=_pad):
        x = C.input_variable(shape, dtype=np.float64, name="x")
        return C.convolution(C.parameter(w, init=normal(*w), dtype=np.float64), x, strides=strides, auto_padding=pad), {x: batch(*shape).astype(np.float64)}


@case("conv_without_output_maps")
def _():
    x = C.input_variable((1, 5, 5), name="x")
    return C.convolution(C.parameter((1, 3, 3), init=normal(1, 3, 3)), x, auto_padding=[False, True, True]), {x: batch(1, 5, 5)}


@case("conv_reduction_rank_0")
def _():
    x = C.input_variable((5, 6), name="x")
    return C.layers.Convolution((3, 3), 2, reduction_rank=0, pad=True, init=C.glorot_uniform(seed=1))(x), {x: batch(5, 6)}


for _groups, _in, _out in [(2, 4, 6), (3, 3, 3), (4, 4, 8)]:
    for _pad in (False, True):
        @case("conv_groups_%d%s" % (_groups, "_pad" if _pad else ""))
        def _(g=_groups, i=_in, o=_out, pad=_pad):
            x = C.input_variable((i, 5, 5), name="x")
            return C.convolution(kernel(o, i // g, 3, 3), x, auto_padding=[False, pad, pad], groups=g), {x: batch(i, 5, 5)}


@case("conv_groups_strided")
def _():
    x = C.input_variable((4, 7, 7), name="x")
    return C.convolution(kernel(4, 2, 3, 3), x, strides=(2, 2), auto_padding=[False], groups=2), {x: batch(4, 7, 7)}


@case("conv_free_dimensions")
def _():
    x = C.input_variable((2, C.FreeDimension, C.FreeDimension), name="x")
    return C.convolution(kernel(3, 2, 3, 3), x, auto_padding=[False, True, True]), {x: batch(2, 6, 7)}


@case("conv_free_dimensions_strided_even")
def _():
    x = C.input_variable((2, C.FreeDimension, C.FreeDimension), name="x")
    return C.convolution(kernel(3, 2, 3, 3), x, strides=(2, 2), auto_padding=[False, True, True]), {x: batch(2, 6, 7)}


@case("conv_of_frames")
def _():
    x = C.sequence.input_variable((2, 4, 4), name="x")
    return C.convolution(kernel(2, 2, 3, 3), x, auto_padding=[False, True, True]), {x: ragged(2, 4, 4)}


@case("conv_bias_and_activation")
def _():
    x = C.input_variable((2, 5, 5), name="x")
    return C.layers.Convolution2D((3, 3), 3, activation=C.relu, pad=True, strides=2, init_bias=0.3)(x), {x: batch(2, 5, 5)}


@case("conv_kernel_is_an_input")
def _():
    x, w = C.input_variable((1, 4, 4), name="x"), C.constant(normal(2, 1, 3, 3))
    return C.convolution(C.tanh(w), x, auto_padding=[False]), {x: batch(1, 4, 4)}


for _name, _strides, _pad in [("valid", (1, 1), False), ("valid_strided", (2, 2), False), ("same", (1, 1), True), ("same_strided", (2, 2), True),
                              ("strides_differ", (1, 3), False)]:
    @case("conv_transpose_" + _name)
    def _(strides=_strides, pad=_pad):
        x = C.input_variable((2, 4, 5), name="x")
        return C.convolution_transpose(kernel(2, 3, 3, 3), x, strides=strides, auto_padding=[False, pad, pad]), {x: batch(2, 4, 5)}
for _h, _w in [(7, 9), (8, 10), (8, 9)]:
    @case("conv_transpose_output_shape_%d_%d" % (_h, _w))
    def _(h=_h, w=_w):
        x = C.input_variable((2, 4, 5), name="x")
        return C.convolution_transpose(kernel(2, 3, 3, 3), x, strides=(2, 2), auto_padding=[False, True, True], output_shape=(3, h, w)), {x: batch(2, 4, 5)}


@case("conv_transpose_rank1")
def _():
    x = C.input_variable((2, 5), name="x")
    return C.convolution_transpose(kernel(2, 3, 4), x, strides=(3,), auto_padding=[False, False]), {x: batch(2, 5)}


@case("conv_transpose_rank3")
def _():
    x = C.input_variable((2, 3, 3, 2), name="x")
    return C.convolution_transpose(kernel(2, 2, 2, 3, 2), x, strides=(2, 1, 2), auto_padding=[False]), {x: batch(2, 3, 3, 2)}


@case("conv_transpose_even_kernel_same")
def _():
    x = C.input_variable((2, 4, 4), name="x")
    return C.convolution_transpose(kernel(2, 1, 4, 4), x, strides=(2, 2), auto_padding=[False, True, True]), {x: batch(2, 4, 4)}


@case("conv_transpose_double")
def _():
    x = C.input_variable((2, 4, 4), dtype=np.float64, name="x")
    w = C.parameter((2, 3, 3, 3), init=normal(2, 3, 3, 3), dtype=np.float64)
    return C.convolution_transpose(w, x, strides=(2, 2), auto_padding=[False]), {x: batch(2, 4, 4).astype(np.float64)}


@case("conv_transpose_free_dimensions")
def _():
    x = C.input_variable((2, C.FreeDimension, C.FreeDimension), name="x")
    return C.convolution_transpose(kernel(2, 3, 2, 2), x, strides=(2, 2), auto_padding=[False]), {x: batch(2, 3, 4)}


# --- pooling
KINDS = {"max": C.MAX_POOLING, "average": C.AVG_POOLING}
for _kind in KINDS:
    for _name, _shape, _window, _strides, _pad, _ceil, _include in [
            ("plain", (2, 6, 6), (2, 2), (2, 2), [False], False, False), ("pad", (2, 5, 7), (3, 3), (2, 2), [True], False, False),
            ("pad_include", (2, 5, 7), (3, 3), (2, 2), [True], False, True), ("overlap", (2, 5, 5), (3, 3), (1, 1), [False], False, False),
            ("overlap_pad", (2, 5, 5), (3, 3), (1, 1), [False, True, True], False, False),
            ("overlap_pad_include", (2, 5, 5), (3, 3), (1, 1), [False, True, True], False, True),
            ("ceil", (2, 5, 7), (2, 2), (2, 2), [False], True, False), ("ceil_3_2", (2, 6, 8), (3, 3), (2, 2), [False], True, False),
            ("ceil_include", (2, 6, 8), (3, 3), (2, 2), [False], True, True),
            ("stride_beyond_window", (2, 7, 8), (2, 2), (3, 4), [False], False, False),
            ("stride_beyond_window_pad", (2, 7, 8), (2, 2), (3, 4), [True], False, False),
            ("stride_beyond_window_ceil", (2, 7, 8), (2, 2), (3, 3), [False], True, False),
            ("window_1_stride_2_pad", (2, 5, 6), (1, 1), (2, 2), [True], False, False),
            ("even_window_pad", (2, 5, 6), (4, 2), (2, 1), [True], False, False), ("pad_one_axis", (2, 5, 6), (3, 3), (2, 2), [True, False], False, False),
            ("rank1", (2, 9), (3,), (2,), [True], False, False), ("rank3", (2, 4, 5, 4), (2, 3, 2), (2, 2, 1), [True], False, False),
            ("over_channels", (4, 5, 5), (2, 2, 2), (2, 2, 2), [False], False, False), ("whole", (2, 4, 5), (4, 5), (1, 1), [False], False, False)]:
        @case("pooling_%s_%s" % (_kind, _name))
        def _(kind=KINDS[_kind], shape=_shape, window=_window, strides=_strides, pad=_pad, ceil=_ceil, include=_include):
            x = C.input_variable(shape, name="x")
            return C.pooling(x, kind, window, strides, pad, ceil, include), {x: batch(*shape)}

    @case("pooling_%s_double" % _kind)
    def _(kind=KINDS[_kind]):
        x = C.input_variable((2, 5, 5), dtype=np.float64, name="x")
        return C.pooling(x, kind, (3, 3), (2, 2), [True]), {x: batch(2, 5, 5).astype(np.float64)}

    @case("pooling_%s_free_dimensions" % _kind)
    def _(kind=KINDS[_kind]):
        x = C.input_variable((2, C.FreeDimension, C.FreeDimension), name="x")
        return C.pooling(x, kind, (2, 2), (2, 2), [False, True, True]), {x: batch(2, 5, 6)}

    @case("pooling_%s_frames" % _kind)
    def _(kind=KINDS[_kind]):
        x = C.sequence.input_variable((2, 4, 4), name="x")
        return C.pooling(x, kind, (2, 2), (2, 2)), {x: ragged(2, 4, 4)}

    @case("pooling_%s_negative_input_pad" % _kind)
    def _(kind=KINDS[_kind]):
        x = C.input_variable((1, 3, 3), name="x")
        return C.pooling(x, kind, (3, 3), (1, 1), [True], include_pad=kind == C.AVG_POOLING), {x: -positive(2, 1, 3, 3)}

    @case("pooling_%s_global" % _kind)
    def _(layer={"max": C.layers.GlobalMaxPooling, "average": C.layers.GlobalAveragePooling}[_kind]):
        x = C.input_variable((3, 4, 5), name="x")
        return layer()(x), {x: batch(3, 4, 5)}

for _name, _shape, _window, _strides, _pad in [
        ("plain", (2, 4, 4), (2, 2), (2, 2), [False]), ("pad", (2, 5, 5), (2, 2), (2, 2), [True]), ("overlap", (1, 5, 5), (3, 3), (2, 2), [False]),
        ("stride_beyond_window", (1, 7, 7), (2, 2), (3, 3), [False]), ("rank1", (2, 6), (2,), (2,), [False]), ("window_differs", (2, 6, 6), (3, 2), (3, 2), [False])]:
    @case("unpooling_" + _name)
    def _(shape=_shape, window=_window, strides=_strides, pad=_pad):
        x = C.input_variable(shape, name="x")
        pooled = C.pooling(x, C.MAX_POOLING, window, strides, pad)
        n = int(np.prod((2,) + shape))
        distinct = (np.random.RandomState(n).permutation(n).reshape((2,) + shape) - n / 2).astype(np.float32)
        return C.unpooling(pooled * 2, x, C.MAX_UNPOOLING, window, strides, pad), {x: distinct}

# --- strides that CNTK infers (as its Caffe converter writes them for the channel): one window along that axis
ONE = C.InferredDimension


for _name, _strides, _pad in [
    ("channel", (ONE, 1, 1), [False, True, True]),
    ("channel_strided", (ONE, 2, 2), [False, True, True]),
    ("all", (ONE, ONE, ONE), [False, True, True]),
    ("one_entry", (ONE,), [False]),
    ("height_padded", (1, ONE, 1), [False, True, True]),
    ("height_plain", (1, ONE, 2), [False, False, False]),
]:
    @case("convolution_inferred_stride_%s" % _name)
    def _(strides=_strides, pad=_pad):
        x = C.input_variable((3, 8, 9), name="x")
        return C.convolution(kernel(4, 3, 3, 3), x, strides=strides, auto_padding=pad), {x: batch(3, 8, 9)}


@case("convolution_inferred_stride_free_axes")
def _():
    x = C.input_variable((3, C.FreeDimension, C.FreeDimension), name="x")
    return C.convolution(kernel(4, 3, 3, 3), x, strides=(1, ONE, 1), auto_padding=[False, True, True]), {x: batch(3, 8, 9)}


@case("convolution_inferred_stride_groups")
def _():
    x = C.input_variable((3, 8, 9), name="x")
    return C.convolution(kernel(6, 1, 3, 3), x, strides=(ONE, ONE, 1), auto_padding=[False, True, True], groups=3), {x: batch(3, 8, 9)}


@case("convolution_inferred_stride_transposed")
def _():
    x = C.input_variable((3, 1, 9), name="x")
    return C.convolution_transpose(kernel(3, 2, 4, 4), x, strides=(ONE, ONE, 2), auto_padding=[False, False, False]), {x: batch(3, 1, 9)}


for _kind_name, _kind in [("max", C.MAX_POOLING), ("average", C.AVG_POOLING)]:
    for _name, _window, _strides, _more in [
        ("both", (2, 2), (ONE, ONE), {}),
        ("rounded_up", (2, 2), (ONE, ONE), {"ceil_out_dim": True}),
        ("padded", (3, 3), (ONE, 2), {"auto_padding": [True, True]}),
        ("one_entry", (2, 2), (ONE,), {}),
        ("channel", (1, 2, 2), (ONE, 2, 2), {}),
        ("channel_window", (3, 2, 2), (ONE, 2, 2), {}),
        ("channel_strided", (1, 2, 2), (2, 2, 2), {}),
    ]:
        @case("pooling_%s_inferred_stride_%s" % (_kind_name, _name))
        def _(kind=_kind, window=_window, strides=_strides, more=_more):
            x = C.input_variable((3, 8, 9), name="x")
            return C.pooling(x, kind, window, strides, **more), {x: batch(3, 8, 9)}

    for _name, _pads, _strides, _more in (("auto_padded", [True, True], (2, 3), {}), ("auto_padded_one", [True, False], (3, 2), {}),
                                          ("auto_padded_other", [False, True], (1, 2), {}), ("auto_padded_counting", [True, True], (2, 1), {"include_pad": True})):
        if _more and _kind_name == "max":
            continue

        @case("pooling_%s_free_axes_%s" % (_kind_name, _name))
        def _(kind=_kind, pads=_pads, strides=_strides, more=_more):
            x = C.input_variable((2, C.FreeDimension, C.FreeDimension), name="x")
            return C.pooling(x, kind, (3, 4), strides, auto_padding=pads, **more), {x: batch(2, 7, 8)}

    @case("pooling_%s_one_free_axis_auto_padded" % _kind_name)
    def _(kind=_kind):
        x = C.input_variable((2, 6, C.FreeDimension), name="x")
        return C.pooling(x, kind, (3, 3), (2, 2), auto_padding=[True, True]), {x: batch(2, 6, 7)}

    @case("pooling_%s_inferred_stride_free_axes" % _kind_name)
    def _(kind=_kind):
        x = C.input_variable((3, C.FreeDimension, C.FreeDimension), name="x")
        return C.pooling(x, kind, (2, 2), (ONE, 2)), {x: batch(3, 8, 9)}


@case("unpooling_inferred_stride")
def _():
    x = C.input_variable((2, 4, 6), name="x")
    pooled = C.pooling(x, C.MAX_POOLING, (2, 2), (ONE, 2))
    return C.unpooling(pooled * 2, x, C.MAX_UNPOOLING, (2, 2), (ONE, 2)), {x: batch(2, 4, 6)}


# --- ROI pooling: CNTK has no average form
ROIS = np.array([[[0, 0, 7, 7], [1, 2, 5, 6], [3, 3, 3, 3], [0, 0, 20, 20]], [[2, 0, 6, 3], [5, 1, 7, 3], [6, 6, 7, 7], [0.4, 0.6, 4.5, 5.5]]], np.float32)
for _out in [(3, 3), (2, 4), (1, 1)]:
    for _scale in (1.0, 0.5):
        @case("roi_pooling_max_%d_%d_scale_%s" % (_out + (str(_scale).replace(".", "_"),)))
        def _(out=_out, scale=_scale):
            x, rois = C.input_variable((2, 8, 8), name="x"), C.input_variable((4, 4), name="rois")
            return C.roipooling(x, rois, C.MAX_POOLING, out, scale), {x: positive(2, 2, 8, 8), rois: ROIS}


@case("roi_pooling_max_negative_start")
def _():
    x, rois = C.input_variable((1, 6, 6), name="x"), C.input_variable((2, 4), name="rois")
    boxes = np.array([[[-2, -2, 3, 3], [-1, 2, 4, 5]], [[-9, -9, -8, -8], [2, -3, 5, 5]]], np.float32)
    return C.roipooling(x, rois, C.MAX_POOLING, (2, 2), 1.0), {x: positive(2, 1, 6, 6), rois: boxes}


@case("roi_pooling_max_reversed_box")
def _():
    x, rois = C.input_variable((1, 6, 6), name="x"), C.input_variable((1, 4), name="rois")
    return C.roipooling(x, rois, C.MAX_POOLING, (2, 2), 1.0), {x: positive(2, 1, 6, 6), rois: np.array([[[5, 1, 3, 3]], [[1, 4, 2, 2]]], np.float32)}


@case("roi_pooling_max_negative_map")
def _():
    x, rois = C.input_variable((1, 6, 6), name="x"), C.input_variable((2, 4), name="rois")
    return C.roipooling(x, rois, C.MAX_POOLING, (2, 2), 1.0), {x: -positive(2, 1, 6, 6), rois: np.array([[[0, 0, 5, 5], [4, 4, 9, 9]], [[1, 1, 2, 2], [0, 3, 5, 4]]], np.float32)}


# --- along the sequence
for _name, _window, _pad, _stride in [("pad", 3, True, 1), ("valid", 2, False, 1), ("even_pad", 2, True, 1), ("strided_pad", 3, True, 2)]:
    @case("conv_sequential_" + _name)
    def _(window=_window, pad=_pad, stride=_stride):
        x = C.sequence.input_variable((3,), name="x")
        layer = C.layers.SequentialConvolution(window, 2, reduction_rank=1, pad=pad, strides=stride, init=C.glorot_uniform(seed=1))
        return layer(x), {x: ragged(3, lengths=(4, 6, 3))}


@case("conv_sequential_2d_pad")
def _():
    x = C.sequence.input_variable((2, 4), name="x")
    return C.layers.SequentialConvolution((3, 3), 2, pad=True, init=C.glorot_uniform(seed=1))(x), {x: ragged(2, 4, lengths=(4, 6, 3))}


# --- kernels that are not shared between positions: CNTK takes them where there is one position only
for _name, _kernel, _sharing in [("all_axes", (2, 3, 5, 6), [False]), ("columns", (2, 3, 2, 6), [True, True, False]), ("rows", (2, 3, 5, 2), [False, True])]:
    @case("conv_unshared_along_" + _name)
    def _(kernel=_kernel, sharing=_sharing):
        x = C.input_variable((3, 5, 6), name="x")
        return C.convolution(C.parameter(kernel, init=normal(*kernel)), x, sharing=sharing, auto_padding=[False]), {x: batch(3, 5, 6)}


@case("conv_transpose_unshared")
def _():
    x = C.input_variable((2, 1, 3), name="x")
    kernel = C.parameter((2, 3, 2, 2), init=normal(2, 3, 2, 2))
    return C.convolution_transpose(kernel, x, sharing=[True, False, True], auto_padding=[False]), {x: batch(2, 1, 3)}

"""Ops that CNTK's CPU build loads and cannot run, with an equivalent function for their numbers: OptimizedRNNStack by CNTK's own
conversion into plain layers, dilated convolution by a kernel with zeros between its taps."""
import cntk as C
import numpy as np
from cntk.misc.optimized_rnnstack_converter import convert_optimized_rnnstack

from . import batch, case, normal, ragged


def stack(op, hidden, layers, both, width=2):
    """How many numbers the op's packed parameter holds: weights and two biases for each gate of each layer and direction."""
    gates, directions, n, inputs = {"lstm": 4}.get(op, 1), 2 if both else 1, 0, width
    for _ in range(layers):
        n += directions * gates * hidden * (inputs + hidden + 2)
        inputs = directions * hidden

    def build():
        x = C.sequence.input_variable((width,), name="x")
        w = C.parameter((1, n), init=normal(1, n) * 0.5, name="W")
        model = C.optimized_rnnstack(x, w, hidden, layers, both, op, name="stack")
        return model, {x: ragged(width)}, {"stand_in": convert_optimized_rnnstack(C.combine([model]).clone("share"))}
    build.__module__ = __name__
    return build


for _op in ("lstm", "rnnReLU", "rnnTanh"):
    for _layers in (1, 2):
        for _both in (False, True):
            case("rnn_stack_%s_%d%s" % (_op.lower(), _layers, "_bidirectional" if _both else ""))(stack(_op, 3, _layers, _both))
case("rnn_stack_lstm_3_narrow")(stack("lstm", 1, 3, False, width=4))


def dilated(shape, kernel, dilation, strides, pad):
    def build():
        x = C.input_variable(shape, name="x")
        taps = normal(*kernel) * 0.5
        wide = np.zeros(kernel[:2] + tuple((k - 1) * d + 1 for k, d in zip(kernel[2:], dilation)), np.float32)
        wide[(Ellipsis,) + tuple(slice(None, None, d) for d in dilation)] = taps
        args = {"strides": strides, "auto_padding": [False] + [pad] * len(strides)}
        model = C.convolution(C.parameter(kernel, init=taps), x, dilation=(1,) + dilation, **args)
        like = C.convolution(C.parameter(wide.shape, init=wide), x, **args)
        return model, {x: batch(*shape)}, {"stand_in": like}
    build.__module__ = __name__
    return build


for _name, _shape, _kernel, _dilation, _strides in [
        ("2_2", (2, 7, 8), (3, 2, 3, 3), (2, 2), (1, 1)), ("1_3", (2, 6, 9), (2, 2, 3, 3), (1, 3), (1, 1)), ("3_1_even", (1, 9, 6), (2, 1, 2, 2), (3, 1), (1, 1)),
        ("2_2_strided", (2, 9, 9), (2, 2, 3, 3), (2, 2), (2, 2)), ("rank1", (2, 12), (3, 2, 3), (4,), (1,)), ("rank3", (1, 5, 6, 5), (2, 1, 2, 3, 2), (2, 2, 1), (1, 1, 1))]:
    for _pad in (False, True):
        case("conv_dilation_%s%s" % (_name, "_pad" if _pad else ""))(dilated(_shape, _kernel, _dilation, _strides, _pad))

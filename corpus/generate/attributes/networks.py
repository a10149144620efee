"""Whole networks as CNTK's examples build them."""
import cntk as C
import numpy as np
from cntk.layers import AveragePooling, BatchNormalization, Convolution, Dense

from . import Data, batch, case


def conv_bn(x, size, filters, stride=1):
    conv = Convolution((size, size), filters, activation=None, init=C.he_normal(seed=filters), pad=True, strides=stride, bias=False)(x)
    return BatchNormalization(map_rank=1, normalization_time_constant=4096, use_cntk_engine=False)(conv)


def block(x, filters, stride=1):
    y = conv_bn(C.relu(conv_bn(x, 3, filters, stride)), 3, filters)
    return C.relu(y + (x if stride == 1 else conv_bn(x, 1, filters, stride)))


def trained(network):
    """Gives normalizations statistics, as if they had seen data."""
    for c in network.constants:
        if c.name in ("aggregate_mean", "aggregate_variance"):
            low, high = (-0.2, 0.2) if c.name == "aggregate_mean" else (0.8, 1.5)
            c.value = np.round(Data.rng.uniform(low, high, c.shape), 3).astype(np.float32)
    return network


@case("network_resnet20")
def _():
    x = C.input_variable((3, 32, 32), name="features")
    r = C.relu(conv_bn(x, 3, 16))
    for filters, stride in [(16, 1)] * 3 + [(32, 2)] + [(32, 1)] * 2 + [(64, 2)] + [(64, 1)] * 2:
        r = block(r, filters, stride)
    pool = AveragePooling((8, 8), name="final_avg_pooling")(r)
    return trained(Dense(10, init=C.normal(0.01, seed=1), name="z")(pool)), {x: batch(3, 32, 32)}

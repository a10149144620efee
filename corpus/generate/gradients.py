"""Records gradients that CNTK computes, for the modules that `--to pytorch` makes: gradients.py FOLDER. Runs under CNTK 2.7.

For each model NAME.model and NAME.npz: `input:NAME` and, for sequences, `lengths:NAME`; `gradient:UID` of the sum of the
first output's elements by each parameter. All sequences of a case have one length, so that the sum has no padding in it.
"""
import os
import sys
import zlib

import cntk as C
import numpy as np
from cntk.layers import (LSTM, GRU, Convolution2D, Dense, Embedding, LayerNormalization, MaxPooling, Recurrence,
                         RNNStep, Sequential, Stabilizer)


def sequence(model):
    x = C.sequence.input_variable(5, name="x")
    return model(x)


def both_ways(x):
    return C.splice(Recurrence(LSTM(4))(x), Recurrence(LSTM(4), go_backwards=True)(x))


def prelu(x):
    return C.param_relu(C.parameter((4, 1, 1), init=0.3, name="alpha"), x)


def twice(layer):
    """A recurrent layer that is applied twice."""
    return lambda x: C.splice(layer(x), layer(C.tanh(x)))


MODELS = {
    "mlp": lambda: Sequential([Dense(6, activation=C.tanh), Stabilizer(), Dense(3)])(C.input_variable(5, name="x")),
    "convnet": lambda: Sequential([Convolution2D((3, 3), 4, activation=C.relu, pad=True), MaxPooling((2, 2), strides=2),
                                   prelu, Convolution2D((3, 3), 3, strides=2, pad=True), Dense(2)])(
        C.input_variable((2, 8, 8), name="x")),
    "layer_norm": lambda: Sequential([Dense(6), LayerNormalization(), Dense(2, activation=C.sigmoid)])(
        C.input_variable(5, name="x")),
    "rnn": lambda: sequence(Sequential([Recurrence(RNNStep(4)), Dense(2)])),
    "rnn_sigmoid": lambda: sequence(Sequential([Recurrence(RNNStep(4, activation=C.sigmoid)), Dense(2)])),
    "rnn_stabilized": lambda: sequence(Sequential([
        Recurrence(RNNStep(4, activation=C.tanh, enable_self_stabilization=True)), Dense(2)])),
    "rnn_relu": lambda: sequence(Sequential([Recurrence(RNNStep(4, activation=C.relu)), Dense(2)])),
    "gru_stabilized": lambda: sequence(Sequential([Recurrence(GRU(4, enable_self_stabilization=True)), Dense(2)])),
    "gru_projected": lambda: sequence(Sequential([Recurrence(GRU(4, cell_shape=4)), Dense(2)])),
    "gru_twice": lambda: sequence(Sequential([twice(Recurrence(GRU(4))), Dense(2)])),
    "gru": lambda: sequence(Sequential([Embedding(3), Recurrence(GRU(4), initial_state=0.1), Dense(2)])),
    "lstm": lambda: sequence(Sequential([Recurrence(LSTM(4), initial_state=0.1), Dense(2)])),
    "lstm_both_ways": lambda: sequence(Sequential([both_ways, Dense(2)])),
    "lstm_last": lambda: sequence(Sequential([Recurrence(LSTM(4)), C.sequence.last, Dense(2)])),
    "lstm_peepholes": lambda: sequence(Sequential([Recurrence(LSTM(4, use_peepholes=True)), Dense(2)])),
    "lstm_projected": lambda: sequence(Sequential([Recurrence(LSTM(3, cell_shape=4)), Dense(2)])),
    "lstm_everything": lambda: sequence(Sequential([
        Recurrence(LSTM(3, cell_shape=4, use_peepholes=True, enable_self_stabilization=True)), Dense(2)])),
    "lstm_states": lambda: sequence(Sequential([Recurrence(LSTM(4), return_full_state=True), C.splice, Dense(2)])),
    "lstm_stabilized": lambda: sequence(Sequential([Recurrence(LSTM(4, enable_self_stabilization=True)), Dense(2)])),
}


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for name in sorted(MODELS):
        seed = zlib.crc32(name.encode())
        C.cntk_py.set_fixed_random_seed(seed)
        random = np.random.RandomState(seed)
        path = os.path.join(folder, name)
        MODELS[name]().save(path + ".model")
        model = C.Function.load(path + ".model")
        x, = model.arguments
        arrays = {}
        if len(x.dynamic_axes) == 2:
            data = random.standard_normal((3, 4) + x.shape).astype(np.float32)
            arrays["lengths:x"] = np.full(3, 4, np.int64)
        else:
            data = random.standard_normal((3,) + x.shape).astype(np.float32)
        arrays["input:x"] = data
        found = model.grad({x: list(data)}, wrt=list(model.parameters))
        for parameter in model.parameters:
            arrays["gradient:" + parameter.uid] = np.asarray(found[parameter], np.float32)
        np.savez(path + ".npz", **arrays)
        print(name, len(model.parameters))


if __name__ == "__main__":
    main(sys.argv[1])

"""Makes large models for measurements, with CNTK 2.7:    cntkpy large.py DIR [convnet] [deep] [language] [huge]

convnet (513 MB), deep (300 layers), language (255 MB, two LSTMs), huge (above 2 GB, where CNTK leaves the plain layout;
needs 12 GB of memory). Without names: the first three. Each comes with its arrays, like a case of the corpus; they are not kept in the repository.
"""
import os
import subprocess
import sys

import numpy as np

import recording

rng = np.random.RandomState(7)


def parameter(C, shape, fan_in):
    values = rng.standard_normal(shape).astype(np.float32) / np.float32(np.sqrt(fan_in))
    return C.parameter(shape, init=values)


def dense(C, x, n, name):
    fan_in = int(np.prod(x.shape))
    return C.plus(C.times(x, parameter(C, tuple(x.shape) + (n,), fan_in)), parameter(C, (n,), 100), name=name)


def convnet(C):
    x = C.input_variable((3, 224, 224), name="data")
    h = x
    for stage, (maps, layers) in enumerate([(32, 1), (64, 1), (128, 2), (256, 2), (512, 2)], 1):
        for i in range(layers):
            kernel = parameter(C, (maps, h.shape[0], 3, 3), 9 * h.shape[0])
            h = C.relu(C.convolution(kernel, h, auto_padding=[False, True, True], name="conv%d_%d" % (stage, i)) + parameter(C, (maps, 1, 1), 100))
        h = C.pooling(h, C.MAX_POOLING, (2, 2), (2, 2))
    h = C.dropout(C.relu(dense(C, h, 4096, "fc6")), 0.5)
    h = C.dropout(C.relu(dense(C, h, 4096, "fc7")), 0.5)
    return C.softmax(dense(C, h, 1000, "fc8"), name="probabilities"), {x: rng.rand(2, 3, 224, 224).astype(np.float32)}


def deep(C):
    x = C.input_variable((4, 8, 8), name="x")
    h = x
    for i in range(60):
        layer = C.layers.Sequential([C.layers.Convolution2D((3, 3), 4, pad=True, bias=False), C.layers.BatchNormalization(map_rank=1, init_scale=0.003), C.relu])
        h = h + 0.1 * layer(h)
    h = C.layers.Dense(24)(h)
    for i in range(240):
        h = h + 0.02 * C.layers.Dense(24, activation=C.relu, init_bias=0.01 * (i % 7), name="layer%d" % i)(h)
    return C.layers.Dense(10, name="out")(h), {x: rng.rand(3, 4, 8, 8).astype(np.float32)}


def language(C):
    words = 200000
    x = C.sequence.input_variable(words, is_sparse=True, name="words")
    h = C.times(x, parameter(C, (words, 300), 100))
    for i in range(2):
        h = C.layers.Recurrence(C.layers.LSTM(300), name="lstm%d" % i)(h)
    feeds = []
    for length in (5, 3, 4):
        frames = np.zeros((length, words), np.float32)
        frames[np.arange(length), rng.randint(0, words, length)] = 1
        feeds.append(frames)
    return C.layers.Dense(8000, name="logits")(h), {x: feeds}


def huge(C):
    x = C.input_variable(2000, name="x")
    h = C.tanh(dense(C, C.relu(dense(C, x, 120000, "wide")), 2500, "narrow"))
    h = C.cast(C.cast(h, np.float64) * C.constant(np.linspace(0.5, 1.5, 2500), dtype=np.float64), np.float32)
    return dense(C, h, 10, "out"), {x: rng.rand(2, 2000).astype(np.float32)}


MODELS = {"convnet": convnet, "deep": deep, "language": language, "huge": huge}


def main():
    args = sys.argv[1:]
    if not args or args[0] in ("-h", "--help") or set(args[1:]) - set(MODELS):
        sys.exit(__doc__)
    folder, names = args[0], args[1:] or ["convnet", "deep", "language"]
    if len(names) > 1:              # each in a process of its own: memory, and uids
        sys.exit(sum(subprocess.call([sys.executable, os.path.abspath(__file__), folder, n]) != 0 for n in names))
    import cntk as C
    C.cntk_py.set_fixed_random_seed(7)
    model, feeds = MODELS[names[0]](C)
    recording.record(folder, names[0], model, feeds, "corpus/generate/large.py, built and saved by cntk 2.7")
    print("%s: %d bytes" % (names[0], os.path.getsize(os.path.join(folder, names[0] + ".model"))))


if __name__ == "__main__":
    main()

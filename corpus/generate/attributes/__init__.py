"""Cases for single ops: at least one per value of every attribute. A module per family; each adds its cases to CASES.

A case is a name and a function that builds a model and returns it with its feeds, and optionally a dict of further
arguments of `recording.record`. Names begin with the op. It is built in a process of its own (see ../make.py), so
uids and random numbers depend on nothing but the case.
"""
import zlib

import numpy as np

CASES = {}
LENGTHS = (3, 5, 1)         # of the sequences of a ragged batch: the first is not the longest, one is a single frame


def case(name):
    """Registers a builder."""
    def add(build):
        if name in CASES:
            raise ValueError("two cases are called " + name)
        CASES[name] = build
        return build
    return add


class Data:
    """Numbers for the case that is being built."""
    rng = np.random.RandomState(0)

    @classmethod
    def seed(cls, name):
        cls.rng = np.random.RandomState(zlib.crc32(name.encode()))


def normal(*shape):
    return np.round(Data.rng.normal(size=shape), 3).astype(np.float32)


def positive(*shape):
    return np.round(Data.rng.uniform(0.2, 2.0, size=shape), 3).astype(np.float32)


def whole(high, *shape):
    return Data.rng.randint(0, high, size=shape).astype(np.float32)


def batch(*shape, n=2):
    """Two samples of this shape."""
    return normal(n, *shape)


def ragged(*shape, lengths=LENGTHS):
    """A batch of sequences of different lengths."""
    return [normal(n, *shape) for n in lengths]

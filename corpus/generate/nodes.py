"""Writes model files of CNTK 1, in every model version and with every form that the body of a node has had. Needs no CNTK.

    f = File(version=7)
    f.input("x", (3,))
    f.parameter("W", [[1, 2, 3], [4, 5, 6]])
    f.add("Times", "z", f.times(), "W", "x")
    f.outputs = ["z"]
    f.write("z.model")

The node list and the bodies are those of ../../docs/formats.md; shapes are column-major, as the files have them.
"""
import struct

import numpy as np


def text(s):
    return s.encode("utf-16-le") + b"\0\0"


def size(*numbers):
    return struct.pack("<%dQ" % len(numbers), *numbers)


def i32(*numbers):
    return struct.pack("<%di" % len(numbers), *numbers)


def u32(*numbers):
    return struct.pack("<%dI" % len(numbers), *numbers)


def f64(*numbers):
    return struct.pack("<%dd" % len(numbers), *numbers)


def flag(*values):
    return bytes(int(bool(v)) for v in values)


def flags(values):
    return size(len(values)) + flag(*values)


def shape(dims):
    return u32(len(dims), *dims)


def dense(matrix, dtype):
    matrix = np.asarray(matrix, dtype)
    assert matrix.ndim == 2
    return (b"d" + text("BMAT") + size(matrix.itemsize) + text("unnamed") + i32(0) + size(*matrix.shape)
            + matrix.tobytes(order="F") + text("EMAT"))


def sparse(matrix, dtype, by_rows=False):
    matrix = np.asarray(matrix, dtype)
    lines = matrix if by_rows else matrix.T
    values, indices, starts = [], [], [0]
    for line in lines:
        places = np.flatnonzero(line)
        values += list(line[places])
        indices += list(places)
        starts.append(len(values))
    return (b"s" + text("BMAT") + size(matrix.itemsize) + text("nnmatrix") + i32(7 if by_rows else 6)
            + size(len(values), matrix.shape[1], matrix.shape[0])
            + (np.asarray(values, dtype).tobytes() + i32(*indices) + i32(*starts) if values else b"") + text("EMAT"))


class File:
    """A file in the making."""

    def __init__(self, version, dtype=np.float32):
        self.version, self.dtype = version, np.dtype(dtype)
        self.nodes, self.outputs, self.criteria, self.evaluation, self.features, self.labels = [], [], [], [], [], []

    def add(self, op, name, body, *children, dtype=None):
        self.nodes.append((op, name, body, children, np.dtype(dtype or self.dtype)))
        return name

    # Bodies by version. `number` is of the node's type.

    def number(self, value):
        return np.asarray(value, self.dtype).tobytes()

    def input(self, name, dims, sparse=False, axis=None, legacy=False, rate=1):
        """`axis`: the DynamicAxis node of its sequence axis, if it is not the default. `legacy`: three dimensions as files had them
        before there were shapes. `rate`: the multiplier of its learning rate."""
        count = int(np.prod(dims))
        body = size(count, 1) if self.version < 8 else size(0, 0)
        body += size(dims[1], dims[2], dims[0]) if legacy else shape(dims)
        if self.version >= 8:
            body += u32(0) if axis is None else u32(1) + text(axis)
        if self.version >= 10:
            body += np.float32(rate).tobytes()
        self.features.append(name)
        return self.add("SparseInputValue" if sparse else "InputValue", name, body)

    def label(self, name, dims, rate=1):
        self.input(name, dims, rate=rate)
        self.labels.append(self.features.pop())
        return name

    def axis(self, name):
        return self.add("DynamicAxis", name, b"")

    def parameter(self, name, matrix, dims=None, rate=1.0, matrix_of=dense, old_shape=None):
        """`dims`: the shape, if it is not that of the matrix. `old_shape`: before version 3, what stands after rows = 0."""
        matrix = np.asarray(matrix, self.dtype)
        matrix = matrix.reshape(-1, 1) if matrix.ndim == 1 else matrix
        if self.version >= 3:
            body = np.float32(rate).tobytes() + shape(dims or matrix.shape)
        elif old_shape is not None:
            body = flag(rate != 0) + size(0, old_shape[1]) + old_shape[0]
        else:
            body = flag(rate != 0) + size(*matrix.shape)
        return self.add("LearnableParameter", name, body + matrix_of(matrix, self.dtype))

    def statistic(self, op, name, values, child, computed=True):
        matrix = np.asarray(values, self.dtype).reshape(-1, 1)
        return self.add(op, name, flag(computed) + dense(matrix, self.dtype), child)

    def times(self, output_rank=1, infer=-1):
        body = size(output_rank) if self.version >= 3 else b""
        return body + (i32(infer) if self.version >= 12 else b"")

    def delay(self, step, dims, initial):
        body = i32(step) + (shape(dims) if self.version >= 4 else size(int(np.prod(dims)), 1))
        return body + (self.number(initial) if self.version >= 2 else b"")

    def slice(self, *ranges):
        """Each range: begin, end, axis from 1, stride."""
        body = i32(len(ranges)) if self.version >= 22 else b""
        for begin, end, axis, stride in ranges:
            body += struct.pack("<qq", begin, end - begin)
            body += i32(axis) if self.version >= 3 else b""
            body += i32(stride) if self.version >= 27 else b""
        return body

    def stack(self, axis=1):
        return i32(axis) if self.version >= 3 else b""

    def transpose(self, first, second, permutation=None):
        if self.version < 3:
            return b""
        if permutation is not None:
            return i32(0, 0) + size(len(permutation), *permutation)
        return i32(first, second)

    def reduce(self, op, *axes, keep=True):
        body = i32(len(axes)) if self.version >= 27 else b""
        body += i32(*axes) + text(op)
        return body + (flag(keep) if self.version >= 24 else b"")

    def random(self, seed=1, offset=0):
        if self.version < 16:
            return b""
        return size(seed, offset)

    def windows(self, kernel, maps, strides, padded, kind, lower=(0,), upper=(0,), include_pad=False, ceil=False, flat=None,
                shared=(True,)):
        """From version 5 on: what convolutions and poolings have. `flat`: of a convolution, is its kernel a matrix?"""
        body = shape(kernel) + shape(maps) + shape(strides) + flags(shared) + flags(padded) + shape(lower) + shape(upper)
        body += i32(kind, 1) + size(0)
        body += flag(False) if self.version >= 9 else b""
        body += shape((0,)) if self.version >= 20 else b""
        body += flag(ceil) if self.version >= 21 else b""
        body += flag(include_pad) if self.version >= 23 else b""
        if flat is not None:
            body += flag(flat) + (shape((1,)) if self.version >= 18 else b"")
        return body

    def old_convolution(self, kernel, strides, maps, padded, layout=1):
        return size(*(tuple(kernel) + tuple(strides))) + u32(maps, layout) + flag(padded) + size(0)

    def old_pooling(self, window, strides, layout=1):
        return u32(window[0], layout) + size(window[1], strides[0], strides[1])

    def batch_normalization(self, spatial, epsilon, written=0x00010004):
        if self.version >= 6:
            body = flag(spatial) + f64(0.0, 0.0) + i32(1)
            body += flag(True) if self.version == 19 else size(16)
            return body + f64(epsilon) + flag(True)
        body = i32(written, 0x00010001) + flag(True, spatial) + f64(0.25)
        body += i32(1) + size(16) if written >= 0x00010002 else b""
        return body + (f64(epsilon) + flag(True) if written >= 0x00010003 else b"")

    def bytes(self):
        out = text("BCN")
        if self.version != 1:
            out += text("BVersion") + size(self.version) + text("EVersion")
        out += size(len(self.nodes)) + text("BNodeList")
        for op, name, body, _, dtype in self.nodes:
            if self.version >= 7:
                out += text("double" if dtype == np.float64 else "float")
            out += text(op) + text(name) + body
        out += text("ENodeList") + text("BRelation")
        for _, name, _, children, _ in self.nodes:
            out += text(name) + size(len(children)) + b"".join(text(child) for child in children)
        out += text("ERelation") + text("BRootNodes")
        groups = [("Feature", self.features), ("Label", self.labels), ("Criterion", self.criteria), ("Eval", self.evaluation),
                  ("Output", self.outputs)]
        for name, members in groups:
            out += text("B%sNodes" % name) + size(len(members)) + b"".join(text(m) for m in members) + text("E%sNodes" % name)
        return out + text("ERootNodes") + text("ECN")

    def write(self, path):
        with open(path, "wb") as f:
            f.write(self.bytes())

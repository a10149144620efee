"""Reads CNTK v2 model files without CNTK: the protobuf fields, the dictionary tree, and the ops' numbers and names.

For the scripts of this folder, on files that are known to be well-formed. Python 3.6 or newer.
"""
import os
import struct

MAGIC = 0x636e746b          # the first four bytes of the layout for files over 2 GB

# The page that is generated from the op table.
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "ops.md")
with open(PAGE) as page:
    ROWS = [line.split(" | ") for line in page if line[:2] == "| " and line[2].isdigit()]
OPS = [name for _, name, *_ in ROWS]
assert [int(code[2:]) for code, *_ in ROWS] == list(range(len(OPS)))
BLOCK = OPS.index("Block")


def varint(b, at):
    value = shift = 0
    while True:
        c = b[at]
        at += 1
        value |= (c & 127) << shift
        shift += 7
        if c < 128:
            return value, at


def fields(b):
    """(field number, wire type, value) of every field of a message."""
    at = 0
    while at < len(b):
        key, at = varint(b, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(b, at)
        elif kind == 2:
            size, at = varint(b, at)
            value, at = b[at:at + size], at + size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = b[at:at + size], at + size
        else:
            raise ValueError("wire type %d" % kind)
        yield key >> 3, kind, value


class Shape(tuple):
    """As stored: the first dimension varies fastest. FREE and INFERRED are the sentinels."""
    INFERRED, UNKNOWN, FREE = 2 ** 64 - 1, 2 ** 64 - 2, 2 ** 64 - 3


class Axis:
    ALL, ALL_STATIC, DYNAMIC = 2147483643, 2147483646, 2147483647

    def __init__(self, index, name, ordered):
        self.index, self.name, self.ordered = index, name, ordered

    def __repr__(self):
        special = {Axis.ALL: "AllAxes", Axis.ALL_STATIC: "AllStaticAxes", Axis.DYNAMIC: "sequence" if self.ordered else "batch"}
        return special.get(self.index, str(self.index))


class Tensor:
    def __init__(self, dtype, shape):
        self.dtype, self.shape = dtype, shape


def signed(v, bits):
    v &= (1 << bits) - 1
    return v - (1 << bits) if v >> (bits - 1) else v


def shape(b):
    dims = []
    for _, kind, v in fields(b):
        at = 0
        while kind == 2 and at < len(v):
            d, at = varint(v, at)
            dims.append(d)
        if kind == 0:
            dims.append(v)
    return Shape(dims)


def axis(b):
    f = {n: v for n, _, v in fields(b)}
    return Axis(signed(f.get(1, 0), 32), f.get(2, b"").decode(), bool(f.get(3, 0)))


def value(b):
    f = {n: v for n, _, v in fields(b)}
    kind = f.get(2, 0)
    v = f.get(kind + 2)
    if kind == 1:
        return bool(v)
    if kind == 2:
        return signed(v or 0, 32)
    if kind == 3:
        return v or 0
    if kind == 4:
        return struct.unpack("<f", v)[0]
    if kind == 5:
        return struct.unpack("<d", v)[0]
    if kind == 6:
        return v.decode()
    if kind == 7:
        return shape(v)
    if kind == 8:
        return axis(v)
    if kind == 9:
        return [value(x) for _, _, x in fields(v)]
    if kind == 10:
        return dictionary(v)
    if kind == 11:
        t = {n: x for n, _, x in fields(v)}
        return Tensor(t.get(1, 0), shape(t.get(3, b"")))
    raise ValueError("value type %d" % kind)


def dictionary(b):
    out = {}
    for n, _, v in fields(b):
        if n == 2:
            entry = {m: x for m, _, x in fields(v)}
            out[entry[1].decode()] = value(entry[2])
    return out


def load(path):
    """The model's root dictionary; tensors are reduced to type and shape."""
    with open(path, "rb") as f:
        b = f.read()
    if len(b) >= 8 and struct.unpack_from("<I", b)[0] == MAGIC:
        b = b[8:8 + struct.unpack_from("<I", b, 4)[0]]
    return dictionary(b)

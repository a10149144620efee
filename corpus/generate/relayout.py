#!/usr/bin/env python3
"""Rewrites a small model into the layout that CNTK gives files over 2 GB:    relayout.py IN.model OUT.model

    u32 magic, u32 length of the metadata, the same Dictionary with every tensor's values left out, then the values: raw,
    little-endian, one tensor after the other in the order of their records, nothing between them.

CNTK 2.7 reads that layout at any size. Needs neither CNTK nor NumPy.
"""
import struct
import sys

from wire import MAGIC, fields

VALUES = (4, 5, 6)          # NDArrayView: float, double, byte values
VECTOR, DICTIONARY, TENSOR = 11, 12, 13


def key(number, kind):
    return number_bytes(number << 3 | kind)


def number_bytes(v):
    out = bytearray()
    while v > 127:
        out.append(v & 127 | 128)
        v >>= 7
    out.append(v)
    return bytes(out)


def field(number, kind, v):
    if kind == 0:
        return key(number, kind) + number_bytes(v)
    if kind == 2:
        return key(number, kind) + number_bytes(len(v)) + v
    return key(number, kind) + v


def each(message, change):
    return b"".join(field(n, k, change(n, v)) for n, k, v in fields(message))


def strip_dictionary(message, tail):
    return each(message, lambda n, v: strip_entry(v, tail) if n == 2 else v)


def strip_entry(message, tail):
    return each(message, lambda n, v: strip_value(v, tail) if n == 2 else v)


def strip_value(message, tail):
    change = {VECTOR: lambda v: each(v, lambda n, x: strip_value(x, tail)), DICTIONARY: lambda v: strip_dictionary(v, tail),
              TENSOR: lambda v: strip_tensor(v, tail)}
    return each(message, lambda n, v: change[n](v) if n in change else v)


def strip_tensor(message, tail):
    out = b""
    for number, kind, v in fields(message):
        if number in VALUES:
            tail.extend(x for n, k, x in fields(v) if n == 1 and k == 2)
        else:
            out += field(number, kind, v)
    return out


def relayout(source, target):
    with open(source, "rb") as f:
        message = f.read()
    tail = []
    meta = strip_dictionary(message, tail)
    with open(target, "wb") as f:
        f.write(struct.pack("<II", MAGIC, len(meta)) + meta + b"".join(tail))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    relayout(*sys.argv[1:])

"""Changes the function records of a saved model: other attribute values, missing attributes, older versions. For files
that CNTK reads but that 2.7 does not write. Everything else in the file stays as it is.

    edit(path, "Slice", drop=["sliceStrides"])
    edit(path, "Pooling", put={"lowerPad": Shape([1, 0])}, version=15)
"""
from relayout import each, field, number_bytes
from wire import OPS, Axis, Shape, fields, value

BOOL, SIZE, SHAPE, AXIS = 1, 3, 7, 8


def edit(path, op, drop=(), put=None, version=None, new_op=None, inputs=None):
    """Changes every record of the op named `op`. `inputs` is how many inputs to keep."""
    with open(path, "rb") as f:
        message = f.read()
    count = [0]

    def on_root(key, v):
        return on_list(v, lambda r: change_record(r, count)) if key == b"primitive_functions" else v

    def change_record(record, count):
        names = {k: x for k, x in entries(record)}
        if b"op" not in names or OPS[value(names[b"op"])] != op:
            return record
        count[0] += 1

        def on_record(key, v):
            if key == b"attributes":
                return on_dictionary(v, lambda d: change_attributes(d, drop, put or {}))
            if key == b"version" and version is not None:
                return encoded(SIZE, version)
            if key == b"op" and new_op is not None:
                return encoded(SIZE, OPS.index(new_op))
            if key == b"inputs" and inputs is not None:
                return keep_first(v, inputs)
            return v
        return change_entries(record, on_record)

    out = change_entries(message, on_root)
    if not count[0]:
        raise ValueError("no " + op)
    with open(path, "wb") as f:
        f.write(out)


def entries(dictionary):
    for n, _, v in fields(dictionary):
        if n == 2:
            entry = {m: x for m, _, x in fields(v)}
            yield entry[1], entry[2]


def change_entries(dictionary, change):
    """`change(key, value)` gives the new value; None drops the entry."""
    out = b""
    for n, kind, v in fields(dictionary):
        if n == 2:
            entry = {m: x for m, _, x in fields(v)}
            new = change(entry[1], entry[2])
            if new is None:
                continue
            v = field(1, 2, entry[1]) + field(2, 2, new)
        out += field(n, kind, v)
    return out


def change_attributes(dictionary, drop, put):
    out = change_entries(dictionary, lambda k, v: None if k.decode() in drop or k.decode() in put else v)
    return out + b"".join(field(2, 2, field(1, 2, k.encode()) + field(2, 2, encode(v))) for k, v in sorted(put.items()))


def on_dictionary(message, change):
    return each(message, lambda n, v: change(v) if n == 12 else v)


def on_list(message, change):
    """Changes the dictionary in every element of a vector value."""
    return each(message, lambda n, v: each(v, lambda m, x: on_dictionary(x, change)) if n == 11 else v)


def keep_first(message, count):
    def cut(vector):
        kept = list(fields(vector))[:count]
        return b"".join(field(n, k, v) for n, k, v in kept)
    return each(message, lambda n, v: cut(v) if n == 11 else v)


def encoded(kind, v):
    body = field(kind + 2, 2, v) if isinstance(v, bytes) else field(kind + 2, 0, v)
    return field(1, 0, 1) + field(2, 0, kind) + body


def encode(v):
    if isinstance(v, Shape):
        return encoded(SHAPE, field(1, 2, b"".join(number_bytes(d) for d in v)))
    if isinstance(v, Axis):
        index = field(1, 0, v.index & (1 << 64) - 1) if v.index else b""
        return encoded(AXIS, index + field(2, 2, v.name.encode()) + (field(3, 0, 1) if v.ordered else b""))
    if isinstance(v, bool):
        return encoded(BOOL, int(v))
    if isinstance(v, int):
        return encoded(SIZE, v)
    raise ValueError("not supported: %r" % (v,))

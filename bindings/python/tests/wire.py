"""Writes a CNTK v2 model of one large parameter, as CNTK writes it."""


def varint(n: int) -> bytes:
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes([*out, n])


def num(field: int, n: int) -> bytes:
    return varint(field << 3) + varint(n)


def blob(field: int, data: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(data)) + data


def value(kind: int, member: bytes) -> bytes:
    return num(1, 2) + num(2, kind) + member


def size(n: int) -> bytes:
    return value(3, num(5, n))


def flag(b: bool) -> bytes:
    return value(1, num(3, int(b)))


def text(s: str) -> bytes:
    return value(6, blob(8, s.encode()))


def shape(dims: list[int]) -> bytes:
    return blob(1, b"".join(map(varint, dims)))


def vector(items: list[bytes]) -> bytes:
    return value(9, blob(11, b"".join(blob(1, i) for i in items)))


def dictionary(entries: dict[str, bytes]) -> bytes:
    return num(1, 2) + b"".join(blob(2, blob(1, k.encode()) + blob(2, v)) for k, v in entries.items())


def record(entries: dict[str, bytes]) -> bytes:
    return value(10, blob(12, dictionary(entries)))


def tensor(dims: list[int], data: bytes) -> bytes:
    return value(11, blob(13, num(1, 1) + num(2, 0) + blob(3, shape(dims)) + blob(4, blob(1, data))))


def large_model(count: int) -> bytes:
    """``count`` float32 ones called W, and their absolute values."""
    one = bytes([0, 0, 128, 63])
    parameter = record(
        {
            "version": size(1),
            "type": text("Variable"),
            "uid": text("Parameter1"),
            "name": text("W"),
            "kind": size(2),
            "data_type": size(1),
            "dynamic_axis": vector([]),
            "is_sparse": flag(False),
            "needs_gradient": flag(True),
            "shape": value(7, blob(9, shape([count]))),
            "value": tensor([count], one * count),
        }
    )
    function = record(
        {
            "version": size(1),
            "type": text("PrimitiveFunction"),
            "uid": text("Abs1"),
            "op": size(9),
            "attributes": record({}),
            "inputs": vector([text("Parameter1")]),
        }
    )
    return dictionary(
        {
            "version": size(1),
            "type": text("CompositeFunction"),
            "root": text("Abs1"),
            "uid": text("CompositeFunction1"),
            "inputs": vector([parameter]),
            "primitive_functions": vector([function]),
        }
    )

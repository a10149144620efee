"""Makes the hostile v1 files of ../hostile:    cntkpy v1_hostile.py OUT_DIR

Each is a small network with one fault; `cntk` in its label is what CNTK 2.7 did with it, in a process of its own.
"""
import json
import os
import resource
import signal
import struct
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from nodes import File, f64, flag, i32, shape, size, text, u32  # noqa: E402

CASES = []


def case(name, what, why, expect="reject", names=(), offset=None):
    def add(make):
        CASES.append((name, what, why, expect, list(names), offset, make))
        return make
    return add


def network(version=31):
    """z = W x + b, h = tanh of z and of itself a step before."""
    f = File(version)
    f.input("x", (3,))
    f.parameter("W", np.arange(6).reshape(2, 3))
    f.parameter("b", [0.5, -0.5])
    f.add("Times", "Wx", f.times(), "W", "x")
    f.add("Plus", "z", b"", "Wx", "b")
    f.add("PastValue", "before", f.delay(1, (2,), 0.0), "h")
    f.add("Plus", "sum", b"", "z", "before")
    f.add("Tanh", "h", b"", "sum")
    f.outputs = ["h"]
    return f


def put(f, node, **changes):
    """Changes parts of a node: op, name, body, children."""
    for i, (op, n, body, children, dtype) in enumerate(f.nodes):
        if n == node:
            f.nodes[i] = (changes.get("op", op), changes.get("name", n), changes.get("body", body), changes.get("children", children), dtype)
            return f
    raise KeyError(node)


def holding(matrix, dims=(2, 3)):
    return put(network(), "W", body=np.float32(1).tobytes() + shape(dims) + matrix).bytes()


def swap(data, old, new, last=False):
    assert old in data
    i = data.rfind(old) if last else data.find(old)
    return data[:i] + new + data[i + len(old):]


def with_node(op, name, body, *children, **options):
    f = network(**options)
    f.add(op, name, body, *children)
    return f


def raw_dense(element, rows, columns, payload, begin="BMAT", end="EMAT", kind=b"d"):
    return kind + text(begin) + size(element) + text("unnamed") + i32(0) + size(rows, columns) + payload + text(end)


def raw_sparse(code, values, indices, starts, rows=2, columns=3, stored=None):
    return (b"s" + text("BMAT") + size(4) + text("nnmatrix") + i32(code) + size(len(values) if stored is None else stored, columns, rows)
            + np.asarray(values, np.float32).tobytes() + i32(*indices) + i32(*starts) + text("EMAT"))


FLOATS = np.arange(6, dtype=np.float32).tobytes()

# The head.


@case("version_zero", "the model version is 0", "no version of CNTK wrote it", names=["version 0"])
def _():
    return network(0x7777).bytes().replace(size(0x7777), size(0))


@case("version_32", "the model version is 32", "newer than CNTK 2.7, which warns and goes on", "accept_with_warning")
def _():
    return swap(network().bytes(), size(31), size(32))


@case("version_wrapped", "the model version is 2^63", "newer than any", "accept_with_warning")
def _():
    return swap(network().bytes(), size(31), size(1 << 63))


@case("version_unended", "EVersion is missing", "a section without its end", names=["EVersion"])
def _():
    return swap(network().bytes(), text("EVersion"), b"")


@case("count_huge", "the file says that it has 2^60 nodes", "CNTK loops until the file ends", names=["nodes"])
def _():
    return swap(network().bytes(), size(8), size(1 << 60))


@case("count_one_more", "the file says that it has one node more", "ENodeList is taken for a node", names=["ENodeList"])
def _():
    return swap(network().bytes(), size(8), size(9))


@case("count_one_less", "the file says that it has one node less", "a node stands where ENodeList should", names=["ENodeList"])
def _():
    return swap(network().bytes(), size(8), size(7))


@case("count_zero", "the file has no nodes", "a model without a function, which CNTK loads", "either")
def _():
    return File(31).bytes()


# Nodes.

@case("op_unknown", "an operator that no CNTK has", "nodes have no length: the rest cannot be read", names=["Frobnicate", '"z"'])
def _():
    return put(network(), "z", op="Frobnicate").bytes()


@case("op_empty", "an operator without a name", "nothing has that name", names=['"z"'])
def _():
    return put(network(), "z", op="").bytes()


@case("op_of_another_case", "`plus` for Plus", "operators are told by their case", names=["plus"])
def _():
    return put(network(), "z", op="plus").bytes()


@case("precision_unknown", "a node of the precision `quad`", "its numbers have no known size", names=["quad"])
def _():
    return swap(network().bytes(), text("float"), text("quad"))


@case("name_twice", "two nodes of one name", "relations name nodes", names=['"b"'])
def _():
    return put(network(), "before", name="b").bytes()


@case("name_twice_in_another_case", "nodes `b` and `B`", "CNTK does not tell upper from lower case", names=['"B"'])
def _():
    return put(network(), "before", name="B").bytes()


@case("text_unended", "a name without its NUL", "it runs to the end of the file")
def _():
    data = network().bytes()
    return data[:data.find(text("ENodeList"))] + b"a\0" * 9


@case("text_half_pair", "half of a surrogate pair in a name", "no text")
def _():
    return swap(network().bytes(), text("Wx"), b"\0\xd8x\0\0\0")


@case("text_reversed_pair", "a surrogate pair in reverse in a name", "no text")
def _():
    return swap(network().bytes(), text("Wx"), b"\0\xdc\0\xd8\0\0")


@case("name_control", "a name with an escape sequence", "it could forge a line of a report", "accept_with_warning")
def _():
    f = put(network(), "z", name="z\x1b[31m")
    return put(f, "sum", children=("z\x1b[31m", "before")).bytes()


@case("name_bidirectional", "a name with a right-to-left override", "it shows other text than it is", "accept_with_warning")
def _():
    f = put(network(), "z", name="z\u202egpj")
    return put(f, "sum", children=("z\u202egpj", "before")).bytes()


@case("name_long", "a name of 10000 characters", "no name", "accept_with_warning")
def _():
    f = put(network(), "z", name="z" * 10000)
    return put(f, "sum", children=("z" * 10000, "before")).bytes()


@case("flag_of_7", "a Boolean byte of 7", "CNTK takes it for true", "accept_with_warning")
def _():
    return with_node("EyeLikeOp", "eye", b"\x07", "W").bytes()


# Matrices.

@case("matrix_product_wraps", "a matrix of 2^32 x 2^32", "the product wraps to 0 in 64 bits", names=['"W"'])
def _():
    return holding(raw_dense(4, 1 << 32, 1 << 32, b""))


@case("matrix_product_wraps_to_4", "rows and columns whose product is 4 in 64 bits", "CNTK allocates 4", names=['"W"'])
def _():
    return holding(raw_dense(4, (1 << 63) + 2, 2, FLOATS[:16]), (2, 2))


@case("matrix_beyond_the_file", "a matrix of 2^20 x 2^20", "CNTK allocates 4 TB first", names=['"W"'])
def _():
    return holding(raw_dense(4, 1 << 20, 1 << 20, FLOATS), (1 << 20, 1 << 20))


@case("matrix_of_another_shape", "a matrix of 3 x 3 for a shape of 2 x 3", "shape and matrix disagree", names=['"W"'])
def _():
    return holding(raw_dense(4, 3, 3, FLOATS + FLOATS[:12]))


@case("matrix_turned", "a matrix of 3 x 2 for a shape of 2 x 3", "shape and matrix disagree", names=['"W"'])
def _():
    return holding(raw_dense(4, 3, 2, FLOATS))


@case("matrix_empty", "a matrix without elements for a shape of 2 x 3", "shape and matrix disagree", names=['"W"'])
def _():
    return holding(raw_dense(4, 0, 0, b""))


@case("matrix_elements_of_2", "elements of 2 bytes", "no type of CNTK 1", names=['"W"'])
def _():
    return holding(raw_dense(2, 2, 3, FLOATS[:12]))


@case("matrix_elements_of_8", "elements of 8 bytes in a single-precision node", "the node's type says 4", names=['"W"'])
def _():
    return holding(raw_dense(8, 2, 3, FLOATS * 2))


@case("matrix_elements_of_0", "elements of 0 bytes", "no type", names=['"W"'])
def _():
    return holding(raw_dense(0, 2, 3, b""))


@case("matrix_elements_of_2_to_63", "elements of 2^63 bytes", "no type, and a product that wraps", names=['"W"'])
def _():
    return holding(raw_dense(1 << 63, 2, 3, b""))


@case("matrix_marker_wrong", "XMAT for BMAT", "a section that does not begin", names=["BMAT"])
def _():
    return holding(raw_dense(4, 2, 3, FLOATS, begin="XMAT"))


@case("matrix_end_missing", "no EMAT", "a section that does not end", names=["EMAT"])
def _():
    return holding(raw_dense(4, 2, 3, FLOATS, end="ECN"))


@case("matrix_kind_unknown", "a matrix of the kind `q`", "neither dense nor sparse", names=['"W"'])
def _():
    return holding(raw_dense(4, 2, 3, FLOATS, kind=b"q"))


@case("shape_of_zero", "a parameter with a dimension of 0", "a tensor without elements", names=['"W"'])
def _():
    return holding(raw_dense(4, 2, 0, b""), (2, 0))


@case("shape_rank_huge", "a shape of 2^32 - 1 axes", "CNTK allocates first", names=['"W"'])
def _():
    return put(network(), "W", body=np.float32(1).tobytes() + u32(0xFFFFFFFF) + b"\1" * 64).bytes()


@case("shape_rank_13", "a shape of 13 axes", "CNTK's hold 12", names=['"W"'])
def _():
    return holding(raw_dense(4, 2, 3, FLOATS), (2, 3) + (1,) * 11)


@case("input_of_zero", "an input with a dimension of 0", "CNTK divides by it", names=['"x"'])
def _():
    return put(network(), "x", body=size(0, 0) + shape((0,)) + u32(0) + np.float32(1).tobytes()).bytes()


@case("input_axes", "an input with two dynamic axes", "the format has room for one", names=['"x"'])
def _():
    return put(network(), "x", body=size(0, 0) + shape((3,)) + u32(2) + text("a") + text("b") + np.float32(1).tobytes()).bytes()


@case("weights_not_finite", "a parameter with NaN", "it poisons all results", "accept_with_warning")
def _():
    return holding(raw_dense(4, 2, 3, np.full(6, np.nan, np.float32).tobytes()))


@case("sparse_index_beyond", "a sparse matrix with an index beyond its rows", "CNTK writes out of bounds", names=['"W"'])
def _():
    return holding(raw_sparse(6, [1], [2], [0, 1, 1, 1]))


@case("sparse_index_negative", "a sparse matrix with a negative index", "CNTK writes out of bounds", names=['"W"'])
def _():
    return holding(raw_sparse(6, [1], [-1], [0, 1, 1, 1]))


@case("sparse_starts_fall", "starts of columns that fall", "lengths below 0", names=['"W"'])
def _():
    return holding(raw_sparse(6, [1, 2], [0, 1], [0, 2, 1, 2]))


@case("sparse_starts_beyond", "starts beyond the stored elements", "CNTK reads out of bounds", names=['"W"'])
def _():
    return holding(raw_sparse(6, [1], [0], [0, 5, 5, 5]))


@case("sparse_rows_index_beyond", "a row-compressed matrix with an index beyond its columns", "out of bounds", names=['"W"'])
def _():
    return holding(raw_sparse(7, [1], [3], [0, 1, 1]))


@case("sparse_bomb", "a sparse matrix of 30000 x 30000 without elements", "3.6 GB from 100 bytes", names=['"W"'])
def _():
    return holding(raw_sparse(6, [], [], [], 30000, 30000), (30000, 30000))


@case("sparse_stored_huge", "2^61 stored elements", "the size in bytes wraps", names=['"W"'])
def _():
    return holding(raw_sparse(6, [1], [0], [0, 1, 1, 1], stored=1 << 61))


@case("sparse_format", "a sparse matrix of an unknown format", "its indices mean nothing", names=['"W"'])
def _():
    return holding(raw_sparse(99, [1], [0], [0, 1, 1, 1]))


# Bodies.

@case("flags_huge", "a list of 2^62 Booleans", "CNTK resizes a vector first", names=['"c"'])
def _():
    f = network()
    f.input("image", (5, 5, 1))
    f.parameter("K", np.ones((3, 3)), dims=(3, 3, 1, 1))
    body = shape((3, 3, 1)) + shape((1,)) + shape((1, 1, 1)) + size(1 << 62) + b"\1" * 100
    f.add("Convolution", "c", body, "K", "image")
    return f.bytes()


@case("slice_beyond", "a slice from 1 to 9 of 3", "outside of the operand", names=['"part"'])
def _():
    return with_node("Slice", "part", File(31).slice((1, 9, 1, 1)), "x").bytes()


@case("slice_axis", "a slice along axis 7 of a vector", "no such axis", names=['"part"'])
def _():
    return with_node("Slice", "part", File(31).slice((0, 1, 7, 1)), "x").bytes()


@case("slice_of_2_to_40", "a slice that begins at 2^40", "CNTK drops the upper 32 bits", names=['"part"'])
def _():
    return with_node("Slice", "part", File(31).slice((1 << 40, (1 << 40) + 1, 1, 1)), "x").bytes()


@case("slice_axes_negative", "a slice of -1 axes", "a count below 1", names=['"part"'])
def _():
    return with_node("Slice", "part", i32(-1), "x").bytes()


@case("slice_axes_huge", "a slice of 2^31 - 1 axes", "the loop ends with the file", names=['"part"'])
def _():
    return with_node("Slice", "part", i32(0x7FFFFFFF), "x").bytes()


@case("transpose_axis", "axes 1 and 5 of a matrix", "no such axis, or one of size 1", "either", names=['"turned"'])
def _():
    return with_node("TransposeDimensions", "turned", i32(1, 5), "W").bytes()


@case("permutation_repeats", "a permutation 0, 0", "it names an axis twice", names=['"turned"'])
def _():
    return with_node("TransposeDimensions", "turned", i32(0, 0) + size(2, 0, 0), "W").bytes()


@case("reduce_operation", "a reduction called `Median`", "no such reduction", names=['"r"'])
def _():
    return with_node("ReduceElements", "r", File(31).reduce("Median", 1), "x").bytes()


@case("reduce_axis", "a reduction along axis 9", "no such axis", names=['"r"'])
def _():
    return with_node("ReduceElements", "r", File(31).reduce("Sum", 9), "x").bytes()


@case("stack_axis", "two vectors stacked along axis 9", "CNTK puts axes of size 1 before the ninth", expect="accept", names=['"s"'])
def _():
    return with_node("RowStack", "s", i32(9), "x", "x").bytes()


@case("reshape_of_another_size", "three elements reshaped to seven", "a reshape keeps them", names=['"shaped"'])
def _():
    return with_node("Reshape", "shaped", i32(1, 0) + shape((7,)), "x").bytes()


@case("repeat_zero", "a row repeated 0 times", "nothing is left", names=['"rows"'])
def _():
    return with_node("RowRepeat", "rows", size(0), "x").bytes()


@case("repeat_huge", "a row repeated 2^60 times", "an allocation bomb", names=['"rows"'])
def _():
    return with_node("RowRepeat", "rows", size(1 << 60), "x").bytes()


@case("delay_of_zero", "a delay by 0 steps", "no delay: the cycle never ends", names=['"before"'])
def _():
    return put(network(), "before", body=i32(0) + shape((2,)) + np.float32(0).tobytes()).bytes()


@case("delay_negative", "a delay by -1 steps", "it looks the other way, which CNTK computes outside of loops only", "accept_with_warning")
def _():
    return put(network(), "before", body=i32(-1) + shape((2,)) + np.float32(0).tobytes()).bytes()


@case("pooling_kind", "a pooling of kind 9", "neither maximum nor average", names=['"p"'])
def _():
    f = network()
    f.input("image", (5, 5, 1))
    f.add("Pooling", "p", f.windows((2, 2, 1), (1,), (1, 1, 1), (False,), 9), "image")
    return f.bytes()


@case("pooling_stride_zero", "a pooling with a stride of 0", "CNTK divides by it", names=['"p"'])
def _():
    f = network()
    f.input("image", (5, 5, 1))
    f.add("Pooling", "p", f.windows((2, 2, 1), (1,), (0, 1, 1), (False,), 1), "image")
    return f.bytes()


def with_kernel_matrix(rows_and_columns, window, maps):
    f = network()
    f.input("image", (5, 5, 1))
    f.parameter("K", np.ones(rows_and_columns))
    f.add("Convolution", "c", f.windows(window, (maps,), (1, 1, 1), (True, True, False), 0, flat=True), "K", "image")
    return f.bytes()


@case("kernel_of_another_size", "a kernel matrix of 4 x 7 for windows of 3 x 3", "the kernel does not divide", names=['"c"', '"K"'])
def _():
    return with_kernel_matrix((4, 7), (3, 3, 1), 4)


@case("kernel_of_other_rows", "a kernel matrix of 4 x 18 for 6 maps of 3 x 4", "each map has one row", names=['"c"', '"K"'])
def _():
    return with_kernel_matrix((4, 18), (3, 4, 1), 6)


def convolving(kernel=(3, 3, 2), maps=(4,), layout=1):
    f = network()
    f.input("image", (6, 5, 2))
    f.parameter("K", np.ones((3, 24)), dims=(3, 3, 2, 4))
    body = f.windows(kernel, maps, (1, 1, 2), (True, True, False), 0, flat=False)
    f.add("Convolution", "c", swap(body, i32(0, 1) + size(0), i32(0, layout) + size(0), last=True), "K", "image")
    return f.bytes()


@case("convolution_maps_zero", "a convolution with no maps on an axis", "CNTK divides by it", names=['"c"'])
def _():
    return convolving(maps=(0, 1, 4))


@case("convolution_maps", "a convolution of 3 maps by a kernel for 4", "the kernel has another size", names=['"c"'])
def _():
    return convolving(maps=(3,))


@case("convolution_window", "a convolution whose window is not that of its kernel", "the kernel has another size", names=['"c"'])
def _():
    return convolving(kernel=(3, 2, 2))


@case("convolution_layout", "an image layout of 10", "there are two", names=['"c"'])
def _():
    return convolving(layout=10)


@case("slice_stride_zero", "a slice with a stride of 0", "it never ends", names=['"part"'])
def _():
    return with_node("Slice", "part", File(31).slice((0, 2, 1, 0)), "x").bytes()


@case("slice_stride_long", "a slice from 0 to 2 with a stride of 3", "CNTK refuses it", names=['"part"'])
def _():
    return with_node("Slice", "part", File(31).slice((0, 2, 1, 3)), "x").bytes()


@case("name_half", "a name with the mark of a uid only", "CNTK 2 joins uid and name", names=["nodes[8]"])
def _():
    return with_node("Tanh", "__v2libuid__Tanh5", b"", "x").bytes()


@case("name_without_uid", "a name whose uid is empty", "CNTK makes one", "accept")
def _():
    return with_node("Tanh", "__v2libuid____v2libname__t", b"", "x").bytes()


@case("axis_of_another_kind", "an input whose dynamic axis is a parameter", "it is no axis", names=['"y"'])
def _():
    f = network()
    f.input("y", (3,), axis="W")
    return f.bytes()


@case("relation_of_nobody_childless", "a relation of a node that is not there, without children", "CNTK passes over it",
      "accept_with_warning")
def _():
    data = network().bytes()
    start = data.find(text("BRelation"))
    return data[:start] + swap(data[start:], text("b") + size(0), text("nobody") + size(0))


@case("packed_index_of_a_constant", "positions in a parameter", "it has no samples", names=['"i"'])
def _():
    f = with_node("Where", "frames", text(""), "x1")
    f.add("PackedIndex", "i", b"", "W", "frames")
    f.input("x1", (1,))
    return f.bytes()


@case("where_of_a_constant", "the frames of a parameter", "it has no frames", names=['"frames"'])
def _():
    f = with_node("Where", "frames", text(""), "c")
    f.parameter("c", [[1.0]], dims=(1,))
    return f.bytes()


@case("reconcile_with_a_constant", "the dynamic axes of a parameter", "it has none", names=['"r"'])
def _():
    return with_node("ReconcileDynamicAxis", "r", b"", "x", "b").bytes()


@case("no_outputs", "a recurrence that nothing reads", "a model without outputs", "accept_with_warning")
def _():
    f = File(31)
    f.input("x", (2,))
    f.add("PastValue", "before", f.delay(1, (2,), 0.0), "h")
    f.add("Plus", "h", b"", "x", "before")
    return f.bytes()


@case("rnn_cell", "a recurrent stack of cells `qrnn`", "no such cell", names=['"r"'])
def _():
    return with_node("OptimizedRNNStack", "r", size(0, 1, 2) + text("qrnn") + i32(1), "W", "x").bytes()


@case("outer_path_on_a_share", "a criterion that opens a file on a network share", "opening it sends credentials", names=['"l"'])
def _():
    body = text("\\\\host\\share\\list") + text("") * 4 + f64(0, 0, 0, 0, 0, 0) + flag(0, 0)
    return with_node("LatticeSequenceWithSoftmax", "l", body, "x", "x", "x", "x").bytes()


@case("outer_path", "a criterion that opens a file", "it is only named, and never opened", "accept_with_warning")
def _():
    body = text("/tmp/list") + text("") * 4 + f64(0, 0, 0, 0, 0, 0) + flag(0, 0)
    return with_node("LatticeSequenceWithSoftmax", "l", body, "x", "x", "x", "x").bytes()


@case("environment", "an input that the training program gives", "it is not needed for anything", "accept")
def _():
    return with_node("EnvironmentInput", "e", text("isTraining")).bytes()


@case("lossy_node", "OneHot, whose parameters the format does not hold", "sound, and refused only where it is needed", "accept")
def _():
    f = with_node("OneHot", "hot", b"", "x")
    return f.bytes()


# Relations and groups.

@case("child_unknown", "a child that is no node", "a relation to nothing", names=['"nobody"'])
def _():
    return put(network(), "z", children=("Wx", "nobody")).bytes()


@case("relation_of_nobody", "a relation of a node that is not there", "CNTK looks it up", names=['"nobody"'])
def _():
    data = network().bytes()
    start = data.find(text("BRelation"))
    return data[:start] + swap(data[start:], text("Wx") + size(2), text("nobody") + size(2))


@case("children_huge", "a node with 2^60 children", "CNTK allocates first", names=['"z"'])
def _():
    data = network().bytes()
    start = data.find(text("BRelation"))
    return data[:start] + swap(data[start:], text("z") + size(2), text("z") + size(1 << 60))


@case("no_children", "a Plus without children", "it reads two", names=['"z"'])
def _():
    return put(network(), "z", children=()).bytes()


@case("too_many_children", "a Plus of three", "it reads two", names=['"z"'])
def _():
    return put(network(), "z", children=("Wx", "b", "b")).bytes()


@case("one_factor", "a Times of one", "it reads two", names=['"Wx"'])
def _():
    return put(network(), "Wx", children=("W",)).bytes()


@case("normalization_of_three", "a BatchNormalization of three", "it reads six", names=['"n"'])
def _():
    return with_node("BatchNormalization", "n", File(31).batch_normalization(False, 1e-3), "z", "b", "b").bytes()


@case("delay_of_three", "a delay of three", "it reads one or two", names=['"before"'])
def _():
    return put(network(), "before", children=("h", "b", "b")).bytes()


@case("cycle", "a cycle without a delay", "it never ends", names=['"sum"', '"h"', '"z"'])
def _():
    return put(network(), "z", children=("Wx", "h")).bytes()


@case("own_child", "a node that is its own child", "a cycle of one", names=['"z"'])
def _():
    return put(network(), "z", children=("Wx", "z")).bytes()


@case("delay_of_no_step_in_a_cycle", "a delay by no step in a cycle with another delay", "it reads what was not computed yet", names=['"now"'])
def _():
    f = put(network(), "before", children=("now",))
    f.add("FutureValue", "now", f.delay(0, (2,), 0.0), "h")
    return f.bytes()


@case("ranking_of_a_learned_gain", "NDCG of gains that a parameter scales", "CNTK has no gradient for them", names=['"e"'])
def _():
    f = network()
    f.input("group", (1,))
    f.parameter("scale", [[2.0]])
    f.add("ElementTimes", "gain", b"", "scale", "group")
    f.parameter("V", [[1.0, 2.0]])
    f.add("Times", "score", f.times(), "V", "h")
    f.add("NDCG1Eval", "e", b"", "gain", "score", "group")
    f.criteria = ["e"]
    return f.bytes()


@case("factors_do_not_fit", "a 2 x 3 matrix times a vector of 2", "the shapes do not go together", names=['"Wx"'])
def _():
    return put(network(), "Wx", children=("W", "b")).bytes()


@case("types_differ", "a double parameter added to floats", "the types do not go together", names=['"d"', '"sum2"'])
def _():
    f = network()
    f.dtype = np.dtype(np.float64)
    f.parameter("d", [1.0, 2.0])
    f.dtype = np.dtype(np.float32)
    f.add("Plus", "sum2", b"", "z", "d")
    return f.bytes()


@case("group_of_nobody", "an output that is no node", "a group of nothing", names=['"nobody"'])
def _():
    f = network()
    f.outputs = ["nobody"]
    return f.bytes()


@case("group_huge", "2^60 outputs", "CNTK loops until the file ends", names=["roots"])
def _():
    return swap(network().bytes(), text("BOutputNodes") + size(1), text("BOutputNodes") + size(1 << 60))


@case("pair_nodes", "a list of pair nodes", "CNTK refuses it", names=["pair"])
def _():
    return swap(network().bytes(), text("ERootNodes"), text("BPairNodes") + size(1) + text("h") + text("EPairNodes") + text("ERootNodes"))


@case("labels_end_missing", "no ELabelNodes", "CNTK wants it in any case", names=["ELabelNodes"])
def _():
    return swap(network().bytes(), text("BLabelNodes") + size(0) + text("ELabelNodes"), b"")


@case("trailing", "bytes behind the end", "CNTK ignores them", "accept_with_warning")
def _():
    return network().bytes() + b"\0" * 100


def cut(at, what):
    @case("truncated_" + what, "cut in %s" % what.replace("_", " "), "the end is missing")
    def _():
        data = network().bytes()
        return data[:at(data)]


cut(lambda d: 7, "the_magic")
cut(lambda d: 30, "the_version")
cut(lambda d: d.find(FLOATS) + 9, "a_matrix")
cut(lambda d: d.find(text("BRelation")) - 3, "the_nodes")
cut(lambda d: d.find(text("ERelation")) - 9, "the_relations")
cut(lambda d: d.find(text("BOutputNodes")) + 30, "the_groups")
cut(lambda d: len(d) - 8, "the_last_marker")


@case("checkpoint", "the state of training (X.dnn.ckp)", "no model", names=["checkpoint"])
def _():
    return text("BVersion") + size(2) + text("EVersion") + text("BCKP") + text("BLearnRate") + size(100) + f64(0.1)


# Size.

@case("deep_chain", "a chain of 20000 nodes", "a recursive reader overflows its stack", "accept")
def _():
    f = network()
    last = "h"
    for i in range(20000):
        last = f.add("Tanh", "t%d" % i, b"", last)
    return f.bytes()


@case("deep_chain_from_its_end", "a chain of 20000 nodes, last first", "a recursive reader overflows its stack", "accept")
def _():
    f = network()
    for i in range(20000):
        f.add("Tanh", "t%d" % i, b"", "t%d" % (i + 1) if i < 19999 else "h")
    return f.bytes()


@case("wide_stack", "a stack of 5000 copies", "many relations of one node", "accept")
def _():
    return with_node("RowStack", "s", i32(1), *(["x"] * 5000)).bytes()


def outcome(path):
    """What CNTK does with the file."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.alarm(30)
        try:
            import cntk as C
            C.Function.load(path)
            os.write(writer, b"accepted")
        except BaseException as e:
            lines = [l.strip() for l in str(e).splitlines() if l.strip() and "CALL STACK" not in l]
            os.write(writer, ("%s: %s" % (type(e).__name__, lines[0] if lines else ""))[:160].encode("utf-8", "replace"))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode("utf-8", "replace")
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return {"outcome": "timeout" if os.WTERMSIG(status) == signal.SIGALRM else signal.Signals(os.WTERMSIG(status)).name}
    return {"outcome": "accepted"} if said == "accepted" else {"outcome": "exception", "detail": said}


def main():
    folder = sys.argv[1]
    only = sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    for name, what, why, expect, names, offset, make in CASES:
        if only and name not in only:
            continue
        base = os.path.join(folder, "v1_" + name)
        data = make()
        with open(base + ".model", "wb") as f:
            f.write(data)
        label = {"family": "v1", "what": what, "expect": expect, "why": why,
                 "where": {"names": names, "offset": offset, "path": None}, "cntk": outcome(base + ".model")}
        with open(base + ".json", "w", encoding="utf-8") as f:
            json.dump(label, f, indent=1, ensure_ascii=False)
            f.write("\n")
        print(expect, label["cntk"], name)
    print(len(CASES), "files")


if __name__ == "__main__":
    main()

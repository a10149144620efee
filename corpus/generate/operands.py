#!/usr/bin/env python3
"""Which operands does CNTK 2.7 refuse, and does `validate` say the same? Runs under CNTK 2.7.

  cntkpy corpus/generate/operands.py --tool target/fast/cntk2onnx FOLDER
  cntkpy corpus/generate/operands.py --hostile corpus/hostile

Each operator gets every combination of a parameter (p), an input without dynamic axes (n), one with a batch axis (b) and one with a
sequence axis (s), and those without attributes a few combinations of shapes. Python refuses most of the latter, so a file of
another operator is saved and its op code is changed. CNTK loads and evaluates every file in a child process. Printed are the files on which
the two disagree. With --hostile, the files of HOSTILE are written, with their labels.
"""
import argparse
import itertools
import json
import os

import cntk as C
import numpy as np
import odd
from edit import edit

PAIRS = ["Plus", "Minus", "ElementTimes", "Equal", "Less", "LogPlus", "Pow", "PackedIndex", "GatherPacked", "ReconcileDynamicAxis", "Assign", "Gather",
         "SquaredError", "CrossEntropyWithSoftmax", "ClassificationError", "Logistic", "CosDistance"]
TRIPLES = ["ScatterPacked", "Clip", "Select", "LambdaRank", "NDCG", "Logistic", "ClassificationError"]
SHAPES = [(), (1,), (3,), (1, 1), (3, 1), (1, 3), (2, 3)]

OTHERS = {
    "Times": (C.times, [(3,), (3, 4)]),
    "Times of matrices": (C.times, [(2, 3), (3, 4)]),
    "TransposeTimes": (C.times_transpose, [(3,), (4, 3)]),
    "Convolution": (lambda w, x: C.convolution(w, x, auto_padding=[False]), [(4, 2, 3, 3), (2, 40, 40)]),
    "Convolution of a vector": (lambda w, x: C.convolution(w, x, auto_padding=[False]), [(4, 1, 3), (1, 6)]),
    "Convolution, transposed": (lambda w, x: C.convolution_transpose(w, x, auto_padding=[False]), [(2, 4, 3, 3), (2, 40, 40)]),
    "ROIPooling": (lambda x, rois: C.roipooling(x, rois, C.MAX_POOLING, (3, 2), 0.5), [(2, 8, 8), (3, 4)]),
    "Unpooling": (lambda x, y: C.unpooling(x, y, C.MAX_UNPOOLING, (2, 2), strides=(2, 2)), [(2, 20, 20), (2, 40, 40)]),
    "Crop": (lambda x, y: C.crop_manual(x, y, 1, 2), [(1, 6, 6), (1, 3, 3)]),
    "Splice": (lambda x, y: C.splice(x, y, axis=0), [(3,), (4,)]),
    "PastValue": (C.sequence.past_value, [(3,), (3,)]),
    "PastValue of a vector from a number": (C.sequence.past_value, [(3,), (1,)]),
    "PastValue of a number from a vector": (C.sequence.past_value, [(1,), (3,)]),
    "EditDistanceError": (lambda x, y: C.edit_distance_error(x, y, 1, 1, 1, True, [1]), [(4,), (4,)]),
    "ToSequenceLike": (C.to_sequence_like, [(4, 3), (2,)]),
    "Gather": (C.gather, [(3, 4), (2,)]),
    "CosDistanceWithNegativeSamples": (lambda x, y: C.cosine_distance_with_negative_samples(x, y, 1, 1), [(3,), (3,)]),
    "BatchNormalization": (lambda x: C.batch_normalization(
        x, *[C.constant(n, (2,)) for n in (1, 0, 0, 1)], spatial=True, running_count=C.constant(0, ())), [(2, 40, 40)]),
    "UnpackSequence": (lambda x: C.sequence.unpack(x, 0.5, no_mask_output=True), [(3,)]),
    "UnpackBatch": (C.unpack_batch, [(4, 3)]),
    "ToBatch": (C.to_batch, [(4, 3)]),
    "RandomSample": (lambda x: C.random_sample(x, 3, True), [(5,)]),
    "RandomSampleInclusionFrequency": (lambda x: C.random_sample_inclusion_frequency(x, 3, True), [(5,)]),
    "TopK": (lambda x: C.top_k(x, 2), [(5,)]),
    "OneHot": (lambda x: C.one_hot(x, 4), [(3,)]),
    "ReduceElements over the batch": (lambda x: C.reduce_sum(x, C.Axis.default_batch_axis()), [(3,)]),
    "ReduceElements over everything": (lambda x: C.reduce_sum(x, C.Axis.all_axes()), [(3,)]),
}

# Files of ../hostile: op, the kinds of its operands, their shapes, why.
HOSTILE = [
    ("SquaredError", "pb", [(3,), (3,)], "CNTK looks for the samples of both"),
    ("CrossEntropyWithSoftmax", "bn", [(3,), (3,)], "CNTK looks for the samples of both"),
    ("ClassificationError", "bp", [(3,), (3,)], "CNTK looks for the samples of both"),
    ("Logistic", "pp", [(3,), (3,)], "CNTK looks for the samples of both"),
    ("CosDistance", "sp", [(3,), (3,)], "one has samples, the other has none"),
    ("CosDistance", "pb", [(3,), (3,)], "one has samples, the other has none"),
    ("Gather", "bb", [(3,), (3,)], "a table for each sample"),
    ("Assign", "pb", [(3,), (3,)], "a parameter has no samples"),
    ("ScatterPacked", "ssp", [(3,), (1,), (1,)], "a parameter has no frames"),
    ("Logistic", "bbp", [(1,), (1,), (1,)], "a weight for each sample is missing"),
    ("NDCG", "bbn", [(1,), (1,), (1,)], "groups are numbers of samples"),
    ("LambdaRank", "bpb", [(1,), (1,), (1,)], "each sample has a rank"),
    ("Logistic", "bbb", [(3,), (3,), (3,)], "samples of several numbers have no weights"),
    ("Logistic", "bb", [(3,), (1,)], "other lengths"),
    ("CosDistance", "bb", [(1,), (3,)], "other lengths"),
    ("SquaredError", "bb", [(2, 3), (3,)], "other lengths"),
    ("PackedIndex", "ss", [(3,), (3,)], "more than one position for a frame"),
    ("ClassificationError", "bbp", [(3,), (3,), ()], "the number of predictions to look at is no constant"),
    ("Convolution", "pp", None, "CNTK takes each column of a parameter for a sample, and reads memory beyond it"),
    ("Convolution", "bb", None, "a kernel for each sample"),
    ("ROIPooling", "pp", None, "CNTK takes each column of a parameter for a sample, and reads memory beyond it"),
    ("Unpooling", "bp", None, "one has samples, the other has none"),
    ("Crop", "pb", None, "only the size of a crop may come from samples if its operand has none"),
    ("PastValue of a vector from a number", "sb", None, "an initial state for each sample has all numbers of the operand"),
    ("BatchNormalization", "p", None, "CNTK takes each column of a parameter for a sample, and writes memory beyond it"),
    ("UnpackBatch", "p", None, "there is no batch"),
    ("RandomSample", "b", None, "weights for each sample"),
]


def operand(kind, shape, i):
    if kind == "p":
        count = int(np.prod(shape))
        return C.parameter(shape, init=np.arange(1, count + 1, dtype=np.float32).reshape(shape) / count)
    name = "x%d" % i
    if kind == "s":
        return C.sequence.input_variable(shape, name=name)
    return C.input_variable(shape, name=name) if kind == "b" else C.input_variable(shape, dynamic_axes=[], name=name)


def save(path, op, kinds, shapes):
    """Saves an operator with these operands, or one of OTHERS if no shapes are given; False where no file can be made."""
    function, shapes = (None, shapes) if shapes is not None else OTHERS[op]
    operands = [operand(kind, shape, i) for i, (kind, shape) in enumerate(zip(kinds, shapes))]
    try:
        if function:
            function(*operands).save(path)
            return True
        made, base = (C.log_add_exp(*operands), "LogPlus") if len(operands) == 2 else (C.element_select(*operands), "Select")
        made.save(path)
    except Exception:
        return False
    if op != base:
        edit(path, base, new_op=op)
    return True


def judged(op, path):
    """What CNTK says of a file. Positions of frames are 0, which every sequence has."""
    of_frames = op.endswith("Packed") or op == "PackedIndex"
    return odd.judged(path, first_frames if of_frames else odd.feeds)


def first_frames(function):
    return {v: zeros(x) for v, x in odd.feeds(function).items()}


def zeros(x):
    return [zeros(part) for part in x] if isinstance(x, list) else np.zeros_like(x)


def hostile(folder):
    """Writes the files of HOSTILE with their labels."""
    for op, kinds, shapes, why in HOSTILE:
        sizes = "_".join("x".join(map(str, shape)) or "1" for shape in shapes or [])
        base = os.path.join(folder, "_".join(["operands", op.lower().replace(" ", "_"), kinds, sizes]).rstrip("_"))
        assert save(base + ".model", op, kinds, shapes), base
        said = judged(op, base + ".model")
        if said["outcome"] == "ok":
            print("CNTK evaluates", base)
        label = {"family": "operands", "what": "%s of operands %s of shapes %s" % (op, kinds, shapes or OTHERS[op][1]), "expect": "reject", "why": why,
                 "where": {"names": [op.split()[0]], "offset": None, "path": None},
                 "cntk": {"outcome": "crash" if said["outcome"] == "crash" else "exception", "detail": said.get("why")}}
        with open(base + ".json", "w") as f:
            json.dump(label, f, indent=1)
            f.write("\n")


def combinations():
    for ops, count in ((PAIRS, 2), (TRIPLES, 3)):
        for op in ops:
            for kinds in itertools.product("pnbs", repeat=count):
                yield op, "".join(kinds), [(1,) if count == 3 and i else (3,) for i in range(count)]
            for shapes in itertools.product(SHAPES, repeat=count):
                yield op, "b" * count, shapes
    for op, (_, shapes) in OTHERS.items():
        for kinds in itertools.product("pnbs", repeat=len(shapes)):
            yield op, "".join(kinds), None


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder", nargs="?")
    args.add_argument("--tool")
    args.add_argument("--hostile", metavar="FOLDER")
    args = args.parse_args()
    if args.hostile:
        return hostile(args.hostile)
    os.makedirs(args.folder, exist_ok=True)
    counts = {}
    for number, (op, kinds, shapes) in enumerate(combinations()):
        path = os.path.join(args.folder, "%04d_%s_%s.model" % (number, op, kinds))
        if not save(path, op, kinds, shapes):
            continue
        said, (fine, findings) = judged(op, path), odd.accepted(args.tool, path)
        agree = (said["outcome"] == "ok") == fine
        kind = "agree" if agree else "WE ACCEPT" if fine else "WE REFUSE"
        counts[kind] = counts.get(kind, 0) + 1
        if not agree:
            print("%s %s %s %s\n    CNTK: %s\n    tool: %s" % (kind, op, kinds, shapes, json.dumps(said), findings), flush=True)
    print(counts)


if __name__ == "__main__":
    main()

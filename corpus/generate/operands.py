#!/usr/bin/env python3
"""Which operands does CNTK 2.7 refuse, and does `validate` say the same? Runs under CNTK 2.7.

  cntkpy corpus/generate/operands.py --tool target/fast/cntk2onnx FOLDER
  cntkpy corpus/generate/operands.py --hostile corpus/hostile

Each operator without attributes gets every combination of a parameter (p), an input without dynamic axes (n), one with a batch axis (b) and
one with a sequence axis (s), and a few combinations of shapes. Python refuses most of them, so a file of another operator
is saved and its op code is changed. CNTK loads and evaluates every file in a child process. Printed are the files on which
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
    """Saves an operator with these operands; False where no file can be made."""
    operands = [operand(kind, shape, i) for i, (kind, shape) in enumerate(zip(kinds, shapes))]
    try:
        made, base = (C.log_add_exp(*operands), "LogPlus") if len(operands) == 2 else (C.element_select(*operands), "Select")
        made.save(path)
    except Exception:
        return False
    if op != base:
        edit(path, base, new_op=op)
    return True


def judged(op, path):
    """What CNTK says of a file. Positions of frames are 0, which every sequence has."""
    feeds = odd.feeds
    if op.endswith("Packed") or op == "PackedIndex":
        odd.feeds = lambda function: {v: zeros(x) for v, x in feeds(function).items()}
    try:
        return odd.judged(path)
    finally:
        odd.feeds = feeds


def zeros(x):
    return [zeros(part) for part in x] if isinstance(x, list) else np.zeros_like(x)


def hostile(folder):
    """Writes the files of HOSTILE with their labels."""
    for op, kinds, shapes, why in HOSTILE:
        sizes = "_".join("x".join(map(str, shape)) or "1" for shape in shapes)
        base = os.path.join(folder, "operands_%s_%s_%s" % (op.lower(), kinds, sizes))
        assert save(base + ".model", op, kinds, shapes), base
        said = judged(op, base + ".model")
        if said["outcome"] == "ok":
            print("CNTK evaluates", base)
        label = {"family": "operands", "what": "%s of operands %s of shapes %s" % (op, kinds, shapes), "expect": "reject", "why": why,
                 "where": {"names": [op], "offset": None, "path": None},
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

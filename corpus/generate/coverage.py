#!/usr/bin/env python3
"""Lists which (op, attribute, value) combinations the cases of the corpus hold. Needs neither CNTK nor NumPy.

  coverage.py [FOLDER...] [--op NAME] [--cases]

Without folders: all that hold cases. One row per op, attribute and kind of value with the number of cases; --cases names them (up to five). Ops
that no case holds are listed at the end.
"""
import argparse
import collections
import glob
import math
import os

from wire import BLOCK, OPS, Axis, Shape, load

CORPUS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NOT_VALUES = {"rngSeed", "rngOffset", "maxTempMemSizeInSamples", "newSequenceAxisLengthScalingFactor", "sequenceAxis", "newDynamicAxes",
              "SymListPath"}
EXACT = 3                   # integers up to this are told apart


def kind(v):
    """A value reduced to what an implementation may treat differently."""
    if isinstance(v, bool) or isinstance(v, str):
        return str(v)
    if isinstance(v, int):
        return str(v) if abs(v) <= EXACT else "> %d" % EXACT if v > 0 else "< -%d" % EXACT
    if isinstance(v, float):
        return str(v) if v in (0.0, 1.0, -1.0) or not math.isfinite(v) else "> 0" if v > 0 else "< 0"
    if isinstance(v, Shape):
        return "[%s]" % " ".join("inferred" if d == Shape.INFERRED else "free" if d == Shape.FREE else
                                 str(d) if d <= EXACT else "n" for d in v)
    if isinstance(v, Axis):
        return repr(v)
    if isinstance(v, list):
        return "[%s]" % " ".join(map(kind, v))
    return type(v).__name__


def rows_of(model):
    """(op, attribute, kind of value) of every function; an op without attributes has one row."""
    types = {v["uid"]: v["data_type"] for v in model["inputs"]}
    for f in model["primitive_functions"]:
        if "op" not in f:
            yield "UserDefinedFunction", "", ""
            continue
        if f["op"] == BLOCK:
            yield "Block", "name", f["block_function_op_name"]
            continue
        op = OPS[f["op"]] if f["op"] < len(OPS) else str(f["op"])
        yield op, "", "%d inputs" % len(f["inputs"])
        for i in f["inputs"]:
            if types.get(i) not in (None, 1):
                yield op, "", {0: "unknown type", 2: "double", 4: "half", 5: "int8", 6: "int16"}[types[i]]
        for key, v in f["attributes"].items():
            if key not in NOT_VALUES:
                yield op, key, kind(v)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folders", nargs="*", help="folders of cases (default: all of the corpus)")
    p.add_argument("--op", help="only this op")
    p.add_argument("--cases", action="store_true", help="name the cases")
    o = p.parse_args()
    folders = o.folders or [os.path.join(CORPUS, d) for d in ("ops", "zoo", "attributes")]
    table = collections.defaultdict(list)
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(folder, "*.model"))):
            for row in sorted(set(rows_of(load(path)))):
                table[row].append(os.path.basename(path)[:-len(".model")])
    for (op, key, v), cases in sorted(table.items()):
        if o.op in (None, op):
            print("%-24s %-30s %-28s %5d%s" % (op, key, v, len(cases), ("  " + " ".join(cases[:5])) if o.cases else ""))
    missing = [op for op in OPS if not any(row[0] == op for row in table)]
    if missing and not o.op:
        print("in no case: " + " ".join(missing))


if __name__ == "__main__":
    main()

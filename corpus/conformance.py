#!/usr/bin/env python3
"""Converts recorded cases with cntk2onnx, runs the results in ONNX Runtime and compares them with CNTK's own numbers.

  conformance.py --tool BIN CASES_DIR... [--only PATTERN] [--group static|sequence] [--opset N] [--jobs N]
                 [--known FILE [--bless]] [--no-poison] [--keep DIR] [--json FILE] [--ops]

Each case is converted with `--outputs all`. The model must then
  - pass onnx.checker with full_check, with the opset asked for and an IR version of at most 10;
  - have CNTK's inputs and outputs by name and element type, dynamic axes symbolic, and besides them only int64 inputs
    `<input>_lengths` for sequence axes;
  - give what CNTK gave, in ONNX Runtime on the CPU, within the valid length of every sequence, while the padding of
    ragged inputs is NaN (--no-poison: as recorded, zero);
  - give the same for the first sample alone, unless samples depend on one another.
Where a model folds an unused sequence axis into the batch, the arrays are flattened accordingly.
Random ops are only checked and loaded; a user-defined function may be refused cleanly; so may criteria that have no
sensible graph.

With --known the exit status says whether exactly the listed cases fail; without, whether all pass.
"""
import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from harness.batch import DEFAULT_OPSET, run_all, selected
from harness.known import KnownFailures


def report(cases, answers, known, options):
    """Prints why cases fail (with a list of known failures, only those that are not on it) and the totals."""
    stages, groups, ops = {}, {}, {}
    for case in cases:
        answer = answers[case.id]
        good = answer["stage"] is None
        key = "%s %s" % (case.folder.name, "sequence" if case.has_sequence else "static")
        for table, keys in ((groups, [key]), (ops, case.ops)):
            for k in keys:
                row = table.setdefault(k, [0, 0])
                row[0] += good
                row[1] += 1
        if not good:
            stages[answer["stage"]] = stages.get(answer["stage"], 0) + 1
            if not options.quiet and not known.lists(case.id, options.opset or DEFAULT_OPSET):
                print("FAIL %s %s: %s" % (case.id, answer["stage"], answer["reason"]))
    if options.ops:
        for op in sorted(ops):
            print("%-34s %4d of %4d" % (op, *ops[op]))
    if stages:
        print("failures by stage: " + ", ".join("%s %d" % s for s in sorted(stages.items())))
    refused = sum(bool(a.get("refused")) for a in answers.values())
    if refused:
        print("refused, as allowed: %d" % refused)
    for key in sorted(groups):
        print("%-20s %d of %d match" % (key, *groups[key]))


def settle(cases, existing, answers, known, options):
    """The exit status."""
    failed = sorted(c.id for c in cases if answers[c.id]["stage"] is not None)
    passed = sorted(c.id for c in cases if answers[c.id]["stage"] is None)
    if options.json:
        record = [dict(answers[c.id], id=c.id, ops=sorted(c.ops)) for c in cases]
        Path(options.json).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print("%d of %d cases match" % (len(passed), len(cases)))
    if not options.known:
        return 1 if failed else 0
    if options.bless:
        known.bless(failed, passed, existing)
    return known.tell(known.disagreements(failed, passed, existing, options.opset or DEFAULT_OPSET))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("cases", nargs="+", metavar="CASES_DIR")
    p.add_argument("--tool", required=True, help="the cntk2onnx binary")
    p.add_argument("--only", help="glob or substring of case names")
    p.add_argument("--group", choices=["static", "sequence"], help="cases without, or with, a sequence axis")
    p.add_argument("--opset", type=int, help="ask for this opset instead of the tool's default")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("--known", type=Path, help="list of the cases that are expected to fail")
    p.add_argument("--bless", action="store_true", help="rewrite that list")
    p.add_argument("--no-poison", dest="poison", action="store_false", help="leave the padding of ragged inputs at zero")
    p.add_argument("--keep", help="leave the converted models in this folder")
    p.add_argument("--json", help="write every verdict to this file")
    p.add_argument("--ops", action="store_true", help="print a table of matches by op")
    p.add_argument("-q", "--quiet", action="store_true", help="do not print why cases fail")
    options = p.parse_args()
    options.tool = os.path.abspath(options.tool)
    if not os.access(options.tool, os.X_OK):
        p.error("cannot run %s" % options.tool)
    cases, existing = selected(options)
    if not cases:
        p.error("no cases")
    known = KnownFailures(options.known)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cntk2onnx-") as scratch:
        if options.keep:
            os.makedirs(options.keep, exist_ok=True)
        answers = run_all(cases, options, options.keep or scratch, "check")
    report(cases, answers, known, options)
    print("%.0f s" % (time.monotonic() - start))
    return settle(cases, existing, answers, known, options)


if __name__ == "__main__":
    sys.exit(main())

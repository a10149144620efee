#!/usr/bin/env python3
"""Converts recorded cases to ONNX, imports them into PyTorch by another project's importer and compares with CNTK's numbers.

  importers.py --tool BIN --importer onnx2torch|onnx2pytorch CASES_DIR... [--only PATTERN] [--opset N] [--jobs N]
               [--known FILE [--bless]]

onnx2torch 1.5.15 runs with torch 1.13 (requirements-torch.txt), onnx2pytorch 0.6 wants torch 2 and an environment of its own:
`pip install torch numpy onnx onnx2pytorch==0.6.0`. Models with an operator that the importer does not know are counted, not
judged; all others must give what CNTK gave, as in conformance.py. What fails is counted by its kind.

With --known the exit status says whether exactly the listed cases fail, each by its listed kind; without, whether all pass.
"""
import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from harness.batch import DEFAULT_OPSET, run_all, selected
from harness.known import KnownFailures

# Kinds of failure by what their message holds. Any other is called by the stage it was met at.
KINDS = [
    ("not implemented for 'Half'", "no-half-kernel"),
    ("sequence_lens has to be a constant", "sequence_lens-given"),
    ("has to be a constant", "recurrent-weights-computed"),
    ("STM P not yet", "peepholes"),
    (" activations ('", "other-activations"),
    ("t() expects a tensor with <= 2", "MatMul-of-constant"),
    ("mat1 and mat2 shapes cannot", "MatMul-of-constant"),
]


def kind(answer):
    return next((name for text, name in KINDS if text in answer["reason"]), answer["stage"])


def report(answers, known, importer):
    """Prints the failures that are not known, and counts of all."""
    failed = {n: a for n, a in answers.items() if a["stage"] is not None}
    unknown = [a["unknown"] for a in answers.values() if a.get("unknown")]
    refused = sum(bool(a.get("refused")) for a in answers.values())
    for name, answer in sorted(failed.items()):
        if not known.lists(name, DEFAULT_OPSET):
            print("FAIL %s %s: %s" % (name, answer["stage"], answer["reason"]))
    judged = len(answers) - len(unknown) - refused
    rows = [("match", judged - len(failed))] + Counter(kind(a) for a in failed.values()).most_common()
    rows += [("has " + op, n) for op, n in Counter(op for ops in unknown for op in ops).most_common()]
    for row in rows:
        print("%-26s %d" % row)
    print("%d cases have operators that %s does not know; %d are refused before" % (len(unknown), importer, refused))
    print("%d of %d cases match" % (judged - len(failed), judged))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("cases", nargs="+", metavar="CASES_DIR")
    p.add_argument("--tool", required=True, help="the cntk2onnx binary")
    p.add_argument("--importer", required=True, choices=["onnx2torch", "onnx2pytorch"])
    p.add_argument("--only", help="glob or substring of case names")
    p.add_argument("--opset", type=int, default=DEFAULT_OPSET, help="which to convert to")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("--known", type=Path, help="list of the cases that are expected to fail")
    p.add_argument("--bless", action="store_true", help="rewrite that list")
    p.set_defaults(group=None, keep=None, poison=True)
    options = p.parse_args()
    options.tool = os.path.abspath(options.tool)
    cases, existing = selected(options)
    known = KnownFailures(options.known)
    with tempfile.TemporaryDirectory(prefix="cntk2onnx-") as scratch:
        answers = run_all(cases, options, scratch, "by_" + options.importer)
    report(answers, known, options.importer)
    kinds = {n: kind(a) for n, a in answers.items() if a["stage"] is not None}
    failed, passed = sorted(kinds), sorted(set(answers) - set(kinds))
    if not options.known:
        return 1 if failed else 0
    if options.bless:
        known.bless(failed, passed, existing, kinds)
    return known.tell(known.disagreements(failed, passed, existing, options.opset, kinds))


if __name__ == "__main__":
    sys.exit(main())

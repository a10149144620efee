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
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from harness.case import Case, cases_in
from harness.known import KnownFailures
from harness.worker import Worker

CONVERT_SECONDS = 15
DEFAULT_OPSET = 17       # what the tool takes without --opset


def convert(tool, case, out, opset):
    """None if the file was written, else an answer as the worker gives them."""
    command = [tool, "convert", str(case.model), "-o", out, "--outputs", "all"]
    if opset:
        command += ["--opset", str(opset)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=CONVERT_SECONDS)
    except subprocess.TimeoutExpired:
        return {"stage": "convert", "reason": "no answer in %d s" % CONVERT_SECONDS}
    written = os.path.exists(out)
    if done.returncode == 0:
        return None if written else {"stage": "convert", "reason": "exit 0 but no file written"}
    said = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
    if written:
        return {"stage": "convert", "reason": "exit %d, but a file was left" % done.returncode}
    if case.may_be_refused and done.returncode == 3 or case.may_fail_cleanly and 1 <= done.returncode <= 3:
        return {"stage": None, "refused": True}
    how = ("signal %d" % -done.returncode) if done.returncode < 0 else "exit %d" % done.returncode
    return {"stage": "convert", "reason": "%s: %s" % (how, said)}


def run_case(case, options, folder, worker):
    out = os.path.join(folder, case.id.replace("/", "__") + ".onnx")
    if os.path.exists(out):
        os.remove(out)
    answer = convert(options.tool, case, out, options.opset)
    if answer is None:
        answer = worker.ask(onnx=os.path.abspath(out), folder=str(case.folder.resolve()), name=case.name,
                            opset=options.opset, poison=options.poison)
        if not options.keep:
            os.remove(out)
    return answer


def run_all(cases, options, folder):
    """{case id: answer}, by `--jobs` threads with a worker process each."""
    todo, answers, lock = list(reversed(cases)), {}, threading.Lock()

    def loop():
        worker = Worker()
        while True:
            with lock:
                if not todo:
                    break
                case = todo.pop()
            try:
                answer = run_case(case, options, folder, worker)
            except Exception as e:
                answer = {"stage": "run", "reason": "runner: %r" % e}
            with lock:
                answers[case.id] = answer
        worker.close()

    threads = [threading.Thread(target=loop) for _ in range(options.jobs)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


def selected(options):
    """(the cases to run, the ids of all cases of the given folders)"""
    every = [(d, n) for d in options.cases for n in cases_in(d)]
    existing = {"%s/%s" % (Path(d).resolve().name, n) for d, n in every}
    picked = []
    for d, n in every:
        case = Case(Path(d).resolve(), n)
        if options.only and not (fnmatch.fnmatch(n, options.only) or options.only in case.id):
            continue
        if options.group and case.has_sequence != (options.group == "sequence"):
            continue
        picked.append(case)
    return picked, existing


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
        answers = run_all(cases, options, options.keep or scratch)
    report(cases, answers, known, options)
    print("%.0f s" % (time.monotonic() - start))
    return settle(cases, existing, answers, known, options)


if __name__ == "__main__":
    sys.exit(main())

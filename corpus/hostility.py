#!/usr/bin/env python3
"""Runs cntk2onnx over bad model files and compares its verdicts with the labels. Standard library only.

  hostility.py --tool BIN DIR [--only PATTERN] [--jobs N] [--known FILE [--bless]] [--where]

Every run has 2 s and, where the system can limit it, 512 MB of address space. It must end with an exit code of 0 to 3, whatever
the file: no panic, no signal. What it prints holds no raw control or bidirectional characters and no line that the file
planted. `convert` writes a file if and only if it succeeds. Beyond that a label asks:

  reject                `validate` exits 1 with a line `error: ...`; `convert` fails
  accept                `validate` exits 0
  accept_with_warning   `validate` exits 0 and prints a warning
  either                `validate` exits 0, or 1 as above

--where counts and lists rejections that do not name the place of the fault.
With --known the exit status says whether exactly the listed files get a wrong verdict.
"""
import argparse
import fnmatch
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.known import KnownFailures

try:
    import resource
except ImportError:                 # not a Unix system
    resource = None

SECONDS = 2
MEMORY = 512 << 20
CODES = (0, 1, 2, 3)
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
PLANTED = "error: none"             # what utf8_reference_escape_codes hides behind a newline


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Outcome:
    """How one run ended; `wrong` says what no run may do."""

    def __init__(self, command):
        unix = {"preexec_fn": limit, "start_new_session": True} if resource else {}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **unix)
        self.code, self.out, self.err, self.wrong = None, "", "", None
        try:
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL) if resource else process.kill()
            process.communicate()
            self.wrong = "no answer in %d s" % SECONDS
            return
        self.code = process.returncode
        self.out, self.err = out.decode("utf-8", "replace").replace("\r\n", "\n"), err.decode("utf-8", "replace").replace("\r\n", "\n")
        self.wrong = self.manner()

    def manner(self):
        if self.code < 0:
            return "killed by %s" % signal.Signals(-self.code).name
        if self.code not in CODES or "panicked at" in self.err:
            return "exit %d: %s" % (self.code, (self.err.strip().splitlines() or [""])[0][:120])
        if RAW.search(self.out + self.err):
            return "raw control or bidirectional characters printed"
        if any(l.strip() == PLANTED for l in (self.out + "\n" + self.err).splitlines()):
            return "text from the file printed as a line of its own"
        return None

    def errors(self):
        return [l for l in self.err.splitlines() if l.startswith("error: ") and l[7:].strip()]

    def bad_rejection(self):
        if self.code != 1:
            return "accepted" if self.code == 0 else "exit %s, not 1" % self.code
        return None if self.errors() else "no line `error: ...` on stderr"

    def names(self, where):
        """Does an error line name the place of the fault? None if the label does not know it."""
        spots = list(where["names"]) + ([where["path"]] if where["path"] else [])
        at = where["offset"]
        if at is not None:          # readers differ in whether they name the tag, the length or the payload
            spots += [s for o in range(max(0, at - 2), at + 12) for s in (str(o), "0x%x" % o)]
        return any(s in l for l in self.errors() for s in spots) if spots else None


def judge_validate(tool, path, expect):
    run = Outcome([tool, "validate", path])
    if run.wrong:
        return run, run.wrong
    if expect == "reject" or expect == "either" and run.code != 0:
        return run, run.bad_rejection()
    if run.code != 0:
        return run, "exit %d: %s" % (run.code, (run.err.strip().splitlines() or [""])[0][:120])
    if expect == "accept_with_warning" and "warning" not in (run.out + run.err).lower():
        return run, "accepted without a warning"
    return run, None


def judge_convert(tool, path, expect, folder):
    out = os.path.join(folder, "out.onnx")
    run = Outcome([tool, "convert", path, "-o", out])
    left = sorted(os.listdir(folder))
    if run.wrong:
        return run.wrong
    if run.code == 0:
        return "succeeded" if expect == "reject" else None if "out.onnx" in left else "exit 0 without a file"
    return "failed and left " + ", ".join(left) if left else None


def judge(tool, folder, name):
    """(problems, whether the place was named)"""
    label = json.loads((folder / (name + ".json")).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        model = folder / (name + ".model")
        if not model.exists():
            model = Path(scratch) / (name + ".model")
            with gzip.open(folder / (name + ".model.gz")) as packed, open(model, "wb") as plain:
                shutil.copyfileobj(packed, plain)
        outputs = os.path.join(scratch, "out")
        os.mkdir(outputs)
        run, bad = judge_validate(tool, str(model), label["expect"])
        problems = ["validate: " + bad] if bad else []
        bad = judge_convert(tool, str(model), label["expect"], outputs)
        problems += ["convert: " + bad] if bad else []
    placed = run.names(label["where"]) if label["expect"] == "reject" and not problems else None
    return label["expect"], problems, placed


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", metavar="DIR", type=Path)
    p.add_argument("--tool", required=True)
    p.add_argument("--only", help="glob or substring of names")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("--known", type=Path, help="list of the files whose verdict is expected to be wrong")
    p.add_argument("--bless", action="store_true", help="rewrite that list")
    p.add_argument("--where", action="store_true", help="list rejections that do not say where")
    o = p.parse_args()
    o.tool = os.path.abspath(o.tool)
    if not os.access(o.tool, os.X_OK):
        p.error("cannot run %s" % o.tool)
    existing = sorted(f.stem for f in o.folder.glob("*.json"))
    names = [n for n in existing if not o.only or fnmatch.fnmatch(n, o.only) or o.only in n]
    if not names:
        p.error("no cases")
    with ThreadPoolExecutor(o.jobs) as pool:
        verdicts = dict(zip(names, pool.map(lambda n: judge(o.tool, o.folder, n), names)))
    prefix = o.folder.resolve().name + "/"
    failed, passed, known = [], [], KnownFailures(o.known)
    for n, (expect, problems, placed) in verdicts.items():
        (failed if problems else passed).append(prefix + n)
        if problems and not known.lists(prefix + n, None):
            print("FAIL %s (%s): %s" % (prefix + n, expect, "; ".join(problems)))
        if o.where and placed is False:
            print("WHERE %s%s: the error does not say where" % (prefix, n))
    known_places = [placed for _, _, placed in verdicts.values() if placed is not None]
    print("rejections that say where: %d of %d" % (sum(known_places), len(known_places)))
    print("%d of %d as expected" % (len(passed), len(names)))
    if not o.known:
        return 1 if failed else 0
    ids = {prefix + n for n in existing}
    if o.bless:
        known.bless(failed, passed, ids)
    return known.tell(known.disagreements(failed, passed, ids, None))


if __name__ == "__main__":
    sys.exit(main())

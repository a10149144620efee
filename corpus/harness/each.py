"""A check of one case at a time, in a scratch folder of its own."""
import argparse
import fnmatch
import tempfile
from pathlib import Path

from .case import Case, cases_in
from .known import KnownFailures

KNOWN = Path(__file__).resolve().parent.parent / "known-failures.txt"


def parser(description):
    """What every such check understands."""
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("cases", nargs="+", metavar="CASES_DIR")
    p.add_argument("--tool", required=True, help="the cntk2onnx binary")
    p.add_argument("--only", help="glob or substring of case names")
    p.add_argument("--every", type=int, default=1, metavar="N", help="take each Nth case")
    return p


def check_each(options, check, what):
    """Calls `check(tool, case, scratch)` for each Nth case with numbers, but for those that do not match in any form, prints what it
    raises, and gives the exit status. A check that does not apply gives something false."""
    tool = str(Path(options.tool).resolve())
    cases = [Case(Path(folder).resolve(), name) for folder in options.cases for name in cases_in(folder)]
    good, bad, known = 0, 0, KnownFailures(KNOWN)
    cases = [c for c in cases if c.deterministic and not c.may_fail_cleanly and not known.lists(c.id, None)]
    for case in cases[::options.every]:
        if options.only and not (fnmatch.fnmatch(case.name, options.only) or options.only in case.id):
            continue
        with tempfile.TemporaryDirectory(prefix="cntk2onnx-") as scratch:
            try:
                good += bool(check(tool, case, Path(scratch)))
            except Exception as e:
                bad += 1
                print("FAIL %s: %s: %s" % (case.id, type(e).__name__, " ".join(str(e).split())[:300]), flush=True)
    print("%d of %d cases match %s" % (good, good + bad, what))
    return 1 if bad or not good else 0

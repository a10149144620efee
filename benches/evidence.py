#!/usr/bin/env python3
"""Measures how much longer a conversion takes because of the evidence that is made with it.

    benches/evidence.py [--tool target/release/cntk2onnx] [--runs 7] [--most 1.5] [MODEL...]

Without a MODEL it takes those of corpus/zoo. Each is converted to a PyTorch module, whose test has the evidence. `without` is a whole run
less its evidence, as the program times it (`-vv`): the least of all runs, for both parts. Prints the models with the highest ratios, and
ends with an error if one is above `--most`.
"""
import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAGE = r"([\d.]+) ms  %s"


def stage(report, name):
    """When a stage ended, in ms after the start; None if there was none."""
    found = re.search(STAGE % name, report)
    return float(found[1]) if found else None


def measure(tool, path, runs, folder):
    """Milliseconds without evidence, and those of the evidence alone; None for a model that gets none."""
    without, evidence = [], []
    for _ in range(runs):
        begin = time.perf_counter()
        command = [tool, "convert", path, "--to", "pytorch", "-o", folder, "--force", "-vv"]
        report = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stderr
        took = (time.perf_counter() - begin) * 1e3
        start, end = stage(report, "converted"), stage(report, r"evaluated: [1-9]")
        if start is None or end is None:
            return None
        without.append(took - (end - start))
        evidence.append(end - start)
    return min(without), min(evidence)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--tool", default=str(ROOT / "target/release/cntk2onnx"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--most", type=float, default=1.5)
    args = parser.parse_args()

    rows, none = [], []
    for path in args.models or sorted((ROOT / "corpus/zoo").glob("*.model")):
        with tempfile.TemporaryDirectory() as folder:
            found = measure(args.tool, path, args.runs, folder)
        if found is None:
            none.append(path.stem)
        else:
            rows.append(((found[0] + found[1]) / found[0], path.stem, *found))
    rows.sort(reverse=True)
    print(f"{'model':<34}{'ratio':>7}{'without, ms':>13}{'evidence, ms':>14}")
    for ratio, name, without, evidence in rows[:10]:
        print(f"{name:<34}{ratio:>7.2f}{without:>13.2f}{evidence:>14.2f}")
    above = sum(ratio > args.most for ratio, *_ in rows)
    print(f"{len(rows)} models, {above} of them above {args.most}; without evidence: {', '.join(none) or 'none'}")
    return 1 if above or not rows else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Measures `migrate` of many small models against a loop over them in one process, which calls the library.

    benches/migrate.py [--no-reports] [--tool target/release/cntk2onnx] [--loop target/release/examples/folder] [--rounds 5]
                       [--count 10000] [--work /dev/shm/migrate] [TREE]

Without a TREE it makes one of the small models in corpus/, copied until there are as many as wanted. The loop is the
example `folder` of the library (`cargo build --release -p cntk2onnx --example folder`): it converts the same models and
writes the same ONNX files, but no reports, no digests and no manifest, and without a sandbox.

In every round each command runs once, in turn, on a warm page cache, into a new folder. Printed are medians of seconds on
the wall and of processor time, and of the ratios within a round. Processor time tells how much of a ratio is work, whatever
the number of cores.
"""
import argparse
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SMALL = 16 << 10


def make(tree, count):
    models = [p for p in sorted((ROOT / "corpus").rglob("*.model"))
              if p.stat().st_size <= SMALL and "hostile" not in p.parts]
    for i in range(count):
        folder = tree / f"{i // 100:03}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(models[i % len(models)], folder / f"{i}.model")


def run(command):
    """Seconds on the wall and of processor time."""
    begin = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    took = time.perf_counter() - begin
    # 3: some models cannot be converted.
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        sys.exit(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return took, usage.ru_utime + usage.ru_stime


def same(one, other):
    """The number of ONNX files, all equal."""
    names = sorted(p.relative_to(one) for p in one.rglob("*.onnx"))
    if names != sorted(p.relative_to(other) for p in other.rglob("*.onnx")):
        sys.exit("not the same files")
    different = [n for n in names if (one / n).read_bytes() != (other / n).read_bytes()]
    if different:
        sys.exit(f"{len(different)} files differ, {different[0]} for one")
    return len(names)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tree", nargs="?", type=Path)
    parser.add_argument("--tool", default=str(ROOT / "target/release/cntk2onnx"))
    parser.add_argument("--loop", default=str(ROOT / "target/release/examples/folder"))
    parser.add_argument("--no-reports", action="store_true", help="an option of migrate")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--work", type=Path, default=Path("/dev/shm/migrate"))
    args = parser.parse_args()

    if args.work.exists() and any(args.work.iterdir()):
        sys.exit(f"{args.work} is not empty")
    args.work.mkdir(parents=True, exist_ok=True)
    tree = args.tree or args.work / "tree"
    if args.tree is None:
        make(tree, args.count)
    outs = {"loop": args.work / "loop", "migrate": args.work / "migrate"}
    commands = {"loop": [args.loop, str(tree), str(outs["loop"])],
                "migrate": [args.tool, "migrate", str(tree), "-o", str(outs["migrate"]), "--quiet",
                            *["--no-reports"] * args.no_reports]}
    times = {name: [] for name in commands}
    for turn in range(args.rounds + 1):                 # the first round is not counted
        for name, command in commands.items():
            took = run(command)
            if turn:
                times[name].append(took)
        if not turn:
            print(f"{same(outs['loop'], outs['migrate'])} models, converted alike; {os.cpu_count()} cores")
        for out in outs.values():
            shutil.rmtree(out)
    for name, all_ in times.items():
        wall, cpu = (statistics.median(t[i] for t in all_) for i in (0, 1))
        print(f"{name:8} {wall:7.2f} s   {cpu:7.2f} s of processor time")
    wall, cpu = (statistics.median(m[i] / l[i] for m, l in zip(times["migrate"], times["loop"])) for i in (0, 1))
    print(f"{'ratio':8} {wall:7.2f}     {cpu:7.2f}")
    shutil.rmtree(args.work)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Measures whole runs of cntk2onnx against `true` and `cp`, and prints ratios.

    benches/whole_process.py [--tool target/release/cntk2onnx] [--runs 7] [--megabytes 512] [--million] [MODEL...]

Without a MODEL it makes its own in target/bench: a convnet with that many megabytes of weights, a small model of about
100 kB, and chains of 1 000 to 100 000 nodes (1 000 000 with --million). They are written here, byte by byte, in CNTK's
format; CNTK is not needed.

In every round each command runs once, in turn. A ratio is taken within its round, and the median over the rounds is
printed, so that a machine whose speed drifts does not matter. The page cache is warm, outputs lie beside the model and
are removed, untimed, after each run. `rss` is the kernel's figure for the largest resident size, mapped files included,
and no less than that of this script; `anon` is what the process owned, sampled in one more run each millisecond.
"""
import argparse
import os
import random
import statistics
import struct
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


# CNTK's format, as far as these models need it.

def varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def number(field, n):
    return varint(field << 3) + varint(n)


def message(field, *parts):
    return varint(field << 3 | 2) + varint(sum(map(len, parts))) + b"".join(parts)


def value(kind, member):
    return number(1, 2) + number(2, kind) + member


def boolean(b):
    return value(1, number(3, int(b)))


def integer(n):
    return value(2, number(4, n % 2**64))


def size(n):
    return value(3, number(5, n))


def text(s):
    return value(6, message(8, s.encode()))


def dims(sizes):
    return message(1, b"".join(map(varint, sizes)))


def shape(sizes):
    return value(7, message(9, dims(sizes)))


def vector(items):
    return value(9, message(11, *(message(1, item) for item in items)))


def dictionary(**entries):
    pairs = (message(2, message(1, key.encode()), message(2, v)) for key, v in entries.items())
    return number(1, 2) + b"".join(pairs)


def record(**entries):
    return value(10, message(12, dictionary(**entries)))


def tensor(sizes, data):
    return value(11, message(13, number(1, 1), number(2, 0), message(3, dims(sizes)), message(4, message(1, data))))


BATCH = value(8, message(10, number(1, 2**31 - 1), message(2, b"defaultBatchAxis")))


def variable(uid, kind, sizes, **more):
    """`sizes` are in the order of the file: the fastest axis first."""
    return record(version=size(1), type=text("Variable"), uid=text(uid), kind=size(kind), data_type=size(1),
                  dynamic_axis=vector([BATCH] if kind == 0 else []), is_sparse=boolean(False),
                  needs_gradient=boolean(kind == 2), shape=shape(sizes), **more)


def function(uid, op, inputs, **attributes):
    return record(version=size(24), type=text("PrimitiveFunction"), uid=text(uid), op=size(op),
                  attributes=record(**attributes), inputs=vector([text(i) for i in inputs]))


def model(root, variables, functions):
    return dictionary(version=size(3), type=text("CompositeFunction"), root=text(root), uid=text("CompositeFunction0"),
                      inputs=vector(variables), primitive_functions=vector(functions))


def chain(nodes, width=8):
    """x, then (+ parameter, ReLU) again and again."""
    rng = random.Random(nodes)
    variables, functions, last = [variable("Input0", 0, [width], name=text("x"))], [], "Input0"
    for i in range(nodes // 2):
        data = struct.pack(f"<{width}f", *(rng.uniform(-1, 1) for _ in range(width)))
        variables.append(variable(f"Parameter{i}", 2, [width], value=tensor([width], data)))
        functions.append(function(f"Plus{i}", 19, [last, f"Parameter{i}"]))
        functions.append(function(f"ReLU{i}", 3, [f"Plus{i}_Output_0"]))
        last = f"ReLU{i}_Output_0"
    return model(last.removesuffix("_Output_0"), variables, functions)


def convnet(megabytes):
    """Two convolutions on 3 x 32 x 32, then dense layers, the widest of them as large as wanted."""
    noise = random.Random(7).randbytes(1 << 20)
    weights = b"".join(struct.pack("<f", (b - 128) / 4096) for b in noise[: 1 << 18])

    def parameter(uid, sizes):
        count = 1
        for n in sizes:
            count *= n
        data = (weights * (count * 4 // len(weights) + 1))[: count * 4]
        return variable(uid, 2, sizes, value=tensor(sizes, data))

    variables, functions, last = [variable("Input0", 0, [32, 32, 3], name=text("data"))], [], "Input0"
    for i, (channels, filters) in enumerate([(3, 16), (16, 8)]):
        variables.append(parameter(f"Kernel{i}", [3, 3, channels, filters]))
        functions.append(function(
            f"Convolution{i}", 33, [f"Kernel{i}", last], strides=shape([1, 1, channels]), dilation=shape([1, 1, 1]),
            sharing=vector([boolean(True)] * 3), autoPadding=vector([boolean(b) for b in (True, True, False)]),
            lowerPad=shape([0]), upperPad=shape([0]), transpose=boolean(False), outputShape=shape([0]),
            kernelShape=shape([3, 3, channels]), maxTempMemSizeInSamples=size(0), groups=size(1),
            sequential=boolean(False)))
        functions.append(function(f"ReLU{i}", 3, [f"Convolution{i}_Output_0"]))
        last = f"ReLU{i}_Output_0"
    wide = max(1, megabytes * 250_000 // (8 * 32 * 32 + 1000))
    for i, (inputs, outputs) in enumerate([([32, 32, 8], wide), ([wide], 1000)]):
        variables.append(parameter(f"Weight{i}", [outputs, *inputs]))
        functions.append(function(f"Times{i}", 31, [f"Weight{i}", last], outputRank=size(1),
                                  inferInputRankToMap=integer(-1)))
        variables.append(parameter(f"Bias{i}", [outputs]))
        functions.append(function(f"Plus{i}", 19, [f"Times{i}_Output_0", f"Bias{i}"]))
        last = f"Plus{i}_Output_0"
    return model(last.removesuffix("_Output_0"), variables, functions)


# Measuring.

def run(command):
    """Exit code, seconds from start to end, largest resident size in MB."""
    null = os.open(os.devnull, os.O_RDWR)
    begin = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ,
                          file_actions=[(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)])
    _, status, usage = os.wait4(pid, 0)
    took = time.perf_counter() - begin
    os.close(null)
    return os.waitstatus_to_exitcode(status), took, usage.ru_maxrss / 1024


def anonymous(command):
    null = os.open(os.devnull, os.O_RDWR)
    pid = os.posix_spawnp(command[0], command, os.environ,
                          file_actions=[(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)])
    most = 0
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            most = max([most, *(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))])
        except OSError:
            pass
        time.sleep(0.001)
    os.close(null)
    return most / 1024


def measure(path, commands, runs):
    """Rows of (name, seconds, least, x true, x cp, rss, anon); exits if a command fails."""
    out = path.with_suffix(".bench.onnx")

    def clean():
        for left in path.parent.glob(out.name + "*"):
            left.unlink()

    with path.open("rb") as file:                       # the page cache is warm
        while file.read(1 << 20):
            pass
    times = {name: [] for name, _ in commands}
    memory = {}
    for turn in range(runs + 1):                        # the first round is not counted
        for name, command in commands:
            code, took, rss = run([arg.format(model=path, out=out) for arg in command])
            clean()
            if code:
                sys.exit(f"{name} on {path.name} ended with {code}")
            if turn:
                times[name].append(took)
                memory[name] = rss
    ratio = lambda name, base: statistics.median(a / b for a, b in zip(times[name], times[base]))
    rows = []
    for name, command in commands:
        owned = anonymous([arg.format(model=path, out=out) for arg in command])
        clean()
        rows.append((name, statistics.median(times[name]), min(times[name]), ratio(name, "true"), ratio(name, "cp"),
                     memory[name], owned))
    return rows


def show(path, rows):
    print(f"\n{path.name}, {path.stat().st_size / 1e6:.1f} MB")
    print(f"  {'':<22}{'ms':>10}{'least':>10}{'x true':>9}{'x cp':>9}{'rss MB':>9}{'anon MB':>9}")
    for name, took, least, idle, copy, rss, anon in rows:
        print(f"  {name:<22}{took * 1e3:>10.2f}{least * 1e3:>10.2f}{idle:>9.2f}{copy:>9.3f}{rss:>9.1f}{anon:>9.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--tool", default=str(ROOT / "target/release/cntk2onnx"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--million", action="store_true")
    args = parser.parse_args()

    tool, models = args.tool, args.models
    if not models:
        folder = ROOT / "target/bench"
        folder.mkdir(parents=True, exist_ok=True)
        chains = [350, 1_000, 10_000, 100_000] + [1_000_000] * args.million
        made = [(folder / f"chain-{n}.model", lambda n=n: chain(n)) for n in chains]
        made.append((folder / f"convnet-{args.megabytes}.model", lambda: convnet(args.megabytes)))
        for path, make in made:
            if not path.exists() and os.fork() == 0:     # in a child: what it needs must not count as a command's
                path.write_bytes(make())
                os._exit(0)
            elif not path.exists():
                os.wait()
        models = [path for path, _ in made]

    least = {}
    for path in models:
        commands = [("true", ["true"]), ("cp", ["cp", "{model}", "{out}"]),
                    ("validate", [tool, "validate", "{model}"]),
                    ("convert", [tool, "convert", "{model}", "-o", "{out}"])]
        if path.stat().st_size > 50e6 and not path.name.startswith("chain"):
            commands += [("validate, all weights", [tool, "validate", "--scan-weights", "{model}"]),
                         ("convert, external", [tool, "convert", "{model}", "-o", "{out}", "--weights", "external"]),
                         ("convert, in place", [tool, "convert", "{model}", "-o", "{out}", "--weights", "in-place"]),
                         ("convert, hash", [tool, "convert", "{model}", "-o", "{out}", "--hash"])]
        if path.stat().st_size < 1e6:
            runs = args.runs * 8                        # too short to be told apart otherwise
        else:
            runs = args.runs
        rows = measure(path, commands, runs)
        show(path, rows)
        for name, _, best, *_ in rows:
            least[path.stem, name] = best
    for name in ("validate", "convert"):
        start = least.get(("chain-350", name))
        if start is None:
            continue
        print(f"\n{name}: microseconds per node, start-up taken off")
        for nodes in (1_000, 10_000, 100_000, 1_000_000):
            took = least.get((f"chain-{nodes}", name))
            if took is not None:
                print(f"  {nodes:>9} {(took - start) / (nodes - 350) * 1e6:8.2f}")


if __name__ == "__main__":
    main()

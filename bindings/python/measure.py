"""The figures of docs/python.md: measure.py MODEL PROGRAM, for a large model and the program of the same build."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS = 5

TOUCH = """
import pathlib, sys, time
import numpy, cntk2onnx

def resident():
    fields = pathlib.Path("/proc/self/status").read_text().split()
    return int(fields[fields.index("VmHWM:") + 1])

before, start = resident(), time.perf_counter()
model = cntk2onnx.load(sys.argv[1])
touched = min(model.parameters.values(), key=lambda a: a.size).sum()
print(time.perf_counter() - start, resident() - before)
"""

IMPORT = """
import sys, time
import numpy
start = time.perf_counter()
import cntk2onnx
print(time.perf_counter() - start)
"""

IMPORT_NUMPY = """
import time
start = time.perf_counter()
import numpy
print(time.perf_counter() - start)
"""


def printed(script: str, *arguments: str) -> list[float]:
    """The numbers that a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True)
    return [float(number) for number in done.stdout.split()]


def timed(call: Callable[[], object]) -> float:
    """Seconds."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main(model: str, program: str) -> None:
    """Prints medians; what is compared takes turns, so that a busy machine is busy for all of them."""
    import cntk2onnx

    copies: list[float] = []
    touches: list[float] = []
    memory: list[float] = []
    converted: list[float] = []
    ran: list[float] = []
    imported: list[float] = []
    numpy_alone: list[float] = []
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(model))) as scratch:
        target = Path(scratch) / "net.onnx"
        for _ in range(ROUNDS):
            copies.append(timed(lambda: subprocess.run(["cp", model, f"{scratch}/copy"], check=True)))
            os.remove(f"{scratch}/copy")
            seconds, kib = printed(TOUCH, model)
            touches.append(seconds)
            memory.append(kib / 1024)
            converted.append(timed(lambda: cntk2onnx.load(model).to_onnx(target)))
            target.unlink()
            ran.append(timed(lambda: subprocess.run([program, "convert", "-q", model, "-o", str(target)], check=True)))
            target.unlink()
            imported.extend(printed(IMPORT))
            numpy_alone.extend(printed(IMPORT_NUMPY))
    ratio = statistics.median(a / b for a, b in zip(touches, copies, strict=True))
    print(f"cp: {statistics.median(copies):.2f} s")
    print(f"load and touch one parameter: {statistics.median(touches) * 1000:.1f} ms, {ratio:.3f} of cp")
    print(f"resident beyond the interpreter: {statistics.median(memory):.1f} MiB")
    ratio = statistics.median(a / b for a, b in zip(converted, ran, strict=True))
    print(f"to_onnx(path): {statistics.median(converted):.2f} s, {ratio:.2f} of the program")
    ratio = statistics.median(a / b for a, b in zip(imported, numpy_alone, strict=True))
    print(f"import beyond NumPy: {statistics.median(imported) * 1000:.1f} ms, {ratio:.2f} of importing NumPy")


if __name__ == "__main__":
    main(*sys.argv[1:])

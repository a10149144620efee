#!/usr/bin/env python3
"""Converts recorded cases with sizes fixed, and compares with CNTK's own numbers in ONNX Runtime.

  sizes_check.py --tool BIN CASES_DIR... [--only PATTERN] [--every N]

Each case is converted three times: with `--batch`, with the whole shape of every input (`--input-shape`), and as usual, but
prepared for quantization by ONNX Runtime. The exit status says whether all agree. Cases whose inputs have batches of several sizes
take no `--batch`.
"""
import subprocess
import sys

import onnx
import onnxruntime
from onnxruntime.quantization.shape_inference import quant_pre_process

from harness.check import session_options
from harness.each import check_each, parser
from harness.run import Run

SECONDS = 30


class Fixed(Run):
    """A run of a model whose inputs have fixed sizes: those of the arrays, where they are numbers."""

    def check_input(self, v, declared):
        shape = self.feed_of(v, declared).shape
        if len(declared.shape) == self.arrays[v.array].ndim - 1:
            self.folded = True
        sizes = [(dim, size) for dim, size in zip(declared.shape, shape) if isinstance(dim, int)]
        assert len(declared.shape) == len(shape) and all(dim == size for dim, size in sizes), (declared, shape)

    def feed_of(self, v, declared):
        array = self.arrays[v.array]
        return array.reshape((-1,) + array.shape[2:]) if len(declared.shape) == array.ndim - 1 else array

    def first_sample_stands_alone(self):
        return False


def session(path):
    onnx.checker.check_model(str(path), full_check=True)
    return onnxruntime.InferenceSession(str(path), session_options(), ["CPUExecutionProvider"])


def prepare(path, prepared):
    """Prepares a model for quantization. ONNX Runtime's symbolic shapes have no words for sizes that depend on the data."""
    try:
        quant_pre_process(str(path), str(prepared))
    except Exception as e:
        if "Incomplete symbolic shape inference" not in str(e):
            raise
        quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)


def check(tool, case, scratch):
    """Whether all forms agree; None for a case that may be refused, and is."""
    def convert(*options):
        path = scratch / "m.onnx"
        command = [tool, "convert", str(case.model), "-o", str(path), "--force", "--outputs", "all", *options]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
        if done.returncode == 3 and case.may_be_refused:
            return None
        assert done.returncode == 0, "%s: %s" % (" ".join(options), done.stderr[-200:])
        return path

    path = convert()
    if path is None:
        return None
    arrays = case.arrays()
    plain = Run(session(path), case, arrays, True)
    feed = plain.feed(None)

    prepared = scratch / "prepared.onnx"
    prepare(path, prepared)
    Fixed(session(prepared), case, arrays, True).compare_all()

    shapes = ["--input-shape=%s=%s" % (name, ",".join(map(str, feed[name].shape))) for name in plain.in_names if feed[name].ndim]
    if shapes:
        fixed = session(convert(*shapes))
        free = [i.name for i in fixed.get_inputs() if i.name in plain.in_names and not all(isinstance(d, int) for d in i.shape)]
        assert not free, "not fixed: %s" % ", ".join(free)
        Fixed(fixed, case, arrays, True).compare_all()

    batches = {feed[name].shape[0] for v, name in zip(case.inputs, plain.in_names) if v.has_batch}
    if len(batches) == 1 and not plain.folded:
        Fixed(session(convert("--batch=%d" % batches.pop())), case, arrays, True).compare_all()
    return True


def main():
    return check_each(parser(__doc__).parse_args(), check, "with sizes fixed")


if __name__ == "__main__":
    sys.exit(main())

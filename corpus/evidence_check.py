#!/usr/bin/env python3
"""Reads the evidence that is written with conversions back, and has ONNX Runtime compute it.

  evidence_check.py --tool BIN CASES_DIR... [--only PATTERN] [--every N]

The inputs that `convert --test-data` writes beside a model, and those of the reference.safetensors beside a PyTorch module, go into the
ONNX model; what comes out has to be what is stored with them. A conversion that writes no evidence has to say so. The exit status says
whether all agree.
"""
import json
import subprocess
import sys

import onnx
import onnxruntime
from onnx import numpy_helper
from safetensors.numpy import load_file

from harness.check import session_options
from harness.compare import compare
from harness.each import check_each, parser

SECONDS = 30


def tensors(folder, role):
    """The tensors of a role ("input" or "output") in their order, by name."""
    files = sorted(folder.glob(role + "_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
    read = [onnx.TensorProto.FromString(path.read_bytes()) for path in files]
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in read}


def from_test_data(folder):
    """Inputs by name, and for each output its array, and its lengths where it has frames that are not valid."""
    wanted = tensors(folder, "output")
    return tensors(folder, "input"), [(array, wanted.get(name + "_lengths")) for name, array in wanted.items()]


def from_reference(folder, inputs):
    """The same. The report says which argument is which of the ONNX model's inputs, which have CNTK's names or uids."""
    stored = load_file(folder / "reference.safetensors")
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    names = {i["uid"]: i["name"] if i["name"] in inputs else i["uid"] for i in report["inputs"]}
    arguments = {i["argument"]: names[i["uid"]] for i in report["inputs"]}
    arguments |= {i["argument"]: names[i["input"]] + "_lengths" for i in report["lengths"]}
    given = {name: stored.pop("input." + argument) for argument, name in arguments.items()}
    missing = [i for i in range(len(report["outputs"])) if "output.%d" % i not in stored]
    assert not missing, "no output %s" % missing
    wanted = [(stored.pop("output.%d" % i), stored.pop("steps.%d" % i, None)) for i in range(len(report["outputs"]))]
    assert not stored, "what is %s?" % ", ".join(stored)
    return given, wanted


def folded(array, rank):
    """The array as a flat batch of frames where the ONNX model takes that: where no operator reads the sequence axis."""
    return array.reshape((-1,) + array.shape[2:]) if array.ndim == rank + 1 else array


def agree(case, session, evidence, label):
    given, wanted = evidence
    feed = {i.name: folded(given.pop(i.name), len(i.shape)) for i in session.get_inputs()}
    assert not given, "%s: no input %s" % (label, ", ".join(given))
    made = session.run(None, feed)
    assert len(made) == len(wanted), "%s: %d outputs, %d are made" % (label, len(wanted), len(made))
    for output, got, (array, lengths) in zip(session.get_outputs(), made, wanted):
        name = "%s: %s" % (label, output.name)
        assert got.dtype == array.dtype, "%s is %s, stored as %s" % (name, got.dtype, array.dtype)
        if got.ndim == array.ndim - 1:
            got = got.reshape(array.shape[:2] + got.shape[1:])
        compare(got, array, lengths, lengths is not None, lengths is not None, case, name)


def check(tool, case, scratch):
    """Whether both kinds of evidence agree; None for a case that is refused or has none."""
    def convert(*options):
        command = [tool, "convert", str(case.model), "--outputs", "all", *map(str, options)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
        # Which cases may be refused is for the tests of conformance to say.
        assert done.returncode in (0, 3), done.stderr[-200:]
        return done.returncode == 0, done.stderr

    path, data, module = scratch / "m.onnx", scratch / "test_data_set_0", scratch / "module"
    done, said = convert("-o", path, "--test-data")
    if not done:
        return None
    if not any(data.glob("*.pb")):
        assert "no test data: " in said, "no test data, without a reason: %s" % said
        assert not data.exists(), "an empty folder"
        return None
    session = onnxruntime.InferenceSession(str(path), session_options(), ["CPUExecutionProvider"])
    agree(case, session, from_test_data(data), "test data")

    done, _ = convert("-o", module, "--to", "pytorch")
    if done:
        agree(case, session, from_reference(module, [i.name for i in session.get_inputs()]), "reference.safetensors")
    return True


def main():
    return check_each(parser(__doc__).parse_args(), check, "the evidence written with them")


if __name__ == "__main__":
    sys.exit(main())

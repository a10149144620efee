"""The tests that are emitted beside a PyTorch module, and the records that they compare it with."""
import importlib
import sys
import unittest

import numpy as np
from safetensors.numpy import save_file


def record(case, arrays, path):
    """Writes what CNTK was given and gave as `convert --record` wants it; the file. Half of the cases get each format."""
    named = {}
    for v in case.inputs + case.outputs:
        if v.array is not None:
            named[v.key] = np.asarray(arrays[v.array], order="C")
            if v.lengths:
                named[v.key + "_lengths"] = arrays[v.lengths].astype(np.int64)
    if len(case.name) % 2:
        path = path.with_suffix(".npz")
        (np.savez_compressed if len(case.name) % 4 == 1 else np.savez)(path, **named)
    else:
        path = path.with_suffix(".safetensors")
        save_file(named, path)
    return path


def run_tests(folder):
    """Runs test_model.py of a folder as it would be run there; what fails raises. The names of the tests that ran."""
    for name in ("model", "test_model"):
        sys.modules.pop(name, None)
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        tests = importlib.import_module("test_model")
        ran = []
        for name, test in list(vars(tests).items()):
            if name.startswith("test_"):
                try:
                    test()
                except unittest.SkipTest as reason:
                    raise AssertionError("%s was skipped: %s" % (name, reason)) from reason
                except Exception as e:
                    raise AssertionError("%s: %s: %s" % (name, type(e).__name__, e)) from e
                ran.append(name)
        return ran
    finally:
        sys.path.remove(str(folder))
        for name in ("model", "test_model"):
            sys.modules.pop(name, None)

"""Reads folders of converted models from standard input, a line each, and answers with what test_outputs says."""

import importlib.util
import sys
import unittest

import torch

torch.set_num_threads(1)
sys.dont_write_bytecode = True


def loaded(name, folder):
    spec = importlib.util.spec_from_file_location(name, "%s/%s.py" % (folder, name))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def answer(folder):
    try:
        loaded("model", folder)
        test = getattr(loaded("test_model", folder), "test_outputs", None)
        if test is None:
            return "skipped there is no test of the outputs"
        test()
    except unittest.SkipTest as reason:
        return "skipped %s" % reason
    except Exception as error:
        return "failed %s" % " ".join(repr(error).split())[:400]
    return "passed"


for line in sys.stdin:
    print(answer(line.rstrip("\n")).replace("\n", " "), flush=True)

"""Reads folders of converted models from standard input, a line each, and answers with what test_outputs says. Where
numbers differ, made.safetensors in the folder has the module's outputs by their index."""

import importlib.util
import sys
import unittest

import torch
from safetensors.torch import save_file

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
        test_model = loaded("test_model", folder)
        test = getattr(test_model, "test_outputs", None)
        if test is None:
            return "skipped there is no test of the outputs"
        try:
            test()
        except AssertionError as error:
            with torch.no_grad():
                made = test_model.run(test_model.load(), test_model.inputs())
            outputs = {str(i): value.clone().contiguous() for i, value in enumerate(made)}
            save_file(outputs, "%s/made.safetensors" % folder)
            return "differs %s" % " ".join(str(error).split())[:400]
    except unittest.SkipTest as reason:
        return "skipped %s" % reason
    except Exception as error:
        return "failed %s" % " ".join(repr(error).split())[:400]
    return "passed"


for line in sys.stdin:
    print(answer(line.rstrip("\n")).replace("\n", " "), flush=True)

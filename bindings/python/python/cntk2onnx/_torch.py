"""Loads an emitted PyTorch directory. Nothing else of the package imports torch."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path

import torch

_numbers = itertools.count()


def load_directory(folder: str | Path) -> torch.nn.Module:
    """The module of a directory that ``to_pytorch`` wrote, with its weights, in evaluation mode.

    The code in the directory is run: load only what this package wrote.
    """
    file = Path(folder) / "model.py"
    name = f"cntk2onnx._emitted_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    # TorchScript and pickle look classes up by the name of their module.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        net = module.load(str(file.with_name("model.safetensors")))
    except BaseException:
        del sys.modules[name]
        raise
    assert isinstance(net, torch.nn.Module)
    return net

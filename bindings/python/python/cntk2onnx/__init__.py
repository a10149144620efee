"""Reads models that Microsoft's CNTK saved, without CNTK and without trusting a byte of them.

>>> import cntk2onnx
>>> report = cntk2onnx.validate("net.model")        # what is wrong with a file; never raises for what it holds
>>> model = cntk2onnx.load("net.model")             # InvalidModelError for what must not be used
>>> model.eval({"features": batch})                 # what CNTK computes
>>> model.to_onnx("net.onnx")                       # the same numbers in ONNX
>>> net = model.to_torch()                          # and in PyTorch
>>> cntk2onnx.verify(model, "net.onnx").ok          # compared on made-up inputs of several sizes
"""

from __future__ import annotations

from ._errors import InvalidModelError, UnsupportedError
from ._model import Model, Tensors, load
from ._native import Finding, Function, Reason, Report, Variable, __version__, validate
from ._verify import Comparison, Verification, verify

__all__ = [
    "Comparison",
    "Finding",
    "Function",
    "InvalidModelError",
    "Model",
    "Reason",
    "Report",
    "Tensors",
    "UnsupportedError",
    "Variable",
    "Verification",
    "__version__",
    "load",
    "validate",
    "verify",
]

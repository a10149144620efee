"""Serves a CNTK model with onnxruntime; no file is written: serve.py MODEL INPUT.npy."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

import cntk2onnx


class Served:
    """A CNTK model in onnxruntime. Calls from several threads are fine."""

    def __init__(self, model: bytes) -> None:
        """Takes the contents of the CNTK file."""
        self._session = onnxruntime.InferenceSession(
            cntk2onnx.load(model).to_onnx(), providers=["CPUExecutionProvider"]
        )
        self._outputs = [o.name for o in self._session.get_outputs()]

    def __call__(self, **inputs: npt.ArrayLike) -> dict[str, npt.NDArray[Any]]:
        """Arrays ``[batch, ...]`` by input; the outputs by name."""
        arrays = {name: np.asarray(value, np.float32) for name, value in inputs.items()}
        return dict(zip(self._outputs, self._session.run(self._outputs, arrays), strict=True))


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        content = file.read()
    first = cntk2onnx.load(content).inputs[0].name
    print(Served(content)(**{first: np.load(sys.argv[2])}))

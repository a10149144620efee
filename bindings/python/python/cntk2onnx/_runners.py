"""Made-up inputs, and the runtimes that converted models are run in."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from ._errors import UnsupportedError
from ._model import Model
from ._native import Reason

FloatArray: TypeAlias = npt.NDArray[Any]

_LENGTHS = "_lengths"


class TargetError(ValueError):
    """The converted model cannot be loaded or run, or is not of this model."""


@dataclass(frozen=True)
class Sample:
    """Made-up inputs of a model, and what the evaluator computes from them."""

    #: Uid and name of each.
    inputs: list[tuple[str, str]]
    #: The same of the outputs, in the order asked for.
    outputs: list[tuple[str, str]]
    #: Inputs and outputs by name, and ``NAME_lengths`` of what has sequences.
    arrays: dict[str, FloatArray]
    #: Uids of the inputs that are declared sparse.
    sparse: frozenset[str]

    @staticmethod
    def of(
        model: Model,
        wanted: Sequence[str],
        seed: int,
        batch: int,
        ragged: bool,
        skip: Sequence[str] = (),
        limits: Mapping[str, int] | None = None,
    ) -> Sample:
        """Raises ``UnsupportedError`` if an output that is not skipped cannot be evaluated."""
        bounds = None if limits is None else dict(limits)
        inputs, outputs, record = model._native.sample(wanted, seed, batch, ragged, skip, bounds)
        with np.load(io.BytesIO(record)) as arrays:
            sparse = frozenset(v.uid for v in model.inputs if v.is_sparse)
            return Sample(inputs, outputs, {name: arrays[name] for name in arrays.files}, sparse)

    def lengths(self, name: str) -> FloatArray | None:
        """Valid steps of each sample, where the array has sequences."""
        return self.arrays.get(name + _LENGTHS)

    def steps(self, name: str) -> FloatArray:
        """The same, for an array that has sequences or came from one."""
        lengths = self.lengths(name)
        array = self.arrays[name]
        return np.full(array.shape[0], array.shape[1], np.int64) if lengths is None else lengths


@dataclass(frozen=True)
class Result:
    """What a converted model gave for an output."""

    array: FloatArray
    #: Valid steps of each sample, where the converted model says them.
    lengths: FloatArray | None = None


class Runner(Protocol):
    """A converted model in its runtime."""

    #: Names or uids of what it computes.
    outputs: list[str]

    def run(self, sample: Sample) -> list[Result]:
        """One result for each of ``outputs``."""


class OnnxRunner:
    """An ONNX model in onnxruntime."""

    def __init__(self, model: str | bytes, shown: str) -> None:
        try:
            import onnxruntime
        except ImportError as e:
            raise ImportError(f"{shown}: to run it, install onnxruntime: pip install cntk2onnx[onnx] ({e})") from e
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as e:
            raise _onnxruntime_failed("onnxruntime cannot load it", e) from e
        self._inputs = self._session.get_inputs()
        every = [o.name for o in self._session.get_outputs()]
        self._lengths = {n for n in every if n.endswith(_LENGTHS) and n.removesuffix(_LENGTHS) in every}
        self.outputs = [n for n in every if n not in self._lengths]

    def run(self, sample: Sample) -> list[Result]:
        """Feeds what the graph declares: one-hot inputs as indices, frames of sequences as a batch."""
        given, folded = self._feeds(sample)
        wanted = [*self.outputs, *self._lengths]
        try:
            got = dict(zip(wanted, self._session.run(wanted, given), strict=True))
        except Exception as e:
            raise _onnxruntime_failed("onnxruntime cannot run it", e) from e
        results = []
        for name, (_, reference_name) in zip(self.outputs, sample.outputs, strict=True):
            array = np.asarray(got[name])
            reference = sample.arrays.get(reference_name)
            if folded and reference is not None and array.ndim == reference.ndim - 1:
                rows = reference.shape[0] * reference.shape[1]
                if array.shape[0] == rows:
                    array = array.reshape((*reference.shape[:2], *array.shape[1:]))
            results.append(Result(array, got.get(name + _LENGTHS)))
        return results

    def _feeds(self, sample: Sample) -> tuple[dict[str, FloatArray], bool]:
        """The inputs of the graph, and whether batch and sequence are one axis of some."""
        names = {key: (uid, name) for uid, name in sample.inputs for key in (uid, name)}
        given: dict[str, FloatArray] = {}
        folded = False
        for port in self._inputs:
            if port.name in names:
                uid, name = names[port.name]
                array = sample.arrays[name]
                if port.type == "tensor(int64)" and uid in sample.sparse:
                    array = array.argmax(axis=-1)
                elif port.type in _TYPES:
                    array = array.astype(_TYPES[port.type], copy=False)
                if sample.lengths(name) is not None and len(port.shape) == array.ndim - 1:
                    folded = True
                    array = array.reshape((-1, *array.shape[2:]))
                given[port.name] = array
            elif port.name.removesuffix(_LENGTHS) in names:
                _, name = names[port.name.removesuffix(_LENGTHS)]
                given[port.name] = sample.steps(name)
            else:
                raise TargetError(f"it has an input {port.name!r} that the model has not: is it of this model?")
        return given, folded


_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}


def _onnxruntime_failed(what: str, error: Exception) -> Exception:
    text = f"{what}: {error}"
    if type(error).__name__ == "NotImplemented":
        return UnsupportedError([Reason("", "", "", "", text, text)])
    return TargetError(text)


class TorchRunner:
    """A directory that ``to_pytorch`` wrote, in torch."""

    def __init__(self, path: Path) -> None:
        try:
            from ._torch import load_directory
        except ImportError as e:
            raise ImportError(f"{path}: to run it, install torch: pip install cntk2onnx[torch] ({e})") from e
        report = path / "report.json"
        if not report.is_file():
            raise TargetError("it is a directory without a report.json, so none of `convert --to pytorch`")
        try:
            said = json.loads(report.read_text(encoding="utf-8"))
            self._inputs: dict[str, str] = {i["uid"]: i["argument"] for i in said["inputs"]}
            self._lengths: dict[str, str] = {i["input"]: i["argument"] for i in said["lengths"]}
            # Lengths are outputs without a uid, after what they belong to.
            self._order: list[str] = [o["uid"] or o["name"] for o in said["outputs"]]
            self.outputs: list[str] = [o["uid"] for o in said["outputs"] if o["uid"]]
            names = {o["uid"]: o["name"] for o in said["outputs"]}
            self._lengths_of = {uid: names[uid] + _LENGTHS for uid in self.outputs}
        except (ValueError, KeyError, TypeError) as e:
            raise TargetError(f"its report.json cannot be read: {e!r}") from e
        try:
            self._net = load_directory(path)
        except ImportError as e:
            raise ImportError(f"{path}: to run it, install what it imports: pip install cntk2onnx[torch] ({e})") from e
        except Exception as e:
            raise TargetError(f"its module cannot be loaded: {e!r}") from e

    def run(self, sample: Sample) -> list[Result]:
        """Feeds the arguments of ``forward`` by name."""
        import torch

        names = dict(sample.inputs)
        strange = [uid for uid in (*self._inputs, *self._lengths) if uid not in names]
        if strange:
            raise TargetError(f"it has an input {strange[0]!r} that the model has not: is it of this model?")
        arrays = {argument: sample.arrays[names[uid]] for uid, argument in self._inputs.items()}
        arrays |= {argument: sample.steps(names[uid]) for uid, argument in self._lengths.items()}
        try:
            with torch.no_grad():
                got = self._net(**{argument: torch.from_numpy(array.copy()) for argument, array in arrays.items()})
        except NotImplementedError as e:
            raise UnsupportedError([Reason("", "", "", "", str(e), f"the module cannot be run: {e}")]) from e
        except Exception as e:
            raise TargetError(f"its module cannot be run: {e!r}") from e
        values = got if isinstance(got, tuple) else (got,)
        if len(values) != len(self._order):
            raise TargetError(f"its module gives {len(values)} outputs, and its report.json lists {len(self._order)}")
        found = {key: value.numpy() for key, value in zip(self._order, values, strict=True)}
        return [Result(found[uid], found.get(self._lengths_of[uid])) for uid in self.outputs]

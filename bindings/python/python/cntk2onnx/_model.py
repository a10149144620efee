"""A loaded model."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _native
from ._errors import InvalidModelError
from ._native import Finding, Function, Tensor, Variable

if TYPE_CHECKING:
    import torch

#: What a model is loaded from: a path, the bytes themselves, any buffer, or a file opened in binary mode.
Source: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO"
#: ``"inference"``: the model's outputs without training criteria; ``"all"``: all of them; or CNTK names or uids.
Outputs: TypeAlias = "str | Sequence[str]"
#: Called with the bytes written so far; an exception that it raises cancels the call and leaves no file.
Progress: TypeAlias = Callable[[int], Any]
_AS_THEY_ARE: Mapping[str, str] = MappingProxyType({})


def load(source: Source, limits: Mapping[str, int] | None = None, allow_udf: bool = False) -> Model:
    """Reads and checks a CNTK model, trusting none of its bytes. A file larger than 1 MiB is mapped, not read.

    Args:
        source: a path, bytes, a buffer, or a file opened in binary mode.
        limits: bounds on what a file may ask for, by the names of the program's ``--max-...`` flags with underscores:
            ``size`` (bytes read into memory), ``memory``, ``functions``, ``variables``, ``nesting``, ...
        allow_udf: load a model that holds user-defined functions. Nothing of them is ever run.

    Raises:
        InvalidModelError: the file is malformed, unsafe, over a limit, or not a CNTK model.
        OSError: the file cannot be read.
    """
    model, report = _native.load(source, None if limits is None else dict(limits), allow_udf)
    if model is None:
        assert report is not None
        raise InvalidModelError(report.findings, report.kind, report.hint)
    return Model(model)


class Tensors(Mapping[str, npt.NDArray[Any]]):
    """Parameters or constants by CNTK name, by uid where a name is empty or not unique; in the order of the file.

    Values are read-only arrays in NumPy order. They are views of the file where it holds the elements as they are, and
    stay valid when the model is gone.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._tensors = {t.key: t for t in tensors}

    def __getitem__(self, key: str) -> npt.NDArray[Any]:
        array = np.asarray(self._tensors[key])
        assert not array.flags.writeable
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __repr__(self) -> str:
        return f"<{len(self)} tensors: {', '.join(self._tensors)}>"


class Model:
    """A valid CNTK model. :func:`load` makes it; it may be used from several threads at once."""

    def __init__(self, native: _native.Model) -> None:
        self._native = native

    def __repr__(self) -> str:
        def names(variables: list[Variable]) -> str:
            return ", ".join(v.name or v.uid for v in variables)

        return f"<cntk2onnx.Model {names(self.inputs)} -> {names(self.outputs)}>"

    @property
    def findings(self) -> list[Finding]:
        """Warnings and notes of the validation."""
        return self._native.findings

    @cached_property
    def inputs(self) -> list[Variable]:
        """The inputs of the model, those of training criteria included, in the order of the file."""
        return self._native.inputs()

    @cached_property
    def outputs(self) -> list[Variable]:
        """All outputs of the model, in CNTK's order."""
        return self._native.outputs()

    @cached_property
    def functions(self) -> list[Function]:
        """All functions, those inside blocks included, in the order of the file."""
        return self._native.functions()

    @cached_property
    def parameters(self) -> Tensors:
        """What CNTK trains: read-only arrays by name, views of the file."""
        return Tensors([t for t in self._native.tensors() if t.is_parameter])

    @cached_property
    def constants(self) -> Tensors:
        """What CNTK does not train: read-only arrays by name, views of the file."""
        return Tensors([t for t in self._native.tensors() if not t.is_parameter])

    def eval(
        self,
        inputs: Mapping[str, npt.ArrayLike],
        lengths: Mapping[str, npt.ArrayLike] | None = None,
        outputs: Outputs = "inference",
        seed: int | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> dict[str, npt.NDArray[Any]]:
        """Computes what CNTK computes, on the CPU, plainly: meant for checking, not for serving.

        Args:
            inputs: an array ``[batch, sequence, *shape]`` for each input, by name or uid; the first two axes only where
                the input has them.
            lengths: the number of valid steps of each sample, ``[batch]``, by input; without it all sequences are as
                long as the array.
            outputs: which outputs to compute.
            seed: for random functions, which are refused without one.
            limits: ``work`` (multiply-adds) and ``memory`` (bytes).

        Returns:
            An array for each output by name (uid where the name is empty or not unique), laid out like the inputs, and
            ``NAME_lengths`` (int64) where the sequences of an output have several lengths.

        Raises:
            ValueError: an input is missing, unknown, or of the wrong shape, or a limit is reached.
            UnsupportedError: the model needs something that cannot be computed.
        """
        feeds = {name: np.asarray(value) for name, value in inputs.items()}
        for name, value in (lengths or {}).items():
            feeds[f"{name}_lengths"] = np.asarray(value, dtype=np.int64)
        record = io.BytesIO()
        write_array: Callable[..., None] = np.lib.format.write_array
        with zipfile.ZipFile(record, "w") as archive:
            for name, array in feeds.items():
                with archive.open(f"{name}.npy", "w") as entry:
                    write_array(entry, array, allow_pickle=False)
        bounds = None if limits is None else dict(limits)
        made = self._native.eval(record.getvalue(), _wanted(outputs), seed, bounds)
        with np.load(io.BytesIO(made)) as arrays:
            return {name: arrays[name] for name in arrays.files}

    def to_onnx(
        self,
        path: str | os.PathLike[str] | None = None,
        opset: int = 17,
        outputs: Outputs = "inference",
        weights: Literal["embed", "external", "in-place"] = "embed",
        overwrite: bool = True,
        progress: Progress | None = None,
        *,
        ids: Sequence[str] = (),
        rename_inputs: Mapping[str, str] = _AS_THEY_ARE,
        rename_outputs: Mapping[str, str] = _AS_THEY_ARE,
        batch: int | None = None,
        equal_lengths: bool = False,
        keep_sequence_axis: bool = False,
    ) -> bytes | None:
        """Converts to ONNX: the very bytes that ``cntk2onnx convert`` writes.

        Args:
            path: where to write; without it the bytes are returned.
            opset: 13 to 21.
            outputs: which outputs to convert.
            weights: in the file, in ``PATH.data`` beside it, or left in the CNTK file (both need a path).
            overwrite: replace a file that is there. The new one takes its place in one step.
            progress: called now and then with the bytes written.
            ids: one-hot inputs that become int64 indices without the last axis.
            rename_inputs: new names of inputs, by their names or uids.
            rename_outputs: new names of outputs, by their names or uids.
            batch: the size of the batch, if it is fixed.
            equal_lengths: assume that all sequences of a batch have the same length: no ``_lengths`` inputs.
            keep_sequence_axis: keep a sequence axis that nothing reads, instead of folding it into the batch.

        Raises:
            UnsupportedError: something cannot be expressed; all reasons are listed.
        """
        target = None if path is None else os.fspath(path)
        options = {
            **_asked(outputs, ids, rename_inputs, rename_outputs),
            "opset": opset,
            "batch": batch,
            "equal_lengths": equal_lengths,
            "keep_sequence_axis": keep_sequence_axis,
        }
        return self._native.to_onnx(target, options, weights, overwrite, progress)

    def to_pytorch(
        self,
        directory: str | os.PathLike[str],
        outputs: Outputs = "inference",
        overwrite: bool = False,
        *,
        ids: Sequence[str] = (),
        rename_inputs: Mapping[str, str] = _AS_THEY_ARE,
        rename_outputs: Mapping[str, str] = _AS_THEY_ARE,
        check_inputs: bool = False,
    ) -> Path:
        """Writes a PyTorch module with its weights and its test, as ``cntk2onnx convert --to pytorch`` does.

        Args:
            directory: where to write.
            outputs: which outputs to convert.
            overwrite: replace files that are there.
            ids: one-hot inputs that become int64 indices without the last axis.
            rename_inputs: new names of inputs, by their names or uids.
            rename_outputs: new names of outputs, by their names or uids.
            check_inputs: the module refuses inputs of a wrong type or shape, NaN and infinities, and wrong lengths.

        Returns:
            The directory.

        Raises:
            UnsupportedError: something cannot be expressed; all reasons are listed.
            FileExistsError: the directory holds files and ``overwrite`` is false.
        """
        options = _asked(outputs, ids, rename_inputs, rename_outputs)
        self._native.to_pytorch(os.fspath(directory), options, check_inputs, overwrite)
        return Path(directory)

    def to_torch(
        self,
        outputs: Outputs = "inference",
        *,
        ids: Sequence[str] = (),
        check_inputs: bool = False,
    ) -> torch.nn.Module:
        """The model as a PyTorch module with its weights, in evaluation mode. Needs ``torch`` and ``safetensors``.

        The arguments are those of :meth:`to_pytorch`.

        Raises:
            UnsupportedError: something cannot be expressed; all reasons are listed.
        """
        from ._torch import load_directory

        with tempfile.TemporaryDirectory(prefix="cntk2onnx-") as folder:
            net = self.to_pytorch(Path(folder) / "net", outputs, ids=ids, check_inputs=check_inputs)
            return load_directory(net)

    def to_safetensors(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Writes all parameters and constants by name, in NumPy order."""
        self._native.to_safetensors(os.fspath(path), overwrite)


def _asked(
    outputs: Outputs, ids: Sequence[str], rename_inputs: Mapping[str, str], rename_outputs: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "outputs": _wanted(outputs),
        "ids": list(ids),
        "rename_inputs": list(rename_inputs.items()),
        "rename_outputs": list(rename_outputs.items()),
    }


def _wanted(outputs: Outputs) -> list[str]:
    return [outputs] if isinstance(outputs, str) else list(outputs)

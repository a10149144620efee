"""Runs a converted model beside the evaluator and compares."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ._errors import InvalidModelError, UnsupportedError
from ._model import Model, Source, load
from ._runners import FloatArray, OnnxRunner, Runner, Sample, TargetError, TorchRunner

#: Batches that are tried: how many samples, and whether their sequences have several lengths.
BATCHES = ((2, True), (1, False), (4, False), (5, True))


@dataclass(frozen=True)
class Comparison:
    """One output over all batches."""

    #: CNTK's name, or the uid where the name is empty or not unique.
    name: str
    #: Largest absolute difference; NaN where only one side is NaN, or the shapes differ.
    max_error: float = 0.0
    #: Largest difference relative to the reference, over the elements whose reference is larger than ``atol``.
    max_relative_error: float = 0.0
    #: Are shapes and lengths equal, and every element within ``atol + rtol * size``, where ``size`` is that of the
    #: reference or the root mean square of the output, whichever is larger?
    ok: bool = True
    #: Why the output was not compared, or what differs besides numbers; empty otherwise.
    note: str = ""
    #: Was it compared? Not where the evaluator cannot compute it, as with random functions.
    compared: bool = True

    @property
    def verdict(self) -> str:
        """One line."""
        word = ("ok" if self.ok else "DIFFERS") if self.compared else "not compared"
        return f"{word}: {self.note}" if self.note else word


@dataclass(frozen=True)
class Verification:
    """What :func:`verify` found. True if all outputs agree."""

    #: An entry for each output of the converted model.
    outputs: tuple[Comparison, ...]

    @property
    def ok(self) -> bool:
        """Were all outputs compared, and do they agree?"""
        return bool(self.outputs) and all(o.ok and o.compared for o in self.outputs)

    @property
    def differs(self) -> bool:
        """Does an output differ?"""
        return any(o.compared and not o.ok for o in self.outputs)

    @property
    def max_error(self) -> float:
        """Largest absolute difference of all outputs that were compared."""
        return max((o.max_error for o in self.outputs if o.compared), key=_nan_last, default=0.0)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        width = max([6, *(len(o.name) for o in self.outputs)])
        lines = [f"{'output':{width}}  {'absolute':>9}  {'relative':>9}  verdict"]
        for o in self.outputs:
            numbers = f"{o.max_error:9.2e}  {o.max_relative_error:9.2e}" if o.compared else f"{'-':>9}  {'-':>9}"
            lines.append(f"{o.name:{width}}  {numbers}  {o.verdict}")
        return "\n".join(lines)


def verify(
    model: Model | Source,
    target: str | os.PathLike[str] | bytes,
    seed: int = 0,
    rtol: float = 1e-4,
    atol: float = 1e-5,
    equal_lengths: bool = False,
    limits: Mapping[str, int] | None = None,
) -> Verification:
    """Compares a converted model with the evaluator, on made-up inputs of several batch sizes and sequence lengths.

    Args:
        model: the model that ``target`` was converted from, or what :func:`load` takes.
        target: an ONNX file or its bytes, run in onnxruntime; or a directory of ``to_pytorch``, run in torch. The code
            in the directory is executed.
        seed: of the inputs.
        rtol: allowed error relative to the reference, or to the root mean square of the output where that is larger;
            1e-2 at the least for an output of half precision.
        atol: allowed absolute error besides; the same.
        equal_lengths: sequences of one length only, for what was converted with ``--equal-lengths``.
        limits: of each evaluation, as in :meth:`Model.eval`.

    Raises:
        UnsupportedError: no output can be evaluated (random functions, for example), or the runtime lacks an operator.
        ValueError: the target cannot be run, is not of this model, or a limit is reached.
        ImportError: onnxruntime, or torch and safetensors, are not installed.
        OSError: a file cannot be read.
    """
    if not isinstance(model, Model):
        model = load(model)
    runner: Runner
    if isinstance(target, bytes):
        runner = OnnxRunner(target, "the ONNX model")
    else:
        path = Path(target)
        if not path.exists():
            raise FileNotFoundError(2, "No such file or directory", str(path))
        runner = TorchRunner(path) if path.is_dir() else OnnxRunner(str(path), str(path))
    wanted = [_uid(model, name) for name in runner.outputs]
    done: dict[str, Comparison] = {}
    refused: dict[str, str] | None = None
    why: UnsupportedError | None = None
    for number, (batch, ragged) in enumerate(BATCHES):
        size = _Size(wanted, seed + number, batch, ragged and not equal_lengths, limits)
        try:
            if refused is None:
                refused = _refused(model, size)
            sample = size.sample(model, tuple(refused))
        except UnsupportedError as e:
            # Some models take a batch of one size only.
            why = why or e
            continue
        for (uid, name), result in zip(sample.outputs, runner.run(sample), strict=True):
            if uid in refused:
                done[uid] = Comparison(name, note=refused[uid], compared=False)
                continue
            found = _compare(name, result.array, sample.arrays[name], sample.lengths(name), rtol, atol)
            if found.ok and result.lengths is not None and list(result.lengths) != list(sample.steps(name)):
                found = replace(found, ok=False, note="its sequences have other lengths")
            done[uid] = _worse(done[uid], found) if uid in done else found
    if why is not None and not done:
        raise why
    return Verification(tuple(done.values()))


@dataclass(frozen=True)
class _Size:
    """A batch to make up."""

    wanted: list[str]
    seed: int
    batch: int
    ragged: bool
    limits: Mapping[str, int] | None

    def sample(self, model: Model, skip: Sequence[str]) -> Sample:
        return Sample.of(model, self.wanted, self.seed, self.batch, self.ragged, skip, self.limits)


def _uid(model: Model, name: str) -> str:
    """The uid of the output of that name; inner nodes keep their name, which has to be unique in the model."""
    found = [v.uid for v in model.outputs if name in (v.name, v.uid)]
    if len(found) == 1:
        return found[0]
    if any(name in (v.name, v.uid) for v in model.inputs) or any(name in (f.name, *f.outputs) for f in model.functions):
        return name
    raise TargetError(f"it has an output {name!r} that the model has not: is it of this model?")


def _refused(model: Model, size: _Size) -> dict[str, str]:
    """The outputs that cannot be evaluated, and why. Raises if there are no others."""
    try:
        size.sample(model, ())
        return {}
    except UnsupportedError as e:
        why = e
    refused: dict[str, str] = {}
    for uid in size.wanted:
        try:
            size.sample(model, [u for u in size.wanted if u != uid])
        except UnsupportedError as e:
            refused[uid] = str(e)
    if len(refused) == len(size.wanted):
        raise why
    return refused


def _compare(
    name: str, got: FloatArray, wanted: FloatArray, lengths: FloatArray | None, rtol: float, atol: float
) -> Comparison:
    if wanted.dtype == np.float16:
        rtol, atol = max(rtol, 1e-2), max(atol, 1e-2)
    # Along a sequence, the converted model may have more steps of padding.
    fits = got.ndim == wanted.ndim and all(
        g == w or (axis == 1 and lengths is not None and g >= int(lengths.max()))
        for axis, (g, w) in enumerate(zip(got.shape, wanted.shape, strict=True))
    )
    if not fits:
        note = f"its shape is {list(got.shape)}, not {list(wanted.shape)}"
        return Comparison(name, float("nan"), float("nan"), False, note)
    a, b = got.astype(np.float64), wanted.astype(np.float64)
    if lengths is not None:
        rows = [(x[:n], y[:n]) for x, y, n in zip(a, b, lengths, strict=True)]
        a = np.concatenate([x.ravel() for x, _ in rows])
        b = np.concatenate([y.ravel() for _, y in rows])
    with np.errstate(invalid="ignore"):
        error = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    size = np.abs(b)
    relative = error[size > atol] / size[size > atol]
    # Where large numbers cancel, no runtime can do better than the scale of what it adds up.
    finite = size[np.isfinite(size)]
    scale = np.sqrt(np.mean(np.square(finite))) if finite.size else 0.0
    bound = atol + rtol * np.maximum(np.where(np.isfinite(size), size, 0.0), scale)
    return Comparison(name, _largest(error), _largest(relative), bool(np.all(error <= bound)))


def _largest(values: FloatArray) -> float:
    return float(np.max(values)) if values.size else 0.0


def _nan_last(value: float) -> float:
    return float("inf") if np.isnan(value) else value


def _worse(a: Comparison, b: Comparison) -> Comparison:
    error = max(a.max_error, b.max_error, key=_nan_last)
    relative = max(a.max_relative_error, b.max_relative_error, key=_nan_last)
    return Comparison(a.name, error, relative, a.ok and b.ok, a.note or b.note)


def main(arguments: Sequence[str]) -> int:
    """``cntk2onnx verify MODEL TARGET``, with the exit codes of the program."""
    parser = argparse.ArgumentParser(
        prog="cntk2onnx verify",
        description="Runs a converted model beside an evaluation of the CNTK model, on made-up inputs of several batch "
        "sizes and sequence lengths, and compares the outputs.",
        epilog="Exit codes: 0, all outputs agree; 1, an output differs, the target cannot be run or the model is "
        "invalid; 2, a file cannot be read, a package is missing, or usage; 3, an output cannot be compared.",
    )
    parser.add_argument("model", metavar="MODEL", help="the CNTK model")
    parser.add_argument(
        "target", metavar="TARGET", help="an ONNX file, or a directory of `convert --to pytorch`: its code is run"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the inputs (default: 0)")
    parser.add_argument(
        "--rtol", type=float, default=1e-4, help="allowed error relative to the reference (default: 1e-4)"
    )
    parser.add_argument("--atol", type=float, default=1e-5, help="allowed absolute error (default: 1e-5)")
    parser.add_argument("--equal-lengths", action="store_true", help="for what was converted with --equal-lengths")
    parser.add_argument("--max-work", type=int, metavar="N", help="limit on multiply-adds of an evaluation")
    parser.add_argument("--max-memory", type=int, metavar="N", help="limit on bytes of arrays of an evaluation")
    a = parser.parse_args(arguments)
    limits = {name: value for name, value in (("work", a.max_work), ("memory", a.max_memory)) if value is not None}
    try:
        done = verify(a.model, a.target, a.seed, a.rtol, a.atol, a.equal_lengths, limits)
    except InvalidModelError as e:
        return _fail(1, f"{a.model}: {e}")
    except UnsupportedError as e:
        return _fail(3, f"{a.model}: {e}")
    except TargetError as e:
        return _fail(1, f"{a.target}: {e}")
    except (OSError, ImportError) as e:
        return _fail(2, str(e))
    except ValueError as e:
        return _fail(3, f"{a.model}: {e}")
    print(done)
    return 0 if done.ok else 1 if done.differs else 3


def _fail(code: int, message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code

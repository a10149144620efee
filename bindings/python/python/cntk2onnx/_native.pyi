"""The extension module."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

__version__: str

@final
class Finding:
    """One finding in a file."""

    rule: str
    severity: str
    message: str
    offset: int
    path: str
    def __new__(cls, rule: str, severity: str, message: str, offset: int, path: str) -> Finding: ...
    def __getnewargs__(self) -> tuple[str, str, str, int, str]: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class Reason:
    """Why one node cannot be converted or evaluated."""

    op: str
    uid: str
    name: str
    attribute: str
    reason: str
    text: str
    def __new__(cls, op: str, uid: str, name: str, attribute: str, reason: str, text: str) -> Reason: ...
    def __getnewargs__(self) -> tuple[str, str, str, str, str, str]: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class Report:
    """What ``validate`` found."""

    ok: bool
    findings: list[Finding]
    more_findings: int
    kind: str
    hint: str | None
    def __bool__(self) -> bool: ...

@final
class Variable:
    """An input or output of a model."""

    name: str
    uid: str
    shape: list[int]
    dtype: str
    dynamic_axes: list[str]
    is_sparse: bool

@final
class Function:
    """A primitive function, block or user-defined function of a model."""

    op: str
    uid: str
    name: str
    inputs: list[str]
    outputs: list[str]
    is_block: bool
    attributes: dict[str, Any]

@final
class Tensor:
    """A parameter or constant."""

    key: str
    is_parameter: bool
    @property
    def __array_interface__(self) -> dict[str, Any]: ...

@final
class Model:
    """A valid model."""

    findings: list[Finding]
    stem: str
    def inputs(self) -> list[Variable]: ...
    def outputs(self) -> list[Variable]: ...
    def functions(self) -> list[Function]: ...
    def tensors(self) -> list[Tensor]: ...
    def eval(self, record: bytes, outputs: Sequence[str], seed: int | None, limits: dict[str, int] | None) -> bytes: ...
    def sample(
        self,
        outputs: Sequence[str],
        seed: int,
        batch: int,
        ragged: bool,
        skip: Sequence[str],
        limits: dict[str, int] | None,
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]], bytes]: ...
    def to_onnx(
        self,
        path: str | None,
        options: Mapping[str, Any],
        weights: str,
        overwrite: bool,
        progress: Callable[[int], Any] | None,
    ) -> bytes | None: ...
    def to_pytorch(self, directory: str, options: Mapping[str, Any], check_inputs: bool, overwrite: bool) -> None: ...
    def to_safetensors(self, path: str, overwrite: bool) -> None: ...

def validate(
    source: Any, limits: dict[str, int] | None = None, allow_udf: bool = False, scan_weights: bool = False
) -> Report: ...
def load(source: Any, limits: dict[str, int] | None, allow_udf: bool) -> tuple[Model | None, Report | None]: ...
def program(arguments: Sequence[str]) -> int: ...

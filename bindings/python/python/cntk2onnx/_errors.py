"""What the functions of this package raise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._native import Finding, Reason


class InvalidModelError(ValueError):
    """The file is malformed, unsafe, over a limit, or not a CNTK model.

    Attributes:
        findings: everything that validation found, errors first come as they lie in the file.
        kind: what the file is, as in :attr:`Report.kind`.
        hint: what to do about it, if there is something to do.
    """

    def __init__(self, findings: Sequence[Finding], kind: str = "", hint: str | None = None) -> None:
        self.findings = list(findings)
        self.kind = kind
        self.hint = hint
        errors = [str(f) for f in self.findings if f.severity == "error"]
        more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
        super().__init__((errors[0] if errors else "not a valid model") + more)

    def __reduce__(self) -> tuple[type[InvalidModelError], tuple[list[Finding], str, str | None]]:
        return (type(self), (self.findings, self.kind, self.hint))


class UnsupportedError(NotImplementedError):
    """The model is valid, but cannot be converted or evaluated as asked.

    Attributes:
        reasons: every node that stands in the way, and why.
    """

    def __init__(self, reasons: Sequence[Reason]) -> None:
        self.reasons = list(reasons)
        more = f" (and {len(self.reasons) - 1} more reasons)" if len(self.reasons) > 1 else ""
        super().__init__((str(self.reasons[0]) if self.reasons else "not supported") + more)

    def __reduce__(self) -> tuple[type[UnsupportedError], tuple[list[Reason]]]:
        return (type(self), (self.reasons,))

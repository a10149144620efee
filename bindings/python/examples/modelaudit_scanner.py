"""A scanner of modelaudit that asks cntk2onnx, and what both find: modelaudit_scanner.py FOLDER.

The folder holds labelled files as `corpus/hostile` does: NAME.model and NAME.json, whose `expect` says what they are.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import ClassVar

from modelaudit.core import scan_file
from modelaudit.scanners.base import BaseScanner, IssueSeverity, ScanResult

import cntk2onnx

SEVERITY = {"error": IssueSeverity.CRITICAL, "warning": IssueSeverity.WARNING, "note": IssueSeverity.INFO}


class Cntk2OnnxScanner(BaseScanner):
    """Reads the whole structure of a CNTK file, where modelaudit's own scanner looks for words in it."""

    name: ClassVar[str] = "cntk2onnx"
    description: ClassVar[str] = "Validates CNTK models: structure, user-defined functions, hostile sizes"
    supported_extensions: ClassVar[list[str]] = [".model", ".dnn", ".cmf"]

    @classmethod
    def can_handle(cls, path: str) -> bool:
        """Is the file, by its contents, one of CNTK's?"""
        return cntk2onnx.validate(path, limits={"findings": 1}).kind in ("cntk-v1", "cntk-v2", "checkpoint")

    def scan(self, path: str) -> ScanResult:
        """Every finding as an issue, with its rule and byte offset."""
        result = self._create_result()
        for finding in cntk2onnx.validate(path).findings:
            result.add_issue(
                finding.message,
                severity=SEVERITY[finding.severity],
                location=f"{path}:{finding.offset:#x}",
                details={"rule": finding.rule, "path": finding.path},
            )
        result.finish(success=True)
        return result


def scan(path: str) -> ScanResult:
    """What modelaudit's scanners say of a file and, if it is one of CNTK's, what ours says."""
    result = scan_file(path)
    if Cntk2OnnxScanner.can_handle(path):
        result.merge(Cntk2OnnxScanner().scan(path))
    return result


def alarmed(result: ScanResult) -> bool:
    """Would a pipeline stop at this file?"""
    return any(issue.severity in (IssueSeverity.WARNING, IssueSeverity.CRITICAL) for issue in result.issues)


def compare(folder: Path) -> Counter[tuple[str, str]]:
    """How many files of each label exist, and at how many each scanner raises a warning or more.

    modelaudit's scanner for CNTK leaves `.model` alone, so it gets a copy that is called `.dnn`, too.
    """
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted(folder.glob("*.model")):
            said = json.loads(path.with_suffix(".json").read_text())
            label = said["expect"]
            if label == "reject" and said["family"] == "udf":
                label = "reject: user-defined functions"
            counts[label, "files"] += 1
            renamed = Path(scratch) / f"{path.stem}.dnn"
            shutil.copyfile(path, renamed)
            counts[label, "modelaudit"] += alarmed(scan_file(str(path)))
            counts[label, "modelaudit, as .dnn"] += alarmed(scan_file(str(renamed)))
            counts[label, "cntk2onnx"] += alarmed(Cntk2OnnxScanner().scan(str(path)))
            counts[label, "both"] += alarmed(scan(str(path)))
            renamed.unlink()
    return counts


if __name__ == "__main__":
    for (label, scanner), count in sorted(compare(Path(sys.argv[1])).items()):
        print(f"{label:32} {scanner:20} {count:4}")

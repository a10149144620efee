"""Checks uploads in a service, under limits: scan_service.py FOLDER scans a folder."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cntk2onnx

#: A file that asks for more is refused, whatever it holds.
LIMITS = {"size": 64 << 20, "memory": 256 << 20, "functions": 100_000, "findings": 20}


def verdict(upload: bytes) -> dict[str, object]:
    """What to answer to an upload, ready for JSON. Never raises for what the bytes hold."""
    report = cntk2onnx.validate(upload, limits=LIMITS)
    findings = [
        {"rule": f.rule, "severity": f.severity, "offset": f.offset, "message": f.message} for f in report.findings
    ]
    return {"accepted": report.ok, "kind": report.kind, "findings": findings}


def scan(folder: Path) -> dict[Path, cntk2onnx.Report]:
    """Reports on all models below a folder. Validation releases the GIL, so threads are enough."""
    files = sorted(p for p in folder.rglob("*.model") if p.is_file())
    with ThreadPoolExecutor() as pool:
        reports = pool.map(lambda path: cntk2onnx.validate(path, limits=LIMITS), files)
        return dict(zip(files, reports, strict=True))


if __name__ == "__main__":
    for path, report in scan(Path(sys.argv[1])).items():
        print("ok     " if report.ok else "refused", path)

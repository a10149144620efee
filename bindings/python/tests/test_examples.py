"""The examples of docs/python.md."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import cntk2onnx

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_fine_tune(resnet: Path) -> None:
    if os.environ.get("TORCH") != "required":
        pytest.importorskip("torch")
    import torch

    module = example("fine_tune")
    before = cntk2onnx.load(resnet).to_torch()
    tuned = module.fine_tune(str(resnet), module.made_up(str(resnet)))
    changed = [not torch.equal(a, b) for a, b in zip(before.parameters(), tuned.parameters(), strict=True)]
    assert any(changed) and not tuned.training


def test_scan_service(corpus: Path, resnet: Path, tmp_path: Path) -> None:
    module = example("scan_service")
    good = module.verdict(resnet.read_bytes())
    assert good["accepted"] and good["kind"] == "cntk-v2"
    bad = module.verdict((corpus / "hostile" / "udf_native_path.model").read_bytes())
    assert not bad["accepted"] and any(f["rule"].startswith("code.") for f in bad["findings"])
    assert not module.verdict(b"PK\3\4")["accepted"]
    reports = module.scan(corpus / "zoo")
    assert len(reports) > 50 and all(reports.values())


def test_serve(resnet: Path) -> None:
    if os.environ.get("RUNTIMES") != "required":
        pytest.importorskip("onnxruntime")
    served = example("serve").Served(resnet.read_bytes())
    model = cntk2onnx.load(resnet)
    (features, *_), (output, *_) = model.inputs, model.outputs
    batch = np.random.default_rng(1).random((3, *features.shape), np.float32)
    made = served(**{features.name: batch})
    wanted = model.eval({features.name: batch})
    np.testing.assert_allclose(made[output.name], wanted[output.name], rtol=1e-4, atol=1e-5)


def test_modelaudit(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_ANALYTICS", "1")
    pytest.importorskip("modelaudit", reason="optional: pip install modelaudit")
    module = example("modelaudit_scanner")
    for name in ("udf_native_path", "control_dense"):
        for suffix in (".model", ".json"):
            shutil.copy(corpus / "hostile" / f"{name}{suffix}", tmp_path)
    counts = module.compare(tmp_path)
    bad = "reject: user-defined functions"
    assert counts[bad, "cntk2onnx"] == counts[bad, "both"] == counts[bad, "files"] == 1
    assert counts["accept", "cntk2onnx"] == 0


@pytest.mark.parametrize("cluster", ["dask", "ray"])
def test_cluster(corpus: Path, cluster: str, tmp_path: Path) -> None:
    """Two workers on this machine."""
    pytest.importorskip("distributed" if cluster == "dask" else cluster, reason=f"optional: pip install {cluster}")
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    sources = [*sorted((corpus / "zoo").glob("*.model"))[:6], corpus / "hostile" / "udf_native_path.model"]
    for source in sources:
        shutil.copy(source, tmp_path / "in")
    command = [sys.executable, str(EXAMPLES / "cluster.py"), cluster, str(tmp_path / "in"), str(tmp_path / "out")]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    outcomes = dict(line.split(": ", 1) for line in said.stdout.splitlines() if line.startswith(str(tmp_path)))
    assert len(outcomes) == 7
    for name, outcome in outcomes.items():
        if Path(name).stem == "udf_native_path":
            assert outcome.startswith("InvalidModelError")
            continue
        assert outcome == "converted"
        assert (tmp_path / "out" / f"{Path(name).stem}.onnx").read_bytes() == cntk2onnx.load(name).to_onnx()

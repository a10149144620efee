"""``verify`` and ``cntk2onnx verify``."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cntk2onnx


def program(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cntk2onnx", "verify", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def onnxruntime() -> None:
    if os.environ.get("RUNTIMES") != "required":
        pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def torch() -> None:
    if os.environ.get("TORCH") != "required":
        pytest.importorskip("torch")


#: Ragged sequences, a folded sequence axis, double, half, sparse inputs, several outputs, frames of two widths.
MODELS = ["gru_tagger", "float64_recurrent", "float16_cast", "s2s_attention_model", "slu_tagger_202", "odd_names"]


@pytest.mark.parametrize("name", MODELS)
def test_onnx_agrees(corpus: Path, name: str, onnxruntime: None, tmp_path: Path) -> None:
    model = cntk2onnx.load(corpus / "zoo" / f"{name}.model")
    done = cntk2onnx.verify(model, model.to_onnx(outputs="all"))
    assert done.ok and done, str(done)
    assert len(done.outputs) == len({o.uid for o in model.outputs})
    assert 0 <= done.max_error < 1e-2
    model.to_onnx(tmp_path / "net.onnx")
    assert cntk2onnx.verify(model, tmp_path / "net.onnx", seed=7)


@pytest.mark.parametrize("name", [*MODELS, "sequential_conv_tagger"])
def test_pytorch_agrees(corpus: Path, name: str, torch: None, tmp_path: Path) -> None:
    model = cntk2onnx.load(corpus / "zoo" / f"{name}.model")
    done = cntk2onnx.verify(model, model.to_pytorch(tmp_path / "net", outputs="all"))
    assert done.ok, str(done)


def test_other_weights_differ(resnet: Path, onnxruntime: None, tmp_path: Path) -> None:
    """One bit of an exponent, in the largest parameter."""
    model = cntk2onnx.load(resnet)
    onnx = bytearray(model.to_onnx() or b"")
    weights = max(model.parameters.values(), key=lambda a: a.size)
    at = onnx.find(np.ascontiguousarray(weights).tobytes()[:64])
    assert at > 0
    onnx[at + 3] ^= 0x04
    done = cntk2onnx.verify(model, bytes(onnx))
    assert not done.ok and done.differs and done.max_error > 0
    path = tmp_path / "net.onnx"
    path.write_bytes(onnx)
    said = program(resnet, path)
    assert said.returncode == 1 and "DIFFERS" in said.stdout


def test_another_model_is_named(corpus: Path, onnxruntime: None) -> None:
    model, other = (cntk2onnx.load(corpus / "zoo" / f"{n}.model") for n in ("gru_tagger", "alexnet_small"))
    with pytest.raises(ValueError, match="is it of this model"):
        cntk2onnx.verify(model, other.to_onnx())


def test_what_cannot_be_evaluated_is_said(corpus: Path, onnxruntime: None, tmp_path: Path) -> None:
    source = corpus / "zoo" / "vae_reparameterized.model"
    model = cntk2onnx.load(source)
    path = tmp_path / "net.onnx"
    model.to_onnx(path, outputs="all")
    done = cntk2onnx.verify(source, path)
    assert not done.ok and not done.differs
    assert [o.compared for o in done.outputs].count(False) == 1
    said = program(source, path)
    assert said.returncode == 3 and "draws random numbers" in said.stdout
    model.to_onnx(path, outputs=["decoded"])
    with pytest.raises(cntk2onnx.UnsupportedError, match="draws random numbers"):
        cntk2onnx.verify(model, path)


def test_limits_of_the_evaluation(resnet: Path, onnxruntime: None) -> None:
    model = cntk2onnx.load(resnet)
    with pytest.raises(ValueError, match="multiply-adds"):
        cntk2onnx.verify(model, model.to_onnx(), limits={"work": 1000})


def test_the_program(resnet: Path, onnxruntime: None, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    cntk2onnx.load(resnet).to_onnx(path)
    said = program(resnet, path)
    assert said.returncode == 0 and said.stderr == "", said.stderr
    assert said.stdout.splitlines()[0].split() == ["output", "absolute", "relative", "verdict"]
    path.write_bytes(b"no model")
    assert program(resnet, path).returncode == 1
    assert program(path, path).returncode == 1
    assert program(resnet, tmp_path / "none.onnx").returncode == 2
    assert program(resnet).returncode == 2
    assert program(resnet, tmp_path).returncode == 1


@pytest.mark.parametrize("package", ["onnxruntime", "torch"])
def test_missing_runtimes_are_named(resnet: Path, package: str, tmp_path: Path) -> None:
    model = cntk2onnx.load(resnet)
    target = tmp_path / "net"
    if package == "torch":
        model.to_pytorch(target)
    else:
        model.to_onnx(target)
    (tmp_path / f"{package}.py").write_text("raise ImportError('hidden for this test')")
    command = [sys.executable, "-m", "cntk2onnx", "verify", str(resnet), str(target)]
    there = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    said = subprocess.run(command, capture_output=True, text=True, check=False, env=there)
    assert said.returncode == 2 and f"install {package}" in said.stderr, said.stderr

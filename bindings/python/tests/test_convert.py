"""Conversions, against the program."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cntk2onnx


def program(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cntk2onnx", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_onnx_bytes_are_those_of_the_program(corpus: Path, tmp_path: Path) -> None:
    for source in sorted((corpus / "zoo").glob("*.model"))[:12]:
        there = tmp_path / f"{source.stem}.onnx"
        assert program("convert", source, "-o", there).returncode == 0
        model = cntk2onnx.load(source)
        assert model.to_onnx() == there.read_bytes()
        here = tmp_path / "here.onnx"
        assert model.to_onnx(here) is None
        assert here.read_bytes() == there.read_bytes()


def test_pytorch_files_are_those_of_the_program(resnet: Path, tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    assert program("convert", resnet, "--to", "pytorch", "-o", there).returncode == 0
    assert cntk2onnx.load(resnet).to_pytorch(here) == here
    names = sorted(p.name for p in there.iterdir())
    assert names == sorted(p.name for p in here.iterdir())
    for name in names:
        assert (here / name).read_bytes() == (there / name).read_bytes(), name


def test_options_are_those_of_the_program(corpus: Path, tmp_path: Path) -> None:
    source = corpus / "zoo/gru_tagger.model"
    model, there = cntk2onnx.load(source), tmp_path / "there.onnx"
    names = ["--rename-inputs", "tokens=words", "--rename-outputs", "tags=labels"]
    assert (
        program("convert", source, "-o", there, "--ids", "tokens", "--batch", "2", "--equal-lengths", *names).returncode
        == 0
    )
    onnx = model.to_onnx(
        ids=["tokens"],
        batch=2,
        equal_lengths=True,
        rename_inputs={"tokens": "words"},
        rename_outputs={"tags": "labels"},
    )
    assert onnx == there.read_bytes()
    folder = tmp_path / "there"
    assert (
        program(
            "convert", source, "--to", "pytorch", "-o", folder, "--ids", "tokens", "--check-inputs", *names
        ).returncode
        == 0
    )
    here = model.to_pytorch(
        tmp_path / "here",
        ids=["tokens"],
        rename_inputs={"tokens": "words"},
        rename_outputs={"tags": "labels"},
        check_inputs=True,
    )
    for name in ["model.py", "report.json", "test_model.py"]:
        assert (here / name).read_bytes() == (folder / name).read_bytes(), name
    with pytest.raises(cntk2onnx.UnsupportedError, match="no input is called `word`"):
        model.to_onnx(ids=["word"])


def test_safetensors_and_parameters_agree(corpus: Path, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    for source in sorted((corpus / "zoo").glob("*.model"))[:12]:
        model = cntk2onnx.load(source)
        path = tmp_path / "weights.safetensors"
        model.to_safetensors(path)
        stored = safetensors.load_file(path)
        assert sorted(stored) == sorted([*model.parameters, *model.constants])
        for name, value in {**model.parameters, **model.constants}.items():
            np.testing.assert_array_equal(value, stored[name])
            assert value.dtype == stored[name].dtype


def test_weights_beside_the_model(resnet: Path, tmp_path: Path) -> None:
    model = cntk2onnx.load(resnet)
    model.to_onnx(tmp_path / "net.onnx", weights="external")
    assert (tmp_path / "net.onnx.data").stat().st_size > (tmp_path / "net.onnx").stat().st_size
    with pytest.raises(ValueError, match="give a path"):
        model.to_onnx(weights="external")


def test_weights_left_in_place(resnet: Path, tmp_path: Path) -> None:
    source = tmp_path / "net.model"
    source.write_bytes(resnet.read_bytes())
    model = cntk2onnx.load(source)
    model.to_onnx(tmp_path / "net.onnx", weights="in-place")
    assert (tmp_path / "net.onnx").stat().st_size < source.stat().st_size / 2
    (tmp_path / "other").mkdir()
    with pytest.raises(OSError, match="directory or below"):
        model.to_onnx(tmp_path / "other" / "net.onnx", weights="in-place")


def test_all_reasons_are_given(resnet: Path) -> None:
    model = cntk2onnx.load(resnet)
    with pytest.raises(cntk2onnx.UnsupportedError) as caught:
        model.to_onnx(outputs=["no such output"])
    assert caught.value.reasons and str(caught.value.reasons[0]) in str(caught.value)
    with pytest.raises(cntk2onnx.UnsupportedError, match="13 to 21"):
        model.to_onnx(opset=3)


def test_a_failed_conversion_leaves_nothing(resnet: Path, tmp_path: Path) -> None:
    model = cntk2onnx.load(resnet)
    with pytest.raises(cntk2onnx.UnsupportedError):
        model.to_onnx(tmp_path / "net.onnx", opset=3)
    with pytest.raises(FileNotFoundError):
        model.to_onnx(tmp_path / "none" / "net.onnx")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "net.onnx").write_text("mine")
    with pytest.raises(FileExistsError):
        model.to_onnx(tmp_path / "net.onnx", overwrite=False)
    assert (tmp_path / "net.onnx").read_text() == "mine"


def test_functions_have_typed_attributes(corpus: Path) -> None:
    model = cntk2onnx.load(corpus / "zoo" / "alexnet_small.model")
    convolution = next(f for f in model.functions if f.op == "Convolution")
    attributes = convolution.attributes
    assert all(isinstance(n, int) for n in attributes["strides"])
    assert all(isinstance(b, bool) for b in attributes["auto_padding"])


def test_to_torch(resnet: Path) -> None:
    if os.environ.get("TORCH") != "required":
        pytest.importorskip("torch")
    import torch

    model = cntk2onnx.load(resnet)
    net = model.to_torch()
    assert isinstance(net, torch.nn.Module) and not net.training
    other = model.to_torch()
    assert type(other) is not type(net)
    net.load_state_dict(other.state_dict())


def test_the_program_keeps_its_exit_codes(resnet: Path, tmp_path: Path) -> None:
    assert program("validate", resnet).returncode == 0
    assert program("validate", tmp_path / "none.model").returncode == 2
    (tmp_path / "empty.model").write_bytes(b"")
    done = program("validate", tmp_path / "empty.model")
    assert done.returncode == 1 and done.stderr.startswith("error: ")
    assert program("convert", resnet, "-o", tmp_path / "x.onnx", "--outputs", "nothing").returncode == 3

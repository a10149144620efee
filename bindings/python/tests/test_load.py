"""Reading and checking."""

import gc
import io
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import cntk2onnx
from wire import large_model


def test_every_kind_of_source_gives_the_same_model(resnet: Path) -> None:
    data = resnet.read_bytes()
    sources = [resnet, str(resnet), data, bytearray(data), memoryview(data), io.BytesIO(data)]
    with resnet.open("rb") as file:
        models = [cntk2onnx.load(s) for s in [*sources, file]]
    first = models[0]
    for model in models:
        assert [v.uid for v in model.inputs] == [v.uid for v in first.inputs]
        assert list(model.parameters) == list(first.parameters)
        for name, value in model.parameters.items():
            np.testing.assert_array_equal(value, first.parameters[name])


def test_interface(resnet: Path) -> None:
    model = cntk2onnx.load(resnet)
    (features, *_), (output, *_) = model.inputs, model.outputs
    assert features.dtype == output.dtype == "float32"
    assert len(features.shape) == 3 and "batch" in features.dynamic_axes
    assert any(f.op == "Convolution" for f in model.functions)


def test_a_text_file_object_is_refused(resnet: Path) -> None:
    with pytest.raises(TypeError, match="text mode"), resnet.with_name("resnet_bottleneck.json").open() as file:
        cntk2onnx.load(file)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not int"):
        cntk2onnx.load(5)  # type: ignore[arg-type]


def test_missing_files_and_directories_raise_what_open_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        cntk2onnx.load(tmp_path / "none.model")
    with pytest.raises(IsADirectoryError):
        cntk2onnx.validate(tmp_path)


def test_views_are_read_only_and_outlive_the_model(resnet: Path) -> None:
    model = cntk2onnx.load(resnet)
    view = next(iter(model.parameters.values()))
    kept = view.copy()
    assert not view.flags.writeable
    with pytest.raises(ValueError):
        view[...] = 0
    del model
    gc.collect()
    np.testing.assert_array_equal(view, kept)


def test_what_is_wrong_is_listed(corpus: Path) -> None:
    for path in sorted((corpus / "hostile").glob("*.model"))[:40]:
        report = cntk2onnx.validate(path)
        if report.ok:
            assert cntk2onnx.load(path).outputs
            continue
        with pytest.raises(cntk2onnx.InvalidModelError) as caught:
            cntk2onnx.load(path)
        assert caught.value.findings == report.findings
        assert isinstance(caught.value, ValueError)
        worst = next(f for f in report.findings if f.severity == "error")
        assert worst.rule and worst.message and str(worst) in str(caught.value)


def test_what_is_no_model_is_named() -> None:
    report = cntk2onnx.validate(b"\x1f\x8b" + bytes(20))
    assert (report.ok, report.kind) == (False, "gzip") and report.hint
    assert cntk2onnx.validate(b"").kind == "empty"


def test_errors_can_be_pickled() -> None:
    with pytest.raises(cntk2onnx.InvalidModelError) as caught:
        cntk2onnx.load(b"not a model at all, just text")
    twin = pickle.loads(pickle.dumps(caught.value))
    assert str(twin) == str(caught.value) and twin.findings == caught.value.findings and twin.kind == caught.value.kind


def test_limits_are_kept_and_misspelt_ones_named(resnet: Path) -> None:
    assert cntk2onnx.validate(resnet, limits={"functions": 3}).findings[0].rule == "limit"
    with pytest.raises(ValueError, match="the limits are size, "):
        cntk2onnx.load(resnet, limits={"funktions": 3})
    with pytest.raises(OSError, match="more than max_size"):
        cntk2onnx.load("/dev/zero", limits={"size": 1 << 16})
    with pytest.raises(ValueError, match="more than max_size"):
        cntk2onnx.load(io.BytesIO(bytes(1000)), limits={"size": 100})


def test_user_defined_functions_are_refused_unless_allowed(corpus: Path) -> None:
    path = corpus / "hostile" / "udf_native_path.model"
    assert not cntk2onnx.validate(path).ok
    assert cntk2onnx.load(path, allow_udf=True).findings


def test_several_threads_at_once(corpus: Path) -> None:
    files = sorted((corpus / "hostile").glob("*.model")) + sorted((corpus / "zoo").glob("*.model"))[:10]
    alone = [cntk2onnx.validate(f).ok for f in files]
    found: list[list[bool]] = []

    def work() -> None:
        found.append([cntk2onnx.validate(f).ok for f in files])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 8


@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be cut there")
def test_a_file_that_shrinks_raises(tmp_path: Path) -> None:
    script = """
import os, sys, numpy, cntk2onnx
model = cntk2onnx.load(sys.argv[1])
tensors = {**model.parameters, **model.constants}
os.truncate(sys.argv[1], 4096)
total = sum(float(numpy.asarray(t).sum()) for t in tensors.values())
try:
    list(model.parameters.values())
except OSError as e:
    print("raised", e)
"""
    path = tmp_path / "net.model"
    path.write_bytes(large_model(1 << 20))
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "altered while it was in use" in done.stdout

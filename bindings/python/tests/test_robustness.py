"""What must not hurt a process that checks files of strangers all day."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import cntk2onnx
from wire import large_model


def run(script: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_thousand_hostile_files_from_eight_threads_leave_memory_flat(corpus: Path) -> None:
    """Resident size after the second and third thousand, against that after the first."""
    script = """
import concurrent.futures, itertools, pathlib, sys, cntk2onnx

def resident():
    fields = pathlib.Path("/proc/self/status").read_text().split()
    return int(fields[fields.index("VmRSS:") + 1])

files = sorted(str(p) for p in pathlib.Path(sys.argv[1]).glob("*.model"))
thousand = list(itertools.islice(itertools.cycle(files), 1000))
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    for _ in range(3):
        bad = sum(not report.ok for report in pool.map(cntk2onnx.validate, thousand))
        print(bad, resident())
"""
    done = run(script, corpus / "hostile")
    assert done.returncode == 0, done.stderr
    rows = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len({bad for bad, _ in rows}) == 1 and rows[0][0] > 500
    assert max(kib for _, kib in rows[1:]) < rows[0][1] + 4096, rows


def test_nothing_is_printed(corpus: Path, tmp_path: Path) -> None:
    script = """
import pathlib, sys, cntk2onnx
for path in sorted(pathlib.Path(sys.argv[1]).glob("hostile/*.model"))[:80]:
    cntk2onnx.validate(path)
model = cntk2onnx.load(sys.argv[1] + "/zoo/saved_with_criterion_classifier.model")
model.to_onnx(sys.argv[2] + "/net.onnx", outputs="all")
model.to_pytorch(sys.argv[2] + "/net")
model.to_safetensors(sys.argv[2] + "/net.safetensors")
"""
    done = run(script, corpus, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_progress_callback_may_cancel(tmp_path: Path) -> None:
    """Also from a thread, while another converts on."""
    model = cntk2onnx.load(large_model(64 << 20))
    calls: list[int] = []

    def stop(done: int) -> None:
        calls.append(done)
        raise InterruptedError("enough")

    other = threading.Thread(target=lambda: model.to_onnx(tmp_path / "other.onnx", progress=calls.append))
    other.start()
    raised = False
    for _ in range(20):
        try:
            model.to_onnx(tmp_path / "net.onnx", progress=stop)
            (tmp_path / "net.onnx").unlink()
        except InterruptedError as e:
            raised = str(e) == "enough"
            break
    other.join()
    assert raised and calls
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.onnx"]
    assert (tmp_path / "other.onnx").stat().st_size > 256 << 20


@pytest.mark.skipif(sys.platform == "win32", reason="no signals to send there")
@pytest.mark.parametrize("call", ["model.to_onnx(sys.argv[2])", "model.eval({})"])
def test_ctrl_c_interrupts(call: str, tmp_path: Path) -> None:
    script = f"""
import signal, sys, cntk2onnx
# Processes of a background job begin with the signal ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
model = cntk2onnx.load(sys.argv[1])
print("loaded", flush=True)
try:
    while True:
        {call}
except KeyboardInterrupt:
    print("interrupted")
"""
    source = tmp_path / "net.model"
    source.write_bytes(large_model(32 << 20))
    out = tmp_path / "out"
    out.mkdir()
    command = [sys.executable, "-c", script, str(source), str(out / "net.onnx")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdout.readline() == "loaded\n"
        time.sleep(1.0)
        child.send_signal(signal.SIGINT)
        assert child.stdout.read() == "interrupted\n"
        assert child.wait(60) == 0
    assert {p.name for p in out.iterdir()} <= {"net.onnx"}


@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be written there")
def test_a_file_that_changes_while_it_is_converted_raises(tmp_path: Path) -> None:
    source = tmp_path / "net.model"
    source.write_bytes(large_model(1 << 20))
    model = cntk2onnx.load(source)
    with source.open("r+b") as file:
        file.seek(100)
        file.write(b"other")
    os.utime(source, (1, 1))
    calls = [
        lambda: model.to_onnx(),
        lambda: model.to_onnx(tmp_path / "net.onnx"),
        lambda: model.to_safetensors(tmp_path / "net.safetensors"),
        lambda: model.eval({}),
        lambda: list(model.parameters.values()),
    ]
    for call in calls:
        with pytest.raises(OSError, match="altered while it was in use"):
            call()

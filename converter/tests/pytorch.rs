//! Every real model of `corpus/` becomes a PyTorch module that computes CNTK's numbers and trains as it did.
//!
//! The numbers are checked by PyTorch, so the work is done by `corpus/torch_check.py` in a virtual environment over a
//! Python that has torch (Debian: `python3-torch`; any from 1.13 on). Where there is none the test says so on the terminal
//! and passes, unless `TORCH=required`. `PYTHON` names another Python, `ONLY=pattern` picks cases, and `BLESS=1` rewrites
//! the list of known failures, which may only shrink.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const TOOL: &str = env!("CARGO_BIN_EXE_cntk2onnx");
/// Folders of `corpus/` that hold cases with recorded numbers.
const CASES: [&str; 3] = ["ops", "zoo", "attributes"];

#[test]
fn real_models_compute_in_pytorch_what_cntk_computed() {
    let corpus =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").join("corpus");
    let Some(python) = python_with_torch() else {
        assert_ne!(option("TORCH").as_deref(), Some("required"), "no Python here has torch");
        // Past the capture of test output: nobody shall think that this was checked.
        let text = "\nNOT CHECKED: no Python here has torch, so the PyTorch back end was not run\n";
        std::io::stderr().write_all(text.as_bytes()).expect("standard error is open");
        return;
    };
    let mut command = Command::new(environment(&python, &corpus));
    command.arg(corpus.join("torch_check.py")).arg("--tool").arg(TOOL).arg("--lint");
    command.args(CASES.map(|set| corpus.join(set)).iter().filter(|folder| folder.is_dir()));
    command.arg("--known").arg(corpus.join("torch-known-failures.txt"));
    let gradients = corpus.join("gradients");
    if gradients.is_dir() {
        command.arg("--gradients").arg(gradients);
    }
    if let Some(only) = option("ONLY") {
        command.arg("--only").arg(only);
    }
    if option("BLESS").is_some() {
        command.arg("--bless");
    }
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    let output = command.output().expect("the runner starts");
    let printed = text(&output);
    println!("{printed}");
    assert!(output.status.success(), "{}", printed.lines().last().unwrap_or("the runner said nothing"));
}

fn option(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A Python that can import torch and numpy.
fn python_with_torch() -> Option<String> {
    let candidates = option("PYTHON").into_iter().chain(["python3", "/usr/bin/python3", "python"].map(str::to_owned));
    candidates.into_iter().find(|python| {
        let found = Command::new(python).args(["-c", "import numpy, torch, venv"]).output();
        found.is_ok_and(|output| output.status.success())
    })
}

/// The interpreter of a virtual environment that sees the system's torch and holds `corpus/requirements-torch.txt`. It is
/// made beside its final place and renamed at the end, so one that exists is complete.
fn environment(python: &str, corpus: &Path) -> PathBuf {
    let requirements = corpus.join("requirements-torch.txt");
    let pins = fs::read(&requirements).expect("corpus/requirements-torch.txt is readable");
    let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let digest = pins.iter().fold(0u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let venv = base.join(format!("torch-{digest:016x}"));
    if !venv.exists() {
        let draft = base.join(format!("torch-draft-{}", std::process::id()));
        must(Command::new(python).args(["-m", "venv", "--system-site-packages"]).arg(&draft));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "-r"];
        must(Command::new(interpreter(&draft)).args(pip).arg(&requirements));
        if fs::rename(&draft, &venv).is_err() {
            assert!(venv.exists(), "cannot rename {} to {}", draft.display(), venv.display());
            fs::remove_dir_all(&draft).expect("the spare environment can be removed");
        }
    }
    interpreter(&venv)
}

fn interpreter(venv: &Path) -> PathBuf {
    if cfg!(windows) { venv.join("Scripts").join("python.exe") } else { venv.join("bin").join("python") }
}

fn must(command: &mut Command) {
    let output = command.output().expect("the command starts");
    assert!(output.status.success(), "{command:?} failed:\n{}", text(&output));
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

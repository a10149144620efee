//! Every real model of `corpus/` becomes a PyTorch module that computes CNTK's numbers and trains as it did; and its ONNX
//! form does in PyTorch, where the importer onnx2torch reads it.
//!
//! The numbers are checked by PyTorch, so the work is done by `corpus/torch_check.py` and `corpus/importers.py` in a virtual
//! environment over a Python that has torch (Debian: `python3-torch`; any from 1.13 on). Where there is none the tests say
//! so on the terminal and pass, unless `TORCH=required`. `PYTHON` names another Python, `ONLY=pattern` picks cases, and
//! `BLESS=1` rewrites the lists of known failures, which may only shrink.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

const TOOL: &str = env!("CARGO_BIN_EXE_cntk2onnx");
/// Folders of `corpus/` that hold cases with recorded numbers.
const CASES: [&str; 4] = ["ops", "zoo", "attributes", "v1"];

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn real_models_compute_in_pytorch_what_cntk_computed() {
    let Some(python) = python_with_torch("") else { return unchecked("no Python here has torch") };
    let corpus = corpus();
    let mut command = Command::new(environment(&python, &corpus));
    command.arg(corpus.join("torch_check.py")).arg("--lint");
    command.arg("--known").arg(corpus.join("torch-known-failures.txt"));
    let gradients = corpus.join("gradients");
    if gradients.is_dir() {
        command.arg("--gradients").arg(gradients);
    }
    run(command, &corpus);
}

/// `--check-inputs`: the module refuses what it is not made for, compiled or not.
#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn modules_check_their_inputs_if_asked() {
    let Some(python) = python_with_torch("") else { return unchecked("no Python here has torch") };
    let corpus = corpus();
    let mut command = Command::new(environment(&python, &corpus));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_inputs.py")).arg(TOOL).arg(&corpus);
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().expect("Python starts");
    assert!(output.status.success(), "{}", text(&output));
}

/// `--ids`: indices in the place of one-hot rows.
#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn indices_give_in_pytorch_what_one_hot_rows_gave() {
    let Some(python) = python_with_torch("") else { return unchecked("no Python here has torch") };
    let corpus = corpus();
    let mut command = Command::new(environment(&python, &corpus));
    command.arg(corpus.join("ids_check.py")).args(["--to", "pytorch", "--tool", TOOL]);
    command.args(["zoo", "attributes"].map(|set| corpus.join(set)));
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().expect("the runner starts");
    assert!(output.status.success(), "{}", text(&output));
}

/// The ONNX form, read by onnx2torch. Which kernels torch lacks is its version's affair, so the list holds for one.
#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn onnx2torch_computes_from_the_onnx_form_what_cntk_computed() {
    let Some(python) = python_with_torch("1.13") else { return unchecked("no Python here has torch 1.13") };
    let corpus = corpus();
    let mut command = Command::new(environment(&python, &corpus));
    command.arg(corpus.join("importers.py")).args(["--importer", "onnx2torch"]);
    command.arg("--known").arg(corpus.join("onnx2torch-known-failures.txt"));
    run(command, &corpus);
}

/// Says past the capture of test output what was not checked, so that nobody thinks it was.
fn unchecked(why: &str) {
    assert_ne!(option("TORCH").as_deref(), Some("required"), "{why}");
    let text = format!("\nNOT CHECKED against PyTorch: {why}\n");
    std::io::stderr().write_all(text.as_bytes()).expect("standard error is open");
}

/// Runs a runner over the cases and fails the test with all that it printed unless it succeeds.
fn run(mut command: Command, corpus: &Path) {
    command.arg("--tool").arg(TOOL);
    command.args(CASES.map(|set| corpus.join(set)).iter().filter(|folder| folder.is_dir()));
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

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").join("corpus")
}

fn option(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A Python that can import numpy and a torch whose version starts like this.
fn python_with_torch(version: &str) -> Option<String> {
    let candidates = option("PYTHON").into_iter().chain(["python3", "/usr/bin/python3", "python"].map(str::to_owned));
    candidates.into_iter().find(|python| {
        let asked = "import numpy, sys, torch, venv; sys.exit(not torch.__version__.startswith(sys.argv[1]))";
        let found = Command::new(python).args(["-c", asked, version]).output();
        found.is_ok_and(|output| output.status.success())
    })
}

/// Held while an environment is made: the tests of this file share it.
static MAKING: Mutex<()> = Mutex::new(());

/// The interpreter of a virtual environment that sees the system's torch and holds `corpus/requirements-torch.txt`. It is
/// made beside its final place and renamed at the end, so one that exists is complete.
fn environment(python: &str, corpus: &Path) -> PathBuf {
    let requirements = corpus.join("requirements-torch.txt");
    let pins = fs::read(&requirements).expect("corpus/requirements-torch.txt is readable");
    let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let bytes = pins.iter().copied().chain(python.bytes());
    let digest = bytes.fold(0u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let _one_at_a_time = MAKING.lock();
    let venv = base.join(format!("torch-{digest:016x}"));
    if !venv.exists() {
        let draft = base.join(format!("torch-draft-{}", std::process::id()));
        must(Command::new(python).args(["-m", "venv", "--system-site-packages"]).arg(&draft));
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--only-binary=:all:",
            "--no-deps",
            "-r",
        ];
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

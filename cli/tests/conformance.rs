//! Every real model of `corpus/` converts and computes CNTK's numbers; every hostile file gets the verdict of its label.
//!
//! The numbers are checked by ONNX Runtime, so the work is done by `corpus/conformance.py` in a virtual environment that
//! this test makes by itself. Needs Python 3.11 or newer on the `PATH` (or named by `PYTHON`), and on the first run a
//! connection to PyPI.
//!
//! * `ONLY=pattern` runs the cases whose name matches, `OPSET=n` converts to that opset.
//! * `BLESS=1` rewrites the lists of known failures. They may only shrink: without it, a listed case that passes fails
//!   the test like an unlisted one that does not.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

const TOOL: &str = env!("CARGO_BIN_EXE_cntk2onnx");
/// Folders of `corpus/` that hold cases with recorded numbers.
const CASES: [&str; 4] = ["ops", "zoo", "attributes", "v1"];

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn real_models_compute_what_cntk_computed() {
    let corpus = corpus();
    let mut command = Command::new(python_with_runtime(&corpus));
    command.arg(corpus.join("conformance.py")).arg("--tool").arg(TOOL);
    command.args(CASES.map(|set| corpus.join(set)).iter().filter(|folder| folder.is_dir()));
    command.arg("--known").arg(corpus.join("known-failures.txt"));
    if let Some(opset) = option("OPSET") {
        command.arg("--opset").arg(opset);
    }
    run_with_options(command);
}

/// `--ids`: indices in the place of one-hot rows, in ONNX Runtime.
#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn indices_give_what_one_hot_rows_gave() {
    let corpus = corpus();
    let mut command = Command::new(python_with_runtime(&corpus));
    command.arg(corpus.join("ids_check.py")).arg("--tool").arg(TOOL).args(["--to", "onnx"]);
    command.args(CASES.map(|set| corpus.join(set)).iter().filter(|folder| folder.is_dir()));
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().expect("the runner starts");
    assert!(output.status.success(), "{}", text(&output));
}

/// `--batch` and `--input-shape`, and ONNX Runtime's preparation for quantization.
#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn fixed_sizes_give_what_open_ones_gave() {
    let corpus = corpus();
    let mut command = Command::new(python_with_runtime(&corpus));
    command.arg(corpus.join("sizes_check.py")).arg("--tool").arg(TOOL).args(["--every", "7"]);
    command.args(CASES.map(|set| corpus.join(set)).iter().filter(|folder| folder.is_dir()));
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().expect("the runner starts");
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn hostile_files_get_their_verdicts() {
    let corpus = corpus();
    let mut command = Command::new(system_python());
    command.arg(corpus.join("hostility.py")).arg("--tool").arg(TOOL).arg(corpus.join("hostile"));
    command.arg("--known").arg(corpus.join("known-hostile-failures.txt"));
    run_with_options(command);
}

/// Adds what both runners understand, runs the command, and fails the test with all that it printed unless it succeeds.
fn run_with_options(mut command: Command) {
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

fn system_python() -> String {
    option("PYTHON").unwrap_or_else(|| if cfg!(windows) { "python" } else { "python3" }.to_owned())
}

/// Held while an environment is made: the tests of this file share it.
static MAKING: Mutex<()> = Mutex::new(());

/// The interpreter of a virtual environment under `target/` that holds `corpus/requirements.txt`.
///
/// It is made beside its final place and renamed at the end, so one that exists is complete, and two runs at a time do
/// not harm each other. Its name carries a digest of the requirements: a change of them makes a new one.
fn python_with_runtime(corpus: &Path) -> PathBuf {
    let requirements = corpus.join("requirements.txt");
    let pins = fs::read(&requirements).expect("corpus/requirements.txt is readable");
    let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let venv = base.join(format!("python-{:016x}", fnv1a(&pins)));
    let _one_at_a_time = MAKING.lock();
    if !venv.exists() {
        let draft = base.join(format!("python-draft-{}", std::process::id()));
        let python = system_python();
        must(Command::new(&python).args(["-m", "venv"]).arg(&draft), "on Debian: apt-get install python3-venv");
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "-r"];
        must(
            Command::new(interpreter(&draft)).args(pip).arg(&requirements),
            "Python 3.11 or newer and a connection to PyPI are needed",
        );
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

fn must(command: &mut Command, hint: &str) {
    let program = Path::new(command.get_program()).file_name().unwrap_or(OsStr::new("?")).display().to_string();
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!("{program} failed ({hint}):\n{}", text(&output)),
        Err(error) => panic!("{program} does not start: {error} ({hint})"),
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

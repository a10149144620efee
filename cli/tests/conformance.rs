//! Every real model of `corpus/` converts and computes CNTK's numbers; every hostile file gets the verdict of its label.
//!
//! The numbers are checked by ONNX Runtime, so the work is done by `corpus/conformance.py` in a virtual environment that
//! this test makes by itself. Needs Python 3.11 or newer on the `PATH` (or named by `PYTHON`), and on the first run a
//! connection to PyPI.
//!
//! * `ONLY=pattern` runs the cases whose name matches, `OPSET=n` converts to that opset.
//! * `BLESS=1` rewrites the lists of known failures. They may only shrink: without it, a listed case that passes fails
//!   the test like an unlisted one that does not.

use cntk_testing::python::{self, Environment, cases, corpus};
use std::fs;
use std::process::Command;

const TOOL: &str = env!("CARGO_BIN_EXE_cntk2onnx");

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn real_models_compute_what_cntk_computed() {
    let mut command = runner("conformance.py");
    command.args(cases()).arg("--known").arg(corpus().join("known-failures.txt"));
    if let Some(opset) = python::option("OPSET") {
        command.arg("--opset").arg(opset);
    }
    python::run_over_cases(command);
}

/// `--ids`: indices in the place of one-hot rows, in ONNX Runtime.
#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn indices_give_what_one_hot_rows_gave() {
    check_each("ids_check.py", &["--to", "onnx"]);
}

/// `--batch` and `--input-shape`, and ONNX Runtime's preparation for quantization.
#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn fixed_sizes_give_what_open_ones_gave() {
    check_each("sizes_check.py", &["--every", "7"]);
}

/// `--test-data` and `reference.safetensors`, in ONNX Runtime.
#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn evidence_is_what_onnx_runtime_computes() {
    check_each("evidence_check.py", &["--every", "5"]);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn hostile_files_get_their_verdicts() {
    let corpus = corpus();
    let mut command = Command::new(python::system());
    command.arg(corpus.join("hostility.py")).args(["--tool", TOOL]).arg(corpus.join("hostile"));
    command.arg("--known").arg(corpus.join("known-hostile-failures.txt"));
    python::run_over_cases(command);
}

/// Runs a check of one case at a time with these options.
fn check_each(script: &str, options: &[&str]) {
    let mut command = runner(script);
    command.args(options).args(cases());
    python::run(command);
}

/// A script of `corpus/` in an environment that holds `corpus/requirements.txt`.
fn runner(script: &str) -> Command {
    let requirements = fs::read_to_string(corpus().join("requirements.txt")).expect("it is readable");
    let environment = Environment {
        folder: env!("CARGO_TARGET_TMPDIR"),
        name: "python",
        python: &python::system(),
        venv: &[],
        pip: &[],
        requirements: &requirements,
    };
    let hint = "Python 3.11 or newer with venv (Debian: python3-venv) and a connection to PyPI are needed";
    let mut command = Command::new(environment.interpreter().expect(hint));
    command.arg(corpus().join(script)).args(["--tool", TOOL]);
    command
}

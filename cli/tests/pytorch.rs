//! Every real model of `corpus/` becomes a PyTorch module that computes CNTK's numbers and trains as it did; and its ONNX
//! form does in PyTorch, where the importer onnx2torch reads it.
//!
//! The numbers are checked by PyTorch, so the work is done by `corpus/torch_check.py` and `corpus/importers.py` in a virtual
//! environment over a Python that has torch (Debian: `python3-torch`; any from 1.13 on). Where there is none the tests say
//! so on the terminal and pass, unless `TORCH=required`. `PYTHON` names another Python, `ONLY=pattern` picks cases, and
//! `BLESS=1` rewrites the lists of known failures, which may only shrink.

use cntk_testing::python::{self, Environment, cases, corpus};
use std::fs;
use std::path::Path;
use std::process::Command;

const TOOL: &str = env!("CARGO_BIN_EXE_cntk2onnx");

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn real_models_compute_in_pytorch_what_cntk_computed() {
    let Some(mut command) = python_with_torch("") else { return };
    let corpus = corpus();
    command.arg(corpus.join("torch_check.py")).args(["--lint", "--tool", TOOL]).args(cases());
    command.arg("--known").arg(corpus.join("torch-known-failures.txt"));
    let gradients = corpus.join("gradients");
    if gradients.is_dir() {
        command.arg("--gradients").arg(gradients);
    }
    python::run_over_cases(command);
}

/// `--check-inputs`: the module refuses what it is not made for, compiled or not.
#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn modules_check_their_inputs_if_asked() {
    let Some(mut command) = python_with_torch("") else { return };
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_inputs.py")).arg(TOOL).arg(corpus());
    python::run(command);
}

/// `--ids`: indices in the place of one-hot rows.
#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn indices_give_in_pytorch_what_one_hot_rows_gave() {
    let Some(mut command) = python_with_torch("") else { return };
    let corpus = corpus();
    command.arg(corpus.join("ids_check.py")).args(["--to", "pytorch", "--tool", TOOL]);
    command.args(["zoo", "attributes"].map(|set| corpus.join(set)));
    python::run(command);
}

/// The ONNX form, read by onnx2torch. Which kernels torch lacks is its version's affair, so the list holds for one.
#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn onnx2torch_computes_from_the_onnx_form_what_cntk_computed() {
    let Some(mut command) = python_with_torch("1.13") else { return };
    let corpus = corpus();
    command.arg(corpus.join("importers.py")).args(["--importer", "onnx2torch", "--tool", TOOL]).args(cases());
    command.arg("--known").arg(corpus.join("onnx2torch-known-failures.txt"));
    python::run_over_cases(command);
}

/// A Python that can import numpy and a torch whose version starts like this, in an environment that sees it and holds
/// `corpus/requirements-torch.txt`. Without one, says so.
fn python_with_torch(version: &str) -> Option<Command> {
    let named = python::option("PYTHON");
    let mut candidates = named.into_iter().chain(["python3", "/usr/bin/python3", "python"].map(str::to_owned));
    let found = candidates.find(|python| {
        let asked = "import numpy, sys, torch, venv; sys.exit(not torch.__version__.startswith(sys.argv[1]))";
        Command::new(python).args(["-c", asked, version]).output().is_ok_and(|output| output.status.success())
    });
    let Some(found) = found else {
        python::not_checked(&format!("against PyTorch: no Python here has torch {version}"), "TORCH");
        return None;
    };
    let requirements = fs::read_to_string(corpus().join("requirements-torch.txt")).expect("it is readable");
    let environment = Environment {
        folder: env!("CARGO_TARGET_TMPDIR"),
        name: "torch",
        python: &found,
        venv: &["--system-site-packages"],
        pip: &["--no-deps"],
        requirements: &requirements,
    };
    Some(Command::new(environment.interpreter().expect("an environment can be made")))
}

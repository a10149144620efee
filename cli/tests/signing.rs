//! Bundles verify in the reference implementation of OpenSSF Model Signing, and its bundles here: `signing.py`, which makes 20
//! folders and signs each by both sides.
//!
//! The reference is the PyPI package model-signing, installed into a virtual environment on first use. Where that fails the test
//! says so on the terminal and passes, unless `SIGNING=required`. `PYTHON` names another Python.

use cntk_testing::python::{self, Environment};
use std::{path::Path, process::Command};

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn bundles_verify_in_both_directions() {
    let environment = Environment {
        folder: env!("CARGO_TARGET_TMPDIR"),
        name: "signing",
        python: &python::system(),
        venv: &[],
        pip: &[],
        requirements: "model-signing==1.1.1\npyopenssl==26.4.0\n",
    };
    match environment.interpreter() {
        Ok(interpreter) => {
            let mut command = Command::new(interpreter);
            command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signing.py"));
            command.arg(env!("CARGO_BIN_EXE_cntk2onnx"));
            python::run(command);
        }
        Err(why) => python::not_checked(&format!("against model-signing: {why}"), "SIGNING"),
    }
}

//! The recipes of `docs/threats.md` that take a current PyTorch: attacks and adversarial training with
//! adversarial-robustness-toolbox, differentially private fine-tuning with opacus, both on an emitted module.
//!
//! These packages and torch are several gigabytes, so nothing installs them: `RECIPES_PYTHON` names a Python that has
//! `torch`, `adversarial-robustness-toolbox`, `opacus` and `safetensors`. Without it the test says so and passes.

use cntk_testing::python::{self, corpus};
use std::{path::Path, process::Command};

#[test]
fn recipes_of_the_threats_work() {
    let Some(recipes) = python::option("RECIPES_PYTHON") else {
        return python::not_checked("the recipes of docs/threats.md: RECIPES_PYTHON names no Python", "RECIPES");
    };
    let mut command = Command::new(recipes);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes.py"));
    command.arg(env!("CARGO_BIN_EXE_cntk2onnx")).arg(corpus().join("zoo"));
    python::run(command);
}

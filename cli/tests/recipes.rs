//! The recipes of `docs/threats.md` that take a current PyTorch: attacks and adversarial training with
//! adversarial-robustness-toolbox, differentially private fine-tuning with opacus, both on an emitted module.
//!
//! These packages and torch are several gigabytes, so nothing installs them: `RECIPES_PYTHON` names a Python that has
//! `torch`, `adversarial-robustness-toolbox`, `opacus` and `safetensors`. Without it the test says so and passes.

use std::{env, io::Write, path::Path, process::Command};

#[test]
fn recipes_of_the_threats_work() {
    let Some(python) = env::var("RECIPES_PYTHON").ok().filter(|python| !python.is_empty()) else {
        let note = "\nNOT CHECKED: the recipes of docs/threats.md; RECIPES_PYTHON names no Python\n";
        return std::io::stderr().write_all(note.as_bytes()).expect("standard error is open");
    };
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python)
        .arg(crate_folder.join("tests/recipes.py"))
        .arg(env!("CARGO_BIN_EXE_cntk2onnx"))
        .arg(crate_folder.join("../corpus/zoo"))
        .output()
        .expect("Python starts");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{text}");
    assert!(output.status.success(), "{text}");
}

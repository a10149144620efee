//! Bundles verify in the reference implementation of OpenSSF Model Signing, and its bundles here: `signing.py`, which makes 20
//! folders and signs each by both sides.
//!
//! The reference is the PyPI package model-signing, installed into a virtual environment on first use. Where that fails the test
//! says so on the terminal and passes, unless `SIGNING=required`. `PYTHON` names another Python.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const PACKAGES: [&str; 2] = ["model-signing==1.1.1", "pyopenssl==26.4.0"];

#[test]
fn bundles_verify_in_both_directions() {
    let python = match environment() {
        Ok(python) => python,
        Err(why) => {
            assert_ne!(env::var("SIGNING").as_deref(), Ok("required"), "{why}");
            // Past the capture of test output, so that nobody thinks it was checked.
            let note = format!("\nNOT CHECKED against model-signing: {why}\n");
            return std::io::stderr().write_all(note.as_bytes()).expect("standard error is open");
        }
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signing.py");
    let output = Command::new(python).arg(script).arg(env!("CARGO_BIN_EXE_cntk2onnx")).output().expect("Python starts");
    assert!(output.status.success(), "{}", text(&output));
}

/// The Python of an environment with the packages, made once.
fn environment() -> Result<PathBuf, String> {
    let venv =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("signing-{}", PACKAGES.join("-").replace("==", "-")));
    let interpreter = |venv: &Path| {
        if cfg!(windows) { venv.join("Scripts").join("python.exe") } else { venv.join("bin").join("python") }
    };
    if !venv.exists() {
        let draft = venv.with_extension(format!("draft-{}", std::process::id()));
        let python = env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let made = must(Command::new(python).args(["-m", "venv"]).arg(&draft)).and_then(|()| {
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
            must(Command::new(interpreter(&draft)).args(pip).args(PACKAGES))
        });
        if let Err(why) = made.and_then(|()| fs::rename(&draft, &venv).map_err(|e| e.to_string())) {
            let _ = fs::remove_dir_all(&draft);
            return Err(why);
        }
    }
    Ok(interpreter(&venv))
}

fn must(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| e.to_string())?;
    if output.status.success() { Ok(()) } else { Err(text(&output)) }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

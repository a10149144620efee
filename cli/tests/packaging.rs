//! The crates as others get them: what is in their packages, what they depend on, and that they fit beside other crates.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const CRATES: [&str; 3] = ["cntk-parser", "cntk2onnx", "cntk2onnx-cli"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").to_owned()
}

/// What cargo prints, in the workspace unless another folder is set.
fn cargo(set: impl FnOnce(&mut Command) -> &mut Command) -> String {
    let mut command = Command::new(env!("CARGO"));
    let run = set(command.current_dir(root())).output().expect("cargo can be run");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("cargo prints UTF-8")
}

#[test]
fn packages_hold_their_texts() {
    for name in CRATES {
        let list = cargo(|c| c.args(["package", "--list", "--allow-dirty", "-p", name]));
        let files: BTreeSet<_> = list.lines().collect();
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "src/lib.rs"] {
            assert!(files.contains(file), "{name} lacks {file}: {list}");
        }
        assert!(!list.contains("corpus"), "{name} is packed with models: {list}");
    }
}

#[test]
fn the_library_brings_little() {
    let tree = cargo(|c| {
        c.args(["tree", "-p", "cntk2onnx", "--no-default-features", "-e", "normal", "--prefix", "none"])
            .args(["--format", "{p}"])
    });
    let crates: BTreeSet<_> = tree.lines().map(|l| l.trim_end_matches(" (*)")).collect();
    assert!(crates.len() < 54, "{}: {crates:?}", crates.len());
    for own in ["clap", "landlock", "seccompiler", "memmap2", "libc", "protobuf", "onnx-protobuf"] {
        assert!(!crates.iter().any(|c| c.split(' ').next() == Some(own)), "the library depends on {own}");
    }
}

/// `onnx-protobuf` would pin `protobuf` 3.4, beside which no other version 3 resolves.
#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn a_crate_that_uses_protobuf_can_use_this_one() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dependent");
    fs::create_dir_all(folder.join("src")).unwrap();
    let library = root().join("converter");
    let manifest = format!(
        "[package]\nname = \"dependent\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         cntk2onnx = {{ path = {library:?} }}\nprotobuf = \"3.7\"\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    let program = "fn main() {\n    let _ = cntk2onnx::Converter::default().to_onnx(b\"\".as_slice());\n    \
                   let _ = protobuf::rt::WireType::LengthDelimited;\n}\n";
    fs::write(folder.join("src/main.rs"), program).unwrap();
    cargo(|c| c.args(["check", "--quiet"]).current_dir(&folder).env("CARGO_TARGET_DIR", folder.join("target")));
}

//! The examples in C and C++, compiled and run under AddressSanitizer, which also looks for leaks.
#![cfg(target_os = "linux")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The static library that cargo built for this test.
fn library() -> PathBuf {
    let exe = env::current_exe().unwrap();
    let folders = exe.ancestors().skip(1).take(2);
    let mut found: Vec<_> = folders
        .flat_map(|f| fs::read_dir(f).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|p| {
            let name = p.file_name().unwrap().to_string_lossy();
            name.starts_with("libcntk2onnx_c") && name.ends_with(".a")
        })
        .collect();
    found.sort_by_key(|p| fs::metadata(p).unwrap().modified().unwrap());
    found.pop().expect("cargo builds the static library beside its tests")
}

fn compile(compiler: &str, source: &str) -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(source.replace('.', "-"));
    let done = Command::new(compiler)
        .args(["-Wall", "-Wextra", "-Werror", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover"])
        .arg("-I")
        .arg(crate_folder.join("include"))
        .arg(crate_folder.join("examples").join(source))
        .arg(library())
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    out
}

fn run(program: &Path, arguments: &[&Path]) -> Output {
    Command::new(program).args(arguments).output().unwrap()
}

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus").join(name)
}

fn hostile() -> Vec<PathBuf> {
    let all = fs::read_dir(corpus("hostile")).unwrap().map(|e| e.unwrap().path());
    let mut models: Vec<_> = all.filter(|p| p.extension().is_some_and(|e| e == "model")).collect();
    models.sort();
    assert!(!models.is_empty());
    models
}

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn the_c_example_converts_and_refuses() {
    let program = compile("cc", "convert.c");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("resnet.onnx");
    let done = run(&program, &[&corpus("zoo/resnet_bottleneck.model"), &out]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(fs::metadata(&out).unwrap().len() > 1000);

    let names = Path::new(env!("CARGO_TARGET_TMPDIR")).join("never.onnx");
    for model in hostile() {
        let done = run(&program, &[&model, &names]);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(matches!(done.status.code(), Some(0 | 1 | 3)), "{}: {said}", model.display());
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn the_cpp_example_names_what_is_wrong() {
    let program = compile("c++", "check.cpp");
    let models = hostile();
    let arguments: Vec<&Path> = models.iter().map(PathBuf::as_path).collect();
    let done = run(&program, &arguments);
    assert_eq!(done.status.code(), Some(1), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(String::from_utf8(done.stdout).unwrap().lines().count(), models.len());
}

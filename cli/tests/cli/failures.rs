//! What goes wrong leaves one line and no file.

use super::tool::{Folder, corpus, missing};
use std::fs;

fn gzip() -> Vec<u8> {
    vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
}

#[test]
fn what_is_no_model_is_named() {
    let folder = Folder::with_model();
    let whole = folder.read("m.model");
    let onnx = folder.run(&["convert", "m.model", "-o", "-"]).done().stdout;
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    let cases: [(&[u8], &str); 8] = [
        (b"", "empty"),
        (&onnx, "ONNX"),
        (lfs, "LFS"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (&gzip(), "gzip"),
        (b"PK\x03\x04aaaaaaaa", "ZIP"),
        (b"B\0C\0K\0P\0\0\0", "checkpoint"),
        (&whole[..whole.len() / 2], "end"),
    ];
    for (bytes, what) in cases {
        folder.write("x.model", bytes);
        for command in ["validate", "inspect", "convert"] {
            let run = folder.run(&[command, "x.model"]);
            assert_eq!(run.code, Some(1), "{command} {what}: {}", run.stderr);
            let errors = run.errors();
            assert_eq!(errors.len(), 1, "{command} {what}: {}", run.stderr);
            assert!(errors[0].starts_with("error: x.model: at 0x"), "{}", errors[0]);
            assert!(errors[0].to_lowercase().contains(&what.to_lowercase()), "{} does not say {what}", errors[0]);
        }
    }
    assert_eq!(folder.names(), ["m.model", "x.model"]);
}

#[test]
fn a_rejected_model_leaves_outputs_alone() {
    let folder = Folder::with_model();
    let whole = folder.read("m.model");
    folder.write("bad.model", &whole[..whole.len() - 7]);
    folder.run(&["convert", "bad.model"]).fails(1, "bad.model: at 0x");
    folder.write("bad.onnx", b"mine");
    folder.run(&["convert", "bad.model", "--force"]).fails(1, "bad.model: at 0x");
    folder.run(&["convert", "bad.model", "--force", "--weights", "external"]).fails(1, "bad.model: at 0x");
    assert_eq!(folder.names(), ["bad.model", "bad.onnx", "m.model"]);
    assert_eq!(folder.read("bad.onnx"), b"mine");
}

#[test]
fn files_that_cannot_be_read_or_written() {
    let folder = Folder::with_model();
    for command in ["validate", "inspect", "convert"] {
        folder.run(&[command, "missing.model"]).fails(2, &format!("missing.model: {}", missing()));
    }
    fs::create_dir(folder.path("folder.model")).unwrap();
    folder.run(&["convert", "folder.model"]).fails(2, "folder.model: is a directory");
    folder.run(&["inspect", "folder.model"]).fails(2, "folder.model: is a directory");
    folder.run(&["convert", "m.model", "-o", "folder.model"]).fails(2, "is a directory");
    folder.run(&["convert", "m.model", "-o", "no/such/m.onnx"]).fails(2, "no/such/m.onnx: ");
    assert_eq!(folder.names(), ["folder.model", "m.model"]);
    if cfg!(target_os = "linux") {
        folder.run(&["convert", "m.model", "-o", "/dev/full"]).fails(2, "/dev/full: ");
        folder.run(&["convert", "m.model", "-o", "/dev/null"]).done();
    }
}

#[test]
fn wrong_usage() {
    let folder = Folder::with_model();
    folder.run(&["convert"]).fails(2, "required");
    let run = folder.run::<&str>(&[]);
    assert!(run.code == Some(2) && run.stderr.contains("Usage"), "{run:?}");
    folder.run(&["convert", "m.model", "--no-such-flag"]).fails(2, "unexpected argument");
    folder.run(&["convert", "m.model", "--expect-sha256", "12"]).fails(2, "64 hexadecimal digits");
    folder.run(&["validate", "m.model", "--max-nesting", "101"]).fails(2, "--max-nesting");
    folder.run(&["validate", "m.model", "-q", "-v"]).fails(2, "cannot be used with");
}

#[test]
fn limits_limit() {
    let folder = Folder::with_model();
    folder.run(&["convert", "m.model", "--max-functions", "3"]).fails(1, "functions");
    folder.run(&["validate", "--max-memory", "1000", "m.model"]).fails(1, "memory");
    assert_eq!(folder.names(), ["m.model"]);
}

#[test]
fn every_hostile_file_ends_cleanly() {
    let folder = Folder::new();
    for entry in fs::read_dir(corpus("hostile")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "model") {
            continue;
        }
        let (path, out) = (path.to_str().unwrap(), folder.path("out.onnx"));
        let run = folder.run(&["convert", "-q", path, "-o", out.to_str().unwrap()]);
        let Some(code @ 0..=3) = run.code else { panic!("{path}: {run:?}") };
        assert_eq!(code == 0, out.exists(), "{path}");
        assert!(run.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{path}: {:?}", run.stderr);
        assert!(run.stderr.lines().all(|l| l.starts_with("error: ")), "{path}: {}", run.stderr);
        assert!(!run.stderr.contains("internal"), "{path}: {}", run.stderr);
        let _ = fs::remove_file(out);
        assert!(folder.names().is_empty(), "{path} left {:?}", folder.names());
    }
}

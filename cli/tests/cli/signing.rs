//! `sign`, `check`, and `--signature` on the commands that read models.

use super::tool::{Folder, Run};
use std::fs;

/// A folder `tree` with three files, and a key pair.
fn signed() -> Folder {
    let folder = Folder::with_model();
    fs::create_dir_all(folder.path("tree/sub")).unwrap();
    fs::create_dir_all(folder.path("tree/.git")).unwrap();
    fs::copy(folder.path("m.model"), folder.path("tree/sub/m.model")).unwrap();
    for name in ["tree/notes é.txt", "tree/empty", "tree/.git/config"] {
        folder.write(name, name.as_bytes());
    }
    folder.write("key.pem", include_bytes!("../../../signing/tests/keys/p256.pem"));
    folder.write("key.pub", include_bytes!("../../../signing/tests/keys/p256.pub.pem"));
    folder.write("other.pub", include_bytes!("../../../signing/tests/keys/p384.pub.pem"));
    folder.run(&["sign", "tree", "--key", "key.pem"]).done();
    folder
}

fn check(folder: &Folder) -> Run {
    folder.run(&["check", "tree", "--signature", "tree.sig", "--public-key", "key.pub", "--format", "json"])
}

#[test]
fn what_changed_since_is_named() {
    let folder = signed();
    let report = check(&folder).done().out();
    assert!(report.contains("\"as_signed\": true") && report.contains("\"files\": 3"), "{report}");
    folder.write("tree/.git/config", b"Git's own files are not signed");
    check(&folder).done();

    folder.write("tree/empty", b"no longer");
    fs::remove_file(folder.path("tree/notes é.txt")).unwrap();
    folder.write("tree/new", b"");
    let run = check(&folder).fails(1, "changed since it was signed: empty");
    assert_eq!(run.errors().len(), 3, "{}", run.stderr);
    let report: serde_json::Value = serde_json::from_str(&run.out()).unwrap();
    assert_eq!(report["changed"][0], "empty");
    assert_eq!(report["removed"][0], "notes é.txt");
    assert_eq!(report["added"][0], "new");
}

#[test]
fn unsigned_files_are_accepted_if_asked() {
    let folder = signed();
    folder.write("tree/new", b"");
    let ask = ["check", "tree", "--signature", "tree.sig", "--public-key", "key.pub", "--ignore-unsigned-files"];
    folder.run(&ask).done();
    folder.run(&ask[..6]).fails(1, "added since it was signed: new");
}

#[test]
fn another_key_is_not_trusted() {
    let folder = signed();
    folder.run(&["check", "tree", "--signature", "tree.sig", "--public-key", "other.pub"]).fails(1, "another key");
    let run = folder.run(&["check", "tree", "--signature", "tree.sig"]).fails(2, "required");
    assert!(run.stderr.contains("--public-key"), "{}", run.stderr);
}

#[test]
fn a_bundle_within_the_folder_does_not_sign_itself() {
    let folder = signed();
    folder.run(&["sign", "tree", "--key", "key.pem", "--signature", "tree/model.sig"]).done();
    folder.run(&["check", "tree", "--signature", "tree/model.sig", "--public-key", "key.pub"]).done();
    folder.run(&["sign", "tree", "--key", "key.pem", "--signature", "tree/model.sig"]).fails(2, "exists already");
}

#[cfg(unix)]
#[test]
fn a_link_is_not_signed() {
    let folder = signed();
    std::os::unix::fs::symlink("../m.model", folder.path("tree/link.model")).unwrap();
    folder.run(&["sign", "tree", "--key", "key.pem", "--force"]).fails(2, "symbolic link");
    check(&folder).fails(2, "symbolic link");
}

#[test]
fn models_are_read_only_if_they_are_as_signed() {
    let folder = signed();
    let trust = ["--signature", "tree.sig", "--public-key", "key.pub"];
    for command in [
        &["validate", "tree/sub/m.model"][..],
        &["convert", "tree/sub/m.model", "--force"],
        &["convert", "tree/sub/m.model", "--to", "safetensors", "--force"],
        &["convert", "tree/sub/m.model", "--to", "pytorch", "-o", "py", "--force"],
    ] {
        folder.run(&[command, &trust].concat()).done();
    }
    // A file of another name is not what was signed, whatever it holds.
    folder.run(&[&["convert", "m.model"], &trust[..]].concat()).fails(1, "has no digest of this file");
    let mut bytes = folder.read("tree/sub/m.model");
    *bytes.last_mut().unwrap() ^= 1;
    folder.write("tree/sub/m.model", &bytes);
    for command in [&["validate", "tree/sub/m.model"][..], &["convert", "tree/sub/m.model", "-o", "new.onnx"]] {
        folder.run(&[command, &trust].concat()).fails(1, "is not the file that was signed");
    }
    assert!(!folder.path("new.onnx").exists());
    folder.run(&["convert", "m.model", "--public-key", "key.pub"]).fails(2, "--signature");
}

#[test]
fn a_single_file_is_signed_by_its_name() {
    let folder = signed();
    folder.run(&["sign", "m.model", "--key", "key.pem"]).done();
    let trust = ["--signature", "m.model.sig", "--public-key", "key.pub"];
    folder.run(&[&["check", "m.model"], &trust[..]].concat()).done();
    folder.run(&[&["convert", "m.model"], &trust[..]].concat()).done();
    let model = folder.read("m.model");
    let piped = [&["convert", "-", "-o", "-"], &trust[..]].concat();
    assert_eq!(folder.run_with_input(&piped, &model).done().stdout, folder.read("m.onnx"));
    folder.run_with_input(&piped, &model[1..]).fails(1, "is not the file that was signed");
}

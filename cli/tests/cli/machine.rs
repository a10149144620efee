//! What machines are told: JSON for every command and end, limits on what is read, scans that go on.

use super::tool::Folder;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// One document, with the entries that all have (`docs/json.md`).
fn document(folder: &Folder, args: &[&str], code: i32) -> Value {
    let run = folder.run(&[args, &["--format", "json"]].concat());
    assert_eq!(run.code, Some(code), "{args:?}: {}", run.stderr);
    let document = json(&run.out());
    let status = ["done", "rejected", "failed", "refused"][code as usize];
    assert_eq!((&document["schema"], &document["status"]), (&1.into(), &status.into()), "{args:?}: {document}");
    assert_eq!((&document["command"], &document["exit_code"]), (&args[0].into(), &code.into()));
    assert_eq!(document["tool"]["name"], "cntk2onnx");
    super::schema::check(&document);
    document
}

#[test]
fn every_command_and_target_has_a_document() {
    let folder = Folder::with_model();
    let done = document(&folder, &["convert", "m.model"], 0);
    assert_eq!(done["inputs"][0]["shape"], json("[\"batch\", 3, 67, 67]"));
    let module = document(&folder, &["convert", "m.model", "--to", "pytorch", "--hash"], 0);
    let sum = module["source_sha256"].as_str().unwrap();
    assert_eq!((module["target"].as_str(), sum.len()), (Some("pytorch"), 64));
    let report = json(&String::from_utf8(folder.read("m_pytorch/report.json")).unwrap());
    assert_eq!(report["source"]["cntk2onnx.source.sha256"], sum);
    assert!(document(&folder, &["convert", "m.model", "--to", "safetensors"], 0)["tensors"].as_u64().unwrap() > 10);
    assert_eq!(document(&folder, &["validate", "m.model"], 0)["files"][0]["verdict"], "valid");
    assert!(document(&folder, &["inspect", "m.model"], 0)["nodes"].is_null());
    assert!(document(&folder, &["ops"], 0)["ops"].as_array().unwrap().len() > 90);
    assert!(document(&folder, &["explain"], 0)["rules"].as_array().unwrap().len() > 90);
    assert_eq!(document(&folder, &["diff", "m.model", "m.model"], 0)["equal"], true);
}

#[test]
fn other_ends_have_documents_too() {
    let folder = Folder::with_model();
    folder.write("bad.model", b"PK\x03\x04aaaaaaaa");
    for args in [&["convert", "bad.model"][..], &["inspect", "bad.model"], &["diff", "m.model", "bad.model"]] {
        let rejected = document(&folder, args, 1);
        assert_eq!(rejected["findings"][0]["rule"], "file.zip", "{rejected}");
    }
    let refused = document(&folder, &["convert", "m.model", "--outputs", "nothing"], 3);
    assert_eq!(refused["reasons"][0]["attribute"], "outputs");
    let failed = document(&folder, &["convert", "missing.model"], 2);
    assert!(failed["error"].as_str().unwrap().starts_with("missing.model: "), "{failed}");
    assert_eq!(folder.names(), ["bad.model", "m.model"]);
}

#[test]
fn sarif_has_what_services_ask_for() {
    let folder = Folder::new();
    folder.write("bad.model", b"<html>");
    let run = folder.run(&["validate", "--format", "sarif", "bad.model"]);
    let sarif = json(&run.out());
    for rule in sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap() {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(!rule[text]["text"].as_str().unwrap().is_empty(), "{rule}");
        }
        assert!(rule["helpUri"].as_str().unwrap().starts_with("https://"));
    }
    let result = &sarif["runs"][0]["results"][0];
    assert!(result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().ends_with(":1"));
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 1);
}

#[test]
fn rules_are_explained() {
    let folder = Folder::new();
    let text = folder.run(&["explain", "wire.truncated"]).done().out();
    assert!(text.contains("the file does not end inside a field") && text.contains("get it again"), "{text}");
    folder.run(&["explain", "no.rule"]).fails(2, "no rule is called");
}

#[test]
fn sizes_are_limited_before_memory_is_taken() {
    let folder = Folder::with_model();
    let length = folder.read("m.model").len().to_string();
    let run = folder.run(&["inspect", "m.model", "--max-size", "1k"]).fails(1, "m.model: at 0x400: the file is over");
    assert!(run.stderr.contains("hint: ") && run.stderr.contains("--max-size"), "{}", run.stderr);
    folder.run(&["validate", "m.model", "--max-size", &length]).done();
    let piped = |limit: &str| folder.run_with_input(&["validate", "-", "--max-size", limit], &folder.read("m.model"));
    piped("1K").fails(1, "over the limit `size`");
    piped(&length).done();
    if cfg!(target_os = "linux") {
        folder.run(&["inspect", "/dev/zero", "--max-size", "1M"]).fails(1, "/dev/zero: at 0x100000");
    }
    let run = folder.run(&["convert", "m.model", "--max-functions", "3"]).fails(1, "functions");
    assert!(run.stderr.contains("--max-functions"), "{}", run.stderr);
    folder.run(&["validate", "m.model", "--max-memory", "1.5G"]).fails(2, "a whole number");
}

#[cfg(unix)]
#[test]
fn a_scan_goes_on() {
    let folder = Folder::with_model();
    std::fs::create_dir_all(folder.path("all")).unwrap();
    folder.write("all/a.model", &folder.read("m.model"));
    folder.write("all/notes.txt", b"");
    std::os::unix::fs::symlink("nowhere", folder.path("all/b.model")).unwrap();
    let run = folder.run(&["validate", "missing.model", "all", "m.model"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    let out = run.out();
    assert!(out.contains("all/a.model: valid") && out.contains("m.model: valid"), "{out}");
    assert!(out.ends_with("3 files: 2 valid, 1 unreadable; 2 others skipped\n"), "{out}");
}

#[test]
fn nodes_and_layers_are_listed() {
    let folder = Folder::with_model();
    let text = folder.run(&["inspect", "m.model", "--nodes", "--tree"]).done().out();
    assert!(text.contains("nodes       ") && text.contains("\ntree\n"), "{text}");
    let report = document(&folder, &["inspect", "m.model", "--nodes"], 0);
    for node in report["nodes"].as_array().unwrap().iter().step_by(7) {
        let uid = node["uid"].as_str().unwrap();
        folder.run(&["convert", "m.model", "--outputs", uid, "-o", "n.onnx", "--force", "-q"]).done();
    }
}

#[test]
fn nodes_of_unknown_shape_say_so() {
    let folder = Folder::new();
    folder.write("udf.model", &std::fs::read(super::tool::corpus("hostile/udf_native.model")).unwrap());
    let args = ["inspect", "udf.model", "--allow-udf", "--nodes"];
    let report = document(&folder, &args, 0);
    assert_eq!(report["nodes"][0]["type"], "Float[unknown]");
    assert_eq!(report["outputs"][0]["shape"], Value::Null);
}

#[test]
fn names_are_checked() {
    let folder = Folder::with_model();
    folder.run(&["convert", "m.model", "--outputs", "featuers"]).fails(3, "did you mean `features`?");
    folder.run(&["convert", "m.model", "--outputs", "all,features", "-o", "a.onnx"]).done();
    for (flag, target) in [("--opset=13", "pytorch"), ("--stub", "onnx"), ("--outputs=all", "safetensors")] {
        let run = folder.run(&["convert", "m.model", "--to", target, flag]);
        run.fails(2, " is for --to ");
    }
    folder.run(&["convert", "m.model", "-o", "-", "--format", "json"]).fails(2, "cannot both go");
    assert_eq!(folder.names(), ["a.onnx", "m.model"]);
}

#[test]
fn more_is_said_when_asked() {
    let folder = Folder::with_model();
    let once = folder.run(&["convert", "m.model", "-v"]).done();
    let twice = folder.run(&["convert", "m.model", "--force", "-vv"]).done();
    assert!(!once.stderr.contains(" ms  ") && twice.stderr.contains(" ms  parsed: "), "{}", twice.stderr);
    let man = folder.run(&["man"]).done().out();
    assert!(man.contains("Limit on protobuf messages"), "the manual has no texts for the limits");
}

//! `validate`, `inspect` and the rest: what is reported where.

use super::tool::{Folder, corpus};
use serde_json::Value;
use std::{fs, path::PathBuf, process::Stdio};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// A model with a user-defined function.
fn udf() -> Vec<u8> {
    fs::read(corpus("hostile/udf_native.model")).unwrap()
}

#[test]
fn models_over_the_budget_are_refused() {
    let folder = Folder::with_model();
    let cost = folder.run(&["inspect", "m.model", "--format", "json"]).done().out();
    let cost = serde_json::from_str::<Value>(&cost).unwrap()["cost"].clone();
    let work = cost["multiply_adds"]["per_sample"].as_u64().unwrap();
    let just = format!("--max-work-per-sample={work}");
    let less = format!("--max-work-per-sample={}", work - 1);
    folder.run(&["convert", "m.model", "--force", &just]).done();
    folder.run(&["convert", "m.model", "--force", &less]).fails(1, "multiply-adds, over the budget");
    folder.run(&["validate", "m.model", &less]).fails(1, "multiply-adds, over the budget");
    folder.run(&["validate", "m.model", "--max-activation=1000"]).fails(1, "bytes of values, over the budget of 1000");
}

#[test]
fn one_line_for_each_file_and_the_worst_code() {
    let folder = Folder::with_model();
    fs::create_dir_all(folder.path("models/deep")).unwrap();
    folder.write("models/good.model", &folder.read("m.model"));
    folder.write("models/deep/bad.dnn", b"<html>");
    folder.write("models/notes.txt", b"not looked at");
    let run = folder.run(&["validate", "m.model"]).done();
    assert_eq!(run.out(), "m.model: valid\n");
    let [good, bad] = [&["good.model"][..], &["deep", "bad.dnn"]].map(|parts| {
        let path: PathBuf = ["models"].iter().chain(parts).collect();
        path.display().to_string()
    });
    let run = folder.run(&["validate", "models", "m.model"]).fails(1, &format!("{bad}: at 0x0"));
    assert_eq!(
        run.out(),
        format!(
            "{good}: valid\n{bad}: not a CNTK model (html), 1 error\nm.model: valid\n\
             3 files: 2 valid, 1 not-cntk; 1 others skipped\n"
        )
    );
    let run = folder.run(&["validate", "models", "missing.model"]);
    assert_eq!(run.code, Some(2));
    let missing = super::tool::missing();
    assert!(run.out().contains(&format!("missing.model: unreadable: {missing}\n")), "{}", run.out());
    let run = folder.run(&["validate", "-q", "models"]).fails(1, "bad.dnn");
    assert!(run.stdout.is_empty());
    fs::create_dir(folder.path("empty")).unwrap();
    folder.run(&["validate", "empty"]).fails(2, "no *.model");
}

#[test]
fn reports_for_machines() {
    let folder = Folder::with_model();
    folder.write("bad \u{e9}.model", b"<html>");
    let model = folder.read("m.model");
    folder.write("cut.model", &model[..model.len() / 2]);
    let inputs = ["m.model", "bad \u{e9}.model", "cut.model", "missing.model"];
    let run = folder.run(&[&["validate", "--format", "json"], &inputs[..]].concat()).fails(2, "at 0x0");
    let files = json(&run.out())["files"].clone();
    let told: Vec<_> = (0..inputs.len()).map(|i| (&files[i]["verdict"], &files[i]["kind"])).collect();
    let text = |text: &str| Value::from(text);
    assert_eq!(
        told,
        [
            (&text("valid"), &text("cntk-v2")),
            (&text("not-cntk"), &text("html")),
            (&text("invalid"), &text("cntk-v2")),
            (&text("unreadable"), &Value::Null),
        ]
    );
    assert_eq!(files[1]["findings"][0]["offset"], 0);

    let run = folder.run(&["validate", "--format", "sarif", "m.model", "bad \u{e9}.model"]).fails(1, "at 0x0");
    let sarif = json(&run.out());
    assert_eq!(sarif["version"], "2.1.0");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "bad%20%C3%A9.model");
    assert_eq!(place["region"]["byteOffset"], 0);
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]));
}

#[test]
fn code_in_a_model_is_refused_unless_allowed() {
    let folder = Folder::new();
    folder.write("udf.model", &udf());
    folder.run(&["validate", "udf.model"]).fails(1, "user-defined");
    folder.run(&["convert", "udf.model"]).fails(1, "user-defined");
    let run = folder.run(&["validate", "--allow-udf", "udf.model"]);
    assert!(!run.errors().iter().any(|e| e.contains("user-defined")), "{}", run.stderr);
    assert_eq!(folder.names(), ["udf.model"]);
}

#[test]
fn limits_are_printed() {
    let folder = Folder::new();
    let run = folder.run(&["validate", "--limits"]).done();
    assert!(run.out().contains("--max-nesting"), "{}", run.out());
    let run = folder.run(&["validate", "--limits", "--max-functions", "77", "--format", "json"]).done();
    assert_eq!(json(&run.out())["limits"]["functions"], 77);
}

#[test]
fn inspect_shows_what_is_there() {
    let folder = Folder::with_model();
    let run = folder.run(&["inspect", "m.model"]).done();
    let text = run.out();
    assert!(text.contains("input       features (Input3) Float[batch, 3, 67, 67]"), "{text}");
    assert!(text.contains("Convolution 6"), "{text}");
    let report = json(&folder.run(&["inspect", "--format", "json", "m.model"]).done().out());
    assert_eq!(report["inputs"][0]["shape"], json("[3, 67, 67]"));
    assert_eq!(report["inputs"][0]["dynamic_axes"], json("[\"batch\"]"));
    let elements: u64 = report["parameters"].as_array().unwrap().iter().map(|p| p["elements"].as_u64().unwrap()).sum();
    assert_eq!(elements, 17306);
    assert!(report["cost"]["multiply_adds"]["per_sample"].as_u64().unwrap() > 1_000_000);
}

#[test]
fn tables_and_manuals() {
    let folder = Folder::new();
    assert!(folder.run(&["ops"]).done().out().lines().any(|l| l.contains("Convolution")));
    let ops = json(&folder.run(&["ops", "--format", "json"]).done().out());
    assert!(ops["ops"].as_array().unwrap().len() > 90);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(folder.run(&["completions", shell]).done().out().contains("convert"), "{shell}");
    }
    let man = folder.run(&["man"]).done().out();
    assert!(man.contains(".TH cntk2onnx") && man.contains("expect"), "{man}");
    assert!(folder.run(&["--help"]).done().out().contains("Exit codes"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = Folder::new();
    let mut command = folder.command(&["ops", "--format", "json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), &b""[..]));
}

#[test]
fn colour_only_where_it_is_wanted() {
    let folder = Folder::new();
    let plain = folder.run(&["validate", "missing.model"]);
    assert!(plain.stderr.starts_with("error: "), "{}", plain.stderr);
    let coloured = folder.run(&["validate", "missing.model", "--color", "always"]);
    assert!(coloured.stderr.starts_with("\u{1b}[1;31merror: "), "{}", coloured.stderr);
    let asked = folder.command(&["validate", "missing.model", "--color=auto"]).env("NO_COLOR", "1").output().unwrap();
    assert!(asked.stderr.starts_with(b"error: "));
}

#[cfg(target_os = "linux")]
#[test]
fn the_sandbox_is_stated() {
    let folder = Folder::with_model();
    let run = folder.run(&["validate", "-v", "m.model"]).done();
    assert!(run.stderr.contains("sandbox: landlock"), "{}", run.stderr);
    let run = folder.run(&["validate", "-v", "m.model", "--no-sandbox"]).done();
    assert!(run.stderr.contains("sandbox: off"), "{}", run.stderr);
}

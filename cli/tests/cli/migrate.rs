//! `migrate`: a tree in one go, with a record.

use super::tool::{Folder, corpus};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

/// A tree with models of several kinds, copies, damaged ones, other files, links, and names that are not plain.
fn tree() -> Folder {
    let folder = Folder::new();
    for sub in ["tree/a b", "tree/日本/deep"] {
        fs::create_dir_all(folder.path(sub)).unwrap();
    }
    for (from, to) in [
        ("zoo/alexnet_small.model", "tree/net.model"),
        ("zoo/alexnet_small.model", "tree/net.dnn"),
        ("zoo/alexnet_small.model", "tree/a b/no suffix"),
        ("zoo/actor_critic_lstm.model", "tree/日本/deep/lstm.cmf"),
        ("zoo/checkpoint_adam.model.ckp", "tree/trainer.ckp"),
        ("hostile/container_tail_none.model", "tree/a b/broken.model"),
    ] {
        fs::copy(corpus(from), folder.path(to)).unwrap();
    }
    folder.write("tree/readme.txt", b"nothing of CNTK's");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("..", folder.path("tree/a b/loop")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path("tree/gone.model")).unwrap();
        std::os::unix::fs::symlink("net.model", folder.path("tree/link.model")).unwrap();
    }
    folder
}

fn manifest(folder: &Folder) -> Value {
    serde_json::from_slice(&folder.read("out/manifest.json")).unwrap()
}

/// What became of each file.
fn outcomes(manifest: &Value) -> BTreeMap<String, String> {
    let files = manifest["predicate"]["files"].as_array().unwrap();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    files.iter().map(|f| (text(&f["path"]), text(&f["outcome"]))).collect()
}

/// Every file below a folder but the record itself, with its bytes.
fn contents(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut all, mut waiting) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                waiting.push(path);
            } else if ![".cntk2onnx.jsonl", "manifest.json"].contains(&&*name) {
                all.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    all
}

#[cfg(unix)]
#[test]
fn every_file_is_accounted_for() {
    let folder = tree();
    let run = folder.run(&["migrate", "tree", "-o", "out"]);
    assert_eq!(run.code, Some(2), "the worst is a broken link: {}", run.stderr);
    let manifest = manifest(&folder);
    let expected = [
        ("a b/broken.model", "invalid"),
        ("a b/loop", "skipped"),
        ("a b/no suffix", "converted"),
        ("gone.model", "unreadable"),
        ("link.model", "converted"),
        ("net.dnn", "converted"),
        ("net.model", "converted"),
        ("readme.txt", "skipped"),
        ("trainer.ckp", "skipped"),
        ("日本/deep/lstm.cmf", "converted"),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(a, b)| (a.to_owned(), b.to_owned())).into();
    assert_eq!(outcomes(&manifest), expected);
    let subjects: Vec<_> =
        manifest["subject"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    let models: Vec<_> = subjects.iter().filter(|s| s.ends_with(".onnx")).copied().collect();
    assert_eq!(models, ["a b/no suffix.onnx", "link.onnx", "net.dnn.onnx", "net.model.onnx", "日本/deep/lstm.onnx"]);
    // The damaged one has a report, too.
    assert_eq!(subjects.len(), models.len() * 2 + 1, "{subjects:?}");
    let report = String::from_utf8(folder.read("out/a b/broken.report.html")).unwrap();
    assert!(report.contains("id=\"verdict\"") && report.contains("container.tail-short"), "{report}");
    let of =
        |name: &str| manifest["predicate"]["files"].as_array().unwrap().iter().find(|f| f["path"] == name).unwrap();
    assert_eq!(of("trainer.ckp")["kind"], "checkpoint");
    assert_eq!(of("readme.txt")["kind"], "text");
    assert_eq!((&of("net.dnn")["kind"], &of("net.dnn")["verdict"]), (&"cntk-v2".into(), &"valid".into()));
    assert_eq!(of("a b/broken.model")["verdict"], "invalid");
    let page = String::from_utf8(folder.read("out/index.html")).unwrap();
    assert!(
        page.contains("href=\"./net.model.report.html\">report<")
            && page.contains("net.model.onnx")
            && page.contains("5 converted"),
        "{page}"
    );
}

#[test]
fn outputs_are_those_of_single_conversions() {
    let folder = tree();
    let run = folder.run(&["migrate", "tree", "-o", "out", "--to", "onnx,pytorch,safetensors", "--", "--opset", "13"]);
    assert!(outcomes(&manifest(&folder)).values().any(|o| o == "converted"), "{}", run.stderr);
    folder.run(&["convert", "tree/net.model", "-o", "one.onnx", "--opset", "13"]).done();
    folder.run(&["convert", "tree/net.model", "-o", "one", "--to", "pytorch"]).done();
    folder.run(&["convert", "tree/net.model", "-o", "one.safetensors", "--to", "safetensors"]).done();
    assert_eq!(folder.read("out/net.model.onnx"), folder.read("one.onnx"));
    assert_eq!(folder.read("out/net.model.safetensors"), folder.read("one.safetensors"));
    assert_eq!(contents(&folder.path("out/net.model_pytorch")), contents(&folder.path("one")));
}

/// What several files in one process become is what each becomes in its own.
#[test]
fn small_files_share_a_process() {
    let folder = Folder::new();
    fs::create_dir(folder.path("tree")).unwrap();
    let models = ["zoo/alexnet_small.model", "zoo/actor_critic_lstm.model", "hostile/container_tail_none.model"];
    for (i, model) in models.iter().cycle().take(24).enumerate() {
        fs::copy(corpus(model), folder.path(&format!("tree/{i}.model"))).unwrap();
    }
    for (out, isolate) in [("out", None), ("apart", Some("--isolate"))] {
        let migrate = ["migrate", "tree", "-o", out, "--jobs", "1", "--to", "onnx,pytorch,safetensors"];
        let run = folder.run(&[&migrate, isolate.as_slice()].concat());
        assert_eq!(run.code, Some(1), "{}", run.stderr);
    }
    let all = outcomes(&manifest(&folder));
    let count = |outcome| all.values().filter(|o| *o == outcome).count();
    assert_eq!((count("converted"), count("invalid")), (16, 8), "{all:?}");
    assert_eq!(contents(&folder.path("out")), contents(&folder.path("apart")));
}

/// The outputs and the findings are the same without reports, and those of an earlier run are removed.
#[test]
fn reports_can_be_left_out() {
    let folder = tree();
    let migrate = |more: &[&str]| folder.run(&[&["migrate", "tree", "-o", "out"], more].concat());
    migrate(&[]);
    let mut all = contents(&folder.path("out"));
    let reports: Vec<_> = all.keys().filter(|name| name.ends_with(".report.html")).cloned().collect();
    assert!(reports.len() > 3, "{reports:?}");
    let findings = |folder: &Folder| {
        let files = manifest(folder)["predicate"]["files"].as_array().unwrap().clone();
        files.iter().map(|file| file["findings"].clone()).collect::<Vec<_>>()
    };
    let before = findings(&folder);
    let run = migrate(&["--no-reports"]);
    assert!(!run.stderr.contains("report.html"), "{}", run.stderr);
    let mut without = contents(&folder.path("out"));
    reports.iter().for_each(|name| assert!(all.remove(name).is_some()));
    let page = without.remove("index.html").unwrap();
    all.remove("index.html");
    assert_eq!(without, all);
    assert_eq!(findings(&folder), before);
    assert!(!String::from_utf8(page).unwrap().contains(".report.html"));
}

#[test]
fn evidence_is_counted() {
    let folder = tree();
    let run = folder.run(&["migrate", "tree", "-o", "out", "--to", "onnx,pytorch", "--", "--test-data"]);
    let manifest = manifest(&folder);
    let files = manifest["predicate"]["files"].as_array().unwrap();
    let net = files.iter().find(|f| f["path"] == "net.model").unwrap();
    assert_eq!(net["evidence"], serde_json::json!({ "onnx": 1, "pytorch": 1 }), "{}", run.stderr);
    for name in ["model.onnx", "test_data_set_0/input_0.pb", "test_data_set_0/output_0.pb"] {
        let path = format!("net.model_onnx/{name}");
        assert!(folder.path(&format!("out/{path}")).exists(), "{path}");
        assert!(net["files"].as_array().unwrap().iter().any(|f| f["path"] == *path), "{net}");
    }
}

/// One file that takes too long does not hold up the others, and is tried again by the next run.
#[test]
fn a_time_limit_stops_one_file() {
    let folder = tree();
    let run = folder.run(&["migrate", "tree", "-o", "out", "--timeout", "0.000001"]);
    assert!(run.code.is_some_and(|code| code > 0), "{}", run.stderr);
    let all = outcomes(&manifest(&folder));
    assert_eq!((&*all["net.model"], &*all["readme.txt"]), ("timeout", "skipped"), "{all:?}");
    assert!(!folder.path("out/net.model.onnx").exists());
    folder.run(&["migrate", "tree", "-o", "out"]);
    assert_eq!(outcomes(&manifest(&folder))["net.model"], "converted");
    folder.run(&["migrate", "tree", "-o", "out", "--timeout", "0"]).fails(2, "above 0");
}

/// After an interrupt the files at work are finished, and the next run does the rest.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_cleanly() {
    use std::io::{BufRead, BufReader};
    let folder = Folder::new();
    fs::create_dir(folder.path("tree")).unwrap();
    // More than are converted before the interrupt arrives; a debug build takes several times as long for each.
    let files = if cfg!(debug_assertions) { 50 } else { 200 };
    for i in 0..files {
        fs::copy(corpus("zoo/alexnet_small.model"), folder.path(&format!("tree/{i}.model"))).unwrap();
    }
    let migrate = ["migrate", "tree", "-o", "out", "--jobs", "1", "-v"];
    let mut child = folder.command(&migrate).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.by_ref().any(|line| line.ends_with(": converted")));
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let rest: Vec<_> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("interrupted; the same command goes on")), "{rest:?}");
    let first = outcomes(&manifest(&folder));
    assert!(!first.is_empty() && first.len() < files && first.values().all(|o| o == "converted"), "{first:?}");
    folder.run(&["migrate", "tree", "-o", "out"]).done();
    assert_eq!(outcomes(&manifest(&folder)).len(), files);
}

#[test]
fn what_is_done_is_not_done_again() {
    let folder = tree();
    let migrate = |more: &[&str]| folder.run(&[&["migrate", "tree", "-o", "out", "-v"], more].concat());
    migrate(&[]);
    let before = contents(&folder.path("out"));
    let lines = |text: &str, what: &str| text.lines().filter(|l| l.ends_with(what)).count();
    let converted = outcomes(&manifest(&folder)).values().filter(|o| *o == "converted").count();
    assert_eq!(lines(&migrate(&[]).stderr, ": done before"), converted + 2, "what is no model stays none");

    // One file changes, one output is damaged, one is gone: these three are done again.
    fs::copy(corpus("zoo/vgg_small.model"), folder.path("tree/net.dnn")).unwrap();
    folder.write("out/net.model.onnx", b"damaged");
    fs::remove_file(folder.path("out/a b/no suffix.onnx")).unwrap();
    let run = migrate(&[]);
    assert_eq!(lines(&run.stderr, ": converted"), 3, "{}", run.stderr);
    fs::copy(corpus("zoo/alexnet_small.model"), folder.path("tree/net.dnn")).unwrap();
    migrate(&[]);
    assert_eq!(contents(&folder.path("out")), before);
    assert_eq!(lines(&migrate(&["--force"]).stderr, ": converted"), converted);
    assert_eq!(lines(&migrate(&["--", "--opset", "13"]).stderr, ": converted"), converted);
}

/// Whenever a run is killed, the next one goes on, and the end is the same.
#[test]
fn a_run_that_was_killed_goes_on() {
    let folder = tree();
    folder.run(&["migrate", "tree", "-o", "whole"]);
    let whole = contents(&folder.path("whole"));
    for after in [5, 20, 40, 80, 160] {
        let mut child = folder.command(&["migrate", "tree", "-o", "out"]).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(after));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // What such a moment can leave: a line cut short, and a file without a name.
    if let Ok(mut journal) = fs::OpenOptions::new().append(true).open(folder.path("out/.cntk2onnx.jsonl")) {
        std::io::Write::write_all(&mut journal, b"{\"path\": \"net.mo").unwrap();
        folder.write("out/.net.onnx.1-0.tmp", b"left");
    }
    let start = Instant::now();
    loop {
        let run = folder.run(&["migrate", "tree", "-o", "out"]);
        // A worker of the run before may live a moment longer and hold the journal.
        if !run.stderr.contains("another migration") {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{}", run.stderr);
    }
    assert_eq!(contents(&folder.path("out")), whole);
}

#[test]
fn a_worker_out_of_memory_stops_nothing_else() {
    let folder = tree();
    for limit in [["--max-memory", "1K"], ["--memory", "0"]] {
        let run = folder.run(&[&["migrate", "tree", "-o", "out", "--no-sandbox"][..], &limit].concat());
        assert!(run.code.is_some_and(|c| c > 0), "{}", run.stderr);
        let outcomes = outcomes(&manifest(&folder));
        assert!(outcomes.values().any(|o| o == "skipped") && outcomes.len() >= 7, "{outcomes:?}");
        if cfg!(target_os = "linux") {
            assert!(outcomes["net.model"] == "memory" || outcomes["net.model"] == "crashed", "{outcomes:?}");
        }
    }
}

/// The reader's share of `--max-memory`, on every system. With a higher limit only that file is converted.
#[test]
fn a_file_over_the_limit_of_memory_is_tried_again_with_a_higher_one() {
    let folder = Folder::with_model();
    fs::create_dir(folder.path("tree")).unwrap();
    fs::copy(folder.path("m.model"), folder.path("tree/m.model")).unwrap();
    folder.write("tree/readme.txt", b"nothing of CNTK's");
    let migrate = |limit: &str| {
        let run = folder.run(&["migrate", "tree", "-o", "out", "-v", "--max-memory", limit]);
        (run.code, outcomes(&manifest(&folder))["m.model"].clone(), run.stderr)
    };
    let (code, outcome, stderr) = migrate("100");
    assert!(code == Some(1) && ["memory", "crashed"].contains(&&*outcome), "{outcome} {stderr}");
    assert!(!folder.path("out/m.report.html").exists());
    let (code, outcome, stderr) = migrate("4G");
    assert_eq!((code, &*outcome), (Some(0), "converted"), "{stderr}");
    let (.., stderr) = migrate("5G");
    assert!(stderr.contains("m.model: done before"), "{stderr}");
}

#[test]
fn a_folder_of_others_is_left_alone() {
    let folder = tree();
    fs::create_dir(folder.path("out")).unwrap();
    folder.write("out/mine", b"");
    folder.run(&["migrate", "tree", "-o", "out"]).fails(2, "holds files that are not of a migration");
    folder.run(&["migrate", "tree/net.model", "-o", "new"]).fails(2, "is not a folder");
    folder.run(&["migrate", "tree", "-o", "new", "--", "--opset", "99"]).fails(2, "options of convert");
    let run = folder.run(&["migrate", "tree", "-o", "new", "--dry-run"]).done();
    assert!(run.out().contains("net.model: would become net.model.onnx"), "{}", run.out());
    assert!(!folder.path("new").exists());
}

#[test]
fn a_signed_tree_is_migrated_as_signed() {
    let folder = Folder::with_model();
    fs::create_dir(folder.path("tree")).unwrap();
    for name in ["tree/a.model", "tree/b.model"] {
        folder.write(name, &folder.read("m.model"));
    }
    folder.write("key.pem", include_bytes!("../../../signing/tests/keys/p256.pem"));
    folder.write("key.pub", include_bytes!("../../../signing/tests/keys/p256.pub.pem"));
    folder.run(&["sign", "tree", "--key", "key.pem"]).done();
    folder.write("tree/c.model", &folder.read("m.model"));
    folder.write("tree/b.model", &fs::read(corpus("zoo/vgg_small.model")).unwrap());
    let run = folder.run(&["migrate", "tree", "-o", "out", "--signature", "tree.sig", "--public-key", "key.pub"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let outcomes = outcomes(&manifest(&folder));
    assert_eq!(outcomes.values().collect::<Vec<_>>(), ["converted", "unsigned", "unsigned"]);
    assert!(folder.path("out/a.onnx").exists() && !folder.path("out/b.onnx").exists());
}

/// The schema names every key that a record can have, and what it requires is there.
#[test]
fn the_manifest_follows_its_schema() {
    let folder = tree();
    folder.run(&["migrate", "tree", "-o", "out"]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/manifest.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    super::schema::follows(&manifest(&folder), &schema, &schema, "manifest");
}

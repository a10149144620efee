//! Files that training leaves beside a model of CNTK 1.

use super::tool::{Folder, corpus};
use serde_json::Value;
use std::fs;

const MODEL: &str = "v1/asr_mlp_mean_std.model";

/// `net.dnn`, what training left beside it, and the remains of a training whose model is lost.
fn training() -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.path("run")).unwrap();
    let model = fs::read(corpus(MODEL)).unwrap();
    for name in ["net.dnn", "net.dnn.0", "net.dnn.7", "lost.2"] {
        folder.write(&format!("run/{name}"), &model);
    }
    for name in ["net.dnn.ckp", "net.dnn.6.ckp", "lost.2.ckp", "lost.ckp"] {
        folder.write(&format!("run/{name}"), b"B\0C\0K\0P\0\0\0");
    }
    folder
}

#[test]
fn models_between_epochs_convert_with_a_hint() {
    let folder = training();
    let finished = std::path::Path::new("run").join("net.dnn").display().to_string();
    let after = format!(
        "hint: by its name, this is the model after epoch 7 of training; the finished one is {finished}, which lies beside it\n"
    );
    for command in ["validate", "inspect", "convert"] {
        let run = folder.run(&[command, "run/net.dnn.7"]).done();
        assert!(run.stderr.contains(&after), "{command}: {}", run.stderr);
        let plain = folder.run(&[command, "run/net.dnn"]).done();
        assert!(!plain.stderr.contains("hint"), "{command}: {}", plain.stderr);
    }
    assert_eq!(folder.read("run/net.dnn.7.onnx").len(), folder.read("run/net.onnx").len());
    folder.run(&["convert", "run/net.dnn.7", "--to", "pytorch"]).done();
    folder.run(&["convert", "run/net.dnn.7", "--to", "safetensors"]).done();
    assert!(
        folder.path("run/net_dnn_7_pytorch/model.py").exists() && folder.path("run/net.dnn.7.safetensors").exists()
    );
    let run = folder.run(&["validate", "run/net.dnn.0", "run/lost.2", "run/net.dnn", "--format", "json"]).done();
    let report: Value = serde_json::from_str(&run.out()).unwrap();
    let hint = |n: usize| report["files"][n]["hint"].as_str();
    assert!(hint(0).unwrap().contains("before the first epoch"), "{report}");
    assert!(hint(1).unwrap().ends_with("lost, which does not lie beside it"), "{report}");
    assert_eq!(hint(2), None);
}

#[test]
fn checkpoints_name_the_model_to_use() {
    let folder = training();
    for (name, model) in [
        ("net.dnn.ckp", "net.dnn, which lies beside it"),
        ("net.dnn.6.ckp", "net.dnn, which lies beside it"),
        ("lost.2.ckp", "lost.2, which lies beside it"),
        ("lost.ckp", "lost, which does not lie beside it"),
    ] {
        let path = std::path::Path::new("run").join(name);
        let hint = format!("hint: the model is in {}", path.with_file_name(model).display());
        for command in ["validate", "inspect", "convert"] {
            let run = folder.run(&[command, &format!("run/{name}")]).fails(1, "trainer checkpoint");
            assert!(run.stderr.contains(&hint), "{command}: {}", run.stderr);
        }
    }
}

#[test]
fn migrate_says_what_training_left() {
    let folder = training();
    folder.run(&["migrate", "run", "-o", "out"]).done();
    let manifest: Value = serde_json::from_slice(&folder.read("out/manifest.json")).unwrap();
    let files = manifest["predicate"]["files"].as_array().unwrap();
    let of = |name: &str| files.iter().find(|f| f["path"] == name).unwrap();
    let message = |name: &str| of(name)["messages"][0].as_str().unwrap_or_default().to_owned();
    assert!(message("net.dnn.7").contains("after epoch 7"), "{}", of("net.dnn.7"));
    assert!(message("net.dnn.ckp").contains("the model is in"), "{}", of("net.dnn.ckp"));
    assert_eq!(message("net.dnn"), "");
    assert_eq!(
        (&of("net.dnn.6.ckp")["kind"], &of("net.dnn.6.ckp")["outcome"]),
        (&"checkpoint".into(), &"skipped".into())
    );
    for name in ["net", "net.dnn.0", "net.dnn.7", "lost.2"] {
        assert!(folder.path(&format!("out/{name}.onnx")).exists(), "{name}");
    }
}

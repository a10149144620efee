//! `convert --to pytorch` and `--to safetensors`: what is written, and what is said. The modules themselves are run by
//! `tests/pytorch.rs`.

use super::tool::{Folder, corpus};
use std::fs;

/// A file of every kind of layer that holds weights in another order.
const MODELS: [&str; 3] = ["gru_tagger", "resnet_bottleneck", "ornn_lstm_bidirectional"];
const FILES: [&str; 6] =
    ["__init__.py", "model.py", "model.safetensors", "reference.safetensors", "report.json", "test_model.py"];

#[test]
fn the_same_input_gives_the_same_bytes() {
    for model in MODELS {
        let folder = Folder::new();
        folder.write("m.model", &fs::read(corpus(&format!("zoo/{model}.model"))).unwrap());
        folder.run(&["convert", "m.model", "--to", "pytorch", "-o", "a"]).done();
        folder.run(&["convert", "m.model", "--to", "pytorch", "-o", "b", "--no-sandbox", "-v"]).done();
        for file in FILES {
            assert_eq!(folder.read(&format!("a/{file}")), folder.read(&format!("b/{file}")), "{model}: {file}");
        }
        folder.run(&["convert", "m.model", "--to", "safetensors", "-o", "a.safetensors"]).done();
        folder.run(&["convert", "m.model", "--to", "safetensors"]).done();
        assert_eq!(folder.read("a.safetensors"), folder.read("m.safetensors"), "{model}");
    }
}

#[test]
fn a_directory_appears_whole_or_not_at_all() {
    let folder = Folder::with_model();
    let run = folder.run(&["convert", "m.model", "--to", "pytorch"]).done();
    assert!(run.stderr.contains("wrote m_pytorch"), "{}", run.stderr);
    assert_eq!(folder.names(), ["m.model", "m_pytorch"]);
    let run = folder.run(&["convert", "m.model", "--to", "pytorch"]).fails(2, "m_pytorch: exists already");
    assert!(run.stderr.contains("hint: --force"), "{}", run.stderr);
    fs::create_dir(folder.path("m_pytorch/__pycache__")).unwrap();
    folder.write("m_pytorch/__pycache__/model.pyc", b"");
    folder.run(&["convert", "m.model", "--to", "pytorch", "--force"]).done();
    folder
        .run(&["convert", "m.model", "--to", "pytorch", "-o", "other", "--outputs", "none such"])
        .fails(3, "none such");
    folder.run(&["convert", "m.model", "--to", "pytorch", "-o", "-"]).fails(2, "standard output");
    folder.run(&["convert", "m.model", "--to", "pytorch", "--opset", "13", "-o", "other"]).fails(2, "--to onnx");
    folder.write("bad.model", &folder.read("m.model")[..1000]);
    folder.run(&["convert", "bad.model", "--to", "pytorch", "-o", "other"]).fails(1, "bad.model: at 0x");
    assert_eq!(folder.names(), ["bad.model", "m.model", "m_pytorch"]);
}

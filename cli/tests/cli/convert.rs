//! `convert`: what is written, and what is said.

use super::tool::Folder;
use onnx_protobuf::{Message, ModelProto};

#[test]
fn a_model_gets_an_onnx_file_beside_it() {
    let folder = Folder::with_model();
    let run = folder.run(&["convert", "m.model"]).done();
    assert_eq!(folder.names(), ["m.model", "m.onnx"]);
    assert!(run.stdout.is_empty());
    assert!(run.stderr.contains("input  features float[batch, 3, 67, 67]"), "{}", run.stderr);
    assert!(run.stderr.contains("wrote m.onnx"), "{}", run.stderr);
    let model = ModelProto::parse_from_bytes(&folder.read("m.onnx")).unwrap();
    assert_eq!(model.graph.input[0].name, "features");
    let keys: Vec<_> = model.metadata_props.iter().map(|p| &*p.key).collect();
    assert!(keys.contains(&"cntk2onnx.source.size") && keys.contains(&"cntk2onnx.source.structure_sha256"), "{keys:?}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = Folder::with_model();
    folder.run(&["convert", "m.model", "-o", "a.onnx"]).done();
    folder.run(&["convert", "m.model", "-o", "b.onnx", "--no-sandbox", "-v"]).done();
    let piped = folder.run_with_input(&["convert", "-", "-o", "-"], &folder.read("m.model")).done();
    let a = folder.read("a.onnx");
    assert_eq!(a, folder.read("b.onnx"));
    assert_eq!(a, piped.stdout);
    let implied = folder.run_with_input(&["convert", "-"], &folder.read("m.model")).done();
    assert_eq!(a, implied.stdout);
}

#[test]
fn an_existing_file_is_not_overwritten_unless_asked() {
    let folder = Folder::with_model();
    folder.write("m.onnx", b"mine");
    let run = folder.run(&["convert", "m.model"]).fails(2, "m.onnx: exists already");
    assert!(run.stderr.contains("hint: --force"), "{}", run.stderr);
    assert_eq!(folder.read("m.onnx"), b"mine");
    folder.run(&["convert", "m.model", "--force"]).done();
    assert_ne!(folder.read("m.onnx"), b"mine");
    assert_eq!(folder.names(), ["m.model", "m.onnx"]);
}

#[test]
fn the_model_itself_is_never_overwritten() {
    let folder = Folder::with_model();
    let before = folder.read("m.model");
    folder.run(&["convert", "m.model", "-o", "m.model", "--force"]).fails(2, "is the model itself");
    folder.run(&["convert", "m.model", "-o", "./../x/../m.model", "--force"]).fails(2, "");
    assert_eq!(folder.read("m.model"), before);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let folder = Folder::with_model();
    std::fs::create_dir(folder.path("sub")).unwrap();
    folder.write("sub/real.onnx", b"old");
    std::os::unix::fs::symlink("sub/real.onnx", folder.path("link.onnx")).unwrap();
    folder.run(&["convert", "m.model", "-o", "link.onnx", "--force"]).done();
    assert!(folder.path("link.onnx").is_symlink());
    assert_ne!(folder.read("sub/real.onnx"), b"old");
}

#[test]
fn quiet_is_quiet_and_json_is_json() {
    let folder = Folder::with_model();
    let run = folder.run(&["convert", "-q", "m.model"]).done();
    assert!(run.stdout.is_empty() && run.stderr.is_empty(), "{run:?}");
    let run = folder.run(&["convert", "m.model", "--force", "--format", "json"]).done();
    let report: serde_json::Value = serde_json::from_str(&run.out()).unwrap();
    assert_eq!(report["inputs"][0]["name"], "features");
    assert_eq!(report["opset"], 17);
    assert_eq!(report["bytes"].as_u64().unwrap(), folder.read("m.onnx").len() as u64);
}

#[test]
fn opsets_carry_their_ir_version() {
    let folder = Folder::with_model();
    for (opset, ir) in [("13", 7), ("17", 8), ("21", 10)] {
        let run = folder.run(&["convert", "m.model", "-o", "-", "--opset", opset]).done();
        let model = ModelProto::parse_from_bytes(&run.stdout).unwrap();
        assert_eq!((model.ir_version, model.opset_import[0].version.to_string()), (ir, opset.to_owned()));
    }
    for opset in ["12", "22", "x"] {
        folder.run(&["convert", "m.model", "-o", "-", "--opset", opset]).fails(2, "invalid value");
    }
}

#[test]
fn digests_are_recorded_and_compared() {
    use sha2::{Digest, Sha256};
    let folder = Folder::with_model();
    let sum: String = Sha256::digest(folder.read("m.model")).iter().map(|b| format!("{b:02x}")).collect();
    let run = folder.run(&["convert", "m.model", "-o", "-", "--hash"]).done();
    let model = ModelProto::parse_from_bytes(&run.stdout).unwrap();
    let recorded = model.metadata_props.iter().find(|p| p.key == "cntk2onnx.source.sha256").unwrap();
    assert_eq!(recorded.value, sum);
    folder.run(&["convert", "m.model", "--expect-sha256", &sum]).done();

    let other = "0".repeat(64);
    let run = folder.run(&["convert", "m.model", "--expect-sha256", &other, "-o", "other.onnx"]);
    run.fails(1, &sum);
    assert_eq!(folder.names(), ["m.model", "m.onnx"]);
}

#[test]
fn a_wanted_output_that_is_not_there_is_named() {
    let folder = Folder::with_model();
    folder.run(&["convert", "m.model", "--outputs", "no such output"]).fails(3, "no such output");
    assert_eq!(folder.names(), ["m.model"]);
}

//! Where weights go.

use super::tool::{Folder, Run};
use cntk_testing::models::dense;
use onnx_protobuf::{Message, ModelProto, TensorProto};
use sha1::{Digest, Sha1};

/// Larger than what is read into memory: the model is mapped and its weights are copied by the kernel.
const ROWS: u64 = 1500;
const COLUMNS: u64 = 3000;
const BYTES: usize = (ROWS * COLUMNS * 4) as usize;

fn big() -> Folder {
    let folder = Folder::new();
    folder.write("m.model", &dense(ROWS, COLUMNS));
    folder
}

fn model(bytes: &[u8]) -> ModelProto {
    ModelProto::parse_from_bytes(bytes).unwrap()
}

fn weight(model: &ModelProto) -> &TensorProto {
    model.graph.initializer.iter().find(|t| t.dims == [ROWS as i64, COLUMNS as i64]).unwrap()
}

fn external<'t>(tensor: &'t TensorProto, key: &str) -> &'t str {
    &tensor.external_data.iter().find(|e| e.key == key).unwrap().value
}

fn is_counting(bytes: &[u8]) -> bool {
    bytes.len() == BYTES && bytes.chunks(4).enumerate().all(|(i, b)| b == (i as f32 / 1024.0).to_le_bytes())
}

#[test]
fn embedded() {
    let folder = big();
    folder.run(&["convert", "m.model", "--hash"]).done();
    let file = model(&folder.read("m.onnx"));
    assert!(is_counting(&weight(&file).raw_data));
    let piped = folder.run(&["convert", "m.model", "-o", "-", "--hash"]).done();
    assert!(piped.stdout == folder.read("m.onnx"));
}

#[test]
fn external_file() {
    let folder = big();
    folder.run(&["convert", "m.model", "--weights", "external"]).done();
    assert_eq!(folder.names(), ["m.model", "m.onnx", "m.onnx.data"]);
    let (file, data) = (model(&folder.read("m.onnx")), folder.read("m.onnx.data"));
    let tensor = weight(&file);
    assert_eq!((external(tensor, "location"), external(tensor, "offset")), ("m.onnx.data", "0"));
    assert_eq!(external(tensor, "length"), BYTES.to_string());
    let sum: String = Sha1::digest(&data).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(external(tensor, "checksum"), sum);
    assert!(is_counting(&data));

    folder.write("m.onnx.data", b"mine");
    std::fs::remove_file(folder.path("m.onnx")).unwrap();
    folder.run(&["convert", "m.model", "--weights", "external"]).fails(2, "m.onnx.data: exists already");
    assert_eq!(folder.names(), ["m.model", "m.onnx.data"]);
    assert_eq!(folder.read("m.onnx.data"), b"mine");
    folder.run(&["convert", "m.model", "-o", "-", "--weights", "external"]).fails(2, "standard output");
}

#[test]
fn in_place() {
    let folder = big();
    let run = folder.run(&["convert", "m.model", "--weights", "in-place"]).done();
    assert!(run.stderr.contains("are read from the model's file"), "{}", run.stderr);
    assert_eq!(folder.names(), ["m.model", "m.onnx"]);
    let file = model(&folder.read("m.onnx"));
    let tensor = weight(&file);
    assert_eq!(external(tensor, "location"), "m.model");
    let offset: usize = external(tensor, "offset").parse().unwrap();
    assert!(is_counting(&folder.read("m.model")[offset..offset + BYTES]));
}

#[cfg(unix)]
#[test]
fn in_place_needs_a_file_that_readers_accept() {
    let folder = Folder::with_model();
    let convert =
        |model: &str, out: &str| -> Run { folder.run(&["convert", model, "-o", out, "--weights", "in-place"]) };
    std::fs::create_dir_all(folder.path("other")).unwrap();
    convert("m.model", "other/m.onnx").fails(2, "OUT must be in the model's directory or above it");
    std::os::unix::fs::symlink("m.model", folder.path("link.model")).unwrap();
    convert("link.model", "l.onnx").fails(2, "symbolic link");
    std::fs::hard_link(folder.path("m.model"), folder.path("twin.model")).unwrap();
    convert("m.model", "m.onnx").fails(2, "hard link");
    let run = folder.run_with_input(&["convert", "-", "-o", "m.onnx", "--weights", "in-place"], b"");
    run.fails(2, "standard input");
    assert_eq!(folder.names(), ["link.model", "m.model", "other", "twin.model"]);
    assert!(std::fs::read_dir(folder.path("other")).unwrap().next().is_none());
}

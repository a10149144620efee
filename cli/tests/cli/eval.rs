//! `eval`: numbers without CNTK, or one line that says why not.

use super::tool::Folder;
use cntk_testing::models::dense;

/// `y = x W` with x [N, 3] and y [N, 2].
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("m.model", &dense(3, 2));
    folder
}

/// A safetensors file of one array of floats.
fn packed(name: &str, shape: &[u64], values: &[f32]) -> Vec<u8> {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let header = format!(r#"{{"{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[0,{}]}}}}"#, bytes.len());
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &bytes].concat()
}

#[test]
fn outputs_are_written_as_inputs_are_read() {
    let folder = folder();
    folder.write("in.safetensors", &packed("x", &[1, 3], &[1.0, 0.0, 2.0]));
    let eval = |more: &[&str]| {
        let all: Vec<&str> = ["eval", "m.model", "--inputs", "in.safetensors"].iter().chain(more).copied().collect();
        folder.run(&all)
    };
    let table = eval(&[]).done().out();
    assert!(table.starts_with("Times2_Output_0  Float [1, 2]  min "), "{table}");
    let run = eval(&["-o", "out.npz"]).done();
    assert!(run.stderr.contains("wrote out.npz, 1 outputs"), "{}", run.stderr);
    // The output of one evaluation under its name is found again: an archive of one array.
    let bytes = folder.read("out.npz");
    assert!(bytes.starts_with(b"PK") && bytes.windows(19).any(|w| w == b"Times2_Output_0.npy"));
    eval(&["-o", "out.npz"]).fails(2, "exists already");
    eval(&["--outputs", "nothing"]).fails(3, "no node or variable named `nothing`");
}

#[test]
fn what_does_not_suit_is_named() {
    let folder = folder();
    let run = |arrays: &[u8], more: &[&str]| {
        folder.write("in", arrays);
        let all: Vec<&str> = ["eval", "m.model", "--inputs", "in"].iter().chain(more).copied().collect();
        folder.run(&all)
    };
    let x = packed("x", &[1, 3], &[0.0; 3]);
    run(&packed("z", &[1, 3], &[0.0; 3]), &[]).fails(2, "in: no array for the input x: it takes [batch, 3] of Float");
    run(&packed("x", &[1, 4], &[0.0; 4]), &[]).fails(2, "the array for the input x: is of shape [1, 4], it takes");
    run(b"neither", &[]).fails(2, "is neither a .npz nor a .safetensors file");
    run(&x, &["--max-work", "5"]).fails(1, "takes more than 5 multiply-adds");
    assert_eq!(folder.names(), ["in", "m.model"]);
}

#[test]
fn test_data_lies_beside_the_model() {
    let folder = folder();
    let run = folder.run(&["convert", "m.model", "-o", "m.onnx", "--test-data"]).done();
    assert!(run.stderr.contains("test_data_set_0, 2 tensors"), "{}", run.stderr);
    assert_eq!(folder.names(), ["m.model", "m.onnx", "test_data_set_0"]);
    // A tensor: dims 2 and 3, float, six numbers.
    let x = folder.read("test_data_set_0/input_0.pb");
    assert!(x.starts_with(&[0x08, 2, 0x08, 3, 0x10, 1, 0x42, 1, b'x', 0x4a, 24]), "{x:?}");
    assert!(folder.read("test_data_set_0/output_0.pb").starts_with(&[0x08, 2, 0x08, 2, 0x10, 1]));
    folder.run(&["convert", "m.model", "-o", "m.onnx", "--test-data"]).fails(2, "exists already");
    folder.run(&["convert", "m.model", "--to", "pytorch", "--test-data"]).fails(2, "--test-data is for --to onnx");
    folder.run(&["convert", "m.model", "-o", "-", "--test-data"]).fails(2, "goes beside a file");
}

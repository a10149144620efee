//! `convert --to pytorch --record`: what was recorded from CNTK goes into the reference, or one line says why not.

use super::tool::{Folder, missing};
use cntk_testing::models::dense;
use serde_json::{Value, json};

/// `y = x W` with x [N, 3] and y [N, 2]; the output has no name.
const OUTPUT: &str = "Times2_Output_0";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("m.model", &dense(3, 2));
    folder
}

/// A safetensors file of zeros with these names, types and shapes.
fn packed(arrays: &[(&str, &str, &[u64])]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (name, dtype, shape) in arrays {
        let start = end;
        end += shape.iter().product::<u64>() * dtype[1..].parse::<u64>().unwrap() / 8;
        header.insert((*name).to_owned(), json!({"dtype": dtype, "shape": shape, "data_offsets": [start, end]}));
    }
    let header = Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; end as usize]].concat()
}

#[test]
fn inputs_and_outputs_become_the_reference() {
    let folder = folder();
    let record = packed(&[("x", "F32", &[5, 3]), (OUTPUT, "F32", &[5, 2]), ("loss", "F32", &[1])]);
    folder.write("r.safetensors", &record);
    let run = folder.run(&["convert", "m.model", "--to", "pytorch", "-o", "out", "--record", "r.safetensors"]).done();
    assert!(run.stderr.contains("warning: the record's array loss is neither input nor output"), "{}", run.stderr);
    let bytes = folder.read("out/reference.safetensors");
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    assert_eq!(header["input.x"]["shape"], json!([5, 3]));
    assert_eq!(header["output.0"]["shape"], json!([5, 2]));
}

#[test]
fn what_does_not_fit_is_said_in_one_line() {
    let folder = folder();
    let y = (OUTPUT, "F32", [5u64, 2].as_slice());
    let cases: [(Vec<u8>, &str); 12] = [
        (b"".to_vec(), "is neither a .npz nor a .safetensors file"),
        (b"x,y\n1,2\n".to_vec(), "is neither a .npz nor a .safetensors file"),
        (b"PK\x03\x04 and more".to_vec(), "is no sound .npz file"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff{}".to_vec(), "header is larger"),
        (b"\x02\0\0\0\0\0\0\0{]".to_vec(), "is no sound .safetensors file"),
        (packed(&[y]), "has no array x (Input0), the input float32 [N, 3]"),
        (packed(&[("x", "F32", &[5, 3])]), "has none of the outputs: Times2_Output_0"),
        (packed(&[("x", "F64", &[5, 3]), y]), "x: is float64, but the input is float32 [N, 3]"),
        (packed(&[("x", "F32", &[5, 4]), y]), "x: is [5, 4], but the input is float32 [N, 3]"),
        (packed(&[("x", "F32", &[0, 3]), y]), "x: is [0, 3], but"),
        (
            packed(&[("x", "F32", &[4, 3]), y]),
            "Times2_Output_0: is [5, 2], but the output is float32 [N, 2] with N = 4",
        ),
        (packed(&[("x", "F32", &[5, 3]), ("Input0", "F32", &[5, 3]), y]), "holds the same thing as Input0 and as x"),
    ];
    for (bytes, why) in cases {
        folder.write("r.bin", &bytes);
        let run = folder.run(&["convert", "m.model", "--to", "pytorch", "-o", "out", "--record", "r.bin"]);
        let run = run.fails(2, why);
        assert_eq!(run.errors().len(), 1, "{}", run.stderr);
        assert!(run.errors()[0].starts_with("error: r.bin: "), "{}", run.errors()[0]);
    }
    folder
        .run(&["convert", "m.model", "--to", "pytorch", "-o", "out", "--record", "none"])
        .fails(2, &format!("none: {}", missing()));
    for to in ["onnx", "safetensors"] {
        folder.run(&["convert", "m.model", "--to", to, "--record", "r.bin"]).fails(2, "--record is for --to pytorch");
    }
    assert_eq!(folder.names(), ["m.model", "r.bin"]);
}

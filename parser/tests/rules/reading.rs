//! What stops the reader in records, tensors and the container.

use super::build::*;
use super::graph::tanh;
use super::{Pair, pair};
use cntk_parser::{Limits, ModelFile, parse};

fn of(rule: &'static str, bad: Vec<u8>) -> Pair {
    Pair { rule, bad, good: tanh().file() }
}

/// A parameter with this value.
fn holds(value: Value) -> Record {
    model("Tanh1", &[parameter("x", &[2]).set("value", value)], &[function("Tanh1", 2, &["x"], &[])])
}

/// The over-2-GB layout.
fn large(length: i64, record: &Record, tail: &[u8]) -> Vec<u8> {
    let metadata = record.file();
    let length = (metadata.len() as i64 + length) as u32;
    [b"ktnc", &length.to_le_bytes()[..], &metadata, tail].concat()
}

/// A model with weights, something done to its bytes.
fn damaged(how: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let values: Vec<f32> = (1..=64).map(|n| (n as f32).sqrt()).collect();
    let variables = [stored("w", &[64], &values), input("x", &[64])];
    how(&model("Plus1", &variables, &[function("Plus1", 19, &["w", "x"], &[])]).file())
}

pub fn pairs() -> Vec<Pair> {
    let in_tail = |data_type| holds(raw_array(data_type, &[2], &[]));
    let tail = |length: i64, tail: &[u8]| large(length, &in_tail(1), tail);
    let container = |rule, bad| Pair { rule, bad, good: tail(0, &[0; 8]) };
    let packed = |bytes: &[u8]| field(4, &field(1, bytes));
    let tensor = |rule, bad: Value| pair(rule, holds(bad), holds(array(&[2], &[1.0, 2.0])));
    let function_with =
        |key, value| model("Tanh1", &[input("x", &[3])], &[function("Tanh1", 2, &["x"], &[]).set(key, value)]);
    let block = super::blocks::nested(1);
    let unbalanced = {
        let record = super::build::block("Block0", "Tanh1", &[("p0", "x")])
            .set("block_function_composite_arguments_map_values", texts(&["x", "x"]));
        let functions = [function("Tanh1", 2, &["p0"], &[]), record];
        model("Block0", &[input("x", &[3]), placeholder("p0", &[3])], &functions)
    };
    vec![
        of("file.empty", vec![]),
        of("file.checkpoint", message(&[("Learners", list(&[])), ("ExternalState", dictionary(&[]))])),
        of("file.onnx", [number(1, 8), field(2, b"pytorch"), field(3, b"2.0"), field(7, b"\n\x01g")].concat()),
        of("file.tensorflow", field(1, &[field(1, b"x"), field(2, b"Placeholder")].concat())),
        of("file.tflite", b"\x1c\0\0\0TFL3\x14\0\0\0".to_vec()),
        of(
            "file.caffe",
            [field(1, b"AlexNet"), field(100, &[field(1, b"conv1"), field(2, b"Convolution")].concat())].concat(),
        ),
        of("file.torch", [&b"PK\x03\x04"[..], &[0; 22], b"\x10\0\0\0archive/data.pkl"].concat()),
        of(
            "file.keras",
            [&b"PK\x03\x04"[..], &[0; 22], b"\x0d\0\0\0metadata.json{\"keras_version\": \"3.0\"}"].concat(),
        ),
        of("file.hdf5", b"\x89HDF\r\n\x1a\n\0\0\0\0".to_vec()),
        of("file.safetensors", [&[26, 0, 0, 0, 0, 0, 0, 0], &b"{\"w\":{\"dtype\":\"F32\"}}     "[..]].concat()),
        of("file.numpy", b"\x93NUMPY\x01\0v\0{'descr': '<f4'}".to_vec()),
        of("file.pickle", b"\x80\x04\x95\x01\0\0\0\0\0\0\0N.".to_vec()),
        of("file.archive", b"BZh91AY&SY".to_vec()),
        of(
            "wire.line-ends",
            damaged(|bytes| {
                bytes.iter().flat_map(|b| if *b == b'\n' { vec![b'\r', b'\n'] } else { vec![*b] }).collect()
            }),
        ),
        of("wire.recoded", damaged(|bytes| String::from_utf8_lossy(bytes).into_owned().into_bytes())),
        of("file.lfs-pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".to_vec()),
        of("file.html", b"<!DOCTYPE html><html><body>404</body></html>".to_vec()),
        of("file.gzip", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
        of("file.zip", b"PK\x03\x04\x14\0\0\0\0\0".to_vec()),
        of("file.text", b"weights: 1 2 3\n".to_vec()),
        of("file.not-cntk", vec![0xff; 64]),
        tensor("tensor.data-type", raw_array(99, &[2], &packed(&[0; 8]))),
        tensor("tensor.storage-format", raw_array(1, &[2], &[number(2, 1), packed(&[0; 8])].concat())),
        tensor("tensor.values-member", raw_array(1, &[2], &field(6, &field(1, &[0; 8])))),
        tensor("tensor.shape-overflow", raw_array(1, &[1 << 32, 1 << 32], &packed(&[]))),
        tensor("tensor.sentinel", raw_array(1, &[u64::MAX], &packed(&[0; 8]))),
        tensor("tensor.zero-dimension", raw_array(1, &[0], &packed(&[]))),
        tensor("tensor.rank", raw_array(1, &[1; 13], &packed(&[0; 4]))),
        tensor("tensor.count", raw_array(1, &[1 << 40], &packed(&[0; 8]))),
        tensor("tensor.count", raw_array(1, &[3], &packed(&[0; 8]))),
        tensor("tensor.ragged", raw_array(1, &[2], &packed(&[0; 7]))),
        container("container.metadata-length", tail(1000, &[0; 8])),
        container("container.tail-short", tail(0, &[0; 7])),
        container("container.tail-long", tail(0, &[0; 9])),
        container("container.tail-type", large(0, &holds(raw_array(6, &[2], &[])), &[0; 4])),
        container(
            "container.tail-elsewhere",
            large(0, &function_with("attributes", dictionary(&[("t", raw_array(1, &[2], &[]))])), &[0; 8]),
        ),
        pair("record.missing-key", tanh().without("uid"), tanh()),
        pair("record.missing-key", block_without_attributes(), block.clone()),
        pair("record.wrong-type", function_with("op", int(2)), tanh()),
        pair("record.type", function_with("type", text("Function")), tanh()),
        pair("record.op", function_with("op", size((1 << 32) + 2)), tanh()),
        pair("record.op", function_with("op", size(98)), tanh()),
        pair(
            "record.value",
            model("Tanh1", &[input("x", &[3]).set("kind", size(1))], &[function("Tanh1", 2, &["x"], &[])]),
            tanh(),
        ),
        pair("record.block-map", unbalanced, block),
        pair("record.unknown-key", tanh().set("author", text("me")), tanh()),
        pair("record.newer-version", tanh().set("version", size(99)), tanh()),
        pair("record.disguised-user-function", function_with("native", flag(true)), tanh()),
        pair("record.unknown-attribute", function_with("attributes", dictionary(&[("axis", axis(0))])), tanh()),
    ]
}

fn block_without_attributes() -> Record {
    let record = block("Block0", "Tanh1", &[("p0", "x")]).without("attributes");
    let functions = [function("Tanh1", 2, &["p0"], &[]), record];
    model("Block0", &[input("x", &[3]), placeholder("p0", &[3])], &functions)
}

#[test]
fn limits_hold() {
    let limits = |functions| Limits { functions, ..Limits::default() };
    let file = super::graph::chain(100).file();
    assert_eq!(parse(&ModelFile::new(&file), &limits(99)).unwrap_err().code(), "limit");
    assert!(parse(&ModelFile::new(&file), &limits(100)).is_ok());
}

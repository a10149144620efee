//! Which file a converted model came from, as its metadata says it.

use crate::onnx::graph::OnnxModel;
use cntk_parser::model::Model;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Metadata key: the source's size in bytes.
pub const SOURCE_SIZE: &str = "cntk2onnx.source.size";
/// Metadata key: SHA-256 over the source's structure, which is every byte but the tensors' elements.
pub const SOURCE_STRUCTURE_SHA256: &str = "cntk2onnx.source.structure_sha256";
/// Metadata key: SHA-256 of the whole source. Only where it was asked for, as it costs a pass over the weights.
pub const SOURCE_SHA256: &str = "cntk2onnx.source.sha256";

/// Size and structure digest of the source, with their keys.
pub fn source(model: &Model<'_>) -> Vec<(String, String)> {
    vec![
        (SOURCE_SIZE.to_owned(), model.input.len().to_string()),
        (SOURCE_STRUCTURE_SHA256.to_owned(), hex(&structure_digest(model))),
    ]
}

/// Adds size and structure digest of the source to a converted model's metadata.
pub fn stamp(onnx: &mut OnnxModel, model: &Model<'_>) {
    onnx.metadata.extend(source(model));
}

/// SHA-256 over every byte outside [`Model::tensor_ranges`].
pub fn structure_digest(source: &Model<'_>) -> [u8; 32] {
    let mut state = Sha256::new();
    source.structure().for_each(|bytes| state.update(bytes));
    state.finalize().into()
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

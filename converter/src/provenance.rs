//! Metadata of a converted model that tell from which file it comes.

use crate::onnx::graph::OnnxModel;
use crate::options::Options;
use cntk_parser::model::{Container, Model};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Metadata key: the source's size in bytes.
pub const SOURCE_SIZE: &str = "cntk2onnx.source.size";
/// Metadata key: SHA-256 over the source's structure, which is every byte except for the elements of tensors.
pub const SOURCE_STRUCTURE_SHA256: &str = "cntk2onnx.source.structure_sha256";
/// Metadata key: SHA-256 of the whole source. Only present if asked for, because it needs a pass over the weights.
pub const SOURCE_SHA256: &str = "cntk2onnx.source.sha256";

/// Metadata key: the source's format, v1 or v2.
pub const SOURCE_FORMAT: &str = "cntk2onnx.source.format";
/// Metadata key: CNTK's version of the model's record.
pub const SOURCE_VERSION: &str = "cntk2onnx.source.version";
/// Metadata key: CNTK's uid of the model, if the file has one.
pub const SOURCE_UID: &str = "cntk2onnx.source.uid";
/// Metadata key: the version of this library.
pub const CONVERTER_VERSION: &str = "cntk2onnx.version";
/// Metadata key: the options of the conversion, as a JSON object.
pub const OPTIONS: &str = "cntk2onnx.options";

/// The metadata of the source and of this library, with their keys.
pub fn source(model: &Model<'_>) -> Vec<(String, String)> {
    let mut entries = vec![
        (CONVERTER_VERSION, env!("CARGO_PKG_VERSION").to_owned()),
        (SOURCE_FORMAT, format(model).to_owned()),
        (SOURCE_VERSION, version(model).to_string()),
        (SOURCE_UID, model.uid.to_owned()),
        (SOURCE_SIZE, model.input.len().to_string()),
        (SOURCE_STRUCTURE_SHA256, hex(&structure_digest(model))),
    ];
    entries.retain(|(_, value)| !value.is_empty());
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Adds to a converted model the metadata on its source.
pub fn stamp(onnx: &mut OnnxModel, model: &Model<'_>, options: &Options) {
    onnx.metadata.extend(source(model));
    onnx.metadata.push((OPTIONS.to_owned(), options.json()));
    let (format, version) = (format(model), env!("CARGO_PKG_VERSION"));
    onnx.description = format!(
        "A CNTK {format} model, converted by cntk2onnx {version}. The doc_string of an input, output, weight or node is its uid in CNTK."
    );
}

fn format(model: &Model<'_>) -> &'static str {
    match model.container {
        Container::Plain | Container::LargeLayout { .. } => "v2",
        Container::Nodes { .. } => "v1",
    }
}

fn version(model: &Model<'_>) -> u64 {
    match model.container {
        Container::Plain | Container::LargeLayout { .. } => model.version,
        Container::Nodes { version } => version,
    }
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

//! Serialises everything of a model except for its initializers.
//!
//! Nodes become messages one at a time. Only their bytes are kept, which take less memory than the graph.

use super::{
    WriteError,
    names::Names,
    node::Nodes,
    placement::MODEL_LIMIT,
    proto::{Entry, Model, OperatorSetId},
    value_info::Infos,
};
use crate::onnx::graph::{OnnxModel, ValueId};
use prost::{Message, encoding};

const GRAPH_NODE: u32 = 1;
const GRAPH_NAME: u32 = 2;
const GRAPH_INPUT: u32 = 11;
const GRAPH_OUTPUT: u32 = 12;
const GRAPH_VALUE_INFO: u32 = 13;

/// The fields of a graph before and after its initializers, in the order of field numbers.
pub(super) struct Structure {
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

impl Structure {
    pub(super) fn new(model: &OnnxModel, names: &Names<'_>) -> Result<Self, WriteError> {
        let mut before = Vec::new();
        let mut nodes = Nodes::new(model, names);
        for node in &model.nodes {
            put(&mut before, GRAPH_NODE, nodes.of(node))?;
        }
        encoding::string::encode(GRAPH_NAME, &model.name, &mut before);

        let mut after = Vec::new();
        let mut infos = Infos::new(model, names);
        for (field, ids) in [(GRAPH_INPUT, &model.inputs), (GRAPH_OUTPUT, &model.outputs)] {
            for id in ids {
                put(&mut after, field, infos.of(*id))?;
            }
        }
        for id in inner_values(model) {
            put(&mut after, GRAPH_VALUE_INFO, infos.of(id))?;
        }
        Ok(Self { before, after })
    }
}

/// The model's fields before its graph.
pub(super) fn preamble(model: &OnnxModel) -> Vec<u8> {
    let model = Model {
        ir_version: ir_version(model.opset),
        producer_name: env!("CARGO_PKG_NAME").to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: model.description.clone(),
        ..Model::default()
    };
    model.encode_to_vec()
}

/// The model's fields after its graph.
pub(super) fn epilogue<'a>(opset: i64, metadata: impl Iterator<Item = &'a (String, String)>) -> Vec<u8> {
    let model = Model {
        opset_import: vec![OperatorSetId { version: opset }],
        metadata_props: metadata.map(|(key, value)| entry(key, value)).collect(),
        ..Model::default()
    };
    model.encode_to_vec()
}

/// A key and its value.
pub(super) fn entry(key: &str, value: &str) -> Entry {
    Entry { key: key.to_owned(), value: value.to_owned() }
}

/// The oldest IR version for an opset, by ONNX's table of versions.
fn ir_version(opset: i64) -> i64 {
    match opset {
        ..=14 => 7,
        15..=18 => 8,
        19..=20 => 9,
        _ => 10,
    }
}

/// The values that nodes of the main graph compute and that are not outputs, in the order of the nodes.
fn inner_values(model: &OnnxModel) -> impl Iterator<Item = ValueId> {
    let mut listed = vec![false; model.values.len()];
    for id in &model.outputs {
        listed[id.0 as usize] = true;
    }
    let produced = model.nodes.iter().flat_map(|n| n.outputs.iter().flatten().copied());
    produced.filter(move |id| !listed[id.0 as usize])
}

/// Appends one message of a repeated field.
fn put(out: &mut Vec<u8>, field: u32, message: &impl Message) -> Result<(), WriteError> {
    let bytes = message.encoded_len() as u64;
    if bytes > MODEL_LIMIT {
        return Err(WriteError::TooLarge { bytes });
    }
    encoding::message::encode(field, message, out);
    Ok(())
}

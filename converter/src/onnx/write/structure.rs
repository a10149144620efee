//! Everything of a model but its initializers, serialised.
//!
//! Nodes become messages one at a time; what is kept is their bytes, which are fewer than those of the graph in memory.

use super::{WriteError, names::Names, node::Nodes, value_info::Infos};
use crate::onnx::graph::{OnnxModel, ValueId};
use onnx_protobuf::{Message, ModelProto, OperatorSetIdProto, StringStringEntryProto};
use protobuf::{CodedOutputStream, rt::WireType};

const GRAPH_NODE: u32 = 1;
const GRAPH_NAME: u32 = 2;
const GRAPH_INPUT: u32 = 11;
const GRAPH_OUTPUT: u32 = 12;
const GRAPH_VALUE_INFO: u32 = 13;

/// A graph's fields on both sides of its initializers, in the order of their numbers.
pub(super) struct Structure {
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

impl Structure {
    pub(super) fn new(model: &OnnxModel, names: &Names<'_>) -> Result<Self, WriteError> {
        let mut before = Vec::new();
        let mut out = CodedOutputStream::vec(&mut before);
        let mut nodes = Nodes::new(model, names);
        for node in &model.nodes {
            put(&mut out, GRAPH_NODE, nodes.of(node))?;
        }
        out.write_string(GRAPH_NAME, &model.name).map_err(refused)?;
        out.flush().map_err(refused)?;
        drop(out);

        let mut after = Vec::new();
        let mut out = CodedOutputStream::vec(&mut after);
        let mut infos = Infos::new(model, names);
        for (field, ids) in [(GRAPH_INPUT, &model.inputs), (GRAPH_OUTPUT, &model.outputs)] {
            for id in ids {
                put(&mut out, field, infos.of(*id))?;
            }
        }
        for id in inner_values(model) {
            put(&mut out, GRAPH_VALUE_INFO, infos.of(id))?;
        }
        out.flush().map_err(refused)?;
        drop(out);
        Ok(Self { before, after })
    }
}

/// The model's fields before its graph.
pub(super) fn preamble(opset: i64) -> Result<Vec<u8>, WriteError> {
    let model = ModelProto {
        ir_version: ir_version(opset),
        producer_name: env!("CARGO_PKG_NAME").to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..ModelProto::default()
    };
    model.write_to_bytes().map_err(refused)
}

/// The model's fields after its graph.
pub(super) fn epilogue<'a>(
    opset: i64,
    metadata: impl Iterator<Item = &'a (String, String)>,
) -> Result<Vec<u8>, WriteError> {
    let entry = |(key, value): &(String, String)| entry(key, value);
    let model = ModelProto {
        opset_import: vec![OperatorSetIdProto { version: opset, ..OperatorSetIdProto::default() }],
        metadata_props: metadata.map(entry).collect(),
        ..ModelProto::default()
    };
    model.write_to_bytes().map_err(refused)
}

/// A key and its value.
pub(super) fn entry(key: &str, value: &str) -> StringStringEntryProto {
    StringStringEntryProto { key: key.to_owned(), value: value.to_owned(), ..StringStringEntryProto::default() }
}

/// Serialising to memory fails only where a length is beyond protobuf.
pub(super) fn refused(error: protobuf::Error) -> WriteError {
    WriteError::Sink(error.into())
}

/// The oldest IR that carries an opset, as onnx's own table of versions pairs them.
fn ir_version(opset: i64) -> i64 {
    match opset {
        ..=14 => 7,
        15..=18 => 8,
        19..=20 => 9,
        _ => 10,
    }
}

/// What the main graph's nodes produce and is not an output, in the order of the nodes.
fn inner_values(model: &OnnxModel) -> impl Iterator<Item = ValueId> {
    let mut listed = vec![false; model.values.len()];
    for id in &model.outputs {
        listed[id.0 as usize] = true;
    }
    let produced = model.nodes.iter().flat_map(|n| n.outputs.iter().flatten().copied());
    produced.filter(move |id| !listed[id.0 as usize])
}

/// Appends one message of a repeated field.
fn put(out: &mut CodedOutputStream<'_>, field: u32, message: &impl Message) -> Result<(), WriteError> {
    let bytes = message.compute_size();
    let length = u32::try_from(bytes).ok().filter(|n| *n <= i32::MAX as u32).ok_or(WriteError::TooLarge { bytes })?;
    out.write_tag(field, WireType::LengthDelimited).map_err(refused)?;
    out.write_raw_varint32(length).map_err(refused)?;
    message.write_to_with_cached_sizes(out).map_err(refused)
}

//! Messages of nodes, their attributes and their subgraphs.

use super::{
    names::Names,
    proto::{self, kind},
    value_info::Infos,
};
use crate::onnx::graph::{Attribute, Node, OnnxModel, Subgraph, Tensor, ValueId};
use std::collections::HashSet;

/// Builds the messages of nodes, one after another in the same memory.
pub(super) struct Nodes<'m> {
    model: &'m OnnxModel,
    names: &'m Names<'m>,
    message: proto::Node,
}

impl<'m> Nodes<'m> {
    pub(super) fn new(model: &'m OnnxModel, names: &'m Names<'m>) -> Self {
        Self { model, names, message: proto::Node::default() }
    }

    pub(super) fn of(&mut self, node: &Node) -> &proto::Node {
        let Self { model, names, message } = self;
        put_all(names, &node.inputs, &mut message.input);
        put_all(names, &node.outputs, &mut message.output);
        message.name.clone_from(&node.name);
        node.op.clone_into(&mut message.op_type);
        let origin = node.origin.and_then(|i| model.origins.get(i as usize));
        message.doc_string.clear();
        message.doc_string.push_str(origin.map_or("", |origin| &origin.uid));
        let attribute = |(name, value): &(&'static str, Attribute)| attribute(model, names, name, value);
        message.attribute.clear();
        message.attribute.extend(node.attributes.iter().map(attribute));
        message
    }
}

/// Appends the names of values, or an empty one for an omitted value.
fn put_all(names: &Names<'_>, ids: &[Option<ValueId>], into: &mut Vec<String>) {
    into.resize_with(ids.len(), String::new);
    for (id, name) in ids.iter().zip(into) {
        match id {
            Some(id) => names.put(*id, name),
            None => name.clear(),
        }
    }
}

/// A literal tensor as a message.
pub(super) fn literal(tensor: &Tensor) -> proto::Tensor {
    proto::Tensor {
        dims: tensor.dims.iter().map(|n| n.cast_signed()).collect(),
        data_type: tensor.elem as i32,
        name: String::new(),
        raw_data: tensor.bytes.clone(),
        doc_string: String::new(),
    }
}

fn attribute(model: &OnnxModel, names: &Names<'_>, name: &str, value: &Attribute) -> proto::Attribute {
    let mut message = proto::Attribute { name: name.to_owned(), ..proto::Attribute::default() };
    message.kind = match value {
        Attribute::Int(i) => {
            message.i = Some(*i);
            kind::INT
        }
        Attribute::Float(f) => {
            message.f = Some(*f);
            kind::FLOAT
        }
        Attribute::String(s) => {
            message.s = Some(s.clone().into_bytes());
            kind::STRING
        }
        Attribute::Ints(v) => {
            message.ints.clone_from(v);
            kind::INTS
        }
        Attribute::Floats(v) => {
            message.floats.clone_from(v);
            kind::FLOATS
        }
        Attribute::Strings(v) => {
            message.strings = v.iter().map(|s| s.clone().into_bytes()).collect();
            kind::STRINGS
        }
        Attribute::Tensor(t) => {
            message.t = Some(literal(t));
            kind::TENSOR
        }
        Attribute::Graph(g) => {
            message.g = Some(subgraph(model, names, g));
            kind::GRAPH
        }
    };
    message
}

/// The body of a Scan, Loop or If, with the types of its values, because importers need every rank.
fn subgraph(model: &OnnxModel, names: &Names<'_>, graph: &Subgraph) -> proto::Graph {
    let (mut nodes, mut infos) = (Nodes::new(model, names), Infos::new(model, names));
    let mut info = |id: &ValueId| infos.of(*id).clone();
    let inner = graph.nodes.iter().flat_map(|n| n.outputs.iter().flatten());
    let outputs: HashSet<ValueId> = graph.outputs.iter().copied().collect();
    proto::Graph {
        name: graph.name.clone(),
        input: graph.inputs.iter().map(&mut info).collect(),
        output: graph.outputs.iter().map(&mut info).collect(),
        value_info: inner.filter(|id| !outputs.contains(id)).map(&mut info).collect(),
        node: graph.nodes.iter().map(|n| nodes.of(n).clone()).collect(),
    }
}

//! Nodes, their attributes and the graphs in them.

use super::{names::Names, value_info::Infos};
use crate::onnx::graph::{Attribute, Node, OnnxModel, Subgraph, Tensor, ValueId};
use onnx_protobuf::{AttributeProto, GraphProto, NodeProto, TensorProto, attribute_proto::AttributeType};

/// Makes messages of nodes, one after another in the same memory.
pub(super) struct Nodes<'m> {
    model: &'m OnnxModel,
    names: &'m Names<'m>,
    message: NodeProto,
}

impl<'m> Nodes<'m> {
    pub(super) fn new(model: &'m OnnxModel, names: &'m Names<'m>) -> Self {
        Self { model, names, message: NodeProto::default() }
    }

    pub(super) fn of(&mut self, node: &Node) -> &NodeProto {
        let Self { model, names, message } = self;
        put_all(names, &node.inputs, &mut message.input);
        put_all(names, &node.outputs, &mut message.output);
        message.name.clone_from(&node.name);
        node.op.clone_into(&mut message.op_type);
        let attribute = |(name, value): &(&'static str, Attribute)| attribute(model, names, name, value);
        message.attribute.clear();
        message.attribute.extend(node.attributes.iter().map(attribute));
        message
    }
}

/// The names of edges; an empty one where there is none.
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
pub(super) fn literal(tensor: &Tensor) -> TensorProto {
    TensorProto {
        dims: tensor.dims.iter().map(|n| n.cast_signed()).collect(),
        data_type: tensor.elem as i32,
        raw_data: tensor.bytes.clone(),
        ..TensorProto::default()
    }
}

/// Field numbers of AttributeProto. ONNX's schema tells a zero from nothing and importers do too, but the generated code
/// leaves zeros out: they go in as fields that it does not know.
const F: u32 = 2;
const I: u32 = 3;

fn attribute(model: &OnnxModel, names: &Names<'_>, name: &str, value: &Attribute) -> AttributeProto {
    let mut proto = AttributeProto { name: name.to_owned(), ..AttributeProto::default() };
    let kind = match value {
        Attribute::Int(0) => {
            proto.special_fields.mut_unknown_fields().add_varint(I, 0);
            AttributeType::INT
        }
        Attribute::Int(i) => {
            proto.i = *i;
            AttributeType::INT
        }
        Attribute::Float(f) if f.to_bits() == 0 => {
            proto.special_fields.mut_unknown_fields().add_fixed32(F, 0);
            AttributeType::FLOAT
        }
        Attribute::Float(f) => {
            proto.f = *f;
            AttributeType::FLOAT
        }
        Attribute::String(s) => {
            proto.s = s.clone().into_bytes();
            AttributeType::STRING
        }
        Attribute::Ints(v) => {
            proto.ints.clone_from(v);
            AttributeType::INTS
        }
        Attribute::Floats(v) => {
            proto.floats.clone_from(v);
            AttributeType::FLOATS
        }
        Attribute::Strings(v) => {
            proto.strings = v.iter().map(|s| s.clone().into_bytes()).collect();
            AttributeType::STRINGS
        }
        Attribute::Tensor(t) => {
            proto.t = Some(literal(t)).into();
            AttributeType::TENSOR
        }
        Attribute::Graph(g) => {
            proto.g = Some(subgraph(model, names, g)).into();
            AttributeType::GRAPH
        }
    };
    proto.type_ = kind.into();
    proto
}

/// The body of a Scan, Loop or If. Its types are written too: importers need every rank.
fn subgraph(model: &OnnxModel, names: &Names<'_>, graph: &Subgraph) -> GraphProto {
    let (mut nodes, mut infos) = (Nodes::new(model, names), Infos::new(model, names));
    let mut info = |id: &ValueId| infos.of(*id).clone();
    let inner = graph.nodes.iter().flat_map(|n| n.outputs.iter().flatten());
    GraphProto {
        name: graph.name.clone(),
        input: graph.inputs.iter().map(&mut info).collect(),
        output: graph.outputs.iter().map(&mut info).collect(),
        value_info: inner.filter(|id| !graph.outputs.contains(id)).map(&mut info).collect(),
        node: graph.nodes.iter().map(|n| nodes.of(n).clone()).collect(),
        ..GraphProto::default()
    }
}

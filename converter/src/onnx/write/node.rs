//! Nodes, their attributes and the graphs in them.

use super::{names::Names, value_info::value_info};
use crate::onnx::graph::{Attribute, Node, OnnxModel, Subgraph, Tensor, ValueId};
use onnx_protobuf::{AttributeProto, GraphProto, NodeProto, TensorProto, attribute_proto::AttributeType};

/// A node as a message.
pub(super) fn node(model: &OnnxModel, names: &Names<'_>, node: &Node) -> NodeProto {
    let edge = |id: &Option<ValueId>| id.map_or_else(String::new, |id| names.owned(id));
    NodeProto {
        input: node.inputs.iter().map(edge).collect(),
        output: node.outputs.iter().map(edge).collect(),
        name: node.name.clone(),
        op_type: node.op.to_owned(),
        attribute: node.attributes.iter().map(|(name, value)| attribute(model, names, name, value)).collect(),
        ..NodeProto::default()
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

fn attribute(model: &OnnxModel, names: &Names<'_>, name: &str, value: &Attribute) -> AttributeProto {
    let mut proto = AttributeProto { name: name.to_owned(), ..AttributeProto::default() };
    let kind = match value {
        Attribute::Int(i) => {
            proto.i = *i;
            AttributeType::INT
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
    let info = |id: &ValueId| value_info(model, names, *id);
    let inner = graph.nodes.iter().flat_map(|n| n.outputs.iter().flatten());
    GraphProto {
        name: graph.name.clone(),
        input: graph.inputs.iter().map(info).collect(),
        output: graph.outputs.iter().map(info).collect(),
        value_info: inner.filter(|id| !graph.outputs.contains(id)).map(info).collect(),
        node: graph.nodes.iter().map(|n| node(model, names, n)).collect(),
        ..GraphProto::default()
    }
}

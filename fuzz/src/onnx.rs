//! Checks that a file is valid ONNX: it is read by onnx-protobuf and checked for unique names, topological order and
//! types.

use onnx_protobuf::{AttributeProto, GraphProto, Message, ModelProto, TensorProto, ValueInfoProto, type_proto};
use std::collections::HashSet;

/// Checks a whole model.
///
/// # Panics
///
/// If it is not sound.
pub fn check(bytes: &[u8], opset: i64) {
    let model = ModelProto::parse_from_bytes(bytes).expect("the writer writes protobuf");
    assert!(model.ir_version > 0 && !model.producer_name.is_empty());
    let imports: Vec<_> = model.opset_import.iter().map(|o| (o.domain.as_str(), o.version)).collect();
    assert_eq!(imports, [("", opset)]);
    let graph = &model.graph;
    assert!(!graph.output.is_empty(), "no outputs");
    graph.input.iter().chain(&graph.output).for_each(typed);
    let mut names = Names::default();
    scope(graph, &mut names);
    let interface: HashSet<_> = graph.input.iter().chain(&graph.output).map(|v| v.name.as_str()).collect();
    assert_eq!(interface.len(), graph.input.len() + graph.output.len(), "two inputs or outputs of one name");
}

#[derive(Default)]
struct Names<'g> {
    /// What can be read here: the values of this graph and of those around it.
    seen: HashSet<&'g str>,
    nodes: HashSet<&'g str>,
}

impl<'g> Names<'g> {
    fn define(&mut self, name: &'g str) {
        assert!(!name.is_empty(), "a value without a name");
        assert!(self.seen.insert(name), "{name:?} is defined twice");
    }

    fn read(&self, name: &str, by: &str) {
        assert!(self.seen.contains(name), "{by} reads {name:?} before it is computed");
    }
}

fn scope<'g>(graph: &'g GraphProto, names: &mut Names<'g>) {
    graph.input.iter().for_each(|v| names.define(&v.name));
    for tensor in &graph.initializer {
        names.define(&tensor.name);
        self::tensor(tensor);
    }
    for node in &graph.node {
        let by = format!("{} {:?}", node.op_type, node.name);
        assert!(!node.op_type.is_empty() && node.domain.is_empty());
        assert!(!node.name.is_empty() && names.nodes.insert(&node.name), "no name, or one that another node has: {by}");
        node.input.iter().filter(|i| !i.is_empty()).for_each(|i| names.read(i, &by));
        let mut keys = HashSet::new();
        for attribute in &node.attribute {
            assert!(keys.insert(&attribute.name), "{by} has two attributes {}", attribute.name);
            self::attribute(attribute, names);
        }
        assert!(!node.output.is_empty(), "{by} has no outputs");
        node.output.iter().for_each(|o| names.define(o));
    }
    graph.output.iter().for_each(|o| names.read(&o.name, "an output"));
}

fn attribute<'g>(attribute: &'g AttributeProto, names: &mut Names<'g>) {
    if let Some(graph) = attribute.g.as_ref() {
        // Names of a body are unknown outside of it, and must not be used again all the same.
        scope(graph, names);
    }
    if let Some(found) = attribute.t.as_ref() {
        tensor(found);
    }
}

fn typed(value: &ValueInfoProto) {
    let Some(type_proto::Value::TensorType(tensor)) = &value.type_.value else {
        panic!("{:?} has no tensor type", value.name);
    };
    assert!(tensor.elem_type > 0, "{:?} has no element type", value.name);
    assert!(tensor.shape.is_some(), "{:?} has no shape", value.name);
}

fn tensor(tensor: &TensorProto) {
    assert!(tensor.dims.iter().all(|n| *n >= 0), "{:?} has the dimensions {:?}", tensor.name, tensor.dims);
    let size = match tensor.data_type {
        1 | 6 => 4,
        3 | 9 => 1,
        5 | 10 => 2,
        7 | 11 => 8,
        other => panic!("{:?} has the element type {other}", tensor.name),
    };
    let count = tensor.dims.iter().try_fold(size, |n: i64, d| n.checked_mul(*d)).expect("a size");
    assert_eq!(tensor.raw_data.len() as i64, count, "{:?} of {:?}", tensor.name, tensor.dims);
}

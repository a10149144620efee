//! The parser's reading of a file against the tree.

use super::{File, Node, Value};
use cntk_parser::model::{Container, ElementStorage, Model, Shape, Variable, VariableKind};
use std::collections::{HashMap, HashSet};

/// Panics if a model is not that of the tree.
pub fn compare(model: &Model<'_>, file: &File) {
    let version = file.version.unwrap_or(1);
    assert_eq!(model.container, Container::Nodes { version });
    let variables: HashMap<_, _> = model.variables.iter().map(|v| (v.uid, v)).collect();
    let functions: HashMap<_, _> = model.functions.iter().map(|f| (f.uid, f)).collect();
    let children: HashMap<_, _> =
        file.relations.iter().map(|(name, of)| (name.to_ascii_lowercase(), of.as_slice())).collect();
    let needed = needed(file, &children);
    // What convolutions and old batch normalizations make of their parameters is not the file's.
    let reshaped = file.nodes.iter().any(|node| node.op == "Convolution");
    for node in &file.nodes {
        let uid = uid(&node.name);
        // The reader makes up a uid where there is none.
        if uid.is_empty() {
            continue;
        }
        match node.op.as_str() {
            "InputValue" | "SparseInputValue" => {
                let variable = variables.get(uid).unwrap_or_else(|| panic!("no input {uid:?}"));
                assert_eq!(variable.kind, VariableKind::Input);
                assert_eq!(variable.is_sparse, node.op == "SparseInputValue");
                assert_eq!(variable.shape, input_shape(node), "{uid:?}");
            }
            "LearnableParameter" => {
                let variable = variables.get(uid).unwrap_or_else(|| panic!("no parameter {uid:?}"));
                parameter(variable, node, version, reshaped);
            }
            "DynamicAxis" | "OutputMultiplexer" | "Mean" | "InvStdDev" => {}
            // Nodes that only read each other are left out.
            _ if !needed.contains(&node.name.to_ascii_lowercase()) => {}
            op => {
                let function = functions.get(uid).unwrap_or_else(|| panic!("no function {uid:?}"));
                let found = children.get(&node.name.to_ascii_lowercase()).map_or(0, |of| of.len());
                if ["Plus", "Times", "Tanh", "Splice", "Clip", "Pooling", "Slice"].contains(&op) {
                    assert_eq!(function.inputs.len(), found, "{uid:?}");
                }
            }
        }
    }
}

/// The groups whose members are outputs of the model.
const OUTPUTS: [&str; 4] = ["BCriterionNodes", "BCriteriaNodes", "BEvalNodes", "BOutputNodes"];

/// The names of the nodes that the model consists of: the outputs and what they depend on; all nodes if there is no output.
fn needed(file: &File, children: &HashMap<String, &[String]>) -> HashSet<String> {
    let read: HashSet<_> = children.values().copied().flatten().map(|name| name.to_ascii_lowercase()).collect();
    let listed = file.groups.iter().filter(|group| OUTPUTS.contains(&group.begin.as_str()));
    let listed: HashSet<_> = listed.flat_map(|group| &group.members).map(|name| name.to_ascii_lowercase()).collect();
    let is_output = |node: &&Node| {
        let name = node.name.to_ascii_lowercase();
        let ends_here =
            !read.contains(&name) || listed.contains(&name) || ["Mean", "InvStdDev"].contains(&node.op.as_str());
        ends_here && children.get(&name).is_some_and(|of| !of.is_empty())
    };
    let mut todo: Vec<_> = file.nodes.iter().filter(is_output).map(|node| node.name.to_ascii_lowercase()).collect();
    if todo.is_empty() {
        return file.nodes.iter().map(|node| node.name.to_ascii_lowercase()).collect();
    }
    let mut needed = HashSet::new();
    while let Some(name) = todo.pop() {
        if needed.insert(name.clone()) {
            todo.extend(children.get(&name).copied().into_iter().flatten().map(|name| name.to_ascii_lowercase()));
        }
    }
    needed
}

fn parameter(variable: &Variable<'_>, node: &Node, version: u64, reshaped: bool) {
    let learns = if version >= 3 { rate(&node.body[0]) != 0.0 } else { node.body[2] != Value::Flag(0) };
    let kind = if learns { VariableKind::Parameter } else { VariableKind::Constant };
    assert_eq!(variable.kind, kind, "{}", variable.uid);
    let Value::Matrix(matrix) = &node.body[6] else { panic!("{}: no matrix", variable.uid) };
    let value = variable.value.as_ref().expect("a parameter has a value");
    if !reshaped {
        assert_eq!(variable.shape, parameter_shape(node, version), "{}", variable.uid);
    }
    if let (Some(_), ElementStorage::Contiguous(bytes)) = (&value.range, &value.elements) {
        assert_eq!(*bytes, matrix.data, "{}", variable.uid);
    }
}

fn parameter_shape(node: &Node, version: u64) -> Shape {
    if version >= 3 {
        return shape(&node.body[1]);
    }
    let (Value::Size(rows), Value::Size(columns)) = (&node.body[3], &node.body[4]) else { panic!("no sizes") };
    if *rows > 0 {
        return Shape([*rows, *columns].into_iter().collect());
    }
    let mut shape = shape(&node.body[5]);
    if *columns > 1 {
        shape.0.push(*columns);
    }
    shape
}

fn input_shape(node: &Node) -> Shape {
    let Value::Size(rows) = node.body[0] else { panic!("no rows") };
    let shape = shape(&node.body[2]);
    let count = shape.elements();
    if rows == 0 || count == Some(rows) { shape } else { Shape([rows].into_iter().collect()) }
}

fn shape(value: &Value) -> Shape {
    match value {
        Value::Shape(dims) => Shape(dims.iter().map(|dim| u64::from(*dim)).collect()),
        // The middle one stands first.
        Value::ThreeSizes([middle, last, first]) => Shape([*first, *middle, *last].into_iter().collect()),
        _ => panic!("no shape: {value:?}"),
    }
}

fn rate(value: &Value) -> f32 {
    if let Value::F32(rate) = value { f32::from_le_bytes(*rate) } else { panic!("no rate: {value:?}") }
}

/// The identity of a node with this name.
fn uid(name: &str) -> &str {
    let joined = name.strip_prefix("__v2libuid__").and_then(|rest| rest.split_once("__v2libname__"));
    joined.map_or(name, |(uid, _)| uid.strip_suffix("_Output_0").unwrap_or(uid))
}

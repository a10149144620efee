//! The summary of a conversion to ONNX.

use super::graph::{Attribute, Dim, ElemType, Node, OnnxModel, ValueId};
use crate::graph::Graph;
use crate::report::{Port, Summary};
use cntk_parser::model::FunctionId;
use std::collections::HashMap;

pub(crate) fn summarise(graph: &Graph<'_, '_>, model: &OnnxModel, warnings: Vec<String>) -> Summary {
    let outputs = graph.outputs.iter().map(|o| (&*o.name, &*o.uid));
    let inputs = graph.arguments.iter().map(|a| (&*a.name, graph.model.variable(a.variable).uid));
    // If an input and an output have the same name, it is the input's.
    let uids: HashMap<&str, &str> = outputs.chain(inputs).collect();
    let port = |id: &ValueId| {
        let value = &model.values[id.0 as usize];
        let name = value.name.clone().unwrap_or_default();
        let dims = value
            .dims
            .iter()
            .map(|d| match d {
                Dim::Known(n) => n.to_string(),
                Dim::Symbol(s) => model.symbols[*s as usize].clone(),
            })
            .collect();
        let uid = uids.get(&*name).copied().unwrap_or_default().to_owned();
        Port { uid, name, elem: elem_name(value.elem).to_owned(), dims }
    };
    Summary {
        inputs: model.inputs.iter().map(port).collect(),
        outputs: model.outputs.iter().map(port).collect(),
        dropped: graph.dropped.clone(),
        warnings: graph.notes.iter().cloned().chain(warnings).collect(),
        functions: graph.functions().map(|_: FunctionId| 1).sum(),
        nodes: count(&model.nodes),
    }
}

fn count(nodes: &[Node]) -> usize {
    nodes
        .iter()
        .map(|n| {
            let inner: usize =
                n.attributes.iter().map(|(_, a)| if let Attribute::Graph(g) = a { count(&g.nodes) } else { 0 }).sum();
            1 + inner
        })
        .sum()
}

/// ONNX's name of an element type.
pub(crate) fn elem_name(elem: ElemType) -> &'static str {
    match elem {
        ElemType::Float => "float",
        ElemType::Int8 => "int8",
        ElemType::Int16 => "int16",
        ElemType::Int32 => "int32",
        ElemType::Int64 => "int64",
        ElemType::Bool => "bool",
        ElemType::Float16 => "float16",
        ElemType::Double => "double",
    }
}

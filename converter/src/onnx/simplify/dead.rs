//! Removes nodes, initializers and inputs that no output needs.

use super::super::graph::{Attribute, Node, OnnxModel, ValueId};

/// Drops nodes, initializers and optional inputs that nothing uses.
pub(super) fn remove(model: &mut OnnxModel, keep_inputs: usize) {
    let mut needed = vec![false; model.values.len()];
    for id in &model.outputs {
        needed[id.0 as usize] = true;
    }
    sweep(&mut model.nodes, &mut needed);
    model.initializers.retain(|i| needed[i.value.0 as usize]);
    let mut at = 0;
    model.inputs.retain(|id: &ValueId| {
        at += 1;
        at <= keep_inputs || needed[id.0 as usize]
    });
}

/// Operators whose outputs are all optional.
const RECURRENT: &[&str] = &["LSTM", "GRU", "RNN"];

/// Removes unneeded outputs at the end of the list. An unneeded output before a needed one keeps its name: ONNX allows
/// an empty name there, but ONNX Runtime's tools for quantization do not.
fn drop_outputs(node: &mut Node, needed: &[bool]) {
    while node.outputs.last().is_some_and(|last| last.is_none_or(|id| !needed[id.0 as usize])) {
        node.outputs.pop();
    }
}

/// Keeps the nodes that compute a needed value, and marks their inputs as needed.
fn sweep(nodes: &mut Vec<Node>, needed: &mut [bool]) {
    let mut keep = vec![false; nodes.len()];
    for (i, node) in nodes.iter_mut().enumerate().rev() {
        if !node.outputs.iter().flatten().any(|id| needed[id.0 as usize]) {
            continue;
        }
        keep[i] = true;
        if RECURRENT.contains(&node.op) {
            drop_outputs(node, needed);
        }
        for (_, attribute) in &mut node.attributes {
            if let Attribute::Graph(body) = attribute {
                for id in &body.outputs {
                    needed[id.0 as usize] = true;
                }
                sweep(&mut body.nodes, needed);
            }
        }
        for id in node.inputs.iter().flatten() {
            needed[id.0 as usize] = true;
        }
    }
    let mut at = 0;
    nodes.retain(|_| {
        at += 1;
        keep[at - 1]
    });
}

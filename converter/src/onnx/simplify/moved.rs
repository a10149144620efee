//! Products of moved batches that ONNX Runtime cannot run.

use super::super::graph::{Attribute, ElemType, Node, OnnxModel, Value, ValueId};
use super::ints_attribute;
use hashbrown::HashMap;
use std::mem;

/// Puts casts before transposes, where products read a cast of a transposed value. ONNX Runtime 1.32 fuses such a product with
/// a Transpose that moves the first axis behind others, and crashes. It adds casts around products in half precision,
/// so those are computed in single precision here.
pub(super) fn products(model: &mut OnnxModel) {
    let mut makers: HashMap<ValueId, Node> = HashMap::new();
    for node in model.nodes.iter().filter(|node| moves_batch(node)) {
        makers.extend(node.outputs.first().copied().flatten().map(|made| (made, node.clone())));
    }
    if makers.is_empty() {
        return;
    }
    let mut casts: HashMap<ValueId, ValueId> = HashMap::new();
    for node in model.nodes.iter().filter(|node| node.op == "Cast") {
        if let ([Some(from)], [Some(to)]) = (node.inputs.as_slice(), node.outputs.as_slice())
            && makers.contains_key(from)
        {
            casts.insert(*to, *from);
        }
    }
    for mut node in mem::take(&mut model.nodes) {
        if node.op == "MatMul" {
            product(model, &mut node, &makers, &casts);
        } else {
            model.nodes.push(node);
        }
    }
}

/// Adds a product to the model, with its operands changed if it must be.
fn product(model: &mut OnnxModel, node: &mut Node, makers: &HashMap<ValueId, Node>, casts: &HashMap<ValueId, ValueId>) {
    let Some(result) = node.outputs.first().copied().flatten() else { return };
    let elem = model.values[result.0 as usize].elem;
    let is_half = elem == ElemType::Float16;
    let maker = |input: &ValueId| makers.get(if is_half { input } else { casts.get(input)? });
    let affected = node.inputs.iter().flatten().any(|input| maker(input).is_some());
    let elem = if is_half { ElemType::Float } else { elem };
    for input in node.inputs.iter_mut().flatten().filter(|_| affected) {
        *input = match maker(input) {
            Some(transpose) => {
                let narrow = transpose.inputs.first().copied().flatten().unwrap_or(*input);
                let wide = cast(model, narrow, elem, node.origin);
                let moved = typed(model, *input, elem);
                let (inputs, outputs) = ([Some(wide)].as_slice().into(), [Some(moved)].as_slice().into());
                model.nodes.push(Node { inputs, outputs, name: String::new(), ..transpose.clone() });
                moved
            }
            None if is_half => cast(model, *input, elem, node.origin),
            None => *input,
        };
    }
    if affected && is_half {
        let wide = typed(model, result, elem);
        node.outputs = [Some(wide)].as_slice().into();
        let origin = node.origin;
        model.nodes.push(node.clone());
        model.nodes.push(cast_to(wide, result, ElemType::Float16, origin));
    } else {
        model.nodes.push(node.clone());
    }
}

/// Is the node a Transpose that moves the first axis to one of the last two places, and keeps the others in order up to there?
fn moves_batch(node: &Node) -> bool {
    let Some(permutation) = ints_attribute(node, "perm").filter(|_| node.op == "Transpose") else { return false };
    let outer = permutation.len().saturating_sub(2);
    outer > 0 && permutation[..outer].iter().zip(1..).all(|(axis, place)| *axis == place)
}

/// A value of the same shape in the element type `elem`.
fn typed(model: &mut OnnxModel, like: ValueId, elem: ElemType) -> ValueId {
    let value = model.values[like.0 as usize].clone();
    model.values.push(Value { name: None, elem, ..value });
    ValueId(u32::try_from(model.values.len() - 1).expect("fewer than 2^32 values"))
}

/// The result of a new Cast.
fn cast(model: &mut OnnxModel, from: ValueId, elem: ElemType, origin: Option<u32>) -> ValueId {
    let to = typed(model, from, elem);
    model.nodes.push(cast_to(from, to, elem, origin));
    to
}

fn cast_to(from: ValueId, to: ValueId, elem: ElemType, origin: Option<u32>) -> Node {
    Node {
        op: "Cast",
        name: String::new(),
        origin,
        inputs: [Some(from)].as_slice().into(),
        outputs: [Some(to)].as_slice().into(),
        attributes: vec![("to", Attribute::Int(elem as i64))],
    }
}

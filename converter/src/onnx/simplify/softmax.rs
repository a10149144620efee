//! Rewrites CNTK's compositions for one axis: `x - ReduceLogSumExp(x)` to LogSoftmax, and `Exp` of that to Softmax.

use super::super::graph::{Attribute, Node, ValueId};
use super::{Pass, int_attribute, ints_attribute};

pub(super) fn fuse(pass: &mut Pass<'_>) {
    for i in 0..pass.model.nodes.len() {
        match pass.model.nodes[i].op {
            "Sub" => log_softmax(pass, i),
            "Exp" => softmax(pass, i),
            "Mul" => quotient(pass, i),
            _ => {}
        }
    }
}

fn log_softmax(pass: &mut Pass<'_>, i: usize) {
    let (Some(x), Some(sum)) = (pass.input(i, 0), pass.input(i, 1)) else { return };
    let Some((reduce, node)) = pass.maker(sum).filter(|(_, n)| n.op == "ReduceLogSumExp") else { return };
    if pass.input(reduce, 0) != Some(x) || int_attribute(node, "keepdims") == Some(0) {
        return;
    }
    let Some(axis) = sole_axis(pass, reduce, node) else { return };
    if pass.dims(x) != pass.dims(output(pass, i)) {
        return;
    }
    // The node has one input now. The reduction is removed if nothing else uses it.
    pass.uses[sum.0 as usize] -= 1;
    let last = pass.dims(x).len() as i64 - 1;
    let node = &mut pass.model.nodes[i];
    node.op = "LogSoftmax";
    node.inputs.truncate(1);
    node.attributes = if axis == last { vec![] } else { vec![("axis", Attribute::Int(axis))] };
}

fn sole_axis(pass: &Pass<'_>, reduce: usize, node: &Node) -> Option<i64> {
    let axes = match pass.input(reduce, 1) {
        Some(id) => pass.literal_ints(id)?,
        None => ints_attribute(node, "axes")?.to_vec(),
    };
    match axes.as_slice() {
        [axis] => Some(*axis),
        _ => None,
    }
}

fn softmax(pass: &mut Pass<'_>, i: usize) {
    let Some(x) = pass.input(i, 0) else { return };
    let Some((log, node)) = pass.sole(x, "LogSoftmax") else { return };
    let attributes = node.attributes.clone();
    let Some(source) = pass.input(log, 0) else { return };
    pass.set_input(i, 0, source);
    let node = &mut pass.model.nodes[i];
    node.op = "Softmax";
    node.attributes = attributes;
}

/// Rewrites `Exp(x - max) * (1 / ReduceSum(Exp(x - max)))`, perhaps with a guard against a sum of 0, to Softmax.
fn quotient(pass: &mut Pass<'_>, i: usize) {
    let (Some(a), Some(b)) = (pass.input(i, 0), pass.input(i, 1)) else { return };
    for (exp, inverse) in [(a, b), (b, a)] {
        if let Some((x, axis)) = normalised(pass, exp, inverse)
            && pass.dims(x) == pass.dims(output(pass, i))
        {
            pass.uses[b.0 as usize] -= 1;
            pass.set_input(i, 0, x);
            let last = pass.dims(x).len() as i64 - 1;
            let node = &mut pass.model.nodes[i];
            node.op = "Softmax";
            node.inputs.truncate(1);
            node.attributes = if axis == last { vec![] } else { vec![("axis", Attribute::Int(axis))] };
            return;
        }
    }
}

/// The operand and the axis of such a softmax.
fn normalised(pass: &Pass<'_>, exp: ValueId, inverse: ValueId) -> Option<(ValueId, i64)> {
    let (e, _) = pass.maker(exp).filter(|(_, n)| n.op == "Exp")?;
    let (shifted, _) = pass.maker(pass.input(e, 0)?).filter(|(_, n)| n.op == "Sub")?;
    let x = pass.input(shifted, 0)?;
    let (largest, node) = pass.maker(pass.input(shifted, 1)?).filter(|(_, n)| n.op == "ReduceMax")?;
    if pass.input(largest, 0) != Some(x) || int_attribute(node, "keepdims") == Some(0) {
        return None;
    }
    let axis = sole_axis(pass, largest, node)?;
    let (choice, node) = pass.maker(inverse)?;
    let reciprocal = match node.op {
        "Where" => pass.input(choice, 2)?,
        "Reciprocal" => inverse,
        _ => return None,
    };
    let (r, _) = pass.maker(reciprocal).filter(|(_, n)| n.op == "Reciprocal")?;
    let total = pass.input(r, 0)?;
    if node.op == "Where" {
        // The guard must test the same sum.
        let (test, _) = pass.maker(pass.input(choice, 0)?).filter(|(_, n)| n.op == "Equal")?;
        if pass.input(test, 0) != Some(total) {
            return None;
        }
    }
    let (sum, node) = pass.maker(total).filter(|(_, n)| n.op == "ReduceSum")?;
    let same = pass.input(sum, 0) == Some(exp) && sole_axis(pass, sum, node) == Some(axis);
    (same && int_attribute(node, "keepdims") != Some(0)).then_some((x, axis))
}

fn output(pass: &Pass<'_>, node: usize) -> ValueId {
    pass.model.nodes[node].outputs.first().copied().flatten().unwrap_or(ValueId(0))
}

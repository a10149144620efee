//! Moves biases into the Conv, ConvTranspose or Gemm before them. Models written by hand have them there, and importers
//! make them trainable there.

use super::super::graph::{Dim, ValueId};
use super::Pass;

pub(super) fn biases(pass: &mut Pass<'_>) {
    for i in 0..pass.model.nodes.len() {
        if pass.model.nodes[i].op != "Add" {
            continue;
        }
        let (Some(a), Some(b)) = (pass.input(i, 0), pass.input(i, 1)) else { continue };
        for (product, bias) in [(a, b), (b, a)] {
            if pass.is_weight(bias) && (convolution(pass, i, product, bias) || dense(pass, i, product, bias)) {
                break;
            }
        }
    }
}

fn sizes(pass: &Pass<'_>, id: ValueId) -> Option<Vec<u64>> {
    pass.dims(id).iter().map(|d| if let Dim::Known(n) = d { Some(*n) } else { None }).collect()
}

/// Conv followed by a bias with one number per channel.
fn convolution(pass: &mut Pass<'_>, add: usize, product: ValueId, bias: ValueId) -> bool {
    let Some((conv, node)) = pass.sole(product, "Conv").or_else(|| pass.sole(product, "ConvTranspose")) else {
        return false;
    };
    if node.inputs.len() != 2 {
        return false;
    }
    let rank = pass.dims(product).len();
    let Some(Dim::Known(channels)) = pass.dims(product).get(1).copied() else { return false };
    let Some(mut shape) = sizes(pass, bias) else { return false };
    // Aligned to the right: [C, 1, …] or [1, C, 1, …].
    if shape.len() == rank && shape[0] == 1 {
        shape.remove(0);
    }
    let per_channel = shape.len() == rank - 1 && shape[0] == channels && shape[1..].iter().all(|n| *n == 1);
    if !per_channel || pass.dims(product) != pass.dims(output(pass, add)) {
        return false;
    }
    let Some(flat) = pass.reshaped_weight(bias, &[channels]) else { return false };
    absorb(pass, add, conv, Some(flat))
}

/// MatMul of rows and a matrix, followed by a bias for each column, becomes Gemm.
fn dense(pass: &mut Pass<'_>, add: usize, product: ValueId, bias: ValueId) -> bool {
    let Some((matmul, _)) = pass.sole(product, "MatMul") else { return false };
    let (Some(x), Some(w)) = (pass.input(matmul, 0), pass.input(matmul, 1)) else { return false };
    if pass.dims(x).len() != 2 || pass.dims(w).len() != 2 || !pass.is_weight(w) {
        return false;
    }
    let Some(&Dim::Known(n)) = pass.dims(product).get(1) else { return false };
    let Some(shape) = sizes(pass, bias) else { return false };
    if !(shape == [n] || shape == [1, n]) || pass.dims(product) != pass.dims(output(pass, add)) {
        return false;
    }
    let Some(flat) = (if shape.len() == 1 { Some(bias) } else { pass.reshaped_weight(bias, &[n]) }) else {
        return false;
    };
    pass.model.nodes[matmul].op = "Gemm";
    absorb(pass, add, matmul, Some(flat))
}

fn output(pass: &Pass<'_>, node: usize) -> ValueId {
    pass.model.nodes[node].outputs.first().copied().flatten().unwrap_or(ValueId(0))
}

/// Makes the bias the third operand of the product, and the result of the Add the result of the product.
fn absorb(pass: &mut Pass<'_>, add: usize, product: usize, bias: Option<ValueId>) -> bool {
    let out = output(pass, add);
    let name = std::mem::take(&mut pass.model.nodes[add].name);
    pass.drop_node(add);
    let node = &mut pass.model.nodes[product];
    node.inputs.push(bias);
    node.outputs[0] = Some(out);
    if node.name.is_empty() {
        node.name = name;
    }
    if let Some(b) = bias {
        pass.uses[b.0 as usize] += 1;
    }
    pass.producer[out.0 as usize] = u32::try_from(product).ok();
    true
}

//! Rewrites `x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))` to Gelu in its tanh form, which ONNX has since opset
//! 20.

use super::super::graph::{Attribute, ElemType, ValueId};
use super::Pass;

pub(super) fn fuse(pass: &mut Pass<'_>) {
    if pass.model.opset < 20 {
        return;
    }
    for i in 0..pass.model.nodes.len() {
        if pass.model.nodes[i].op == "Mul"
            && let Some(x) = matched(pass, i)
            && pass.model.values[x.0 as usize].elem == ElemType::Float
        {
            pass.become_unary(i, "Gelu", x, vec![("approximate", Attribute::String("tanh".to_owned()))]);
        }
    }
}

fn matched(pass: &Pass<'_>, i: usize) -> Option<ValueId> {
    pass.either(i).into_iter().find_map(|(half, gate)| {
        let x = scaled(pass, half, 0.5)?;
        let plus = pass.made_by(gate, "Add")?;
        let tanh = pass.either(plus).into_iter().find_map(|(one, t)| (pass.single(one)? == 1.0).then_some(t))?;
        let inner = pass.input(pass.made_by(tanh, "Tanh")?, 0)?;
        let sum = scaled(pass, inner, (2.0 / std::f64::consts::PI).sqrt())?;
        let plus = pass.made_by(sum, "Add")?;
        let cube = pass.either(plus).into_iter().find_map(|(a, cube)| (a == x).then_some(cube))?;
        // ((c x) x) x, with the operands of each product in either order.
        let square = times(pass, cube, x)?;
        let line = times(pass, square, x)?;
        (scaled(pass, line, 0.044_715)? == x).then_some(x)
    })
}

/// The `v` of `id = factor * v`.
fn scaled(pass: &Pass<'_>, id: ValueId, factor: f64) -> Option<ValueId> {
    let mul = pass.made_by(id, "Mul")?;
    pass.either(mul).into_iter().find_map(|(c, v)| ((pass.single(c)? - factor).abs() < 1e-6 * factor).then_some(v))
}

/// The `v` of `id = v * x`.
fn times(pass: &Pass<'_>, id: ValueId, x: ValueId) -> Option<ValueId> {
    let mul = pass.made_by(id, "Mul")?;
    pass.either(mul).into_iter().find_map(|(v, other)| (other == x).then_some(v))
}

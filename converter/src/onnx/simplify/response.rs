//! Rewrites local response normalization, which CNTK composes of simple operators, to ONNX's LRN.

use super::super::graph::{Attribute, Dim, ValueId};
use super::{Pass, ints_attribute};

pub(super) fn fuse(pass: &mut Pass<'_>) {
    for i in 0..pass.model.nodes.len() {
        if pass.model.nodes[i].op == "Mul" {
            local_response(pass, i);
        }
    }
}

/// Rewrites `x / exp(beta * ln(bias + c * (sum of squares over neighbouring channels)))` to LRN.
fn local_response(pass: &mut Pass<'_>, i: usize) {
    let Some((x, attributes)) =
        pass.either(i).into_iter().find_map(|(x, inverse)| Some((x, match_response(pass, x, inverse)?)))
    else {
        return;
    };
    pass.become_unary(i, "LRN", x, attributes);
}

fn match_response(pass: &Pass<'_>, x: ValueId, inverse: ValueId) -> Option<Vec<(&'static str, Attribute)>> {
    // There is a guard against 0 if the sign of the sum was not known.
    let inverse = match pass.made_by(inverse, "Where") {
        Some(guard) => pass.input(guard, 2)?,
        None => inverse,
    };
    let power = pass.input(pass.made_by(inverse, "Reciprocal")?, 0)?;
    let exponent = pass.input(pass.made_by(power, "Exp")?, 0)?;
    let product = pass.made_by(exponent, "Mul")?;
    let (beta, log) =
        pass.either(product).into_iter().find_map(|(b, log)| Some((pass.single(b)?, pass.made_by(log, "Log")?)))?;
    let mut sum = pass.input(log, 0)?;
    if let Some(clamp) = pass.made_by(sum, "Max") {
        sum = pass.either(clamp).into_iter().find(|(_, least)| pass.is_weight(*least))?.0;
    }
    let plus = pass.made_by(sum, "Add")?;
    let (bias, squares) = pass.either(plus).into_iter().find_map(|(b, s)| Some((pass.single(b)?, s)))?;
    let back = pass.made_by(squares, "Reshape")?;
    let conv = pass.made_by(pass.input(back, 0)?, "Conv")?;
    let node = &pass.model.nodes[conv];
    let kernel = pass.literal_floats(pass.input(conv, 1)?)?;
    let shape = ints_attribute(node, "kernel_shape")?;
    let size = *shape.first()?;
    let flat =
        shape[1..].iter().all(|n| *n == 1) && kernel.len() as i64 == size && kernel.iter().all(|v| *v == kernel[0]);
    let pads = ints_attribute(node, "pads")?;
    let n = shape.len();
    let centred = size % 2 == 1
        && pads.iter().enumerate().all(|(i, p)| *p == if i % n == 0 { size / 2 } else { 0 })
        && ints_attribute(node, "strides").is_none()
        && node.inputs.len() == 2;
    let unfold = pass.made_by(pass.input(conv, 0)?, "Reshape")?;
    let square = pass.made_by(pass.input(unfold, 0)?, "Mul")?;
    let of_x = pass.input(square, 0) == Some(x) && pass.input(square, 1) == Some(x);
    let image = pass.dims(x).len() >= 3 && pass.dims(pass.input(conv, 0)?).get(1) == Some(&Dim::Known(1));
    if !(flat && centred && of_x && image && bias > 0.0 && kernel[0] >= 0.0) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "ONNX stores these as floats")]
    let float = |v: f64| Attribute::Float(v as f32);
    Some(vec![
        ("alpha", float(kernel[0] * size as f64)),
        ("beta", float(beta)),
        ("bias", float(bias)),
        ("size", Attribute::Int(size)),
    ])
}

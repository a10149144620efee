//! Rewrites layer normalization and local response normalization, which CNTK composes of simple operators, to ONNX's
//! LayerNormalization and LRN. Only terms that are exactly the same are rewritten; CNTK's older form, which divides by
//! (deviation + epsilon), stays as it is.

use super::super::graph::{Attribute, Dim, ValueId};
use super::{Pass, int_attribute, ints_attribute};

pub(super) fn fuse(pass: &mut Pass<'_>) {
    for i in 0..pass.model.nodes.len() {
        match pass.model.nodes[i].op {
            "Add" if pass.model.opset >= 17 => layer_normalization(pass, i),
            "Mul" => local_response(pass, i),
            _ => {}
        }
    }
}

/// `scale * (x - mean) / sqrt(variance + epsilon) + bias` over the last axes.
fn layer_normalization(pass: &mut Pass<'_>, i: usize) {
    let Some(found) = pass.either(i).into_iter().find_map(|(scaled, bias)| match_layer(pass, i, scaled, bias)) else {
        return;
    };
    let Layer { x, scale, bias, axis, epsilon } = found;
    let node = &mut pass.model.nodes[i];
    let old: Vec<ValueId> = node.inputs.iter().flatten().copied().collect();
    node.op = "LayerNormalization";
    node.inputs = [Some(x), Some(scale), Some(bias)].as_slice().into();
    #[expect(clippy::cast_possible_truncation, reason = "ONNX stores epsilon as a float")]
    let mut attributes = vec![("epsilon", Attribute::Float(epsilon as f32))];
    let last = pass.dims(x).len() - 1;
    if axis != last {
        attributes.insert(0, ("axis", Attribute::Int(axis as i64)));
    }
    pass.model.nodes[i].attributes = attributes;
    for id in old {
        pass.uses[id.0 as usize] -= 1;
    }
    for id in [x, scale, bias] {
        pass.uses[id.0 as usize] += 1;
    }
}

struct Layer {
    x: ValueId,
    scale: ValueId,
    bias: ValueId,
    axis: usize,
    epsilon: f64,
}

fn match_layer(pass: &Pass<'_>, add: usize, scaled: ValueId, bias: ValueId) -> Option<Layer> {
    let times_scale = pass.made_by(scaled, "Mul")?;
    pass.either(times_scale).into_iter().find_map(|(normal, scale)| {
        let quotient = pass.made_by(normal, "Mul")?;
        pass.either(quotient).into_iter().find_map(|(centred, inverse)| {
            let sub = pass.made_by(centred, "Sub")?;
            let x = pass.input(sub, 0)?;
            let axes = mean_over(pass, pass.input(sub, 1)?, x)?;
            let root = pass.input(pass.made_by(inverse, "Reciprocal")?, 0)?;
            let sum = pass.input(pass.made_by(root, "Sqrt")?, 0)?;
            let plus = pass.made_by(sum, "Add")?;
            let epsilon = pass.either(plus).into_iter().find_map(|(variance, epsilon)| {
                let epsilon = pass.single(epsilon)?;
                let square = pass.input(pass.maker(variance)?.0, 0)?;
                let own = mean_over(pass, variance, square)? == axes;
                let mul = pass.made_by(square, "Mul")?;
                let squared = pass.input(mul, 0) == Some(centred) && pass.input(mul, 1) == Some(centred);
                (own && squared).then_some(epsilon)
            })?;
            // The axes must be the last ones, and scale and bias have just their shape.
            let rank = pass.dims(x).len();
            let axis = *axes.first()?;
            let trailing = axes.iter().copied().eq(axis..rank);
            let shape = &pass.dims(x)[axis..];
            let fits = |id: ValueId| pass.is_weight(id) && pass.dims(id).as_slice() == shape;
            let float = pass.model.values[x.0 as usize].elem == super::super::graph::ElemType::Float;
            let same =
                pass.model.nodes[add].outputs.first().copied().flatten().is_some_and(|o| pass.dims(o) == pass.dims(x));
            (trailing && fits(scale) && fits(bias) && float && same).then_some(Layer { x, scale, bias, axis, epsilon })
        })
    })
}

/// The axes over which `id` is the mean of `x`, if it keeps their dimensions.
fn mean_over(pass: &Pass<'_>, id: ValueId, x: ValueId) -> Option<Vec<usize>> {
    let i = pass.made_by(id, "ReduceMean")?;
    let node = &pass.model.nodes[i];
    if pass.input(i, 0) != Some(x) || int_attribute(node, "keepdims") == Some(0) {
        return None;
    }
    let axes = match pass.input(i, 1) {
        Some(id) => pass.literal_ints(id)?,
        None => ints_attribute(node, "axes")?.to_vec(),
    };
    axes.iter().map(|a| usize::try_from(*a).ok()).collect()
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

//! Lowers BatchNormalization with running statistics (spec 4.9), and normalizations that CNTK composes.

use super::{Lowered, Lowering, Node, Val};
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Attribute, Dim, Dims, ElemType, ValueId};
use crate::resolve::normalization::{LayerNorm, is_per_element};
use crate::resolve::response::LocalResponse;
use cntk_parser::model::Source;
use cntk_parser::ops::attributes::BatchNormalization;
use smallvec::smallvec;

/// `scale * (x - mean) / sqrt(variance + epsilon) + bias`, per channel or, if not spatial, per element.
pub(super) fn batch_normalization(
    cx: &mut Lowering<'_, '_, '_>,
    node: &Node<'_, '_>,
    a: &BatchNormalization,
) -> Lowered {
    let x = node.inputs[0];
    let tail = cx.tail(&x);
    let elem = cx.b.elem(x.id);
    let mut input = cx.as_batch(&x)?;
    if is_per_element(a, tail.len()) {
        let dims: Dims = [cx.b.dims(input)[0], cx.b.product(&tail)].as_slice().into();
        input = cx.b.reshape(input, &dims)?;
    }
    let channels = cx.b.dims(input)[1];
    let parameters: Vec<ValueId> = node.inputs[1..5]
        .iter()
        .map(|p: &Val| {
            let id = cx.b.cast(p.id, elem);
            // A statistic of one element applies to all channels, and [C,1] means [C].
            let all = cx.b.dims(id).clone();
            let count = cx.b.product(&all);
            if count == Dim::Known(1) && channels != Dim::Known(1) {
                let one = cx.b.reshape(id, &[Dim::Known(1)])?;
                cx.b.expand(one, &[channels])
            } else {
                cx.b.reshape(id, &[channels])
            }
        })
        .collect::<Measured<_>>()?;
    let dims = cx.b.dims(input).clone();
    let mut operands = vec![input];
    operands.extend(parameters);
    #[expect(clippy::cast_possible_truncation, reason = "ONNX stores epsilon as a float")]
    let attributes = vec![("epsilon", Attribute::Float(a.epsilon as f32))];
    let id = cx.b.emit("BatchNormalization", &operands, attributes, elem, dims);
    let mut full: Dims = [cx.b.dims(id)[0]].as_slice().into();
    full.extend(tail);
    let id = cx.b.reshape(id, &full)?;
    Ok(smallvec![cx.unbatch(id, x.lead)?])
}

/// The layer normalization that a function completes, where ONNX has it: with epsilon in the root.
pub(super) fn layer(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    let found = LayerNorm::composed(cx.graph.model, node.id)?;
    let x = cx.value(found.x).ok()??;
    let (elem, dims, axis) = (cx.b.elem(x.id), cx.b.dims(x.id).clone(), x.lead.rank() + found.axis);
    if !found.to_variance || cx.options.opset < 17 || elem != ElemType::Float {
        return None;
    }
    let mut operands = vec![x.id];
    for weight in [found.scale, found.bias] {
        let weight = cx.value(Source::Variable(weight)).ok()??;
        if cx.b.dims(weight.id).as_slice() != &dims[axis..] {
            return None;
        }
        operands.push(weight.id);
    }
    #[expect(clippy::cast_possible_truncation, reason = "ONNX stores epsilon as a float")]
    let mut attributes = vec![("epsilon", Attribute::Float(found.epsilon as f32))];
    if axis + 1 != dims.len() {
        attributes.insert(0, ("axis", Attribute::Int(axis as i64)));
    }
    let id = cx.b.emit("LayerNormalization", &operands, attributes, elem, dims);
    Some(cx.with(id, &x))
}

/// The local response normalization that a function completes.
pub(super) fn local_response(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    let found = LocalResponse::composed(cx.graph.model, node.id)?;
    let x = cx.value(found.x).ok()??;
    if cx.b.elem(x.id) != ElemType::Float {
        return None;
    }
    let input = cx.as_batch(&x).ok()?;
    let (elem, dims) = (cx.b.elem(input), cx.b.dims(input).clone());
    #[expect(clippy::cast_possible_truncation, reason = "ONNX stores these as floats")]
    let float = |v: f64| Attribute::Float(v as f32);
    let attributes = vec![
        ("alpha", float(found.alpha)),
        ("beta", float(found.beta)),
        ("bias", float(found.bias)),
        ("size", Attribute::Int(found.size as i64)),
    ];
    let id = cx.b.emit("LRN", &[input], attributes, elem, dims);
    cx.unbatch(id, x.lead).ok()
}

//! Lowers BatchNormalization with running statistics (spec 4.9).

use super::{Lowered, Lowering, Node, Val};
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Attribute, Dim, Dims, ValueId};
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
    if !a.spatial || tail.is_empty() {
        // Not spatial: each element is a channel of its own.
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

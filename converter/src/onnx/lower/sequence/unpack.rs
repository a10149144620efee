//! Lowers conversions between a sequence axis and a static one (spec 4.13). The tensor `[batch, frames, …]` does not
//! change.

use super::super::{Lowered, Lowering, Node, Val};
use crate::layout::Lead;
use crate::onnx::graph::ElemType;
use crate::report::Reason;
use cntk_parser::model::{Dim as TypeDim, SequenceAxisId};
use cntk_parser::ops::attributes::UnpackSequence;
use smallvec::smallvec;

/// UnpackSequence: frames become the outermost static axis, padded with a value. The mask marks the real frames.
pub(super) fn unpack(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &UnpackSequence) -> Lowered {
    let x = node.inputs[0];
    let Some(axis) = x.lead.sequence.filter(|_| x.lead.batch.is_some()) else {
        return Err(Reason::new("", "the operand is not a sequence"));
    };
    let time = cx.time(axis);
    if let Some(TypeDim::Free(id)) = node.types[0].shape.first() {
        cx.free.insert(*id, time);
    }
    let data = cx.mask_fill(&x, a.padding_value)?;
    let data = Val { id: data.id, lead: x.lead.per_sample() };
    if node.types.len() < 2 {
        return Ok(smallvec![data]);
    }
    let elem = cx.b.elem(x.id);
    let valid = if cx.is_ragged(axis) {
        let mask = cx.mask(axis)?;
        cx.b.cast(mask, elem)
    } else {
        let batch = cx.batch(axis);
        cx.b.filled(elem, &[batch, time], 1.0)?
    };
    Ok(smallvec![data, Val { id: valid, lead: x.lead.per_sample() }])
}

/// ToSequence: the outermost static axis becomes a sequence axis, with lengths given by the second operand.
pub(super) fn to_sequence(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (x, lead, axis) = operand(cx, node)?;
    let lengths = match node.inputs.get(1) {
        None => None,
        Some(given) => {
            let batch = cx.batch(axis);
            let row = cx.b.reshape(given.id, &[batch])?;
            Some(cx.b.cast(row, ElemType::Int64))
        }
    };
    let time = cx.b.dims(x.id)[1];
    cx.define_axis(axis, time, lengths, lengths.is_some());
    let id = cx.resize(x.id, 1, axis)?;
    Ok(smallvec![Val { id, lead }])
}

/// ToSequenceLike: as [`to_sequence`], with the lengths of another sequence. Frames beyond these are dropped.
pub(super) fn to_sequence_like(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (x, lead, axis) = operand(cx, node)?;
    let id = cx.resize(x.id, 1, axis)?;
    Ok(smallvec![Val { id, lead }])
}

/// The operand whose outermost static axis becomes a sequence, the axes before the result, and the axis of the sequence.
fn operand(cx: &Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Result<(Val, Lead, SequenceAxisId), Reason> {
    let x = node.inputs[0];
    let lead = cx.lead(node.result());
    let (Some(axis), Some(_), None) = (lead.sequence, x.lead.batch, x.lead.sequence) else {
        return Err(Reason::new("", "the operand is not one value per sample"));
    };
    if cx.static_rank(&x) == 0 {
        return Err(Reason::new("", "the operand has no axis that could be the sequence"));
    }
    Ok((x, lead, axis))
}

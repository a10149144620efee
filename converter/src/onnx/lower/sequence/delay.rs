//! Lowers PastValue and FutureValue outside of loops to shifts along the sequence axis (spec 4.10).

use super::super::{Lowered, Lowering, Node, Val};
use crate::layout::Lead;
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Dim, ElemType, ValueId};
use crate::report::Reason;
use cntk_parser::model::SequenceAxisId;
use cntk_parser::ops::attributes::Delay;
use smallvec::smallvec;

/// The most frames of an initial state that are listed one by one; for more, the indices are computed at run time.
const MOST_LISTED: i64 = 1024;

/// `y[t] = x[t - d]`, with the initial state in the first `d` frames.
pub(super) fn past(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Delay) -> Lowered {
    let (d, x, _) = operands(cx, node, a)?;
    let (elem, tail) = (cx.b.elem(x.id), cx.tail(&x));
    let id = if let Some(fill) = fill(cx, node) {
        shift(cx, x.id, -d, fill)
    } else {
        let first = initial_frames(cx, elem, x.lead.per_sample(), &tail, node.inputs[1], d, false)?;
        let all = cx.b.concat(&[first, x.id], 1);
        let time = cx.b.dims(x.id)[1];
        cx.b.slice(all, 1, 0, -d, 1, time)
    };
    Ok(smallvec![cx.with(id, &x)])
}

/// `y[t] = x[t + d]`, with the initial state in the last `d` frames of each sequence.
pub(super) fn future(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Delay) -> Lowered {
    let (d, x, axis) = operands(cx, node, a)?;
    let (elem, tail) = (cx.b.elem(x.id), cx.tail(&x));
    let fill = fill(cx, node);
    if !cx.is_ragged(axis) {
        let id = if let Some(fill) = fill {
            shift(cx, x.id, d, fill)
        } else {
            let last = initial_frames(cx, elem, x.lead.per_sample(), &tail, node.inputs[1], d, true)?;
            let all = cx.b.concat(&[x.id, last], 1);
            let time = cx.b.dims(x.id)[1];
            cx.b.slice(all, 1, d, i64::MAX, 1, time)
        };
        return Ok(smallvec![cx.with(id, &x)]);
    }
    let shifted = shift(cx, x.id, d, 0.0);
    let inside = cx.before(axis, d)?;
    let inside = cx.frame_flags(inside, &x);
    let initial = node.inputs[1];
    let last = match initial.lead.sequence {
        None => {
            let v = cx.unify(&[x, initial])[1];
            let lead = x.lead;
            cx.place(&v, lead, tail.len())
        }
        // Frame t of the result is frame t + d - length of the initial state.
        Some(from) => {
            let (lengths, time) = (cx.lengths(axis)?, cx.time(axis));
            let steps = cx.steps(time)?;
            let start = cx.b.unsqueeze(lengths, &[1]);
            let offset = cx.b.ints(&[d]);
            let start = cx.b.sub(start, offset);
            let index = cx.b.sub(steps, start);
            let index = within(cx, index, from)?;
            let placed = cx.place(&initial, initial.lead, tail.len());
            let (frames, elem) = (cx.b.gather_rows(placed, index)?, cx.b.elem(x.id));
            cx.b.cast(frames, elem)
        }
    };
    Ok(smallvec![Val { id: cx.b.choose(inside, shifted, last), lead: x.lead }])
}

/// The offset, the operand in the result's shape, and the sequence axis.
fn operands(
    cx: &mut Lowering<'_, '_, '_>,
    node: &Node<'_, '_>,
    a: &Delay,
) -> Result<(i64, Val, SequenceAxisId), Reason> {
    let d = offset(a)?;
    let x = node.inputs[0];
    let Some(axis) = x.lead.sequence.filter(|_| x.lead.batch.is_some()) else {
        return Err(Reason::new("", "the operand is not a sequence"));
    };
    let dims = cx.static_dims(&node.types[0]);
    Ok((d, cx.broadcast_to(&x, x.lead, &dims)?, axis))
}

/// The offset of a delay, which must be small enough to compute with.
pub(in crate::onnx::lower) fn offset(a: &Delay) -> Result<i64, Reason> {
    i32::try_from(a.offset)
        .ok()
        .filter(|d| *d > 0)
        .map(i64::from)
        .ok_or_else(|| Reason::new("offset", "is not a sensible number of frames"))
}

/// The initial state, if it is a single number.
fn fill(cx: &Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Option<f64> {
    match cx.b.literal(node.inputs[1].id) {
        Some([v]) => Some(*v),
        _ => None,
    }
}

/// Moves frames by `d` towards the start (or towards the end if negative) and fills the gap.
fn shift(cx: &mut Lowering<'_, '_, '_>, x: ValueId, d: i64, fill: f64) -> ValueId {
    let dims = cx.b.dims(x).clone();
    let mut pads = vec![0; 2 * dims.len()];
    (pads[1], pads[dims.len() + 1]) = (-d, d);
    let pads = cx.b.ints(&pads);
    cx.b.pad_dynamic(x, pads, "constant", fill, dims)
}

/// The `d` frames of an initial state for the frames before the start (or after the end) of sequences, for each sample
/// of `lead`, with element type `elem` and static dimensions `dims`: [batch, d, …].
pub(in crate::onnx::lower) fn initial_frames(
    cx: &mut Lowering<'_, '_, '_>,
    elem: ElemType,
    lead: Lead,
    dims: &[Dim],
    initial: Val,
    d: i64,
    backward: bool,
) -> Measured<ValueId> {
    let v = Val { id: cx.b.cast(initial.id, elem), lead: initial.lead };
    let count = Dim::Known(d.unsigned_abs());
    let mut to = cx.lead_dims(lead);
    to.push(count);
    to.extend(dims.iter().copied());
    let Some(axis) = v.lead.sequence else {
        let placed = if v.lead.batch.is_some() {
            let own = cx.place(&v, lead, dims.len());
            cx.b.unsqueeze(own, &[1])
        } else {
            v.id
        };
        return cx.b.expand(placed, &to);
    };
    let placed = cx.place(&v, v.lead, dims.len());
    let frames = if cx.is_ragged(axis) {
        let mut index = offsets(cx, d)?;
        if !backward {
            let lengths = cx.lengths(axis)?;
            let back = cx.b.ints(&[d]);
            let first = cx.b.sub(lengths, back);
            let first = cx.b.unsqueeze(first, &[1]);
            index = cx.b.add(first, index);
        }
        let index = within(cx, index, axis)?;
        cx.b.gather_rows(placed, index)?
    } else if d == 1 {
        let (from, to) = if backward { (0, 1) } else { (-1, i64::MAX) };
        cx.b.slice(placed, 1, from, to, 1, count)
    } else {
        equal_frames(cx, placed, axis, d, backward)?
    };
    cx.b.expand(frames, &to)
}

/// The first (if `backward`) or last `d` frames of sequences of one length: [batch, d, …].
fn equal_frames(
    cx: &mut Lowering<'_, '_, '_>,
    x: ValueId,
    axis: SequenceAxisId,
    d: i64,
    backward: bool,
) -> Measured<ValueId> {
    let time = cx.time(axis);
    let length = cx.b.dim_value(time)?;
    let mut index = offsets(cx, d)?;
    if !backward {
        let back = cx.b.ints(&[d]);
        let first = cx.b.sub(length, back);
        index = cx.b.add(first, index);
    }
    let index = clamp(cx, index, length);
    Ok(cx.b.gather(x, index, 1))
}

/// 0 to `d` - 1.
fn offsets(cx: &mut Lowering<'_, '_, '_>, d: i64) -> Measured<ValueId> {
    if d <= MOST_LISTED {
        return Ok(cx.b.ints(&(0..d).collect::<Vec<_>>()));
    }
    cx.b.range(Dim::Known(d.unsigned_abs()))
}

/// An initial state of one frame, with the static dimensions `dims`: [batch, …].
pub(in crate::onnx::lower) fn initial_frame(
    cx: &mut Lowering<'_, '_, '_>,
    elem: ElemType,
    lead: Lead,
    dims: &[Dim],
    initial: Val,
    backward: bool,
) -> Measured<ValueId> {
    if initial.lead.sequence.is_some() {
        let frames = initial_frames(cx, elem, lead, dims, initial, 1, backward)?;
        return Ok(cx.b.squeeze(frames, &[1]));
    }
    let v = Val { id: cx.b.cast(initial.id, elem), lead: initial.lead };
    Ok(cx.broadcast_to(&v, lead, dims)?.id)
}

/// Clamps indices to the frames of an axis, so that an initial state of one frame serves for any number of frames.
fn within(cx: &mut Lowering<'_, '_, '_>, index: ValueId, axis: SequenceAxisId) -> Measured<ValueId> {
    let lengths = cx.lengths(axis)?;
    let column = cx.b.unsqueeze(lengths, &[1]);
    Ok(clamp(cx, index, column))
}

/// Clamps indices to 0 … `count` - 1.
fn clamp(cx: &mut Lowering<'_, '_, '_>, index: ValueId, count: ValueId) -> ValueId {
    let (zero, one) = (cx.b.ints(&[0]), cx.b.ints(&[1]));
    let index = cx.b.binary("Max", index, zero);
    let last = cx.b.sub(count, one);
    cx.b.binary("Min", index, last)
}

//! Lowers Where, GatherPacked and ScatterPacked, which select frames by a condition (spec 4.13).
//!
//! A Where outputs the indices of its frames as numbers. Operators that read them use the [`Picks`] of the Where
//! instead, which holds the indices as integers and knows whether the frames are a range.

use super::super::{Lowered, Lowering, Node, Val};
use crate::layout::Lead;
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Dim, Dims, ElemType, ValueId};
use crate::report::Reason;
use crate::resolve::frames::{Cut, Frames, Margins, Picked, origin, picked};
use cntk_parser::model::{SequenceAxisId, Source};
use smallvec::smallvec;

/// The frames that a Where selected.
#[derive(Clone, Copy)]
pub(crate) struct Picks {
    /// The range of frames, if they are one.
    frames: Option<Frames>,
    /// The axis of the condition.
    axis: SequenceAxisId,
    /// The indices: int64 [batch, picked], or [batch] if one frame of each sequence is selected. They are valid even in
    /// the padding.
    index: ValueId,
    /// The condition, [batch, sequence, …].
    condition: Val,
    /// Is the condition counted, so that a frame may be selected several times?
    counted: bool,
}

/// Where: the indices of the frames whose condition is not 0.
pub(super) fn place(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let condition = node.inputs[0];
    let Some(axis) = condition.lead.sequence.filter(|_| condition.lead.batch.is_some()) else {
        return Err(Reason::new("", "the condition is not a sequence"));
    };
    let lead = cx.lead(node.result());
    let kind = picked(cx.graph.model, node.sources[0]);
    let index = match (kind, lead.sequence) {
        (Picked::Frames(frames), Some(to)) => run(cx, frames, axis, to)?,
        (Picked::Frames(frames), None) => single(cx, frames, axis)?,
        (Picked::Marked, Some(to)) => marked(cx, &condition, axis, to)?,
        (Picked::Counted, Some(to)) => counted(cx, &condition, to)?,
        (Picked::Marked, None) => first_marked(cx, &condition)?,
        (Picked::Counted, None) => first_counted(cx, &condition)?,
    };
    let frames = if let Picked::Frames(frames) = kind { Some(frames) } else { None };
    let counted = matches!(kind, Picked::Counted);
    cx.sequences.picks.insert(node.id, Picks { frames, axis, index, condition, counted });
    let elem = super::super::elem_type(node.types[0].data_type).unwrap_or(ElemType::Float);
    Ok(smallvec![Val { id: cx.b.cast(index, elem), lead }])
}

/// The indices of a range of frames, whose length may differ between sequences.
fn run(
    cx: &mut Lowering<'_, '_, '_>,
    frames: Frames,
    axis: SequenceAxisId,
    to: SequenceAxisId,
) -> Result<ValueId, Reason> {
    let ragged = cx.is_ragged(axis);
    let (time, batch, lengths) = (cx.time(axis), cx.batch(axis), cx.lengths(axis)?);
    let (most, less) = frames.lengths();
    let less = Some(cx.b.ints(&[number(less)?])).filter(|_| less > 0);
    let most = most.map(number).transpose()?.map(|n| cx.b.ints(&[n]));
    let capped = |cx: &mut Lowering<'_, '_, '_>, n| most.map_or(n, |most| cx.b.binary("Min", n, most));
    let rest = |cx: &mut Lowering<'_, '_, '_>, n| less.map_or(n, |less| cx.b.sub(n, less));
    let longest = capped(cx, lengths);
    let kept = rest(cx, longest);
    let start = match frames {
        Frames::Inner { skip: 0, drop: 0 } | Frames::Head { from: 0, .. } => None,
        Frames::Inner { skip: from, .. } | Frames::Head { from, .. } => Some(cx.b.ints(&[number(from)?])),
        Frames::Tail { .. } => {
            let start = cx.b.sub(lengths, longest);
            Some(cx.b.unsqueeze(start, &[1]))
        }
    };
    let size = if most.is_none() && less.is_none() {
        time
    } else {
        derived_size(cx, to, |cx| {
            let n = cx.b.dim_value(time)?;
            let n = capped(cx, n);
            Ok(rest(cx, n))
        })?
    };
    cx.define_axis(to, size, Some(kept), ragged);
    let size = cx.time(to);
    let mut index = cx.steps(size)?;
    if let Some(start) = start {
        index = cx.b.add(index, start);
    }
    if matches!(frames, Frames::Tail { .. }) {
        let n = cx.b.dim_value(time)?;
        let one = cx.b.ints(&[1]);
        let last = cx.b.sub(n, one);
        index = cx.b.binary("Min", index, last);
    }
    Ok(cx.b.expand(index, &[batch, size])?)
}

/// The dimension of a derived axis: the existing one, or a new one whose value `make` computes as int64 [1].
fn derived_size(
    cx: &mut Lowering<'_, '_, '_>,
    axis: SequenceAxisId,
    make: impl FnOnce(&mut Lowering<'_, '_, '_>) -> Measured<ValueId>,
) -> Measured<Dim> {
    if let Some(dim) = cx.sequence_dims.get(&axis) {
        return Ok(*dim);
    }
    let value = make(cx);
    let dim = cx.time(axis);
    cx.b.measure(dim, value?);
    Ok(dim)
}

/// The index of the frame in a range of one frame: int64 [batch].
fn single(cx: &mut Lowering<'_, '_, '_>, frames: Frames, axis: SequenceAxisId) -> Result<ValueId, Reason> {
    let batch = cx.batch(axis);
    match frames {
        Frames::Head { from, .. } => {
            let place = cx.b.ints(&[number(from)?]);
            Ok(cx.b.expand(place, &[batch])?)
        }
        Frames::Tail { to, .. } => {
            let lengths = cx.lengths(axis)?;
            let back = cx.b.ints(&[number(to)?]);
            Ok(cx.b.sub(lengths, back))
        }
        // In a valid model, each sequence then has only this frame.
        Frames::Inner { skip, .. } => {
            let place = cx.b.ints(&[number(skip)?]);
            Ok(cx.b.expand(place, &[batch])?)
        }
    }
}

/// The frames that a condition marks: bool [batch, sequence].
fn truth(cx: &mut Lowering<'_, '_, '_>, condition: &Val) -> Measured<ValueId> {
    let truth = cx.b.truth(condition.id);
    let truth = cx.with_static(truth, condition.lead, &[])?.id;
    match condition.lead.sequence.filter(|axis| cx.is_ragged(*axis)) {
        Some(axis) => {
            let mask = cx.mask(axis)?;
            Ok(cx.b.compare("And", truth, mask))
        }
        None => Ok(truth),
    }
}

/// The indices of marked frames, in order.
fn marked(
    cx: &mut Lowering<'_, '_, '_>,
    condition: &Val,
    axis: SequenceAxisId,
    to: SequenceAxisId,
) -> Measured<ValueId> {
    let truth = truth(cx, condition)?;
    let ones = cx.b.cast(truth, ElemType::Int64);
    let counts = cx.b.reduce("ReduceSum", ones, &[1], false);
    let most = cx.b.reduce("ReduceMax", counts, &[0], true);
    let size = derived_size(cx, to, |_| Ok(most))?;
    cx.define_axis(to, size, Some(counts), true);
    // Give unmarked frames an index beyond the end, so that sorting puts the marked ones first.
    let time = cx.time(axis);
    let steps = cx.steps(time)?;
    let end = cx.b.dim_value(time)?;
    let keys = cx.b.choose(truth, steps, end);
    let places = cx.b.smallest(keys, most, size, 1);
    let one = cx.b.ints(&[1]);
    let last = cx.b.sub(end, one);
    Ok(cx.b.binary("Min", places, last))
}

/// For a condition that may repeat frames: the number of frames selected up to each frame, which is the largest of these numbers so
/// far: double [batch, sequence]. A number is the sum of the condition up to there, rounded up (but tolerant to rounding errors).
fn ends(cx: &mut Lowering<'_, '_, '_>, condition: &Val) -> Measured<ValueId> {
    let double = cx.b.elem(condition.id) == ElemType::Double;
    let filled = cx.mask_fill(condition, 0.0)?;
    let flat = cx.with_static(filled.id, filled.lead, &[])?;
    let exact = cx.b.cast(flat.id, ElemType::Double);
    let sums = cx.b.cum_sum(exact, 1);
    let margin = cx.b.scalar(ElemType::Double, 1.0 - if double { f64::EPSILON } else { f64::from(f32::EPSILON) });
    let sums = cx.b.mul(sums, margin);
    Ok(cx.b.unary("Ceil", sums))
}

/// The indices for a condition that may repeat frames.
fn counted(cx: &mut Lowering<'_, '_, '_>, condition: &Val, to: SequenceAxisId) -> Measured<ValueId> {
    let ends = ends(cx, condition)?;
    let counts = cx.b.reduce("ReduceMax", ends, &[1], false);
    let counts = cx.b.cast(counts, ElemType::Int64);
    let zero = cx.b.ints(&[0]);
    let counts = cx.b.binary("Max", counts, zero);
    let most = cx.b.reduce("ReduceMax", counts, &[0], true);
    let size = derived_size(cx, to, |_| Ok(most))?;
    cx.define_axis(to, size, Some(counts), true);
    // Selected frame i is the first t up to which more than i frames are selected.
    let steps = cx.steps(size)?;
    let steps = cx.b.cast(steps, ElemType::Double);
    let ends = cx.b.unsqueeze(ends, &[2]);
    let reached = cx.b.compare("Greater", ends, steps);
    let reached = cx.b.cast(reached, ElemType::Int32);
    Ok(cx.b.arg_reduce("ArgMax", reached, 1, false))
}

/// The index of the first marked frame: int64 [batch].
fn first_marked(cx: &mut Lowering<'_, '_, '_>, condition: &Val) -> Measured<ValueId> {
    let truth = truth(cx, condition)?;
    let ones = cx.b.cast(truth, ElemType::Int32);
    Ok(cx.b.arg_reduce("ArgMax", ones, 1, false))
}

/// The index of the first frame that such a condition selects: int64 [batch].
fn first_counted(cx: &mut Lowering<'_, '_, '_>, condition: &Val) -> Measured<ValueId> {
    let ends = ends(cx, condition)?;
    let zero = cx.b.scalar(ElemType::Double, 0.0);
    let reached = cx.b.compare("Greater", ends, zero);
    let reached = cx.b.cast(reached, ElemType::Int32);
    Ok(cx.b.arg_reduce("ArgMax", reached, 1, false))
}

/// GatherPacked: the frames at the indices.
pub(super) fn gather(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0];
    let lead = cx.lead(node.result());
    let picks = origin(cx.graph.model, node.sources[1]).and_then(|(f, _)| cx.sequences.picks.get(&f).copied());
    let Some(axis) = x.lead.sequence.filter(|_| x.lead.batch.is_some()) else {
        return Err(Reason::new("", "the source is not a sequence"));
    };
    let Some(picks) = picks else {
        let index = node.inputs[1];
        if index.lead.batch.is_none() || cx.static_rank(&index) != 0 {
            return Err(Reason::new("", "the packed index is not one number for each place"));
        }
        let index = cx.b.cast(index.id, ElemType::Int64);
        return Ok(smallvec![Val { id: cx.b.gather_rows(x.id, index)?, lead }]);
    };
    if let (Some(frames), None) = (picks.frames, lead.sequence)
        && let Some(v) = cx.final_frame(node.sources[0], frames)
    {
        return Ok(smallvec![v]);
    }
    let plain = picks.frames.filter(|_| picks.axis == axis);
    let id = match plain.and_then(|frames| slice(cx, &x, frames, lead)) {
        Some(id) => id,
        None => cx.b.gather_rows(x.id, picks.index)?,
    };
    Ok(smallvec![Val { id, lead }])
}

/// A range of frames as a Slice, if its indices do not depend on the lengths.
fn slice(cx: &mut Lowering<'_, '_, '_>, x: &Val, frames: Frames, lead: Lead) -> Option<ValueId> {
    let even = !x.lead.sequence.is_some_and(|axis| cx.is_ragged(axis));
    let cut = frames.cut(lead.sequence.is_none(), even)?;
    let (from, to) = match cut {
        Cut::At(place) => {
            let place = cx.b.scalar(ElemType::Int64, place as f64);
            return Some(cx.b.gather(x.id, place, 1));
        }
        Cut::Range(from, to) => (from, to.unwrap_or(i64::MAX)),
    };
    let size = cx.time(lead.sequence?);
    if (from, to) == (0, i64::MAX) {
        return (cx.b.dims(x.id)[1] == size).then_some(x.id);
    }
    Some(cx.b.slice(x.id, 1, from, to, 1, size))
}

/// ScatterPacked: the frames at the indices, and 0 everywhere else. Frames at the same index are added up.
pub(super) fn scatter(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0];
    let lead = cx.lead(node.result());
    let picks = origin(cx.graph.model, node.sources[1]).and_then(|(f, _)| cx.sequences.picks.get(&f).copied());
    let Some(picks) = picks else {
        return Err(Reason::new("", "the packed index does not come from a condition"));
    };
    if lead.sequence != Some(picks.axis) {
        return Err(Reason::new("", "the layout is not that of the condition"));
    }
    if let Some(v) = padded(cx, &x, picks, lead)? {
        return Ok(smallvec![v]);
    }
    if picks.counted {
        return Ok(smallvec![sums_at(cx, &x, picks, lead)?]);
    }
    // The number of marked frames before a frame is its index among the selected ones.
    let truth = truth(cx, &picks.condition)?;
    let id = if x.lead.sequence.is_some() {
        let ones = cx.b.cast(truth, ElemType::Int64);
        let count = cx.b.cum_sum(ones, 1);
        let one = cx.b.ints(&[1]);
        let place = cx.b.sub(count, one);
        let zero = cx.b.ints(&[0]);
        let place = cx.b.binary("Max", place, zero);
        cx.b.gather_rows(x.id, place)?
    } else {
        cx.b.unsqueeze(x.id, &[1])
    };
    let full = Val { id, lead };
    let flags = cx.frame_flags(truth, &full);
    let zero = cx.b.scalar_like(id, 0.0);
    Ok(smallvec![Val { id: cx.b.choose(flags, id, zero), lead }])
}

/// A range of frames as a Pad, if where they go does not depend on the lengths.
fn padded(cx: &mut Lowering<'_, '_, '_>, x: &Val, picks: Picks, lead: Lead) -> Result<Option<Val>, Reason> {
    let even = !cx.is_ragged(picks.axis);
    let single = x.lead.sequence.is_none();
    let Some(Margins { before, after, fill }) = picks.frames.and_then(|f| f.margins(single, even)) else {
        return Ok(None);
    };
    let x = if fill { cx.mask_fill(x, 0.0)? } else { *x };
    let frames = if single { cx.b.unsqueeze(x.id, &[1]) } else { x.id };
    let (time, mut dims) = (cx.time(picks.axis), cx.b.dims(frames).clone());
    let size = std::mem::replace(&mut dims[1], time);
    if (before, after) == (Some(0), Some(0)) && size == time {
        return Ok(Some(Val { id: frames, lead }));
    }
    // The amounts before every axis, then those after.
    let rank = dims.len();
    let pads = if let (Some(before), Some(after)) = (before, after) {
        let mut amounts = vec![0; 2 * rank];
        (amounts[1], amounts[rank + 1]) = (number(before)?, number(after)?);
        cx.b.ints(&amounts)
    } else {
        let (whole, part) = (cx.b.dim_value(time)?, cx.b.dim_value(size)?);
        let known = number(before.or(after).unwrap_or(0))?;
        let mut rest = cx.b.sub(whole, part);
        let given = cx.b.ints(&[known]);
        if known > 0 {
            rest = cx.b.sub(rest, given);
        }
        let mut parts = Vec::new();
        for margin in [before, after] {
            parts.extend([cx.b.ints(&[0]), if margin.is_some() { given } else { rest }]);
            parts.extend((rank > 2).then(|| cx.b.ints(&vec![0; rank - 2])));
        }
        cx.b.concat(&parts, 0)
    };
    Ok(Some(Val { id: cx.b.pad_dynamic(frames, pads, "constant", 0.0, dims), lead }))
}

/// At each step, the sum of the frames that have its index.
fn sums_at(cx: &mut Lowering<'_, '_, '_>, x: &Val, picks: Picks, lead: Lead) -> Measured<Val> {
    let x = cx.mask_fill(x, 0.0)?;
    let sizes: Dims = cx.b.dims(x.id)[x.lead.rank()..].into();
    let width = cx.b.product(&sizes);
    let rows = cx.with_static(x.id, x.lead, &[width])?.id;
    let (rows, index) = match x.lead.sequence {
        Some(_) => (rows, cx.b.unsqueeze(picks.index, &[1])),
        None => (cx.b.unsqueeze(rows, &[1]), cx.b.unsqueeze(picks.index, &[1, 2])),
    };
    let time = cx.time(picks.axis);
    let steps = cx.steps(time)?;
    let steps = cx.b.unsqueeze(steps, &[1]);
    let here = cx.b.compare("Equal", steps, index);
    let elem = cx.b.elem(x.id);
    let here = cx.b.cast(here, elem);
    let sums = cx.b.matmul(here, rows);
    cx.with_static(sums, lead, &sizes)
}

impl Lowering<'_, '_, '_> {
    /// These frames of a sequence, if the recurrent operator that computes it also gave them.
    fn final_frame(&self, source: Source, frames: Frames) -> Option<Val> {
        let (known, v) = self.sequences.finals.get(&source)?;
        (*known == frames).then_some(*v)
    }
}

fn number(n: u64) -> Result<i64, Reason> {
    i64::try_from(n)
        .ok()
        .filter(|n| *n < i64::from(i32::MAX))
        .ok_or_else(|| Reason::new("offset", "is not a sensible number of frames"))
}

//! Where, GatherPacked and ScatterPacked, which select frames by a condition (spec 4.13).

use super::super::{Lower, Lowered, Node, Val};
use super::pad_amounts;
use crate::pytorch::python::expr::{Expr, Subscript, ValueId, args, functional, helper, keyword, of};
use crate::report::Reason;
use crate::resolve::frames::{Cut, Frames, Margins, Picked, gathered, picked, scattered};
use smallvec::smallvec;

/// Where: the positions of the frames where the condition holds, as one position per sequence or as a shorter sequence.
pub(super) fn positions(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let condition = cx.tensor(&node.inputs[0]);
    let axis = condition.lead.sequence.ok_or_else(|| Reason::new("", "the condition is not a sequence"))?;
    let condition = cx.reshape(&condition, &[])?;
    let truth = cx.truth(&condition);
    let valid = cx.mask(axis)?;
    let chosen = cx.compute(of(truth) & valid);
    let lead = cx.lead(node.result());
    let chosen_steps = helper("chosen_steps", args![chosen]);
    let (index, count) = match picked(cx.graph.model, node.sources[0]) {
        _ if lead.sequence.is_none() => (of(chosen).method("int", args![]).method("argmax", args![1]), None),
        Picked::Frames(frames) => (chosen_steps, Some(cut_lengths(cx.lengths(axis)?, frames))),
        Picked::Marked => (chosen_steps, Some(of(chosen).method("sum", args![1]))),
        Picked::Counted => {
            let counts = cx.mask_fill(&condition, 0.0)?.id;
            let most = of(counts).method("cumsum", args![1]).method("amax", args![1]);
            (helper("counted_steps", args![counts]), Some(most.method("ceil", args![]).method("long", args![])))
        }
    };
    if let (Some(made), Some(count)) = (lead.sequence, count) {
        let count = cx.compute(count);
        cx.set_lengths(made, count);
    }
    let index = cx.compute(index);
    if let Some(made) = lead.sequence {
        cx.set_timed(made, index);
    }
    let id = cx.numeric(of(index), &condition);
    cx.counts.insert(id, index);
    Ok(smallvec![Val { lead, dims: node.types[0].shape.clone(), ..condition.with(id) }])
}

/// The lengths of selected ranges.
fn cut_lengths(lengths: ValueId, frames: Frames) -> Expr {
    let (most, less) = frames.lengths();
    let most = most.map(|most| of(lengths).method("clamp", vec![keyword("max", most)])).unwrap_or(of(lengths));
    if less == 0 { most } else { most - less }
}

fn index_of(cx: &mut Lower<'_, '_, '_>, v: &Val) -> ValueId {
    match cx.counts.get(&v.id) {
        Some(index) => *index,
        None => cx.compute(of(v.id).method("long", args![])),
    }
}

/// GatherPacked: the frames at given positions.
pub(super) fn gather(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (x, index) = (cx.tensor(&node.inputs[0]), &node.inputs[1]);
    if x.lead.sequence.is_none() {
        return Err(Reason::new("", "the operand is not a sequence"));
    }
    let dims = node.types[0].shape.clone();
    if let Some(frames) = gathered(cx.graph.model, node.sources[0], node.sources[1]) {
        if index.lead.sequence.is_none() && frames == (Frames::Tail { from: 0, to: 1 }) {
            return Ok(smallvec![cx.last_step(&x)?]);
        }
        if let Some(cut) = frames.cut(index.lead.sequence.is_none(), false) {
            let part = match cut {
                Cut::At(place) => Subscript::At(place.into()),
                Cut::Range(0, None) => Subscript::ALL,
                Cut::Range(from, to) => Subscript::Range((from != 0).then(|| from.into()), to.map(Expr::from), None),
            };
            let id = cx.compute(of(x.id).index(vec![Subscript::ALL, part]));
            if let Some(axis) = index.lead.sequence {
                cx.retime(axis, id);
            }
            return Ok(smallvec![Val { lead: index.lead, dims, ..x.with(id) }]);
        }
    }
    let at = index_of(cx, index);
    let id = cx.compute(helper("take_steps", args![x.id, at]));
    Ok(smallvec![Val { lead: index.lead, dims, ..x.with(id) }])
}

/// ScatterPacked: frames at given positions, and zeros elsewhere.
pub(super) fn scatter(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (x, index) = (cx.tensor(&node.inputs[0]), &node.inputs[1]);
    let lead = cx.lead(node.result());
    let axis = lead.sequence.ok_or_else(|| Reason::new("", "the condition is not a sequence"))?;
    let timed = cx.timed(axis)?;
    let frames = scattered(cx.graph.model, node.sources[1], axis);
    if let Some(margins) = frames.and_then(|f| f.margins(x.lead.sequence.is_none(), false)) {
        return Ok(smallvec![Val { lead, dims: node.types[0].shape.clone(), ..surrounded(cx, &x, margins, timed)? }]);
    }
    let at = index_of(cx, index);
    let (x, at) = if x.lead.sequence.is_some() {
        (cx.mask_fill(&x, 0.0)?, at)
    } else {
        // One frame of each sequence.
        let id = cx.compute(of(x.id).index(vec![Subscript::ALL, Subscript::New]));
        let one = if index.lead.sequence.is_some() {
            at
        } else {
            cx.compute(of(at).index(vec![Subscript::ALL, Subscript::New]))
        };
        (x.with(id), one)
    };
    let id = cx.compute(helper("put_steps", args![x.id, at, of(timed).size(1)]));
    Ok(smallvec![Val { lead, dims: node.types[0].shape.clone(), ..x.with(id) }])
}

/// Frames with zeros around them, as many as `timed` has steps.
fn surrounded(cx: &mut Lower<'_, '_, '_>, x: &Val, margins: Margins, timed: ValueId) -> Result<Val, Reason> {
    let x = if margins.fill { cx.mask_fill(x, 0.0)? } else { x.clone() };
    let steps = of(timed).size(1);
    let (frames, rest) = match x.lead.sequence {
        Some(_) => (of(x.id), steps - of(x.id).size(1)),
        None => (of(x.id).index(vec![Subscript::ALL, Subscript::New]), steps - 1),
    };
    let rest = |given: u64| if given == 0 { rest } else { rest - given };
    let (before, after) = match (margins.before, margins.after) {
        (Some(0), Some(0)) => return Ok(x),
        (Some(before), Some(after)) => (before.into(), after.into()),
        (before, None) => (before.unwrap_or(0).into(), rest(before.unwrap_or(0))),
        (None, Some(after)) => (rest(after), after.into()),
    };
    let id = cx.compute(functional("pad", args![frames, pad_amounts(x.rank(), before, after)]));
    Ok(x.with(id))
}

//! Lowers any loop to one Scan.
//!
//! Sequences that the members read are scanned along their second dimension; values per sample and weights are read
//! from the outer graph. A delay by one frame is a state; a delay by d frames is a state of d frames, oldest first. For
//! a backward loop, each sequence is reversed within its own length, so that in both directions the padding comes last
//! and cannot affect a valid frame. Therefore a backward loop needs the lengths, and a forward loop does not.

use super::super::sequence::delay::{initial_frame, initial_frames};
use super::super::{Lowering, Val, elem_type};
use super::{Frame, Refused, State};
use crate::layout::Lead;
use crate::onnx::builder::{Measured, ScanPart};
use crate::onnx::graph::{Attribute, Dim, Dims, ElemType, ValueId};
use crate::report::Reason;
use cntk_parser::model::Source;
use cntk_parser::ops::Operator;
use std::collections::HashSet;

pub(super) fn lower(cx: &mut Lowering<'_, '_, '_>, frame: &Frame) -> Result<(), Refused> {
    let Some(scanned) = scanned(cx, frame)? else { return Ok(()) };
    for state in &frame.states {
        let mut dims = cx.static_dims(&cx.graph.model.output_types(state.delay)[0]);
        dims.extend(cx.lead_dims(cx.layout.per_sequence(frame.axis)));
        if !dims.iter().all(|d| cx.b.is_measured(*d)) {
            return Err(Refused(
                Some(state.delay),
                Reason::new("", "the state has a size that only its own loop computes"),
            ));
        }
    }
    let direction = Direction::of(cx, frame);
    let before: Vec<ValueId> =
        frame.states.iter().map(|s| initial(cx, frame, s, direction)).collect::<Measured<_>>()?;
    let outer: Vec<(Source, Val, ValueId)> =
        scanned.into_iter().map(|(s, v)| Ok((s, v, direction.apply(cx, frame, v.id)?))).collect::<Measured<_>>()?;

    cx.b.open();
    cx.values.open();
    cx.running.push(frame.axis);
    let made = inside(cx, frame, &outer, &before);
    cx.values.close();
    cx.running.pop();
    let nodes = cx.b.close();
    // The lowering of a member was refused: drop the body.
    let Some(Inside { inputs, states, produced }) = made? else { return Ok(()) };
    let outputs: Vec<_> = produced.iter().map(|(_, id, dims)| (*id, 1, dims.clone())).collect();
    let results = cx.b.scan(nodes, &states, &inputs, &outputs, direction == Direction::Backward);
    let lead = Lead { sequence: Some(frame.axis), ..cx.layout.per_sequence(frame.axis) };
    for ((source, _, _), id) in produced.iter().zip(&results[states.len()..]) {
        let id = direction.apply(cx, frame, *id)?;
        cx.values.bind(*source, Val { id, lead });
    }
    Ok(())
}

/// The interface of a Scan's body.
struct Inside {
    inputs: Vec<ScanPart>,
    /// Each state with its value for the next frame.
    states: Vec<(ScanPart, ValueId)>,
    /// The members whose values are read outside of the loop: the value in the body, and the dimensions outside.
    produced: Vec<(Source, ValueId, Dims)>,
}

/// Builds the body of the Scan; `None` if the lowering of a member was refused.
fn inside(
    cx: &mut Lowering<'_, '_, '_>,
    frame: &Frame,
    outer: &[(Source, Val, ValueId)],
    before: &[ValueId],
) -> Measured<Option<Inside>> {
    let mut inputs: Vec<ScanPart> = outer.iter().map(|(s, v, id)| scan_input(cx, *s, v, *id)).collect();
    if inputs.is_empty() {
        inputs.push(steps(cx, frame)?);
    }
    let states: Vec<ScanPart> = frame.states.iter().zip(before).map(|(s, id)| scan_state(cx, frame, s, *id)).collect();
    let Some(next) = body(cx, frame, &states)? else { return Ok(None) };
    let produced = produce(cx, frame)?;
    let mut taken: HashSet<ValueId> = inputs.iter().chain(&states).map(|part| part.inner).collect();
    let mut own = |id| if cx.b.is_inside(id) && taken.insert(id) { id } else { cx.b.local(id) };
    let next: Vec<ValueId> = next.into_iter().map(&mut own).collect();
    let produced: Vec<_> = produced.into_iter().map(|(s, id, dims)| (s, own(id), dims)).collect();
    Ok(Some(Inside { inputs, states: states.into_iter().zip(next).collect(), produced }))
}

/// How the frames are brought into the order of the loop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// They are already in that order.
    Forward,
    /// All sequences have the same length, so the Scan itself runs backwards.
    Backward,
    /// Each sequence is reversed within its length, before and after the Scan.
    Turned,
}

impl Direction {
    fn of(cx: &Lowering<'_, '_, '_>, frame: &Frame) -> Self {
        match (frame.backward, cx.is_ragged(frame.axis)) {
            (false, _) => Self::Forward,
            (true, false) => Self::Backward,
            (true, true) => Self::Turned,
        }
    }

    /// Brings a sequence from the usual order into that of the loop, or back.
    fn apply(self, cx: &mut Lowering<'_, '_, '_>, frame: &Frame, x: ValueId) -> Measured<ValueId> {
        if self != Self::Turned {
            return Ok(x);
        }
        let lengths = cx.lengths(frame.axis)?;
        let (elem, dims) = (cx.b.elem(x), cx.b.dims(x).clone());
        let attributes = vec![("batch_axis", Attribute::Int(0)), ("time_axis", Attribute::Int(1))];
        Ok(cx.b.emit("ReverseSequence", &[x, lengths], attributes, elem, dims))
    }
}

/// The sequences that members read from outside, each once; `None` if the lowering of one was refused.
fn scanned(cx: &mut Lowering<'_, '_, '_>, frame: &Frame) -> Result<Option<Vec<(Source, Val)>>, Refused> {
    let model = cx.graph.model;
    let members = &model.recurrence(frame.id).members;
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for f in members {
        let op = model.operator(*f);
        if super::delay(op).is_some() {
            continue;
        }
        let relabels = matches!(op, Operator::ReconcileDynamicAxis);
        for (i, source) in model.inputs(*f).iter().enumerate() {
            // Only the layout of its second operand matters.
            if relabels && i > 0 {
                continue;
            }
            let inner = matches!(source, Source::Output(g, _) if model.loop_of(*g) == Some(frame.id));
            if inner || !seen.insert(*source) {
                continue;
            }
            let Some(v) = cx.value(*source).map_err(|r| Refused(Some(*f), r))? else { return Ok(None) };
            let Some(own) = v.lead.sequence else { continue };
            if own == frame.axis {
                found.push((*source, v));
            } else if relabels {
                let relabelled = cx.relabel(&v, frame.axis)?;
                found.push((*source, relabelled));
            } else {
                return Err(Refused(Some(*f), Reason::new("", "a recurrence reads a sequence of another axis")));
            }
        }
    }
    Ok(Some(found))
}

/// The initial state of a delay: [batch, …], or [batch, d, …] for more than one frame.
fn initial(cx: &mut Lowering<'_, '_, '_>, frame: &Frame, state: &State, direction: Direction) -> Measured<ValueId> {
    let ty = &cx.graph.model.output_types(state.delay)[0];
    let dims = cx.static_dims(ty);
    let elem = elem_type(ty.data_type).unwrap_or(ElemType::Float);
    let lead = cx.layout.per_sequence(frame.axis);
    if state.offset == 1 {
        return initial_frame(cx, elem, lead, &dims, state.initial, frame.backward);
    }
    let id = initial_frames(cx, elem, lead, &dims, state.initial, state.offset, frame.backward)?;
    if direction != Direction::Forward && state.initial.lead.sequence.is_some() {
        // Reverse the frames: the one nearest to the end comes first.
        let count = cx.b.dims(id)[1];
        return Ok(cx.b.slice(id, 1, -1, i64::MIN, -1, count));
    }
    Ok(id)
}

/// Declares a scanned input in the body and binds its frame.
fn scan_input(cx: &mut Lowering<'_, '_, '_>, source: Source, v: &Val, outer: ValueId) -> ScanPart {
    let axis = v.lead.per_sample().rank();
    let mut dims = cx.b.dims(outer).clone();
    dims.remove(axis);
    let elem = cx.b.elem(outer);
    let inner = cx.b.value(None, elem, dims);
    cx.values.bind(source, Val { id: inner, lead: v.lead.per_sample() });
    ScanPart { inner, outer, axis }
}

/// The scanned input of a loop that reads no sequence: the indices of the frames.
fn steps(cx: &mut Lowering<'_, '_, '_>, frame: &Frame) -> Measured<ScanPart> {
    let time = cx.time(frame.axis);
    let outer = cx.steps(time)?;
    Ok(ScanPart { inner: cx.b.value(None, ElemType::Int64, Dims::new()), outer, axis: 0 })
}

/// Declares a state in the body and binds the output of the delay there.
fn scan_state(cx: &mut Lowering<'_, '_, '_>, frame: &Frame, state: &State, outer: ValueId) -> ScanPart {
    let (elem, dims) = (cx.b.elem(outer), cx.b.dims(outer).clone());
    let inner = cx.b.value(None, elem, dims);
    let now = if state.offset == 1 {
        inner
    } else {
        let first = cx.b.scalar(ElemType::Int64, 0.0);
        cx.b.gather(inner, first, 1)
    };
    cx.values.bind(Source::Output(state.delay, 0), Val { id: now, lead: cx.layout.per_sequence(frame.axis) });
    ScanPart { inner, outer, axis: 0 }
}

/// Lowers the members and returns the next states; `None` if the lowering of a member was refused.
fn body(cx: &mut Lowering<'_, '_, '_>, frame: &Frame, states: &[ScanPart]) -> Measured<Option<Vec<ValueId>>> {
    let model = cx.graph.model;
    for f in &model.recurrence(frame.id).members {
        if super::delay(model.operator(*f)).is_none() {
            cx.lower_one(*f);
        }
    }
    let mut next = Vec::with_capacity(states.len());
    let lead = cx.layout.per_sequence(frame.axis);
    for (state, part) in frame.states.iter().zip(states) {
        let source = model.inputs(state.delay)[0];
        let Some(v) = cx.value(source).ok().flatten() else { return Ok(None) };
        let elem = cx.b.elem(part.inner);
        let dims = cx.b.dims(part.inner).clone();
        let v = Val { id: cx.b.cast(v.id, elem), lead: v.lead };
        let id = if state.offset == 1 {
            cx.broadcast_to(&v, lead, &dims[1..])?.id
        } else {
            let newest = cx.broadcast_to(&v, lead, &dims[2..])?.id;
            let newest = cx.b.unsqueeze(newest, &[1]);
            let kept = cx.b.slice(part.inner, 1, 1, i64::MAX, 1, Dim::Known(state.offset.unsigned_abs() - 1));
            cx.b.concat(&[kept, newest], 1)
        };
        next.push(id);
    }
    Ok(Some(next))
}

/// The members whose values are read outside of the loop, and their values in the body.
fn produce(cx: &mut Lowering<'_, '_, '_>, frame: &Frame) -> Measured<Vec<(Source, ValueId, Dims)>> {
    let mut seen = HashSet::new();
    let wanted: Vec<Source> = cx.uses_of(frame.id).into_iter().map(|(s, _)| s).filter(|s| seen.insert(*s)).collect();
    let (lead, time) = (cx.layout.per_sequence(frame.axis), cx.time(frame.axis));
    let mut produced = Vec::new();
    for source in wanted {
        let Some(v) = cx.value(source).ok().flatten() else { continue };
        let dims = cx.static_dims(cx.graph.model.type_of(source));
        let inner = cx.broadcast_to(&v, lead, &dims)?;
        let mut outer = cx.lead_dims(lead);
        outer.push(time);
        outer.extend(dims);
        produced.push((source, inner.id, outer));
    }
    Ok(produced)
}

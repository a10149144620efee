//! Finds what the rest of the graph reads of a loop that is a cell, and whether the recurrent operator gives it.

use super::super::Lowering;
use super::Frame;
use crate::cells::{Cell, Kind};
use crate::resolve::frames::{Frames, Picked, origin, picked};
use cntk_parser::model::{FunctionId, Source};
use cntk_parser::ops::Operator;
use std::collections::HashSet;

/// What is computed after the recurrent operator.
pub(super) struct Plan {
    /// Members of the loop that are computed from the cell's output, frame by frame or delayed, in order.
    pub(super) after: Vec<FunctionId>,
    /// Is the final frame of the output read?
    pub(super) final_output: bool,
    /// Is the final frame of an LSTM's state read?
    pub(super) final_state: bool,
    /// The final frame, as a range of frames.
    pub(super) last: Frames,
}

impl Plan {
    /// `None` if something is read that the operator cannot give.
    pub(super) fn new(cx: &mut Lowering<'_, '_, '_>, frame: &Frame, cell: &Cell) -> Option<Self> {
        let last = if cell.backward { Frames::Head { from: 0, to: 1 } } else { Frames::Tail { from: 0, to: 1 } };
        let state = if let Kind::Lstm(lstm) = &cell.kind { Some(lstm.state) } else { None };
        let order = computable(cx, frame, cell.output);
        let known: HashSet<FunctionId> = order.iter().copied().collect();
        let mut plan = Self { after: Vec::new(), final_output: false, final_state: false, last };
        let mut wanted = HashSet::new();
        for (source, reader) in cx.uses_of(frame.id) {
            let reading = reader.map_or(Reading::Frames, |f| plan.reading(cx, source, f));
            match (source, reading) {
                (_, Reading::Final) if source == cell.output => plan.final_output = true,
                (_, Reading::Final) if Some(source) == state => plan.final_state = true,
                (_, Reading::Layout) if Some(source) == state => {}
                (Source::Output(f, _), _) if source == cell.output || known.contains(&f) => {
                    wanted.insert(f);
                }
                _ => return None,
            }
        }
        plan.after = needed(cx, &order, wanted);
        Some(plan)
    }

    /// The part of `source` that `reader` reads.
    fn reading(&self, cx: &Lowering<'_, '_, '_>, source: Source, reader: FunctionId) -> Reading {
        let model = cx.graph.model;
        let inputs = model.inputs(reader);
        let at = |i: usize| inputs.get(i) == Some(&source);
        match model.operator(reader) {
            Operator::ReconcileDynamicAxis | Operator::ToSequenceLike(_) if !at(0) => Reading::Layout,
            Operator::PackedIndex if !at(1) => Reading::Layout,
            Operator::GatherPacked if !at(1) && model.output_types(reader)[0].axes.sequence.is_none() => {
                let frames = origin(model, inputs[1]).map(|(_, condition)| picked(model, condition));
                if frames == Some(Picked::Frames(self.last)) { Reading::Final } else { Reading::Frames }
            }
            _ => Reading::Frames,
        }
    }
}

/// The part of a sequence that is read.
enum Reading {
    /// All frames.
    Frames,
    /// Only the final frame.
    Final,
    /// Only the axes.
    Layout,
}

/// The members that can be computed outside of the loop once `output` is known, in order.
fn computable(cx: &Lowering<'_, '_, '_>, frame: &Frame, output: Source) -> Vec<FunctionId> {
    let model = cx.graph.model;
    let members = &model.recurrence(frame.id).members;
    let mut order = Vec::new();
    let mut done = HashSet::new();
    let known = |done: &HashSet<FunctionId>, s: &Source| match s {
        Source::Output(f, _) => *s == output || model.loop_of(*f) != Some(frame.id) || done.contains(f),
        Source::Variable(_) => true,
    };
    // A delay comes before the function that feeds it, so each may need one more pass.
    for _ in 0..=frame.states.len() {
        for f in members {
            let is_output = matches!(output, Source::Output(o, _) if o == *f);
            if !is_output && !done.contains(f) && model.inputs(*f).iter().all(|s| known(&done, s)) {
                done.insert(*f);
                order.push(*f);
            }
        }
    }
    order
}

/// The functions in `order` that the wanted ones need.
fn needed(cx: &Lowering<'_, '_, '_>, order: &[FunctionId], mut wanted: HashSet<FunctionId>) -> Vec<FunctionId> {
    let mut kept = Vec::new();
    for f in order.iter().rev() {
        if wanted.contains(f) {
            kept.push(*f);
            wanted.extend(cx.graph.model.inputs(*f).iter().filter_map(|s| match s {
                Source::Output(g, _) => Some(*g),
                Source::Variable(_) => None,
            }));
        }
    }
    kept.reverse();
    kept
}

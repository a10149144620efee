//! Lowers recurrences: a loop that is proved to be a cell becomes a recurrent operator, any other a Scan.
//!
//! | module | does |
//! | --- | --- |
//! | [`uses`] | finds the values of each loop that the rest of the graph reads |
//! | [`cell`] | lowers loops that are LSTM, GRU or plain cells to one operator each |
//! | [`plan`] | decides whether such an operator gives everything that is read of the loop |
//! | [`scan`] | lowers any other loop |
//! | [`stack`] | lowers OptimizedRNNStack |
//! | [`operator`], [`weights`] | build the recurrent operators of ONNX and their weights |

mod cell;
mod operator;
mod plan;
mod scan;
pub(super) mod stack;
mod uses;
mod weights;

use super::{Lowering, Val};
use crate::onnx::graph::ValueId;
use crate::report::Reason;
use cntk_parser::model::{FunctionId, LoopId, SequenceAxisId, Source};
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::Delay;
use cntk_parser::ops::facts::Reach;
use std::collections::{HashMap, HashSet};

/// What the lowering of one recurrence leaves for the next.
#[derive(Default)]
pub(crate) struct Recurrences {
    uses: Option<uses::Uses>,
    /// Sequences in both layouts: from the batch-major value to the same value with the sequence axis first.
    time_major: HashMap<ValueId, ValueId>,
    /// Blocks that a node is named after.
    blocks: HashSet<FunctionId>,
}

/// Lowers a whole loop.
pub(super) fn lower(cx: &mut Lowering<'_, '_, '_>, id: LoopId) {
    let members = &cx.graph.model.recurrence(id).members;
    let Some(first) = members.first().copied() else { return };
    let before = cx.b.begin(cx.naming.origin(first));
    let made = attempt(cx, id);
    cx.b.resume(before);
    if let Err(Refused(at, reason)) = made {
        cx.refuse(at.unwrap_or(first), reason);
    }
}

/// The function because of which a loop cannot be lowered, and the reason.
struct Refused(Option<FunctionId>, Reason);

impl<R: Into<Reason>> From<R> for Refused {
    fn from(reason: R) -> Self {
        Self(None, reason.into())
    }
}

fn attempt(cx: &mut Lowering<'_, '_, '_>, id: LoopId) -> Result<(), Refused> {
    let Some(frame) = Frame::new(cx, id)? else { return Ok(()) };
    if cell::lower(cx, &frame)? {
        return Ok(());
    }
    scan::lower(cx, &frame)
}

/// A delay of a loop.
#[derive(Clone, Copy)]
struct State {
    /// The PastValue or FutureValue.
    delay: FunctionId,
    /// The number of frames.
    offset: i64,
    /// The initial state.
    initial: Val,
}

/// The parts of a loop that all ways of lowering it need.
struct Frame {
    id: LoopId,
    /// The sequence axis along which it runs.
    axis: SequenceAxisId,
    /// Does it run from the last frame to the first?
    backward: bool,
    states: Vec<State>,
}

impl Frame {
    /// `None` if the lowering of something that the loop reads was refused.
    fn new(cx: &mut Lowering<'_, '_, '_>, id: LoopId) -> Result<Option<Self>, Refused> {
        let model = cx.graph.model;
        let found = model.recurrence(id);
        let mut states = Vec::new();
        let mut axis = None;
        for f in &found.members {
            let here = |reason| Refused(Some(*f), reason);
            if model.operator(*f).reach() == Reach::Batch {
                return Err(here(Reason::new("", "mixes the samples of a batch within a recurrence")));
            }
            let Some(delay) = delay(model.operator(*f)) else { continue };
            let own = cx.lead(Source::Output(*f, 0)).sequence;
            if own.is_none() || axis.is_some_and(|axis| own != Some(axis)) {
                return Err(here(Reason::new("", "the delays of a recurrence run along different axes")));
            }
            axis = own;
            let offset = super::sequence::delay::offset(delay).map_err(here)?;
            let source = model.inputs(*f)[1];
            if cx.graph.starts_itself(*f) {
                return Err(here(Reason::new("", "the recurrence computes its own initial state")));
            }
            let Some(v) = cx.value(source).map_err(here)? else { return Ok(None) };
            states.push(State { delay: *f, offset, initial: cx.full(v, source)? });
        }
        let axis = axis.ok_or_else(|| Reason::new("", "a recurrence without a delay"))?;
        Ok(Some(Self { id, axis, backward: found.backward, states }))
    }
}

fn delay<'o>(op: &'o Operator<'_>) -> Option<&'o Delay> {
    match op {
        Operator::PastValue(a) | Operator::FutureValue(a) => Some(a),
        _ => None,
    }
}

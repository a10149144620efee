//! Finds the recurrences and the order of evaluation.
//!
//! The graph has a node for each primitive and user-defined function, and an edge to each function that produces one of
//! its inputs; blocks and `Combine` are already resolved. A strongly connected component is a recurrence. It is valid
//! if no cycle is left once the state inputs of its delays are cut.

mod recurrence;

use super::arena::{Id, PerId, ids};
use super::findings::{Findings, Place, Quoted};
use super::resolve::{Inputs, Resolution};
use super::rules;
use crate::components;
use crate::model::{FunctionId, FunctionKind, Loop, LoopId, Model, Source};
use crate::ops::Op;
use smallvec::SmallVec;

/// The order of evaluation.
pub(crate) struct Order {
    /// See [`crate::model::ValidatedModel::order`].
    pub(crate) order: Vec<FunctionId>,
    /// The recurrences.
    pub(crate) loops: Vec<Loop>,
    /// The recurrence of each function.
    pub(crate) loop_of: PerId<FunctionId, Option<LoopId>>,
}

/// Orders the functions and reports cycles that no delay breaks.
pub(crate) fn order<'a>(model: &Model<'a>, resolution: &Resolution<'a>, findings: &mut Findings<'_, 'a>) -> Order {
    let mut order = Order {
        order: Vec::with_capacity(model.functions.len()),
        loops: Vec::new(),
        loop_of: PerId::filled(model.functions.len(), None),
    };
    let producer = |function: usize, input: usize| match resolution.inputs.get(FunctionId::of(function))?.get(input)? {
        Source::Output(made, _) => Some(Some(made.place())),
        _ => Some(None),
    };
    components::each(model.functions.len(), producer, |members| {
        let members: SmallVec<[FunctionId; 1]> = members.iter().map(|member| FunctionId::of(*member)).collect();
        if let [only] = members.as_slice()
            && !reads(&resolution.inputs, *only, *only)
        {
            if is_node(model, *only) {
                order.order.push(*only);
            }
            return;
        }
        let id = LoopId(u32::try_from(order.loops.len()).unwrap_or(u32::MAX));
        let found = recurrence::sort(model, &resolution.inputs, &members, findings);
        for member in &found.members {
            order.loop_of.set(*member, Some(id));
        }
        order.order.extend_from_slice(&found.members);
        order.loops.push(found);
    });
    report_unreachable(model, resolution, findings);
    order
}

/// Does `reader` read an output of `made`?
fn reads(inputs: &Inputs, reader: FunctionId, made: FunctionId) -> bool {
    inputs.get(reader).into_iter().flatten().any(|source| matches!(source, Source::Output(f, _) if *f == made))
}

/// Is a function a node of the graph? Blocks and `Combine` are not.
fn is_node(model: &Model<'_>, id: FunctionId) -> bool {
    match model.functions.get(id.place()).map(|f| &f.kind) {
        Some(FunctionKind::Primitive(op)) => *op != Op::Combine,
        Some(FunctionKind::User(_) | FunctionKind::Foreign(_)) => true,
        Some(FunctionKind::Block(_)) | None => false,
    }
}

/// Reports all functions that the root does not need in one finding.
fn report_unreachable<'a>(model: &Model<'a>, resolution: &Resolution<'a>, findings: &mut Findings<'_, 'a>) {
    let mut unreachable = ids::<FunctionId, _>(&model.functions)
        .filter(|(id, _)| resolution.reachable.get(*id) == Some(&false))
        .map(|(id, f)| (id, f.uid));
    let Some((first, uid)) = unreachable.next() else { return };
    let others = unreachable.count();
    let text = match others {
        0 => format!("the root does not need {}", Quoted(uid)),
        n => format!("the root does not need {} and {n} more functions", Quoted(uid)),
    };
    findings.add(&rules::UNREACHABLE, Place::Function(first), text);
}

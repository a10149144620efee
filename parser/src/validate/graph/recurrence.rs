//! The direction of one recurrence, and the order of its members once the delays are cut.

use crate::model::{FunctionId, FunctionKind, Loop, Model, Source};
use crate::ops::Op;
use crate::validate::arena::Id;
use crate::validate::findings::{Findings, Place, Quoted};
use crate::validate::resolve::Inputs;
use crate::validate::rules;
use hashbrown::HashMap;

/// The direction of a delay; `None` for other functions.
pub(crate) fn direction(model: &Model<'_>, id: FunctionId) -> Option<bool> {
    match &model.functions.get(id.place())?.kind {
        FunctionKind::Primitive(Op::PastValue) => Some(false),
        FunctionKind::Primitive(Op::FutureValue) => Some(true),
        _ => None,
    }
}

/// Sorts a strongly connected component, or reports why that is impossible.
pub(super) fn sort<'a>(
    model: &Model<'a>,
    inputs: &Inputs,
    members: &[FunctionId],
    findings: &mut Findings<'_, 'a>,
) -> Loop {
    let mut sorted = members.to_vec();
    sorted.sort_unstable();
    let backward = common_direction(model, inputs, &sorted, findings);
    let order = topological(model, inputs, &sorted, findings);
    Loop { members: order, backward }
}

/// The common direction of the delays whose state is computed in the loop.
fn common_direction<'a>(
    model: &Model<'a>,
    inputs: &Inputs,
    members: &[FunctionId],
    findings: &mut Findings<'_, 'a>,
) -> bool {
    let mut seen: [Option<FunctionId>; 2] = [None, None];
    for member in members {
        let Some(backward) = direction(model, *member) else { continue };
        let state = inputs.get(*member).and_then(|inputs| inputs.first());
        let in_loop = matches!(state, Some(Source::Output(f, _)) if members.binary_search(f).is_ok());
        let [past, future] = &mut seen;
        let slot = if backward { future } else { past };
        if in_loop && slot.is_none() {
            *slot = Some(*member);
        }
    }
    if let [Some(past), Some(future)] = seen {
        let text = format!("a loop through both {} and {}", uid(model, past), uid(model, future));
        findings.add(&rules::MIXED_DIRECTIONS, Place::Function(past), text);
    }
    let [past, future] = seen;
    past.is_none() && future.is_some()
}

fn uid(model: &Model<'_>, id: FunctionId) -> String {
    Quoted(model.functions.get(id.place()).map_or("", |f| f.uid)).to_string()
}

/// Kahn's algorithm over the members, without the state inputs of delays. Functions are taken in the order in which
/// they become ready, and in file order if they become ready together.
fn topological<'a>(
    model: &Model<'a>,
    inputs: &Inputs,
    members: &[FunctionId],
    findings: &mut Findings<'_, 'a>,
) -> Vec<FunctionId> {
    let place: HashMap<FunctionId, usize> = members.iter().enumerate().map(|(i, id)| (*id, i)).collect();
    let mut waits = vec![0u32; members.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); members.len()];
    for (i, member) in members.iter().enumerate() {
        let skip = usize::from(direction(model, *member).is_some());
        for source in inputs.get(*member).into_iter().flatten().skip(skip) {
            let Source::Output(f, _) = source else { continue };
            let Some(readers) = place.get(f).and_then(|p| readers.get_mut(*p)) else { continue };
            readers.push(i);
            if let Some(waits) = waits.get_mut(i) {
                *waits = waits.saturating_add(1);
            }
        }
    }
    let mut order: Vec<usize> = (0..members.len()).filter(|i| waits.get(*i) == Some(&0)).collect();
    let mut done = 0;
    while let Some(&i) = order.get(done) {
        done = done.saturating_add(1);
        for reader in readers.get(i).into_iter().flatten() {
            let Some(waits) = waits.get_mut(*reader) else { continue };
            *waits = waits.saturating_sub(1);
            if *waits == 0 {
                order.push(*reader);
            }
        }
    }
    if order.len() < members.len() {
        report_cycle(model, inputs, members, &waits, findings);
        order.extend((0..members.len()).filter(|i| waits.get(*i).is_some_and(|w| *w > 0)));
    }
    order.into_iter().filter_map(|i| members.get(i).copied()).collect()
}

/// Reports a cycle among the functions that never become ready.
fn report_cycle<'a>(
    model: &Model<'a>,
    inputs: &Inputs,
    members: &[FunctionId],
    waits: &[u32],
    findings: &mut Findings<'_, 'a>,
) {
    const SHOWN: usize = 8;
    let waiting = |id: &FunctionId| members.binary_search(id).is_ok_and(|i| waits.get(i).is_some_and(|w| *w > 0));
    // Every waiting function has a waiting input, so following these inputs must reach a function twice.
    let mut at = members.iter().copied().find(|id| waiting(id));
    let mut step: HashMap<FunctionId, usize> = HashMap::new();
    let mut path = Vec::new();
    while let Some(id) = at {
        if let Some(&from) = step.get(&id) {
            path.drain(..from);
            break;
        }
        step.insert(id, path.len());
        path.push(id);
        let skip = usize::from(direction(model, id).is_some());
        at = inputs.get(id).into_iter().flatten().skip(skip).find_map(|source| match source {
            Source::Output(f, _) if waiting(f) => Some(*f),
            _ => None,
        });
    }
    let Some(first) = path.first().copied() else { return };
    // The walk went from readers to producers; show it the other way.
    path.reverse();
    let mut names: Vec<String> = path.iter().take(SHOWN).map(|id| uid(model, *id)).collect();
    if path.len() > SHOWN {
        names.push("…".to_owned());
    }
    let text = format!("a cycle that no delay breaks: {}", names.join(" → "));
    findings.add(&rules::CYCLE, Place::Function(first), text);
}

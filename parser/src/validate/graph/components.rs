//! Tarjan's strongly connected components, without recursion.

use crate::model::{FunctionId, Source};
use crate::validate::arena::{Id, PerId};
use crate::validate::resolve::Inputs;

#[derive(Clone, Copy)]
struct Mark {
    /// The order in which the node was first visited, from 1; 0 if it was not visited yet.
    seen: u32,
    /// The `seen` of the earliest node on the stack that the node is known to reach; 0 once its component is complete.
    low: u32,
}

/// A node that is being explored.
struct Frame {
    node: FunctionId,
    next_input: usize,
}

/// Calls `found` with each component, after the components that it depends on.
pub(super) fn each(count: usize, inputs: &Inputs, mut found: impl FnMut(&[FunctionId])) {
    let mut marks = PerId::<FunctionId, Mark>::filled(count, Mark { seen: 0, low: 0 });
    let mut clock = 0u32;
    let mut path: Vec<Frame> = Vec::new();
    // Nodes whose component is not complete.
    let mut open: Vec<FunctionId> = Vec::new();
    for start in (0..count).map(FunctionId::of) {
        enter(start, &mut marks, &mut clock, &mut path, &mut open);
        while let Some(frame) = path.last_mut() {
            let node = frame.node;
            let source = inputs.get(node).and_then(|inputs| inputs.get(frame.next_input));
            if let Some(source) = source {
                frame.next_input = frame.next_input.saturating_add(1);
                let Source::Output(input, _) = *source else { continue };
                if !enter(input, &mut marks, &mut clock, &mut path, &mut open) {
                    let low = marks.get(input).map_or(0, |mark| mark.low);
                    lower(&mut marks, node, low);
                }
                continue;
            }
            path.pop();
            let Some(mark) = marks.get(node).copied() else { continue };
            if let Some(parent) = path.last() {
                lower(&mut marks, parent.node, mark.low);
            }
            if mark.low == mark.seen {
                let from = open.iter().rposition(|member| *member == node).unwrap_or(0);
                let members = open.get(from..).unwrap_or_default();
                for member in members {
                    if let Some(mark) = marks.get_mut(*member) {
                        mark.low = 0;
                    }
                }
                found(members);
                open.truncate(from);
            }
        }
    }
}

/// Starts exploring a node; false if it was visited before.
fn enter(
    node: FunctionId,
    marks: &mut PerId<FunctionId, Mark>,
    clock: &mut u32,
    path: &mut Vec<Frame>,
    open: &mut Vec<FunctionId>,
) -> bool {
    let Some(mark) = marks.get_mut(node).filter(|mark| mark.seen == 0) else { return false };
    *clock = clock.saturating_add(1);
    *mark = Mark { seen: *clock, low: *clock };
    path.push(Frame { node, next_input: 0 });
    open.push(node);
    true
}

/// Records that `node` reaches a node whose mark is `low`; a finished component (0) is ignored.
fn lower(marks: &mut PerId<FunctionId, Mark>, node: FunctionId, low: u32) {
    if let Some(mark) = marks.get_mut(node)
        && low != 0
    {
        mark.low = mark.low.min(low);
    }
}

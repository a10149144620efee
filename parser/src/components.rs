//! Tarjan's strongly connected components, without recursion.

#[derive(Clone, Copy)]
struct Mark {
    /// The order in which the node was first visited, from 1; 0 if it was not visited yet.
    seen: u32,
    /// The `seen` of the earliest node on the stack that the node is known to reach; 0 once its component is complete.
    low: u32,
}

/// A node that is being explored.
struct Frame {
    node: usize,
    next_input: usize,
}

/// Calls `found` with each component of the nodes below `count`, after the components that it depends on. `input` gives
/// what a node reads at a place: `None` past the last place, `Some(None)` for what is no node.
pub(crate) fn each(
    count: usize,
    input: impl Fn(usize, usize) -> Option<Option<usize>>,
    mut found: impl FnMut(&[usize]),
) {
    let mut marks = vec![Mark { seen: 0, low: 0 }; count];
    let mut clock = 0u32;
    let mut path: Vec<Frame> = Vec::new();
    // Nodes whose component is not complete.
    let mut open: Vec<usize> = Vec::new();
    for start in 0..count {
        enter(start, &mut marks, &mut clock, &mut path, &mut open);
        while let Some(frame) = path.last_mut() {
            let node = frame.node;
            if let Some(input) = input(node, frame.next_input) {
                frame.next_input = frame.next_input.saturating_add(1);
                let Some(input) = input else { continue };
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
fn enter(node: usize, marks: &mut [Mark], clock: &mut u32, path: &mut Vec<Frame>, open: &mut Vec<usize>) -> bool {
    let Some(mark) = marks.get_mut(node).filter(|mark| mark.seen == 0) else { return false };
    *clock = clock.saturating_add(1);
    *mark = Mark { seen: *clock, low: *clock };
    path.push(Frame { node, next_input: 0 });
    open.push(node);
    true
}

/// Records that `node` reaches a node whose mark is `low`; a finished component (0) is ignored.
fn lower(marks: &mut [Mark], node: usize, low: u32) {
    if let Some(mark) = marks.get_mut(node)
        && low != 0
    {
        mark.low = mark.low.min(low);
    }
}

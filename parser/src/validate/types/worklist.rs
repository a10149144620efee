//! The members of a recurrence that have to be inferred (again).

use crate::model::{FunctionId, Loop, Source};
use crate::validate::resolve::Resolution;
use hashbrown::HashMap;
use std::collections::VecDeque;

/// A queue of members, each at most once.
pub(super) struct Worklist {
    /// For each member, its readers, and whether it is in the queue.
    members: HashMap<FunctionId, (Vec<FunctionId>, bool)>,
    queue: VecDeque<FunctionId>,
}

impl Worklist {
    /// An empty queue.
    pub(super) fn new(found: &Loop, resolution: &Resolution<'_>) -> Self {
        let mut members: HashMap<_, _> = found.members.iter().map(|member| (*member, (Vec::new(), false))).collect();
        for member in &found.members {
            for source in resolution.inputs.get(*member).into_iter().flatten() {
                let Source::Output(f, _) = source else { continue };
                if let Some((readers, _)) = members.get_mut(f) {
                    readers.push(*member);
                }
            }
        }
        Self { members, queue: VecDeque::new() }
    }

    /// Adds a member to the queue.
    pub(super) fn push(&mut self, member: FunctionId) {
        if let Some((_, waits)) = self.members.get_mut(&member)
            && !std::mem::replace(waits, true)
        {
            self.queue.push_back(member);
        }
    }

    /// Removes the member that was added first.
    pub(super) fn pop(&mut self) -> Option<FunctionId> {
        let member = self.queue.pop_front()?;
        if let Some((_, waits)) = self.members.get_mut(&member) {
            *waits = false;
        }
        Some(member)
    }

    /// Adds the readers of a member whose type changed.
    pub(super) fn changed(&mut self, member: FunctionId) {
        let Some((readers, _)) = self.members.get_mut(&member) else { return };
        let readers = std::mem::take(readers);
        for reader in &readers {
            self.push(*reader);
        }
        if let Some((slot, _)) = self.members.get_mut(&member) {
            *slot = readers;
        }
    }
}

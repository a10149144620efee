//! Which members of a recurrence have to be looked at (again).

use crate::model::{FunctionId, Loop, Source};
use crate::validate::resolve::Resolution;
use hashbrown::HashMap;
use std::collections::VecDeque;

/// Members that wait, each once.
pub(super) struct Worklist {
    /// Who reads a member, and whether it waits.
    members: HashMap<FunctionId, (Vec<FunctionId>, bool)>,
    queue: VecDeque<FunctionId>,
}

impl Worklist {
    /// Nobody waits.
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

    /// A member waits.
    pub(super) fn push(&mut self, member: FunctionId) {
        if let Some((_, waits)) = self.members.get_mut(&member)
            && !std::mem::replace(waits, true)
        {
            self.queue.push_back(member);
        }
    }

    /// The member that has waited longest.
    pub(super) fn pop(&mut self) -> Option<FunctionId> {
        let member = self.queue.pop_front()?;
        if let Some((_, waits)) = self.members.get_mut(&member) {
            *waits = false;
        }
        Some(member)
    }

    /// A member's type changed: who reads it waits.
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

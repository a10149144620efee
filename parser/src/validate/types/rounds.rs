//! Which members of a recurrence have to be looked at again.

use crate::model::{FunctionId, Source};
use crate::validate::resolve::Resolution;
use std::collections::HashMap;

/// When members were looked at, and when they changed.
#[derive(Default)]
pub(super) struct Rounds {
    clock: u64,
    seen: HashMap<FunctionId, u64>,
    changed: HashMap<FunctionId, u64>,
}

impl Rounds {
    /// Is a member new, or did one of its inputs change since it was looked at? It counts as looked at from now on.
    pub(super) fn due(&mut self, member: FunctionId, resolution: &Resolution<'_>) -> bool {
        self.clock = self.clock.saturating_add(1);
        let is_due = match self.seen.get(&member) {
            None => true,
            Some(seen) => resolution.inputs.get(member).into_iter().flatten().any(|source| match source {
                Source::Output(f, _) => self.changed.get(f).is_some_and(|changed| changed >= seen),
                Source::Variable(_) => false,
            }),
        };
        if is_due {
            self.seen.insert(member, self.clock);
        }
        is_due
    }

    /// A member's type changed.
    pub(super) fn changed(&mut self, member: FunctionId) {
        self.changed.insert(member, self.clock);
    }
}

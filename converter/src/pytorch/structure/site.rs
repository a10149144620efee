//! Where a class takes the place of what is repeated.

use super::form::{Form, Slot};
use super::segments::Segment;
use crate::pytorch::python::expr::{StateId, ValueId};

/// What is replaced.
pub(super) struct Site<'s> {
    pub(super) segments: &'s [Segment],
    pub(super) forms: &'s [Option<Form>],
}

impl Site<'_> {
    pub(super) fn slots(&self, unit: usize, period: usize) -> Vec<Slot> {
        self.forms[unit..unit + period].iter().flatten().flat_map(|f| f.slots.iter().cloned()).collect()
    }

    /// Is a unit nothing but what `nn.Sequential` can hold?
    pub(super) fn is_straight(&self, unit: usize, period: usize) -> bool {
        self.forms[unit..unit + period].iter().flatten().all(|f| f.straight)
    }

    pub(super) fn states(&self, unit: usize, period: usize) -> Vec<StateId> {
        self.segments[unit..unit + period].iter().flat_map(|s| s.states.iter().copied()).collect()
    }

    /// What a unit reads besides its data, in order.
    pub(super) fn context(&self, unit: usize, period: usize) -> Vec<ValueId> {
        let mut found = Vec::new();
        for v in self.segments[unit..unit + period].iter().flat_map(|s| &s.context) {
            if !found.contains(v) {
                found.push(*v);
            }
        }
        found
    }
}

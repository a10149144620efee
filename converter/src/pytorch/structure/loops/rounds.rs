//! What the search finds: rounds, each of which goes on from the one before.

use crate::pytorch::python::expr::{StateId, ValueId};
use std::collections::{HashMap, HashSet};

/// Rounds, each of which goes on from the result of the one before.
#[derive(Debug)]
pub(super) struct Rounds {
    /// What the first one goes on from.
    pub(super) entry: ValueId,
    /// What each computes, its result first; equal places have equal parts.
    pub(super) values: Vec<Vec<ValueId>>,
    /// What each holds.
    pub(super) states: Vec<Vec<StateId>>,
    /// What all of them read as it is.
    pub(super) fixed: HashSet<ValueId>,
    /// What is read of more than the last one's result.
    pub(super) gathered: Vec<Gathered>,
    /// What follows the last one.
    pub(super) tail: Option<Tail>,
}

impl Rounds {
    /// The result of the last one.
    pub(super) fn result(&self) -> Option<ValueId> {
        self.values.last()?.first().copied()
    }
}

/// What joins a value of every round.
#[derive(Debug)]
pub(super) struct Gathered {
    /// The sum or concatenation; `None` where the model gives all of them away.
    pub(super) join: Option<ValueId>,
    pub(super) adds: bool,
    /// The place of the value in the rounds.
    pub(super) place: usize,
    /// Operands before and after those of the rounds.
    pub(super) before: Vec<ValueId>,
    pub(super) after: Vec<ValueId>,
}

/// What follows the last round and computes a part of one.
#[derive(Debug)]
pub(super) struct Tail {
    /// What stands in the places of the last round's values and pieces of state.
    pub(super) values: HashMap<ValueId, ValueId>,
    pub(super) states: HashMap<StateId, StateId>,
}

impl Tail {
    /// What it computes.
    pub(super) fn values(&self) -> impl Iterator<Item = ValueId> {
        self.values.values().copied()
    }

    /// What it computes in the place of a value of the last round.
    pub(super) fn value(&self, v: ValueId) -> Option<ValueId> {
        self.values.get(&v).copied()
    }

    /// What it holds in the place of what the last round holds.
    pub(super) fn state(&self, s: StateId) -> Option<StateId> {
        self.states.get(&s).copied()
    }
}

//! What of a body has to be computed for its outputs, and how often that reads what.

use super::body::{Body, Item, each};
use super::code::Code;
use super::expr::{StateId, ValueId};
use std::collections::HashSet;

/// How often values and pieces of state are read, by what has to be computed and as outputs.
pub(crate) struct Uses {
    values: Vec<u32>,
    states: Vec<u32>,
}

impl Uses {
    pub(crate) fn of(&self, v: ValueId) -> u32 {
        self.values[v.0 as usize]
    }

    pub(crate) fn of_state(&self, s: StateId) -> u32 {
        self.states.get(s.0 as usize).copied().unwrap_or(0)
    }

    /// Does a value have to be computed?
    pub(crate) fn needs(&self, v: ValueId) -> bool {
        self.of(v) > 0
    }

    /// The values that have to be computed, in order.
    pub(crate) fn needed(&self) -> impl DoubleEndedIterator<Item = ValueId> {
        (0..self.values.len() as u32).map(ValueId).filter(|v| self.needs(*v))
    }

    /// Counts what an expression reads. Calls `first` with each value that nothing has read so far.
    fn add(&mut self, code: &Code, mut first: impl FnMut(ValueId)) {
        code.values().for_each(|v| self.add_value(v, &mut first));
        for s in code.states() {
            let s = s.0 as usize;
            if self.states.len() <= s {
                self.states.resize(s + 1, 0);
            }
            self.states[s] += 1;
        }
    }

    fn add_value(&mut self, v: ValueId, first: &mut impl FnMut(ValueId)) {
        let n = &mut self.values[v.0 as usize];
        *n += 1;
        if *n == 1 {
            first(v);
        }
    }
}

impl Body {
    /// What these outputs need, and how often it is read.
    pub(crate) fn uses(&self, outputs: &[ValueId]) -> Uses {
        let mut uses = Uses { values: vec![0; self.values.len()], states: Vec::new() };
        let mut stack = Vec::new();
        outputs.iter().for_each(|v| uses.add_value(*v, &mut |v| stack.push(v)));
        each(self.items(), &mut |item| item.kept().into_iter().for_each(|e| uses.add(e, |v| stack.push(v))));
        while let Some(v) = stack.pop() {
            uses.add(self.code(v), |v| stack.push(v));
        }
        uses
    }

    /// The state of the module that the given values need, in the order of first use.
    pub(crate) fn states(&self, outputs: &[ValueId]) -> Vec<StateId> {
        let mut found: Vec<(usize, StateId)> = Vec::new();
        let mut add = |at: usize, e: &Code| found.extend(e.states().iter().map(|s| (at, *s)));
        self.uses(outputs).needed().for_each(|v| add(v.0 as usize, self.code(v)));
        let mut last = 0;
        each(self.items(), &mut |item| {
            // A loop is where its first value is, or after the value before it.
            let first = match item {
                Item::For(_, _, _, inner) => Some(inner.iter().find_map(|i| match i {
                    Item::Let(id) => Some(id.0 as usize),
                    _ => None,
                })),
                _ => None,
            };
            let first = first.map(|first| first.unwrap_or(last));
            if let Item::Let(id) = item {
                last = id.0 as usize;
            }
            item.kept().into_iter().for_each(|e| add(first.unwrap_or(self.values.len()), e));
        });
        found.sort_by_key(|(at, _)| *at);
        let mut seen = HashSet::new();
        found.into_iter().map(|(_, s)| s).filter(|s| seen.insert(*s)).collect()
    }

    /// Calls `f` with every expression that is written for the given values.
    pub(crate) fn each_needed(&self, outputs: &[ValueId], f: &mut impl FnMut(&Code)) {
        self.uses(outputs).needed().for_each(|v| f(self.code(v)));
        each(self.items(), &mut |item| item.kept().into_iter().for_each(&mut *f));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pytorch::python::expr::{Expr, args, of};

    #[test]
    fn what_nothing_needs_is_not_counted() {
        let mut body = Body::new();
        let x = body.atom(Expr::local("x"));
        let y = body.compute(Expr::layer(StateId(1), args![of(x) + x]));
        let unused = body.compute(Expr::layer(StateId(0), args![y]));
        body.act(of(x).method("check", args![]));
        let uses = body.uses(&[y, y]);
        assert_eq!((uses.of(x), uses.of(y), uses.of(unused)), (3, 2, 0));
        assert_eq!((uses.of_state(StateId(0)), uses.of_state(StateId(1)), uses.of_state(StateId(2))), (0, 1, 0));
        assert_eq!(uses.needed().collect::<Vec<_>>(), [x, y]);
        assert_eq!(body.states(&[y]), [StateId(1)]);
    }
}

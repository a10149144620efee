//! A last round that lacks the result, because nothing reads that: it computes what is gathered alone.

use super::find::Finder;
use super::rounds::{Rounds, Tail};
use crate::pytorch::python::expr::ValueId;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

impl Finder<'_> {
    /// The part of a round that follows the last one, if it alone reads the last result.
    pub(super) fn tail(&self, rounds: &Rounds, claimed: &HashSet<ValueId>) -> Option<Tail> {
        let (result, last) = (rounds.result()?, rounds.values.last()?);
        let before = rounds.values.len().checked_sub(2).map(|k| rounds.values[k][0]);
        let entry = before.unwrap_or(rounds.entry);
        let inside: HashSet<ValueId> = last.iter().copied().collect();
        let gathered: Vec<(ValueId, ValueId)> =
            rounds.gathered.iter().map(|g| Some((last[g.place], *g.after.first()?))).collect::<Option<_>>()?;
        let mut tail = Tail { values: HashMap::new(), states: HashMap::new() };
        let (mut known, mut states, mut made) = (HashMap::new(), Vec::new(), HashSet::new());
        let mut stack = gathered.clone();
        while let Some((a, b)) = stack.pop() {
            if a == b || a == entry || b == result {
                if a == b && rounds.fixed.contains(&a) || a == entry && b == result {
                    continue;
                }
                return None;
            }
            match tail.values.entry(a) {
                Entry::Occupied(known) if *known.get() == b => continue,
                Entry::Occupied(_) => return None,
                Entry::Vacant(place) => {
                    place.insert(b);
                }
            }
            let is_atom = self.network.body.values[b.0 as usize].is_atom;
            let taken = claimed.contains(&b) || inside.contains(&b) || self.outputs.contains(&b);
            let free = is_atom || made.insert(b) && !taken;
            if !free || a == result || !inside.contains(&a) || !self.fits(b) {
                return None;
            }
            self.compare(a, b, &mut known, &mut states, &mut stack)?;
        }
        tail.states.extend(states);
        let ends: HashSet<ValueId> = gathered.iter().map(|(_, b)| *b).collect();
        let outside = |v: &ValueId| self.readers.get(v).into_iter().flatten().filter(|r| !made.contains(r)).count();
        let alone = made.iter().all(|v| outside(v) <= usize::from(ends.contains(v)));
        (alone && !gathered.is_empty() && outside(&result) == 0).then_some(tail)
    }
}

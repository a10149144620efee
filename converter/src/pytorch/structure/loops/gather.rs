//! What is read of every round: a sum or a concatenation of what each computes, or outputs.

use super::find::Finder;
use super::rounds::{Gathered, Rounds};
use crate::pytorch::python::expr::ValueId;
use crate::pytorch::structure::beside::{added, concatenated};
use std::collections::{HashMap, HashSet};

/// The most values between a round and what joins the rounds.
const LONGEST: usize = 4;

/// The most operands of a sum or a concatenation besides the rounds.
const OTHERS: usize = 3;

/// How many values that read one are tried as what joins the rounds.
const READERS: usize = 4;

impl Finder<'_> {
    /// Finds out what reads more of the rounds than the last one's result, and takes into them what leads there. `false`
    /// where that is no sum or concatenation of all rounds.
    pub(super) fn gather(&self, rounds: &mut Rounds, claimed: &HashSet<ValueId>) -> bool {
        let mut inside: HashSet<ValueId> = rounds.values.iter().flatten().copied().collect();
        let last = rounds.values.len() - 1;
        let most = rounds.values[0].len() + LONGEST;
        let mut place = 0;
        while place < rounds.values[0].len() {
            let values: Vec<ValueId> = rounds.values.iter().map(|round| round[place]).collect();
            let is_atom = self.network.body.values[values[0].0 as usize].is_atom;
            let ends = |k: usize| place == 0 && k == last;
            if values.iter().enumerate().any(|(k, v)| !is_atom && self.outputs.contains(v) && !ends(k)) {
                let Some(given) = self.given(&values, place) else { return false };
                rounds.gathered.push(given);
                place += 1;
                continue;
            }
            let readers: Vec<Vec<ValueId>> = values.iter().map(|v| self.outside(*v, &inside)).collect();
            let read = !is_atom && readers.iter().enumerate().any(|(k, all)| !ends(k) && !all.is_empty());
            if !read {
                place += 1;
                continue;
            }
            if let Some(found) = self.joined(&values, place, (&inside, rounds.result())) {
                // Nothing else reads these values.
                let alone = |(k, all): (usize, &Vec<ValueId>)| ends(k) || all.iter().all(|r| found.by.contains(r));
                if !readers.iter().enumerate().all(alone)
                    || found.gathered.join.is_some_and(|join| claimed.contains(&join))
                {
                    return false;
                }
                rounds.gathered.push(found.gathered);
                place += 1;
                continue;
            }
            let Some(side) = self.side(rounds, &values, &readers, place == 0) else { return false };
            if side.iter().any(|v| claimed.contains(v) || !inside.insert(*v)) || rounds.values[0].len() == most {
                return false;
            }
            rounds.values.iter_mut().zip(side).for_each(|(round, v)| round.push(v));
            // What was read may be read by others, too: it is looked at again.
        }
        self.in_order(rounds)
    }

    /// What reads a value outside of the rounds.
    fn outside(&self, v: ValueId, inside: &HashSet<ValueId>) -> Vec<ValueId> {
        let mut all: Vec<ValueId> =
            self.readers.get(&v).into_iter().flatten().copied().filter(|r| !inside.contains(r)).collect();
        all.dedup();
        all
    }

    /// What reads a value of every round and is computed alike from it.
    fn side(
        &self,
        rounds: &mut Rounds,
        values: &[ValueId],
        readers: &[Vec<ValueId>],
        is_result: bool,
    ) -> Option<Vec<ValueId>> {
        let last = values.len() - 1;
        let first = *readers[0].first()?;
        let like =
            |all: &Vec<ValueId>| all.iter().copied().find(|r| self.keys[r.0 as usize] == self.keys[first.0 as usize]);
        let side: Vec<ValueId> = readers.iter().map(like).collect::<Option<_>>()?;
        let alone = |(k, all): (usize, &Vec<ValueId>)| all.len() == 1 || is_result && k == last;
        if !readers.iter().enumerate().all(alone) || !side.iter().all(|v| self.fits(*v)) {
            return None;
        }
        let mut states = Vec::new();
        for k in 1..side.len() {
            let (mut stack, mut pairs) = (Vec::new(), Vec::new());
            self.compare(side[k - 1], side[k], &mut HashMap::new(), &mut pairs, &mut stack)?;
            for (a, b) in stack {
                if a == b {
                    rounds.fixed.insert(a);
                } else if (a, b) != (values[k - 1], values[k]) {
                    return None;
                }
            }
            states.push(pairs);
        }
        for (k, pairs) in states.into_iter().enumerate() {
            if k == 0 {
                rounds.states[0].extend(pairs.iter().map(|(a, _)| *a));
            }
            rounds.states[k + 1].extend(pairs.iter().map(|(_, b)| *b));
        }
        Some(side)
    }

    /// Values that the model gives away one after the other, and that nothing else reads.
    fn given(&self, values: &[ValueId], place: usize) -> Option<Gathered> {
        let outputs = self.network.outputs;
        let from = outputs.iter().position(|v| *v == values[0])?;
        let alone = |v: &ValueId| !self.readers.contains_key(v) && self.places.uses.of(*v) == 1;
        let all = place > 0 && outputs[from..].starts_with(values) && values.iter().all(alone);
        all.then_some(Gathered { join: None, adds: false, place, before: Vec::new(), after: Vec::new() })
    }

    /// What joins these values with a few others before or after them.
    fn joined(
        &self,
        values: &[ValueId],
        place: usize,
        (inside, result): (&HashSet<ValueId>, Option<ValueId>),
    ) -> Option<Joined> {
        let readers = self.readers.get(&values[0])?;
        let join = |r: &ValueId| -> Option<Joined> {
            let (join, adds, all, inner) = match concatenated(self.places.expr(*r)) {
                Some(all) => (*r, false, all, vec![*r]),
                None => {
                    let (join, all, inner) = self.sum(*r, values.len() + OTHERS, inside)?;
                    (join, true, all, inner)
                }
            };
            let from = all.windows(values.len()).position(|w| w == values)?;
            let (before, after) = (all[..from].to_vec(), all[from + values.len()..].to_vec());
            // Of the rounds, only the last result is there after them.
            let apart = |v: &ValueId| !inside.contains(v) || Some(*v) == result && after.contains(v);
            if !before.iter().chain(&after).all(apart) {
                return None;
            }
            let own: HashSet<&ValueId> = values.iter().collect();
            let once = all.iter().filter(|v| own.contains(v)).count() == values.len();
            let gathered = Gathered { join: Some(join), adds, place, before, after };
            (once && all.len() <= values.len() + OTHERS).then_some(Joined { gathered, by: inner.into_iter().collect() })
        };
        readers.iter().take(READERS).find_map(join)
    }

    /// The whole sum that a value is part of, its operands, and the values that add them.
    fn sum(
        &self,
        part: ValueId,
        most: usize,
        inside: &HashSet<ValueId>,
    ) -> Option<(ValueId, Vec<ValueId>, Vec<ValueId>)> {
        added(self.places.expr(part))?;
        let mut top = part;
        for _ in 0..most {
            let Some([one]) = self.readers.get(&top).map(Vec::as_slice) else { break };
            if added(self.places.expr(*one)).is_none() || self.outputs.contains(&top) {
                break;
            }
            top = *one;
        }
        let (mut operands, mut inner) = (Vec::new(), Vec::new());
        let mut stack = vec![top];
        while let Some(v) = stack.pop() {
            let own = inside.contains(&v) || self.outputs.contains(&v);
            let once = v == top || self.readers.get(&v).is_some_and(|r| r.len() == 1) && !own;
            match added(self.places.expr(v)).filter(|_| once && self.at[v.0 as usize] > 0) {
                Some([a, b]) => {
                    inner.push(v);
                    stack.extend([b, a]);
                }
                None => operands.push(v),
            }
            if operands.len() > most {
                return None;
            }
        }
        Some((top, operands, inner))
    }

    /// Is everything that the rounds read there before them, and what reads them after?
    fn in_order(&self, rounds: &Rounds) -> bool {
        let at = |v: &ValueId| self.at[v.0 as usize];
        let Some(result) = rounds.result() else { return false };
        let first =
            rounds.gathered.iter().filter_map(|g| g.join).map(|join| at(&join)).chain([at(&result)]).min().unwrap_or(0);
        let known = |v: &ValueId| at(v) < first;
        let before = rounds.gathered.iter().flat_map(|g| &g.before);
        known(&rounds.entry) && rounds.fixed.iter().all(known) && before.into_iter().all(known)
    }
}

/// What joins values, and the values that do it.
struct Joined {
    gathered: Gathered,
    by: HashSet<ValueId>,
}

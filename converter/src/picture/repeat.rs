//! Finds equal parts that follow one another.
//!
//! The graph is cut wherever a single value leads from the units before to the units after. Then the stretches between cuts are
//! compared.

use super::units::Link;
use std::hash::{DefaultHasher, Hash, Hasher};

/// `count` equal stretches of `period` units, from unit `start` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub start: usize,
    pub period: usize,
    pub count: usize,
}

impl Run {
    pub fn len(&self) -> usize {
        self.period * self.count
    }
}

/// The most stretches between cuts that one repetition has.
const LONGEST: usize = 12;

/// A number for the content of a unit: the same for equal units.
pub fn mark(what: &impl Hash) -> u64 {
    let mut state = DefaultHasher::new();
    what.hash(&mut state);
    state.finish()
}

/// All runs, from first to last and without overlap. `marks` are those of the units in order, and `links` lead from unit to unit.
pub fn runs(marks: &[u64], links: &[Link]) -> Vec<Run> {
    let starts = cuts(marks.len(), links);
    let parts = signatures(marks, links, &starts);
    let place = |part: usize| starts.get(part).copied().unwrap_or(marks.len());
    let (mut found, mut at) = (vec![], 0);
    while at < parts.len() {
        let mut best: Option<(usize, Run)> = None;
        for period in 1..=LONGEST.min((parts.len() - at) / 2) {
            let equal = parts[at..].iter().zip(&parts[at + period..]).take_while(|(a, b)| a == b).count();
            let count = equal / period + 1;
            let run = Run { start: place(at), period: place(at + period) - place(at), count };
            let saved = run.period * (count - 1);
            let worth = count >= 2 && (run.period >= 2 || count >= 3);
            if worth && best.is_none_or(|(_, b)| saved > b.period * (b.count - 1)) {
                best = Some((period * count, run));
            }
        }
        match best {
            Some((skip, run)) => {
                found.push(run);
                at += skip;
            }
            None => at += 1,
        }
    }
    found
}

/// Where stretches begin: places that the values of only one unit pass.
fn cuts(count: usize, links: &[Link]) -> Vec<usize> {
    let mut last: Vec<usize> = (0..count).collect();
    let mut first = last.clone();
    for link in links {
        last[link.from] = last[link.from].max(link.to);
        first[link.from] = first[link.from].min(link.to);
    }
    let mut open = vec![0i64; count + 1];
    for unit in 0..count {
        // It is open at each place between its first and last reader.
        open[first[unit] + 1] += 1;
        open[last[unit] + 1] -= 1;
    }
    let (mut starts, mut now) = (vec![0], 0);
    for (place, change) in open.iter().enumerate().take(count).skip(1) {
        now += change;
        if now <= 1 {
            starts.push(place);
        }
    }
    starts
}

/// A number for each stretch: the same if the units are equal and connected in the same way.
fn signatures(marks: &[u64], links: &[Link], starts: &[usize]) -> Vec<u64> {
    let mut incoming = vec![vec![]; marks.len()];
    for link in links {
        incoming[link.to].push(link);
    }
    let ends = starts.iter().skip(1).copied().chain([marks.len()]);
    let mut before = 0;
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let mut state = DefaultHasher::new();
            for unit in *start..end {
                marks[unit].hash(&mut state);
                for link in &incoming[unit] {
                    link.back.hash(&mut state);
                    match link.from {
                        from if from >= *start => (from - start).hash(&mut state),
                        // The end of the stretch before is the usual place.
                        from if from + 1 == *start => "before".hash(&mut state),
                        from if from >= before => ("in", start - from).hash(&mut state),
                        from => ("far", from).hash(&mut state),
                    }
                }
            }
            before = *start;
            state.finish()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cntk_parser::model::{FunctionId, Source};

    fn links(pairs: &[(usize, usize)]) -> Vec<Link> {
        let value = Source::Output(FunctionId::made_up(0), 0);
        pairs.iter().map(|(from, to)| Link { from: *from, to: *to, value, back: false }).collect()
    }

    #[test]
    fn equal_stretches_are_found() {
        // A beginning, three residual parts of two units each, an end.
        let marks = [9, 1, 2, 1, 2, 1, 2, 8];
        let wires = links(&[(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (2, 4), (4, 5), (5, 6), (4, 6), (6, 7)]);
        assert_eq!(runs(&marks, &wires), [Run { start: 1, period: 2, count: 3 }]);
        let plain = links(&[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7)]);
        assert_eq!(runs(&marks, &plain), [Run { start: 1, period: 2, count: 3 }]);
        // A value from far away is not the same for each repetition.
        let far = links(&[(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (0, 4), (4, 5), (5, 6), (0, 6), (6, 7)]);
        assert_eq!(runs(&marks, &far), []);
    }

    #[test]
    fn two_of_a_kind_are_no_run() {
        assert_eq!(runs(&[1, 1], &links(&[(0, 1)])), []);
        // The first one takes something else.
        let chain = links(&[(0, 1), (1, 2), (2, 3)]);
        assert_eq!(runs(&[1, 1, 1, 1], &chain), [Run { start: 1, period: 1, count: 3 }]);
        assert_eq!(runs(&[], &[]), []);
    }
}

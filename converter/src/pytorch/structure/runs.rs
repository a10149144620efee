//! Runs of segments with the same forms.

use super::form::Form;
use super::names;
use super::segments::Segment;
use std::collections::HashMap;

/// The most segments that a repeated unit has.
const LONGEST: usize = 32;

/// How many places where a unit may begin are compared.
const TURNS: usize = 4;

/// How many lines longer units and lists of branches have to save.
pub(super) const CLEARLY: usize = 3;

/// A unit of segments that is repeated, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Its first segment.
    pub(super) first: usize,
    /// How many segments a unit has.
    pub(super) period: usize,
    /// How many units there are.
    pub(super) count: usize,
}

impl Run {
    pub(super) fn end(&self) -> usize {
        self.first + self.period * self.count
    }

    /// Where each unit begins.
    pub(super) fn units(self) -> impl Iterator<Item = usize> {
        (0..self.count).map(move |k| self.first + k * self.period)
    }
}

/// How many lines equal units take with a class of their own and without.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) with: usize,
    pub(super) without: usize,
}

impl Cost {
    /// By how many lines the class fails to save one.
    pub(super) fn over(self) -> usize {
        (self.with + 1).saturating_sub(self.without)
    }
}

/// All runs, those of equal units together, shorter units first: what is repeated inside of larger units is one in them.
/// Only groups that become shorter by `cost` are taken, and not where units of two take clearly fewer lines; residual blocks
/// that stand here and there, or once, may take as many lines more as there are to `spare`.
pub(super) fn find(
    segments: &[Segment],
    forms: &[Option<Form>],
    spare: usize,
    cost: &impl Fn(&[Run]) -> Cost,
) -> Vec<Vec<Run>> {
    Search { spare, ..Search::new(segments, forms) }.all(cost)
}

/// The runs among segments from `start` on: more of those in `groups`, whose runs are all before, and others.
pub(super) fn find_more(
    segments: &[Segment],
    forms: &[Option<Form>],
    start: usize,
    (groups, spare): (Vec<Vec<Run>>, usize),
    cost: &impl Fn(&[Run]) -> Cost,
) -> Vec<Vec<Run>> {
    let mut search = Search { spare, ..Search::new(segments, forms) };
    search.claimed[..start].fill(true);
    search.groups = groups;
    search.extend(start, cost);
    search.all(cost)
}

struct Search<'s> {
    segments: &'s [Segment],
    forms: &'s [Option<Form>],
    /// A number for each segment, equal where the forms are.
    ids: Vec<usize>,
    /// What a unit should rather begin with.
    weights: Vec<usize>,
    claimed: Vec<bool>,
    /// The first segment from each on whose exit the model gives away.
    shows: Vec<usize>,
    /// How many lines more residual blocks may take with classes.
    spare: usize,
    groups: Vec<Vec<Run>>,
}

impl<'s> Search<'s> {
    fn new(segments: &'s [Segment], forms: &'s [Option<Form>]) -> Self {
        let count = segments.len();
        let weight = |i: usize| forms[i].as_ref().map_or(0, |f| 10 * f.layers + segments[i].values.len());
        let mut shows = vec![usize::MAX; count + 1];
        for i in (0..count).rev() {
            shows[i] = if segments[i].shows { i } else { shows[i + 1] };
        }
        Self {
            segments,
            forms,
            ids: identify(forms),
            weights: (0..count).map(weight).collect(),
            claimed: vec![false; count],
            shows,
            spare: 0,
            groups: Vec::new(),
        }
    }

    fn all(mut self, cost: &impl Fn(&[Run]) -> Cost) -> Vec<Vec<Run>> {
        for period in 1..=LONGEST.min(self.ids.len() / 2) {
            let found = self.repeated(period, cost);
            self.take(found, 0, cost);
        }
        let found = self.scattered();
        self.take(found, self.spare, cost);
        self.groups.sort_by_key(|runs| runs.first().map(|r| r.first));
        self.groups
    }

    /// Adds to the groups what repeats their units from `start` on, where that saves lines.
    fn extend(&mut self, start: usize, cost: &impl Fn(&[Run]) -> Cost) {
        let mut groups = std::mem::take(&mut self.groups);
        let mut starts: HashMap<usize, Vec<usize>> = HashMap::new();
        for (g, runs) in groups.iter().enumerate() {
            starts.entry(self.ids[runs[0].first]).or_default().push(g);
        }
        let mut found: Vec<Vec<Run>> = vec![Vec::new(); groups.len()];
        for first in start..self.ids.len() {
            for g in starts.get(&self.ids[first]).into_iter().flatten() {
                let Run { first: like, period, .. } = groups[*g][0];
                let is_unit = |i: usize| {
                    let unit = self.ids.get(i..i + period);
                    unit == self.ids.get(like..like + period) && !self.claimed[i..i + period].contains(&true)
                };
                let whole = (self.shows[first].saturating_add(1)).saturating_sub(first) / period;
                let count = (0..whole).take_while(|k| is_unit(first + k * period)).count();
                if count > 0 {
                    self.claimed[first..first + count * period].fill(true);
                    found[*g].push(Run { first, period, count });
                }
            }
        }
        for (runs, more) in groups.iter_mut().zip(found).filter(|(_, more)| !more.is_empty()) {
            let before = cost(runs);
            let known = runs.len();
            runs.extend(more);
            let after = cost(runs);
            if after.with + before.without >= before.with + after.without {
                runs.drain(known..).for_each(|r| self.claimed[r.first..r.end()].fill(false));
            }
        }
        self.groups = groups;
    }

    /// Runs of units with this many segments.
    fn repeated(&self, period: usize, cost: &impl Fn(&[Run]) -> Cost) -> Vec<Run> {
        let count = self.ids.len();
        let mut equal = vec![0usize; count + 1];
        for i in (0..count - period).rev() {
            let same = self.ids[i] == self.ids[i + period] && !self.claimed[i] && !self.claimed[i + period];
            equal[i] = if same { equal[i + 1] + 1 } else { 0 };
        }
        let mut found = Vec::new();
        let mut i = 0;
        while i < count {
            if equal[i] < period {
                i += 1;
                continue;
            }
            // The unit begins with what weighs most, if that costs no repetition; of several such, where it takes fewest lines.
            let slack = equal[i] % period;
            let heaviest = (0..=slack).map(|k| self.weights[i + k]).max();
            let run = |turn: usize| {
                let first = i + turn;
                // Only the last exit may be given away.
                let whole = (self.shows[first].saturating_add(1)).saturating_sub(first) / period;
                Run { first, period, count: (equal[i] / period + 1).min(whole) }
            };
            let turns: Vec<usize> = (0..=slack).filter(|k| Some(self.weights[i + k]) == heaviest).take(TURNS).collect();
            let run = match turns.as_slice() {
                [one] => run(*one),
                several => {
                    let by_cost = |k: &&usize| if run(**k).count > 1 { cost(&[run(**k)]).with } else { usize::MAX };
                    run(several.iter().min_by_key(by_cost).copied().unwrap_or(0))
                }
            };
            let first = run.first;
            let holds = (first..first + period).any(|k| !self.segments[k].states.is_empty());
            if run.count > 1 && holds {
                found.push(run);
            }
            i = run.end().max(i + 1);
        }
        found
    }

    /// Is it a residual block, which is a class even if there is only one?
    fn is_residual(&self, i: usize) -> bool {
        self.spare > 0 && self.forms[i].as_ref().is_some_and(|f| names::is_residual(&f.words))
    }

    /// Larger segments that are repeated here and there, or are residual blocks, with what always follows them.
    fn scattered(&self) -> Vec<Run> {
        let mut places: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut order = Vec::new();
        for (i, id) in self.ids.iter().enumerate() {
            let large = self.forms[i].as_ref().is_some_and(|f| f.layers > 1);
            if large && !self.claimed[i] {
                let all = places.entry(*id).or_default();
                if all.is_empty() {
                    order.push(*id);
                }
                all.push(i);
            }
        }
        let mut found: Vec<Run> = Vec::new();
        for id in order {
            let all = &places[&id];
            let (mut period, single) = (1, all.len() == 1);
            if single && !self.is_residual(all[0]) {
                continue;
            }
            let plain = |i: usize| {
                i < self.ids.len() && !self.claimed[i] && self.segments[i].states.is_empty() && self.forms[i].is_some()
            };
            let follows = |i: usize, period: usize| {
                plain(i + period) && self.ids[i + period] == self.ids[all[0] + period] && self.shows[i] >= i + period
            };
            let ends = |period: usize| !single || period == 1 && self.activates(all[0], all[0] + 1);
            while period < LONGEST && all.iter().all(|i| follows(*i, period)) && ends(period) {
                period += 1;
            }
            for first in all.iter().copied() {
                match found.last_mut() {
                    Some(run) if self.goes_on(run, first, period) => run.count += 1,
                    _ => found.push(Run { first, period, count: 1 }),
                }
            }
        }
        found
    }

    /// Is a unit that begins here the next one of a run?
    fn goes_on(&self, run: &Run, first: usize, period: usize) -> bool {
        let equal = run.period == period && self.ids[run.first] == self.ids[first];
        equal && run.end() == first && self.shows[run.first] >= first + period - 1
    }

    /// Is a segment the activation of a residual block that does not begin with one?
    fn activates(&self, block: usize, i: usize) -> bool {
        let words = |i: usize| self.forms[i].iter().flat_map(|f| f.words.iter().copied());
        words(i).eq(["Relu"]) && words(block).next() == Some("Conv")
    }

    /// Takes those of the found runs whose groups are worth it, with equal units that stand alone. Those of residual blocks may
    /// take some lines to `spare`.
    fn take(&mut self, found: Vec<Run>, mut spare: usize, cost: &impl Fn(&[Run]) -> Cost) {
        let mut groups: Vec<Vec<Run>> = Vec::new();
        let mut place: HashMap<Vec<usize>, usize> = HashMap::new();
        let mut starts: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut taken = vec![false; self.ids.len()];
        for run in found {
            taken[run.first..run.end()].fill(true);
            let unit = self.ids[run.first..run.first + run.period].to_vec();
            let group = *place.entry(unit).or_insert_with_key(|unit| {
                starts.entry(unit[0]).or_default().push(groups.len());
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(run);
        }
        if groups.is_empty() {
            return;
        }
        for first in 0..self.ids.len() {
            for group in starts.get(&self.ids[first]).into_iter().flatten() {
                let Run { first: like, period, .. } = groups[*group][0];
                let end = first + period;
                let free = end <= self.ids.len() && (first..end).all(|i| !taken[i] && !self.claimed[i]);
                if free && self.ids[first..end] == self.ids[like..like + period] && self.shows[first] >= end - 1 {
                    taken[first..end].fill(true);
                    groups[*group].push(Run { first, period, count: 1 });
                }
            }
        }
        for mut runs in groups {
            runs.sort_unstable_by_key(|r| r.first);
            let lines = cost(&runs);
            let more = lines.over();
            let residual = runs[0].period <= 2 && self.is_residual(runs[0].first) && more <= spare;
            if residual || more == 0 && !self.better_in_twos(&runs, lines, cost) {
                spare = spare.saturating_sub(more);
                runs.iter().for_each(|r| self.claimed[r.first..r.end()].fill(true));
                self.groups.push(runs);
            }
        }
    }
}

impl Search<'_> {
    /// Do units of twice the length take clearly fewer lines?
    fn better_in_twos(&self, runs: &[Run], lines: Cost, cost: &impl Fn(&[Run]) -> Cost) -> bool {
        let units: usize = runs.iter().map(|r| r.count).sum();
        let one = lines.without / units.max(1);
        (0..2).any(|skipped| {
            let mut rest = 0;
            let mut twos = Vec::new();
            for run in runs {
                let count = run.count.saturating_sub(skipped) / 2;
                rest += run.count - 2 * count;
                let first = run.first + skipped * run.period;
                twos.extend((count > 1).then_some(Run { first, period: 2 * run.period, count }));
                rest += if count == 1 { 2 } else { 0 };
            }
            !twos.is_empty() && 2 * twos[0].period <= LONGEST && cost(&twos).with + rest * one + CLEARLY < lines.with
        })
    }
}

/// A number for each segment, equal where the forms are.
fn identify(forms: &[Option<Form>]) -> Vec<usize> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut ids = Vec::new();
    for (i, form) in forms.iter().enumerate() {
        ids.push(match form {
            Some(form) => *known.entry(&*form.shape).or_insert(i),
            None => i,
        });
    }
    ids
}

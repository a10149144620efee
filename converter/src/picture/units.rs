//! Decides which functions are drawn as one box.

use super::Direction;
use cntk_parser::{
    model::{FunctionId, FunctionKind, Source, ValidatedModel},
    ops::{Class, Op},
};
use hashbrown::{HashMap, HashSet};

/// A partition of functions.
#[derive(Clone, Debug, Default)]
pub struct Units {
    /// The functions of each unit, producers before consumers.
    pub functions: Vec<Vec<FunctionId>>,
    /// The parts of each unit: blocks that are not opened, and functions outside of blocks.
    pub keys: Vec<Vec<FunctionId>>,
    /// For each function, its unit and its position in the order.
    of: HashMap<FunctionId, (usize, usize)>,
    /// The position of the last function of each key.
    ends: HashMap<FunctionId, usize>,
}

/// A value that goes from a unit to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    pub from: usize,
    pub to: usize,
    pub value: Source,
    /// Does it enter the state of a delay?
    pub back: bool,
}

/// The most parts of a unit that is made by merging.
const LONGEST: usize = 8;
/// A loop without blocks is one box if it has at most this many functions.
const LARGEST_LOOP: usize = 80;

impl Units {
    /// Makes a unit of each block that is not opened, and of each function outside of such blocks.
    pub fn new(model: &ValidatedModel<'_>, functions: &[FunctionId], opened: &HashSet<FunctionId>) -> Self {
        let mut units = Self::default();
        let (mut by_key, mut around) = (HashMap::new(), HashMap::new());
        for &f in functions {
            let key = outermost(model, f, opened, &mut around);
            let unit = *by_key.entry(key).or_insert(units.keys.len());
            if unit == units.keys.len() {
                units.keys.push(vec![key]);
                units.functions.push(vec![]);
            }
            units.functions[unit].push(f);
            units.ends.insert(key, units.of.len());
            units.of.insert(f, (unit, units.of.len()));
        }
        units
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The unit of a function, if it is in the picture.
    pub fn of(&self, f: FunctionId) -> Option<usize> {
        self.of.get(&f).map(|(unit, _)| *unit)
    }

    /// The links between units: each value once for each unit that reads it.
    pub fn links(&self, model: &ValidatedModel<'_>) -> Vec<Link> {
        let mut seen = HashSet::new();
        let mut links = vec![];
        for (to, functions) in self.functions.iter().enumerate() {
            for f in functions {
                for (i, source) in model.inputs(*f).iter().enumerate() {
                    let Source::Output(g, _) = source else { continue };
                    let Some(from) = self.of(*g).filter(|from| *from != to) else { continue };
                    let back = i == 0 && is_delay(model, *f) && closes(model, *f, *g);
                    let link = Link { from, to, value: *source, back };
                    if seen.insert(link) {
                        links.push(link);
                    }
                }
            }
        }
        links
    }

    /// Merges units: `groups` has for each unit the index of the one that it is merged into, or its own.
    fn merge(&mut self, groups: &mut [usize]) {
        let mut target = vec![usize::MAX; self.len()];
        let mut merged = Self::default();
        for unit in 0..self.len() {
            let root = find(groups, unit);
            if target[root] == usize::MAX {
                target[root] = merged.len();
                merged.keys.push(vec![]);
                merged.functions.push(vec![]);
            }
            merged.keys[target[root]].append(&mut self.keys[unit]);
            merged.functions[target[root]].append(&mut self.functions[unit]);
        }
        for (unit, functions) in merged.functions.iter_mut().enumerate() {
            functions.sort_unstable_by_key(|f| self.of[f].1);
            merged.of.extend(functions.iter().map(|f| (*f, (unit, self.of[f].1))));
            merged.keys[unit].sort_by_key(|key| self.ends[key]);
        }
        merged.ends = std::mem::take(&mut self.ends);
        *self = merged;
    }

    /// The direction of the recurrence, if the unit holds a whole one.
    pub fn recurrence(&self, model: &ValidatedModel<'_>, unit: usize) -> Option<Direction> {
        let inside = |f: &FunctionId| {
            let state = model.inputs(*f).first();
            is_delay(model, *f)
                && matches!(state, Some(Source::Output(g, _)) if closes(model, *f, *g) && self.of(*g) == Some(unit))
        };
        let delay = self.functions[unit].iter().copied().find(inside)?;
        let forward = model.operator(delay).op() == Some(Op::PastValue);
        Some(if forward { Direction::Forward } else { Direction::Backward })
    }

    /// Merges each recurrence that contains at most one block into one unit.
    pub fn fold_loops(&mut self, model: &ValidatedModel<'_>) {
        let links = self.links(model);
        if !links.iter().any(|l| l.back) {
            return;
        }
        let mut groups: Vec<usize> = (0..self.len()).collect();
        let mut folded = false;
        for members in components(self.len(), &links) {
            let cells = members.iter().filter(|u| self.is_block(model, **u) && !self.is_trailing(model, **u)).count();
            if members.len() < 2 || cells > 1 || members.len() > LARGEST_LOOP || members.len() == self.len() {
                continue;
            }
            let first = members.iter().copied().min().unwrap_or_default();
            members.iter().for_each(|unit| groups[*unit] = first);
            folded = true;
        }
        if folded {
            self.merge(&mut groups);
        }
    }

    /// Merges a unit that reads nothing but weights into its reader; and a bias, normalization or activation into the product or
    /// other layer before it, if nothing else reads that layer. `shown` values are read elsewhere, too.
    pub fn fuse(&mut self, model: &ValidatedModel<'_>, marked: &dyn Fn(FunctionId) -> bool, shown: &HashSet<Source>) {
        let links = self.links(model);
        let count = self.len();
        let (mut takers, mut takes) = (vec![vec![]; count], vec![vec![]; count]);
        for link in &links {
            takers[link.from].push(link.to);
            takes[link.to].push(*link);
        }
        takers.iter_mut().for_each(|t| {
            t.sort_unstable();
            t.dedup();
        });
        let outside = |unit: usize| {
            let mut sources = self.functions[unit].iter().flat_map(|f| model.inputs(*f));
            sources.any(|source| match source {
                Source::Variable(v) => model.variable(*v).value.is_none(),
                Source::Output(g, _) => self.of(*g).is_none(),
            })
        };
        let is_shown = |unit: usize| {
            let outputs = |f: FunctionId| (0..).take(model.output_types(f).len()).map(move |i| Source::Output(f, i));
            self.functions[unit].iter().any(|f| outputs(*f).any(|source| shown.contains(&source)))
        };
        let mark = |unit: usize| self.functions[unit].first().is_some_and(|f| marked(*f));
        let mut groups: Vec<usize> = (0..count).collect();
        let mut size: Vec<usize> = self.keys.iter().map(Vec::len).collect();
        for unit in 0..count {
            // It includes the units that were merged into it.
            let mut real = takes[unit].iter().filter(|l| groups[l.from] != unit);
            let Some(first) = real.next().copied() else {
                if let [to] = *takers[unit]
                    && !outside(unit)
                    && !is_shown(unit)
                    && self.recurrence(model, to).is_none()
                    && mark(unit) == mark(to)
                {
                    groups[unit] = to;
                }
                continue;
            };
            let from = first.from;
            let alone = !first.back && real.all(|l| *l == first);
            let root = find(&mut groups, from);
            let joins = alone
                && takers[from] == [unit]
                && size[root] < LONGEST
                && !is_shown(from)
                && !outside(unit)
                && self.recurrence(model, from).is_none()
                && mark(from) == mark(unit)
                && self.is_leading(model, root)
                && self.is_trailing(model, unit);
            if joins {
                groups[unit] = root;
                size[root] += size[unit];
            }
        }
        self.merge(&mut groups);
    }

    fn is_block(&self, model: &ValidatedModel<'_>, unit: usize) -> bool {
        matches!(&*self.keys[unit], [key] if matches!(model.function(*key).kind, FunctionKind::Block(_)))
    }

    /// Is it a layer that a bias or an activation can belong to?
    fn is_leading(&self, model: &ValidatedModel<'_>, unit: usize) -> bool {
        self.functions[unit].iter().any(|f| {
            matches!(class(model, *f), Some(Class::Product | Class::Window | Class::Normalization | Class::Broadcast))
        })
    }

    /// Is it a bias, a scale, a normalization, an activation?
    fn is_trailing(&self, model: &ValidatedModel<'_>, unit: usize) -> bool {
        let named = |key: &FunctionId| {
            matches!(model.function(*key).kind, FunctionKind::Block(_)) && !model.function(*key).name.is_empty()
        };
        !self.keys[unit].iter().any(named)
            && self.functions[unit].iter().all(|f| {
                matches!(
                    class(model, *f),
                    Some(Class::Elementwise | Class::Broadcast | Class::Identity | Class::Normalization)
                )
            })
    }
}

/// The outermost block around a function that is not opened; the function itself if there is none. Blocks may be nested as
/// deep as the file is long, so `known` keeps earlier results.
fn outermost(
    model: &ValidatedModel<'_>,
    f: FunctionId,
    opened: &HashSet<FunctionId>,
    known: &mut HashMap<FunctionId, FunctionId>,
) -> FunctionId {
    let (mut at, mut passed) = (f, vec![]);
    let found = loop {
        if let Some(found) = known.get(&at) {
            break *found;
        }
        passed.push(at);
        match model.parent(at).filter(|block| !opened.contains(block)) {
            Some(block) => at = block,
            None => break at,
        }
    };
    known.extend(passed.into_iter().map(|f| (f, found)));
    found
}

/// The root of a unit's group.
fn find(groups: &mut [usize], mut unit: usize) -> usize {
    while groups[unit] != unit {
        groups[unit] = groups[groups[unit]];
        unit = groups[unit];
    }
    unit
}

pub fn class(model: &ValidatedModel<'_>, f: FunctionId) -> Option<Class> {
    model.operator(f).op().map(|op| op.spec().facts.class)
}

pub fn is_delay(model: &ValidatedModel<'_>, f: FunctionId) -> bool {
    matches!(model.operator(f).op(), Some(Op::PastValue | Op::FutureValue))
}

/// Is `g` in the loop of this delay?
fn closes(model: &ValidatedModel<'_>, delay: FunctionId, g: FunctionId) -> bool {
    model.loop_of(delay).is_some() && model.loop_of(delay) == model.loop_of(g)
}

/// Strongly connected components, without recursion (Tarjan).
pub fn components(count: usize, links: &[Link]) -> Vec<Vec<usize>> {
    let mut next = vec![vec![]; count];
    links.iter().for_each(|l| next[l.from].push(l.to));
    let (mut index, mut low) = (vec![usize::MAX; count], vec![0; count]);
    let (mut stack, mut on_stack, mut found) = (vec![], vec![false; count], vec![]);
    let mut counter = 0;
    for root in 0..count {
        let mut work = vec![(root, 0)];
        while let Some((v, i)) = work.pop() {
            if i == 0 {
                if index[v] != usize::MAX {
                    continue;
                }
                (index[v], low[v]) = (counter, counter);
                counter += 1;
                stack.push(v);
                on_stack[v] = true;
            } else {
                // Back from a successor.
                low[v] = low[v].min(low[next[v][i - 1]]);
            }
            let mut i = i;
            let mut deeper = false;
            while let Some(&w) = next[v].get(i) {
                i += 1;
                if index[w] == usize::MAX {
                    work.push((v, i));
                    work.push((w, 0));
                    deeper = true;
                    break;
                }
                if on_stack[w] {
                    low[v] = low[v].min(index[w]);
                }
            }
            if !deeper && low[v] == index[v] {
                let mut members = vec![];
                while let Some(w) = stack.pop() {
                    on_stack[w] = false;
                    members.push(w);
                    if w == v {
                        break;
                    }
                }
                found.push(members);
            }
        }
    }
    found
}

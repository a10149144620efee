//! Structure recovery: what a network repeats is written once.
//!
//! A pass over the body before it is written. Values through which everything passes cut the body into segments with one
//! entry and one exit ([`segments`]). Segments that are equal but for weights and sizes have one [`form`]; runs of the
//! same forms ([`runs`]) become a class whose constructor takes the sizes that differ ([`block`], [`class`]), and the run one
//! `nn.Sequential` or `nn.ModuleList`. Values keep their ids: the last of a run is computed by a call of the whole run, and
//! what only it needed is then needed by nobody.
//!
//! Before that, layers that `torch.nn` holds in one are joined ([`recurrent`]), concatenations go on from earlier ones
//! ([`concat`]), and masks read shapes near by ([`masks`]); segments that apply the same weights again are a loop ([`rolled`]);
//! segments that differ in a part which some lack get one form ([`optional`]). Rounds with several results, and small ones in a short
//! file, are a loop over lists of their layers, or over blocks ([`loops`]). What stays as it is has branches, which repeat in
//! the same way ([`branches`]); equal ones that are joined are a list of modules ([`beside`]).
//!
//! Time is linear in the network: a segment has a bounded number of values, its form is made a bounded number of times. What is
//! written is, too: a class has the expressions of one unit, a run at most one call for each, with no more arguments than the
//! unit has numbers.

mod beside;
mod block;
mod branches;
mod class;
mod columns;
mod concat;
mod derived;
mod filling;
mod form;
mod loops;
mod masks;
mod names;
mod optional;
mod recurrent;
mod rolled;
mod runs;
mod segments;
mod series;
mod site;
#[cfg(test)]
mod tests;

use super::python::body::Body;
use super::python::expr::ValueId;
use super::python::names::Names;
use super::state::State;
use beside::{Branches, Join};
use block::Naming;
use branches::Chains;
pub(super) use class::Block;
use cntk_parser::model::FunctionId;
pub(super) use filling::Filling;
use form::Form;
use loops::Loop;
use names::Labels;
use runs::Run;
use segments::Segment;
use site::Site;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Classes for residual blocks may make the file so many lines longer, and a fifth.
const SPARE: usize = 4;

/// What the pass works on.
pub(super) struct Network<'n> {
    pub(super) body: &'n mut Body,
    pub(super) states: &'n mut Vec<State>,
    /// Names of what the file defines.
    pub(super) globals: &'n mut Names,
    /// Names of variables of `forward`.
    pub(super) locals: &'n mut Names,
    /// Arguments of `forward` with the network's data.
    pub(super) arguments: &'n [String],
    /// Arguments that count steps.
    pub(super) lengths: &'n [String],
    pub(super) outputs: &'n [ValueId],
    /// What the model calls a kind of block.
    pub(super) label: &'n dyn Fn(FunctionId) -> Option<String>,
}

/// What the file has to define besides the network.
pub(super) struct Recovered {
    pub(super) blocks: Vec<Block>,
    /// Loops that fill lists of the network.
    pub(super) fillings: Vec<Filling>,
}

/// Writes repeated regions once.
pub(super) fn recover(mut network: Network<'_>) -> Recovered {
    recurrent::join(&mut network);
    let uses = network.body.uses(network.outputs);
    concat::add_once(&mut network, &uses);
    let uses = network.body.uses(network.outputs);
    concat::go_on(&mut network, &uses);
    masks::ask_what_they_mask(&mut network, &uses);
    let mut segments = segments::find(&network);
    rolled::roll(&mut network, &mut segments);
    let mut forms: Vec<Option<Form>> = segments.iter().map(|s| form::of(&network, s)).collect();
    form::fit_first(&network, &mut segments, &mut forms);
    let before = optional::unify(&mut network, &mut segments, &mut forms);
    let mut found = Found::new(&network, segments, forms);
    let mut taken = found.taken();
    // Parts of segments that stay as they are.
    for (value, expr) in before.into_iter().filter(|(v, _)| !taken.contains(v)) {
        network.body.values[value.0 as usize].expr = expr;
    }
    let (mut blocks, mut fillings) = (Vec::new(), Vec::new());
    let loops = found.leave_to_loops(&network, loops::find(&network));
    if !loops.is_empty() {
        (blocks, fillings) = loops::write(&mut network, loops);
        taken = found.taken();
    }
    let chains = Chains::new(&network, &taken);
    let joins = found.beside(&network, beside::find(&network, &chains));
    let chains = if joins.is_empty() { chains } else { Chains::new(&network, &found.taken()) };
    found.add(&network, chains.all());
    let only = found.groups.iter().flatten().filter(|r| r.count > 1).count() == 1;
    if found.groups.is_empty() {
        return Recovered { blocks, fillings };
    }
    let mut folds = Vec::new();
    let labels = Labels::new(&network);
    let site = found.site();
    for alike in &found.groups {
        let beside = |run: Run| joins.contains_key(&run.first);
        let naming = Naming { labels: &labels, only, beside: &beside };
        let made = block::make(network.body, network.states, network.globals, &site, alike, &naming);
        let Some(made) = made else { continue };
        folds.extend(made.folds);
        fillings.extend(made.fillings);
        blocks.push(made.block);
        for (first, list, arguments) in made.lists {
            beside::write(&mut network, &joins[&first], list, arguments);
        }
    }
    network.body.fold(&folds);
    Filling::name_tables(&mut fillings);
    Recovered { blocks, fillings }
}

/// Segments, and those of them that repeat.
struct Found {
    segments: Vec<Segment>,
    forms: Vec<Option<Form>>,
    groups: Vec<Vec<Run>>,
    /// How many lines more the classes of residual blocks may take.
    spare: usize,
}

impl Found {
    fn new(network: &Network<'_>, segments: Vec<Segment>, forms: Vec<Option<Form>>) -> Self {
        let spare = SPARE + loops::length(network) / 5;
        let mut found = Self { segments, forms, groups: Vec::new(), spare };
        let (states, site) = (&*network.states, found.site());
        found.groups =
            runs::find(&found.segments, &found.forms, found.spare, &|alike| block::lines(&site, states, alike));
        found
    }

    fn site(&self) -> Site<'_> {
        Site { segments: &self.segments, forms: &self.forms }
    }

    fn values(&self, run: &Run) -> impl Iterator<Item = ValueId> {
        self.segments[run.first..run.end()].iter().flat_map(|s| s.values.iter().copied())
    }

    /// The values of all runs.
    fn taken(&self) -> HashSet<ValueId> {
        self.groups.iter().flatten().flat_map(|run| self.values(run)).collect()
    }

    /// Leaves to loops what they write better: rounds with several results, and small ones in a short file.
    fn leave_to_loops(&mut self, network: &Network<'_>, loops: Vec<Loop>) -> Vec<Loop> {
        if loops.is_empty() {
            return loops;
        }
        let length = loops::length(network);
        let mut group_of: HashMap<ValueId, usize> = HashMap::new();
        for (group, runs) in self.groups.iter().enumerate() {
            group_of.extend(runs.iter().flat_map(|run| self.values(run)).map(|v| (v, group)));
        }
        let mut kept = Vec::new();
        let mut left = vec![false; self.groups.len()];
        let mut rolled: HashSet<ValueId> = HashSet::new();
        for l in loops.into_iter().filter(|l| !l.is_residual(network)) {
            let inside: HashSet<ValueId> = l.values().collect();
            if !rolled.is_disjoint(&inside) {
                continue;
            }
            let held = |run: &Run| self.values(run).all(|v| inside.contains(&v));
            let computed = inside.iter().filter(|v| !network.body.values[v.0 as usize].is_atom);
            let touching: BTreeSet<usize> =
                computed.filter_map(|v| group_of.get(v).copied()).filter(|group| !left[*group]).collect();
            let better = |g: &usize| {
                let runs = &self.groups[*g];
                let units = runs.iter().map(|r| r.count).sum::<usize>();
                let cost = block::lines(&self.site(), network.states, runs);
                let rest = length.saturating_sub(cost.without);
                // As a class, they would be more than an eighth of the file longer than a network with one of them.
                let dear = 8 * (rest + cost.with) > 9 * (rest + cost.without / units.max(1));
                runs.iter().filter(|run| !held(run)).count() <= usize::from(l.gathers())
                    && (dear && l.lines + 1 < cost.with || l.gathers())
            };
            let fits = l.gathers() || if touching.is_empty() { !l.is_straight(network) } else { l.is_small() };
            if fits && touching.iter().all(better) {
                touching.into_iter().for_each(|group| left[group] = true);
                rolled.extend(inside.iter().filter(|v| !network.body.values[v.0 as usize].is_atom));
                kept.push(l);
            }
        }
        let mut left = left.into_iter();
        self.groups.retain(|_| left.next() != Some(true));
        kept
    }

    /// Adds lists of equal branches where that saves lines, with what joins the run that begins with each segment.
    fn beside(&mut self, network: &Network<'_>, found: Vec<Branches>) -> HashMap<usize, Join> {
        let mut joins = HashMap::new();
        let mut taken: HashSet<ValueId> = HashSet::new();
        for Branches { join, segments, forms, period } in found {
            let computed = |v: &ValueId| !network.body.values[v.0 as usize].is_atom;
            let values: Vec<ValueId> = segments.iter().flat_map(|s| &s.values).copied().filter(computed).collect();
            if values.iter().any(|v| taken.contains(v)) {
                continue;
            }
            let first = self.segments.len();
            let run = Run { first, period, count: segments.len() / period };
            self.segments.extend(segments);
            self.forms.extend(forms);
            let lines = block::lines(&self.site(), network.states, &[run]);
            if lines.with + runs::CLEARLY < lines.without {
                taken.extend(values);
                self.groups.push(vec![run]);
                joins.insert(first, join);
            }
        }
        joins
    }

    /// Finds what repeats in chains of other segments, too.
    fn add(&mut self, network: &Network<'_>, chains: Vec<Vec<Segment>>) {
        let start = self.segments.len();
        self.segments.extend(chains.into_iter().flat_map(|chain| std::iter::once(Segment::gap()).chain(chain)));
        self.forms.extend(self.segments[start..].iter().map(|s| form::of(network, s)));
        let known = std::mem::take(&mut self.groups);
        let cost = |alike: &[Run]| block::lines(&self.site(), network.states, alike);
        let used: usize = known.iter().map(|alike| cost(alike).over()).sum();
        let spare = self.spare.saturating_sub(used);
        let groups = runs::find_more(&self.segments, &self.forms, start, (known, spare), &cost);
        // Chains inside of chains: of runs with common values, the first stays.
        let mut taken: HashSet<ValueId> = HashSet::new();
        let apart = |mut runs: Vec<Run>| {
            let all = runs.len();
            runs.retain(|run| {
                let free = self.values(run).all(|v| network.body.values[v.0 as usize].is_atom || !taken.contains(&v));
                taken.extend(self.values(run).filter(|_| free));
                free
            });
            (!runs.is_empty() && (runs.len() == all || cost(&runs).with < cost(&runs).without)).then_some(runs)
        };
        self.groups = groups.into_iter().filter_map(apart).collect();
    }
}

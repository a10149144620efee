//! A class for what is repeated, and calls of it in place of the repetitions.

use super::class::{Block, Writer};
use super::columns::Columns;
use super::filling::Filling;
use super::form::Slot;
use super::names;
use super::runs::{Cost, Run};
use super::site::Site;
use crate::pytorch::python::body::Body;
use crate::pytorch::python::expr::{Argument, Expr, StateId, ValueId, Weighs, nn};
use crate::pytorch::python::names::{Names, class_name};
use crate::pytorch::python::print::constant;
use crate::pytorch::python::wrap::Lines;
use crate::pytorch::state::{Held, Kind, State};
use std::ops::Range;

/// About how wide a statement becomes.
pub(super) const STATEMENT: usize = 62;

/// What stands in the place of a run: a loop over its modules, or a call.
pub(super) struct Made {
    pub(super) block: Block,
    /// Exits that loops compute.
    pub(super) folds: Vec<ValueId>,
    pub(super) fillings: Vec<Filling>,
    /// Lists of branches that stand side by side: which run, and what each takes.
    pub(super) lists: Vec<(usize, StateId, Vec<Argument>)>,
}

/// What names of classes and their modules depend on.
pub(super) struct Naming<'n> {
    pub(super) labels: &'n names::Labels,
    /// Is there only one run in the network?
    pub(super) only: bool,
    /// Do the units of a run stand side by side?
    pub(super) beside: &'n dyn Fn(Run) -> bool,
}

/// The class for equal units, if that makes the file shorter.
pub(super) fn make(
    body: &mut Body,
    states: &mut Vec<State>,
    globals: &mut Names,
    site: &Site<'_>,
    alike: &[Run],
    naming: &Naming<'_>,
) -> Option<Made> {
    let period = alike.first()?.period;
    let units: Vec<usize> = alike.iter().flat_map(|r| r.units()).collect();
    let slots: Vec<Vec<Slot>> = units.iter().map(|u| site.slots(*u, period)).collect();
    let own = site.states(units[0], period);
    if own.is_empty() {
        return None;
    }
    let columns = Columns::new(&slots);
    let context = site.context(units[0], period);
    let words: Vec<&'static str> =
        site.forms[units[0]..units[0] + period].iter().flatten().flat_map(|f| f.words.iter().copied()).collect();
    let straight = site.is_straight(units[0], period);
    let label = naming.labels.of(states, units.iter().map(|u| site.states(*u, period)));
    let name = globals.defined(&match (label, straight) {
        (Some(label), true) => names::snake(&label),
        (Some(label), false) => class_name(&label),
        (None, true) => names::function(&words),
        (None, false) => names::class(&words),
    });
    let wanted = |k: usize| {
        let first = states[own[k].0 as usize].wanted.clone();
        let same = units.iter().all(|u| states[site.states(*u, period)[k].0 as usize].wanted == first);
        first.filter(|_| same)
    };
    let wanted: Vec<Option<String>> = (0..own.len()).map(wanted).collect();
    // The entry of the network's first unit is an argument from which all units take shapes and types. Others tell the two apart.
    let tells_apart = |u: &usize| site.segments[*u].entry.is_none_or(|v| !site.context(*u, period).contains(&v));
    let like = units.iter().copied().find(tells_apart).unwrap_or(units[0]);
    let own = site.states(like, period);
    let block = Writer { body, states, site, columns: &columns }.block(&name, like, period, &own, wanted);
    let (mut folds, mut lists, mut fillings) = (Vec::new(), Vec::new(), Vec::new());
    let function = Expr::Class(name);
    let mut at = 0;
    for run in alike {
        let beside = (naming.beside)(*run);
        let listed = beside || !context.is_empty() && run.count > 1;
        let holder = if listed { "ModuleList" } else { "Sequential" };
        let (constructor, filling, _) = made(&columns, &function, at..at + run.count, holder);
        at += run.count;
        let name = if beside { "branches" } else { "layers" };
        let container = hold(states, site, *run, &block, constructor, (name, naming.only));
        fillings.extend(filling.map(|f| f.with_lists(&[container])));
        let last = run.first + run.period * run.count - 1;
        let (Some(entry), exit) = (site.segments[run.first].entry, site.segments[last].exit) else { continue };
        let arguments = std::iter::once(entry).chain(context.iter().copied()).map(Argument::from).collect();
        if beside {
            lists.push((run.first, container, arguments));
            continue;
        }
        body.values[exit.0 as usize].expr = Expr::Layer(container, Weighs::Block, arguments).into();
        if listed {
            folds.push(exit);
        }
    }
    Some(Made { block, folds, fillings, lists })
}

/// What makes some of the units, with the loop that fills it if that is shorter, and how many lines that takes.
pub(super) fn made(
    columns: &Columns,
    function: &Expr,
    units: Range<usize>,
    holder: &'static str,
) -> (Expr, Option<Filling>, usize) {
    let made = columns.container(&|values| columns.call(function, &values), units.clone(), holder);
    let mut lines = Lines::default();
    lines.statement(2, "self.layers1 = ", &constant(&made));
    let length = lines.finish().lines().count();
    let shorter = |by: usize| move |f: Filling| f.length().filter(|lines| lines + by <= length).map(|lines| (lines, f));
    let stages = columns.stages(function, units.clone(), holder).and_then(shorter(1));
    // A table is worth more lines, but for a chain of sizes.
    let table = || columns.table(function, units, holder).and_then(|(f, chain)| shorter(if chain { 1 } else { 2 })(f));
    match stages.or_else(table) {
        Some((length, filling)) => (nn(holder, Vec::new()), Some(filling), length),
        None => (made, None, length),
    }
}

/// How many lines units take: a class for them with all calls, and without one.
pub(super) fn lines(site: &Site<'_>, states: &[State], alike: &[Run]) -> Cost {
    let Run { first: unit, period, .. } = alike[0];
    let units = alike.iter().flat_map(|r| r.units());
    let slots: Vec<Vec<Slot>> = units.map(|u| site.slots(u, period)).collect();
    let columns = Columns::new(&slots);
    let mut at = 0;
    let mut written = 0;
    let function = Expr::Class("ClassName".to_owned());
    for run in alike {
        written += 1 + made(&columns, &function, at..at + run.count, "Sequential").2;
        at += run.count;
    }
    // Four arguments or more are a burden, in the signature and in each call, and so are layers that differ in as many ways.
    let arguments = columns.ways;
    let signature = if arguments > 3 { 2 * arguments } else { 0 };
    let own = site.states(unit, period);
    let init: usize = own.iter().map(|s| states[s.0 as usize].init("name").len()).sum();
    let forms = || site.forms[unit..unit + period].iter().flatten();
    let statements = forms().map(|f| f.width).sum::<usize>().div_ceil(STATEMENT);
    let straight = site.is_straight(unit, period);
    let layers = forms().map(|f| f.layers).sum::<usize>().max(if straight { 1 } else { statements });
    let one = init + layers;
    let loops = !site.context(unit, period).is_empty();
    let more = if loops { 2 * alike.iter().filter(|r| r.count > 1).count() } else { 0 };
    let class = match (straight, period) {
        (true, 1 | 2) => 2,
        (true, links) => links + 3,
        (false, _) => 5 + one,
    };
    Cost { with: class + signature + written + more, without: if own.is_empty() { 0 } else { slots.len() * one } }
}

/// The state of a run: its modules and all that they hold.
fn hold(
    states: &mut Vec<State>,
    site: &Site<'_>,
    run: Run,
    block: &Block,
    constructor: Expr,
    (name, only): (&'static str, bool),
) -> StateId {
    let fallback = if run.count > 1 { name } else { "block" };
    let wanted = (only && run.count > 1).then(|| name.to_owned());
    let mut container = State::of(Kind::Blocks(constructor), wanted, fallback);
    for (k, unit) in run.units().enumerate() {
        for (id, (name, _)) in site.states(unit, run.period).into_iter().zip(&block.states) {
            for held in states[id.0 as usize].tensors.clone() {
                let inner = State::key(name, &held);
                let suffix = if run.count > 1 { format!("{k}.{inner}") } else { inner };
                container.tensors.push(Held { suffix, ..held });
            }
        }
    }
    states.push(container);
    StateId(states.len() as u32 - 1)
}

//! Rounds that go on from each other and compute the same with layers of their own, as a loop over lists of these layers:
//! `for conv, bn in zip(self.convs, self.bns)`. What each round computes besides its result may be summed up or collected.
//!
//! A class says more about a round that holds many layers, a loop is shorter where it holds few. Rounds with several results
//! are blocks of a [`class`] where that is shorter.

mod class;
mod find;
mod gather;
mod rounds;
mod tail;
mod write;

use super::Network;
use super::columns::Columns;
use super::filling::{Filling, Turns};
use super::{block, form, names};
use crate::pytorch::python::expr::{Expr, StateId, ValueId, args, nn};
use crate::pytorch::python::print::constant;
use crate::pytorch::python::wrap::Lines;
use crate::pytorch::state::{Kind, LAYER, State};
use class::Class;
use find::Finder;
use rounds::{Rounds, Tail};
use std::collections::HashSet;
pub(super) use write::write;

/// The most layers of a round that a class could hold.
const SMALL: usize = 3;

/// The most layers of other rounds.
const LARGEST: usize = 8;

/// As many lists stand on one line after `for`.
const WIDE: usize = 3;

/// The lines of a file besides what its network holds and computes.
const FRAME: usize = 12;

/// A loop that may be written.
pub(super) struct Loop {
    rounds: Rounds,
    over: Over,
    /// How many lines it takes.
    pub(super) lines: usize,
}

/// What it goes over.
enum Over {
    /// Lists of layers, and what fills all of them in one loop, where that is shorter.
    Lists(Vec<List>, Option<Box<Filling>>),
    /// Blocks of a class.
    Blocks(Box<Class>),
}

/// What the rounds hold in one place.
struct List {
    container: Expr,
    holder: &'static str,
    freeze: Vec<Expr>,
    /// Do they hold nothing, so that the first one serves all rounds?
    serves_all: bool,
}

impl Loop {
    /// What it computes.
    pub(super) fn values(&self) -> impl Iterator<Item = ValueId> {
        let tail = matches!(self.over, Over::Blocks(_)).then_some(self.rounds.tail.as_ref()).flatten();
        self.rounds.values.iter().flatten().copied().chain(tail.into_iter().flat_map(Tail::values))
    }

    /// Is a round no more than a few layers?
    pub(super) fn is_small(&self) -> bool {
        self.rounds.states[0].len() <= SMALL
    }

    /// Does it no more than `nn.Sequential` could?
    pub(super) fn is_straight(&self, network: &Network<'_>) -> bool {
        let link = |v: &ValueId| {
            let code = network.body.code(*v);
            matches!(code.reads(), [x] if form::link(code, x.value, network.states).is_some())
        };
        !self.gathers() && self.rounds.values[0].iter().all(link)
    }

    /// Is a round a residual block, which is a class rather than a loop?
    pub(super) fn is_residual(&self, network: &Network<'_>) -> bool {
        !self.gathers() && names::is_residual(&names::words(network, &self.rounds.values[0]))
    }

    /// Does it make more than one result?
    pub(super) fn gathers(&self) -> bool {
        !self.rounds.gathered.is_empty()
    }
}

/// The loops that save lines.
pub(super) fn find(network: &Network<'_>) -> Vec<Loop> {
    // Each round holds state of its own.
    if network.states.len() < 2 {
        return Vec::new();
    }
    let mut finder = Finder::new(network);
    let mut loops: Vec<Loop> =
        finder.all(HashSet::new()).into_iter().filter_map(|rounds| measured(&finder, rounds)).collect();
    // Blocks of a class may differ in numbers.
    let claimed = loops.iter().filter(|l| l.gathers()).flat_map(Loop::values).collect();
    finder.loosen();
    for mut rounds in finder.all(claimed) {
        let class = if rounds.gathered.is_empty() { None } else { blocks(&finder, &mut rounds) };
        loops.extend(class.map(|(over, lines)| Loop { rounds, over, lines }));
    }
    loops.sort_by_key(|l| !l.gathers());
    loops
}

/// About how many lines the network takes as it is.
pub(super) fn length(network: &Network<'_>) -> usize {
    let mut length = FRAME;
    network.body.each_needed(network.outputs, &mut |e| length += usize::from(e.calls().layers > 0));
    let used = network.body.states(network.outputs);
    length + used.iter().map(|s| network.states[s.0 as usize].init("name").len()).sum::<usize>()
}

/// The loop for rounds, if it is shorter.
fn measured(finder: &Finder<'_>, mut rounds: Rounds) -> Option<Loop> {
    let network = finder.network;
    let lists = over_lists(network, &rounds);
    let class = if rounds.gathered.is_empty() { None } else { blocks(finder, &mut rounds) };
    let (over, lines) = match (lists, class) {
        (Some(lists), Some(class)) => {
            // Lists leave the last round as it is.
            let more = if rounds.tail.is_some() { as_it_is(network, &rounds) } else { 0 };
            let wide = if rounds.states[0].len() > WIDE { 2 } else { 0 };
            if lists.1 + more + wide < class.1 { lists } else { class }
        }
        (lists, class) => lists.or(class)?,
    };
    Some(Loop { rounds, over, lines })
}

/// How many lines a round takes without a loop.
fn as_it_is(network: &Network<'_>, rounds: &Rounds) -> usize {
    let init = |s: &StateId| network.states[s.0 as usize].init("name").len();
    rounds.states[0].iter().map(init).sum::<usize>() + layers(network, rounds)
}

/// How many statements a round takes.
fn layers(network: &Network<'_>, rounds: &Rounds) -> usize {
    rounds.values[0].iter().filter(|v| network.body.code(**v).calls().layers > 0).count().max(1)
}

/// Blocks of a class, if that is shorter, and how many lines they take.
fn blocks(finder: &Finder<'_>, rounds: &mut Rounds) -> Option<(Over, usize)> {
    let network = finder.network;
    let is_data = |v: ValueId| !finder.places.source[v.0 as usize];
    let mut class = Class::new(network, rounds, &is_data);
    // What the last round lacks may be more than a class can leave out.
    if class.is_none() && rounds.tail.take().is_some() {
        class = Class::new(network, rounds, &is_data);
    }
    let class = class?;
    let lines = class.lines;
    let computed = rounds.values[0].iter().filter(|v| !network.body.values[v.0 as usize].is_atom);
    let width: usize = computed.map(|v| constant(network.body.expr(*v)).len()).sum();
    let statements = (width / block::STATEMENT).saturating_sub(layers(network, rounds));
    let count = rounds.values.len() + usize::from(rounds.tail.is_some());
    (lines < count * (as_it_is(network, rounds) + statements)).then(|| (Over::Blocks(Box::new(class)), lines))
}

/// Lists of layers, if that is shorter, and how many lines they take.
fn over_lists(network: &Network<'_>, rounds: &Rounds) -> Option<(Over, usize)> {
    let held = &rounds.states;
    if held[0].is_empty() || held[0].len() > LARGEST {
        return None;
    }
    let places: Vec<Vec<&State>> =
        (0..held[0].len()).map(|i| held.iter().map(|round| &network.states[round[i].0 as usize]).collect()).collect();
    let lists: Vec<List> = places.iter().map(|states| list(states)).collect::<Option<_>>()?;
    let lines = |list: &List| {
        let mut lines = Lines::default();
        lines.statement(2, "self.layers1 = ", &constant(&list.container));
        let freeze = if list.freeze.is_empty() { 0 } else { 1 + list.freeze.len() };
        lines.finish().lines().count() + freeze
    };
    let made = lists.iter().filter(|l| !l.serves_all).map(lines).sum::<usize>();
    let filling = filling(&places, &lists).and_then(|f| Some((f.length()?, f))).filter(|(length, _)| *length < made);
    let made = filling.as_ref().map_or(made, |(length, _)| *length);
    let with = 1 + made + layers(network, rounds) + 2 * rounds.gathered.len();
    let filling = filling.map(|(_, f)| Box::new(f));
    (with < held.len() * as_it_is(network, rounds)).then_some((Over::Lists(lists, filling), with))
}

/// What makes one list of these modules or parameters.
fn list(states: &[&State]) -> Option<List> {
    let (constructor, freeze) = states[0].parts()?;
    let slots: Vec<Vec<form::Slot>> = states.iter().map(|s| Some(form::of_state(s)?.1)).collect::<Option<_>>()?;
    let columns = Columns::new(&slots);
    let (template, holder) = match columns.state(states[0], &mut 0).kind {
        Kind::Module(template) => (template, "ModuleList"),
        _ => (constructor, "ParameterList"),
    };
    let container = columns.container(&|values| columns.made(&template, &values), 0..states.len(), holder);
    let serves_all = states.iter().all(|s| s.tensors.is_empty() && s.kind == states[0].kind);
    Some(List { container, holder, freeze, serves_all })
}

/// What fills the lists of all places in one loop.
fn filling(places: &[Vec<&State>], lists: &[List]) -> Option<Filling> {
    let (places, lists): (Vec<&Vec<&State>>, Vec<&List>) =
        places.iter().zip(lists).filter(|(_, list)| !list.serves_all).unzip();
    let rounds = places.first()?.len();
    let slots = |round: usize| {
        let all = places.iter().map(|states| Some(form::of_state(states[round])?.1));
        Some(all.collect::<Option<Vec<_>>>()?.concat())
    };
    let columns = Columns::new(&(0..rounds).map(slots).collect::<Option<Vec<_>>>()?);
    let mut slot = 0;
    let mut templates = Vec::new();
    for states in &places {
        templates.push(match columns.state(states[0], &mut slot).kind {
            Kind::Module(template) => template,
            _ => states[0].parts()?.0,
        });
    }
    let turn = |values: Vec<Expr>| Expr::Tuple(templates.iter().map(|t| columns.made(t, &values)).collect());
    let Some(Expr::Repeat(turn, variables, over)) = columns.repeated(rounds, &turn) else { return None };
    let Expr::Tuple(made) = *turn else { return None };
    let mut statements = Vec::new();
    for (made, (list, id)) in made.into_iter().zip(lists.iter().zip((0..).map(StateId))) {
        statements.push(Expr::State(id).method("append", args![made]));
        let last = Expr::State(id).at(-1);
        let freeze = list.freeze.iter();
        statements.extend(freeze.map(|e| e.rewrite(&mut |e| (*e == Expr::local(LAYER)).then(|| last.clone()))));
    }
    let lists = lists.iter().zip((0..).map(StateId)).map(|(list, id)| (id, nn(list.holder, Vec::new())));
    let turns = Turns { variables, over: *over, statements };
    Some(Filling { lists: lists.collect(), sizes: None, turns: Some(turns) })
}

/// The state that an expression reads, in order.
fn states(expr: &Expr) -> Vec<StateId> {
    let mut found = Vec::new();
    expr.each(&mut |e| match e {
        Expr::State(s) | Expr::Layer(s, ..) => found.push(*s),
        _ => {}
    });
    found
}

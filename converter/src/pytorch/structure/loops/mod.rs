//! Rounds that go on from each other and compute the same with layers of their own, as a loop over lists of these layers:
//! `for conv, bn in zip(self.convs, self.bns)`. What each round computes besides its result may be summed up or collected.
//!
//! A class says more about a round that holds many layers, a loop is shorter where it holds few.

mod find;
mod gather;

use super::Network;
use super::columns::Columns;
use super::filling::{Filling, Turns};
use super::form;
use super::names;
use crate::pytorch::python::body::{Item, Repeat};
use crate::pytorch::python::expr::{Argument, Expr, StateId, ValueId, args, nn, torch};
use crate::pytorch::python::print::constant;
use crate::pytorch::python::uses::Uses;
use crate::pytorch::python::wrap::Lines;
use crate::pytorch::state::{Held, Kind, LAYER, State};
use find::{Finder, Rounds};
use gather::Gathered;
use std::collections::{HashMap, HashSet};

/// The most layers of a round that a class could hold.
const SMALL: usize = 3;

/// The most layers of other rounds.
const LARGEST: usize = 8;

/// The lines of a file besides what its network holds and computes.
const FRAME: usize = 12;

/// A loop that may be written.
pub(super) struct Loop {
    rounds: Rounds,
    lists: Vec<List>,
    /// What fills all of them in one loop, where that is shorter.
    filling: Option<Filling>,
    /// How many lines it takes.
    pub(super) lines: usize,
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
        self.rounds.values.iter().flatten().copied()
    }

    /// Is a round no more than a few layers?
    pub(super) fn is_small(&self) -> bool {
        self.lists.len() <= SMALL
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

    /// Does it make more than one result, which no class does?
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
    let finder = Finder::new(network);
    let all = finder.all();
    all.into_iter().filter_map(|rounds| measured(network, rounds)).collect()
}

/// About how many lines the network takes as it is.
pub(super) fn length(network: &Network<'_>) -> usize {
    let mut length = FRAME;
    network.body.each_needed(network.outputs, &mut |e| length += usize::from(e.calls().layers > 0));
    let used = network.body.states(network.outputs);
    length + used.iter().map(|s| network.states[s.0 as usize].init("name").len()).sum::<usize>()
}

/// The loop for rounds, if it is shorter.
fn measured(network: &Network<'_>, rounds: Rounds) -> Option<Loop> {
    let held = &rounds.states;
    if held[0].is_empty() || held[0].len() > LARGEST {
        return None;
    }
    let places: Vec<Vec<&State>> =
        (0..held[0].len()).map(|i| held.iter().map(|round| &network.states[round[i].0 as usize]).collect()).collect();
    let lists: Vec<List> = places.iter().map(|states| list(states)).collect::<Option<_>>()?;
    let calls = |v: &ValueId| network.body.code(*v).calls().layers > 0;
    let layers = rounds.values[0].iter().filter(|v| calls(v)).count().max(1);
    let lines = |list: &List| {
        let mut lines = Lines::default();
        lines.statement(2, "self.layers1 = ", &constant(&list.container));
        let freeze = if list.freeze.is_empty() { 0 } else { 1 + list.freeze.len() };
        lines.finish().lines().count() + freeze
    };
    let made = lists.iter().filter(|l| !l.serves_all).map(lines).sum::<usize>();
    let filling = filling(&places, &lists).and_then(|f| Some((f.length()?, f))).filter(|(length, _)| *length < made);
    let made = filling.as_ref().map_or(made, |(length, _)| *length);
    let with = 1 + made + layers + 2 * rounds.gathered.len();
    let init: usize = held[0].iter().map(|s| network.states[s.0 as usize].init("name").len()).sum();
    let without = held.len() * (init + layers);
    let filling = filling.map(|(_, f)| f);
    (with < without).then_some(Loop { rounds, lists, filling, lines: with })
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

/// Writes loops. Gives those that fill their lists.
pub(super) fn write(network: &mut Network<'_>, loops: Vec<Loop>) -> Vec<Filling> {
    let uses = network.body.uses(network.outputs);
    let mut fillings = Vec::new();
    let repeats: Vec<Repeat> = loops.into_iter().filter_map(|l| repeat(network, l, &uses, &mut fillings)).collect();
    network.body.repeat(repeats);
    fillings
}

fn repeat(network: &mut Network<'_>, found: Loop, uses: &Uses, fillings: &mut Vec<Filling>) -> Option<Repeat> {
    let Loop { rounds, lists, filling, .. } = found;
    let result = rounds.result()?;
    let first = rounds.values[0].clone();
    let place = place(network, &rounds, result);
    let (held, variables) = hold(network, &rounds, lists, filling.is_some());
    let order: Vec<StateId> = variables.iter().map(|(list, _)| *list).collect();
    fillings.extend(filling.map(|f| f.with_lists(&order)));
    let reads = |v: &ValueId| network.body.code(*v).values().filter(|r| *r == rounds.entry).count() as u32;
    let alone = uses.of(rounds.entry) == first.iter().map(reads).sum::<u32>();
    let name = match network.body.expr(rounds.entry) {
        // Nothing else reads the argument.
        Expr::Local(name) if alone => name.clone(),
        _ => network.locals.unique("y"),
    };
    let mut begins = vec![(name.clone(), rounds.entry.into())];
    for v in &first {
        let value = &mut network.body.values[v.0 as usize];
        value.expr = inside(&value.expr, rounds.entry, &name, &held).into();
    }
    let mut ends = Vec::new();
    for g in &rounds.gathered {
        let (begin, end) = gather(network, g, first[g.place]);
        begins.push(begin);
        ends.push(end);
    }
    ends.push(Item::set(name.clone(), first[0].into()));
    let zip = |lists: Vec<Expr>| match <[Expr; 1]>::try_from(lists) {
        Ok([one]) => one,
        Err(lists) => Expr::local("zip").call(lists.into_iter().map(Argument::from).collect()),
    };
    let names: Vec<String> = variables.into_iter().map(|(_, name)| name).collect();
    Some(Repeat {
        values: first.into_iter().filter(|v| !network.body.values[v.0 as usize].is_atom).collect(),
        place,
        begins,
        ends,
        variables: names.join(", "),
        over: zip(order.into_iter().map(Expr::State).collect()),
        result,
        name,
    })
}

/// The first value that reads what a loop makes, or the result.
fn place(network: &Network<'_>, rounds: &Rounds, result: ValueId) -> ValueId {
    let mut wanted: HashSet<ValueId> = rounds.gathered.iter().map(|g| g.join).collect();
    wanted.insert(result);
    let first = network.body.items().iter().find_map(|item| match item {
        Item::Let(id) if wanted.contains(id) => Some(*id),
        _ => None,
    });
    first.unwrap_or(result)
}

/// The lists as pieces of state. Gives what stands for each piece of the first round, and the lists with their variables.
fn hold(
    network: &mut Network<'_>,
    rounds: &Rounds,
    lists: Vec<List>,
    filled: bool,
) -> (HashMap<StateId, String>, Vec<(StateId, String)>) {
    let first = &rounds.states[0];
    let called: Vec<String> = (0..first.len()).map(|i| called(network.states, rounds, i)).collect();
    let (mut held, mut variables) = (HashMap::new(), Vec::new());
    for (i, list) in lists.into_iter().enumerate() {
        if list.serves_all {
            continue;
        }
        let single = called.iter().filter(|c| **c == called[i]).count() == 1;
        let number = called[..=i].iter().filter(|c| **c == called[i]).count();
        let numbered = |name: &str| if single { name.to_owned() } else { format!("{name}{number}") };
        let plural = if called[i].ends_with('s') { format!("{}_list", called[i]) } else { format!("{}s", called[i]) };
        let (container, freeze) =
            if filled { (nn(list.holder, Vec::new()), Vec::new()) } else { (list.container, list.freeze) };
        let mut state = State::module(container, Some(numbered(&plural)), "layers");
        state.kind = match state.kind {
            Kind::Module(container) => Kind::List(container, freeze),
            other => other,
        };
        state.within = network.states[first[i].0 as usize].within.clone();
        for (k, round) in rounds.states.iter().enumerate() {
            for tensor in &network.states[round[i].0 as usize].tensors {
                let key = State::key(&k.to_string(), tensor);
                state.tensors.push(Held { suffix: key, ..tensor.clone() });
            }
        }
        network.states.push(state);
        let variable = network.locals.unique(&numbered(&called[i]));
        held.insert(first[i], variable.clone());
        variables.push((StateId(network.states.len() as u32 - 1), variable));
    }
    (held, variables)
}

/// What to call one of the modules or parameters in a place: as the model does, without its number, or after its kind.
fn called(states: &[State], rounds: &Rounds, i: usize) -> String {
    let state = |round: &Vec<StateId>| &states[round[i].0 as usize];
    let stem = |round: &Vec<StateId>| -> Option<String> {
        let name = state(round).wanted.as_deref()?;
        Some(name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_').to_owned())
    };
    let first = &rounds.states[0];
    match stem(first).filter(|s| s.len() > 1 && rounds.states.iter().all(|r| stem(r).as_ref() == Some(s))) {
        Some(stem) => stem,
        None if state(first).kind == Kind::Parameter => {
            let tensor = state(first).tensors.first();
            (if tensor.is_some_and(|t| t.dims.len() < 2) { "bias" } else { "weight" }).to_owned()
        }
        None => state(first).fallback.to_owned(),
    }
}

/// An expression of the first round inside of the loop.
fn inside(expr: &Expr, entry: ValueId, name: &str, held: &HashMap<StateId, String>) -> Expr {
    expr.rewrite(&mut |e| match e {
        Expr::Value(v) if *v == entry => Some(Expr::local(name)),
        Expr::State(s) => held.get(s).map(Expr::local),
        Expr::Layer(s, weighs, list) => {
            let list = list.iter().map(|a| Argument { name: a.name, value: inside(&a.value, entry, name, held) });
            Some(Expr::Each(held.get(s)?.clone(), *weighs).call(list.collect()))
        }
        _ => None,
    })
}

/// How a variable begins that sums up or collects a value, and how the loop adds to it. What joins the rounds reads it.
fn gather(network: &mut Network<'_>, gathered: &Gathered, value: ValueId) -> ((String, Expr), Item) {
    let Gathered { join, adds, before, after, .. } = gathered;
    let name = network.locals.unique(if *adds { "total" } else { "parts" });
    let variable = Expr::local(name.clone());
    let all = |values: &[ValueId]| -> Vec<Expr> { values.iter().map(|v| Expr::Value(*v)).collect() };
    let joined = &mut network.body.values[join.0 as usize].expr;
    if *adds {
        let begin = all(before)
            .into_iter()
            .reduce(|a, b| a + b)
            .unwrap_or_else(|| torch("zeros", args![Expr::Tuple(Vec::new())]));
        *joined = all(after).into_iter().fold(variable.clone(), |sum, v| sum + v).into();
        return ((name.clone(), begin), Item::set(name, variable + Expr::Value(value)));
    }
    let whole = if after.is_empty() { variable.clone() } else { variable.clone() + Expr::List(all(after)) };
    *joined = joined.rewrite(&mut |e| matches!(e, Expr::List(_)).then(|| whole.clone())).into();
    ((name, Expr::List(all(before))), Item::act(variable.method("append", args![value])))
}

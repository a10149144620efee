//! Rounds as blocks of a class, whose method gives the result and what is gathered: `y, total = layer(y, total)`.

use super::rounds::{Rounds, Tail};
use crate::pytorch::python::expr::{Argument, Binary, Expr, StateId, ValueId, nn};
use crate::pytorch::python::names::class_name;
use crate::pytorch::state::{Held, Kind, State};
use crate::pytorch::structure::class::Draft;
use crate::pytorch::structure::columns::Columns;
use crate::pytorch::structure::filling::Filling;
use crate::pytorch::structure::form::{self, Slot, link};
use crate::pytorch::structure::names::{self, Labels};
use crate::pytorch::structure::{Block, Network, block};
use std::collections::HashSet;

/// What stands for the part that the last round lacks.
const RESIDUAL: StateId = StateId(u32::MAX);

/// A class for rounds.
pub(super) struct Class {
    /// What the first round holds.
    own: Vec<StateId>,
    /// What each round holds.
    states: Vec<Vec<State>>,
    /// What the first round computes, in order, and what of that are names and numbers.
    values: Vec<(ValueId, Expr, bool)>,
    /// What all read as it is.
    pub(super) context: Vec<ValueId>,
    columns: Columns,
    name: String,
    /// What makes the blocks, and the loop that does.
    pub(super) container: Expr,
    pub(super) filling: Option<Filling>,
    /// How many lines it takes, with the loop over the blocks.
    pub(super) lines: usize,
}

impl Class {
    /// The class for rounds, where each can be a block.
    pub(super) fn new(network: &Network<'_>, rounds: &Rounds, is_data: &impl Fn(ValueId) -> bool) -> Option<Self> {
        let (context, constants) = shared(network, rounds, is_data)?;
        let place: Vec<usize> = order(rounds);
        let made = Maker { network, rounds, place: &place };
        let lacks = match &rounds.tail {
            Some(tail) => Some(made.lacking(tail)?),
            None => None,
        };
        let rounds_made = (0..rounds.values.len()).map(|k| made.unit(k, lacks.as_ref()));
        let mut units: Vec<Unit> = rounds_made.collect::<Option<_>>()?;
        if let (Some(tail), Some(lacks)) = (&rounds.tail, &lacks) {
            units.push(made.last(tail, lacks)?);
        }
        let slots: Vec<Vec<Slot>> = units.iter().map(Unit::slots).collect::<Option<_>>()?;
        let own = units[0].own.clone();
        if own.is_empty() || slots.iter().any(|s| s.len() != slots[0].len()) {
            return None;
        }
        let labels = Labels::new(network);
        let label = labels.of(network.states, units.iter().filter(|u| !u.lacks).map(|u| u.held.clone()));
        let name = label.map_or_else(|| called(network, rounds, &place), |label| class_name(&label));
        let columns = Columns::new(&slots);
        let mut values: Vec<(ValueId, Expr, bool)> =
            constants.into_iter().map(|v| (v, network.body.expr(v).clone(), true)).collect();
        let mut states = Vec::new();
        for (k, unit) in units.into_iter().enumerate() {
            states.push(unit.states);
            if k == 0 {
                values.extend(unit.values);
            }
        }
        let mut class =
            Self { own, states, values, context, columns, name, container: Expr::Nothing, filling: None, lines: 0 };
        let function = Expr::Class(class.name.clone());
        let count = class.states.len();
        let (container, filling, length) = block::made(&class.columns, &function, 0..count, "ModuleList");
        (class.container, class.filling) = (container, filling);
        let text = class.block(network, rounds, &class.name)?.text();
        let collects = rounds.gathered.iter().filter(|g| !g.adds).count();
        let main = length + rounds.gathered.len() + collects + 2;
        class.lines = text.lines().filter(|l| !l.trim().is_empty()).count() + main;
        Some(class)
    }

    /// The class under a name.
    fn block(&self, network: &Network<'_>, rounds: &Rounds, name: &str) -> Option<Block> {
        let mut draft = Draft::new(&self.columns, &self.own);
        draft.argument(Some(rounds.entry), "x");
        self.context.iter().for_each(|v| draft.given(network.body, *v));
        let sums = rounds.gathered.iter().map(|g| g.adds.then(|| draft.argument(None, "total")));
        let sums: Vec<Option<ValueId>> = sums.collect();
        for (i, state) in self.states[0].iter().enumerate() {
            let same = self.states.iter().all(|unit| unit[i].wanted == state.wanted);
            draft.state(state, state.wanted.clone().filter(|_| same));
        }
        self.values.iter().for_each(|(v, e, is_atom)| draft.value(*v, e, *is_atom));
        let mut outputs = vec![draft.of(rounds.values[0][0])?];
        for (g, sum) in rounds.gathered.iter().zip(sums) {
            let value = draft.of(rounds.values[0][g.place])?;
            outputs.push(match sum {
                Some(sum) => draft.add(sum, value),
                None => value,
            });
        }
        Some(draft.finish(name, false, outputs))
    }

    /// Defines the class. Gives the list of its blocks, which may be the only one.
    pub(super) fn write(
        mut self,
        network: &mut Network<'_>,
        rounds: &Rounds,
        only: bool,
    ) -> Option<(Block, StateId, Option<Filling>)> {
        let name = network.globals.defined(&self.name);
        let block = self.block(network, rounds, &name)?;
        let renamed = |e: &Expr| {
            e.rewrite(&mut |e| matches!(e, Expr::Class(n) if *n == self.name).then(|| Expr::Class(name.clone())))
        };
        let filling = self.filling.take().map(|f| f.rewritten(&renamed));
        let kind = Kind::Blocks(renamed(&self.container));
        let mut list = State::of(kind, only.then(|| "layers".to_owned()), "layers");
        for (k, unit) in self.states.iter().enumerate() {
            for (state, (name, _)) in unit.iter().zip(&block.states) {
                for held in &state.tensors {
                    let inner = State::key(name, held);
                    list.tensors.push(Held { suffix: format!("{k}.{inner}"), ..held.clone() });
                }
            }
        }
        network.states.push(list);
        let list = StateId(network.states.len() as u32 - 1);
        Some((block, list, filling.map(|f| f.with_lists(&[list]))))
    }
}

/// A name for what a round does.
fn called(network: &Network<'_>, rounds: &Rounds, place: &[usize]) -> String {
    let round: Vec<ValueId> = place.iter().map(|p| rounds.values[0][*p]).collect();
    let words = names::words(network, &round);
    let gated = ["Tanh", "Sigmoid", "Times"].iter().all(|w| words.contains(w));
    if gated { "GatedBlock".to_owned() } else { names::class(&words) }
}

/// The order in which values of a round are computed.
fn order(rounds: &Rounds) -> Vec<usize> {
    let mut place: Vec<usize> = (0..rounds.values[0].len()).collect();
    place.sort_by_key(|p| rounds.values[0][*p]);
    place
}

/// What all rounds read: arguments of a class, and numbers that it has, too.
fn shared(
    network: &Network<'_>,
    rounds: &Rounds,
    is_data: &impl Fn(ValueId) -> bool,
) -> Option<(Vec<ValueId>, Vec<ValueId>)> {
    let mut fixed: Vec<ValueId> = rounds.fixed.iter().copied().collect();
    fixed.sort_unstable();
    let (mut context, mut constants) = (Vec::new(), Vec::new());
    for v in fixed {
        let value = &network.body.values[v.0 as usize];
        match &*value.expr {
            Expr::Local(name) if network.arguments.contains(name) || network.lengths.contains(name) => context.push(v),
            Expr::Local(_) => return None,
            e if value.is_atom && network.body.code(v).states().is_empty() => {
                let mut local = false;
                e.each(&mut |e| local |= matches!(e, Expr::Local(_)));
                constants.push(Some(v).filter(|_| !local)?);
            }
            e if !value.is_atom && (e.is_plainly_tensor() || is_data(v)) => context.push(v),
            _ => return None,
        }
    }
    Some((context, constants))
}

/// A round as a block.
struct Unit {
    own: Vec<StateId>,
    /// What it holds of the network's state.
    held: Vec<StateId>,
    states: Vec<State>,
    values: Vec<(ValueId, Expr, bool)>,
    /// Is it the last one, which lacks a part?
    lacks: bool,
}

impl Unit {
    /// The numbers in which it may differ from others. Those of a part that it lacks are open.
    fn slots(&self) -> Option<Vec<Slot>> {
        let mut slots = Vec::new();
        for state in &self.states {
            slots.extend(form::of_state(state)?.1);
        }
        slots.extend(self.values.iter().flat_map(|(_, e, _)| form::of_expr(e)));
        Some(slots)
    }
}

/// Makes blocks of rounds.
struct Maker<'m> {
    network: &'m Network<'m>,
    rounds: &'m Rounds,
    place: &'m [usize],
}

impl Maker<'_> {
    /// The places of what the last round lacks.
    fn lacking(&self, tail: &Tail) -> Option<HashSet<usize>> {
        let last = self.rounds.values.last()?;
        let computed = |p: &usize| !self.network.body.values[last[*p].0 as usize].is_atom;
        Some((0..last.len()).filter(computed).filter(|p| tail.value(last[*p]).is_none()).collect())
    }

    /// One of the whole rounds.
    fn unit(&self, k: usize, lacks: Option<&HashSet<usize>>) -> Option<Unit> {
        let round = &self.rounds.values[k];
        let gone = |p: usize| p > 0 && lacks.is_some_and(|places| places.contains(&p));
        let missing: HashSet<ValueId> = (0..round.len()).filter(|p| gone(*p)).map(|p| round[p]).collect();
        let mut unit = Unit { own: Vec::new(), held: Vec::new(), states: Vec::new(), values: Vec::new(), lacks: false };
        let mut residual = None;
        for p in self.place.iter().filter(|p| !gone(**p)) {
            let (v, value) = (round[*p], &self.network.body.values[round[*p].0 as usize]);
            let mut expr = (*value.expr).clone();
            if let (0, Some(_)) = (*p, lacks) {
                let mut part = Part { network: self.network, missing: &missing, found: Vec::new() };
                let whole = part.expanded(v);
                let [(constructors, links)] = <[_; 1]>::try_from(part.found).ok()?;
                unit.held.extend(&links);
                residual = Some(self.residual(&constructors, &links));
                let entry = if k == 0 { self.rounds.entry } else { self.rounds.values[k - 1][0] };
                let absent = Expr::binary(Binary::Is, Expr::State(RESIDUAL), Expr::Nothing);
                expr = Expr::If(Box::new([absent, entry.into(), whole]));
            }
            for s in super::states(&expr) {
                if s != RESIDUAL && !unit.own.contains(&s) {
                    unit.own.push(s);
                }
            }
            unit.values.push((v, expr, value.is_atom));
        }
        let held: HashSet<StateId> = self.rounds.states[k].iter().copied().collect();
        if !unit.own.iter().all(|s| held.contains(s)) {
            return None;
        }
        unit.held.extend(&unit.own);
        unit.states = unit.own.iter().map(|s| self.network.states[s.0 as usize].clone()).collect();
        unit.own.extend(residual.is_some().then_some(RESIDUAL));
        unit.states.extend(residual);
        Some(unit)
    }

    /// The last round, which has the numbers of the one before it in the places of what it lacks.
    fn last(&self, tail: &Tail, lacks: &HashSet<usize>) -> Option<Unit> {
        let k = self.rounds.values.len() - 1;
        let mut unit = self.unit(k, Some(lacks))?;
        unit.lacks = true;
        for (v, expr, _) in &mut unit.values {
            if let Some(other) = tail.value(*v) {
                *expr = self.network.body.expr(other).clone();
            }
        }
        for (s, state) in unit.own.iter().zip(&mut unit.states) {
            match tail.state(*s) {
                Some(other) => *state = self.network.states[other.0 as usize].clone(),
                None if *s == RESIDUAL => {
                    if let Kind::Optional(present, ..) = &mut state.kind {
                        *present = Expr::Bool(false);
                    }
                    state.tensors.clear();
                }
                None => return None,
            }
        }
        Some(unit)
    }

    /// The part that the last round lacks, with these layers.
    fn residual(&self, constructors: &[Expr], links: &[StateId]) -> State {
        let all = || constructors.iter().cloned().map(Argument::from).collect();
        let made = if let [one] = constructors { one.clone() } else { nn("Sequential", all()) };
        let mut tensors = Vec::new();
        let mut at = links.iter();
        for (i, _) in constructors.iter().enumerate() {
            for held in at.next().into_iter().flat_map(|s| &self.network.states[s.0 as usize].tensors) {
                let suffix = if constructors.len() > 1 { format!("{i}.{}", held.suffix) } else { held.suffix.clone() };
                tensors.push(Held { suffix, ..held.clone() });
            }
        }
        let kind = Kind::Optional(Expr::Bool(true), made, Expr::Nothing);
        State { tensors, ..State::of(kind, Some("residual".to_owned()), "residual") }
    }
}

/// The chain of layers in what the last round lacks.
struct Part<'p> {
    network: &'p Network<'p>,
    missing: &'p HashSet<ValueId>,
    /// Its constructors and their state.
    found: Vec<(Vec<Expr>, Vec<StateId>)>,
}

impl Part<'_> {
    /// What computes a value, over what the last round has, too.
    fn expanded(&mut self, v: ValueId) -> Expr {
        let network = self.network;
        network.body.expr(v).rewrite(&mut |e| {
            let Expr::Value(u) = e else { return None };
            if !self.missing.contains(u) {
                return None;
            }
            Some(self.chain(*u).unwrap_or_else(|| self.expanded(*u)))
        })
    }

    /// A call of the chain that ends with a value.
    fn chain(&mut self, end: ValueId) -> Option<Expr> {
        let (mut constructors, mut links, mut source) = (Vec::new(), Vec::new(), end);
        while constructors.is_empty() || self.missing.contains(&source) {
            let code = self.network.body.code(source);
            let ([x], [state]) = (code.reads(), code.states()) else { break };
            let Some(made) = link(code, x.value, self.network.states) else { break };
            constructors.push(made);
            links.push(*state);
            source = x.value;
        }
        if constructors.is_empty() || self.missing.contains(&source) {
            return None;
        }
        constructors.reverse();
        links.reverse();
        self.found.push((constructors, links));
        Some(Expr::layer(RESIDUAL, vec![source.into()]))
    }
}

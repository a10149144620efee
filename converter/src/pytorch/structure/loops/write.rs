//! Loops in the place of rounds.

use super::class::Class;
use super::rounds::{Gathered, Rounds};
use super::{List, Loop, Over};
use crate::pytorch::python::body::{Item, Repeat};
use crate::pytorch::python::expr::{Argument, Expr, StateId, ValueId, Weighs, args, nn, torch};
use crate::pytorch::python::uses::Uses;
use crate::pytorch::state::{Held, Kind, State};
use crate::pytorch::structure::filling::Filling;
use crate::pytorch::structure::{Block, Network};
use std::collections::{HashMap, HashSet};

/// Writes loops. Gives classes for what they go over, and those that fill their lists.
pub(in crate::pytorch::structure) fn write(network: &mut Network<'_>, loops: Vec<Loop>) -> (Vec<Block>, Vec<Filling>) {
    let uses = network.body.uses(network.outputs);
    let (mut blocks, mut fillings, mut given) = (Vec::new(), Vec::new(), Vec::new());
    let only = loops.iter().filter(|l| matches!(l.over, Over::Blocks(_))).count() == 1;
    let written = loops.into_iter().filter_map(|Loop { rounds, over, .. }| match over {
        Over::Lists(lists, filling) => {
            let (repeat, filling) = over_each(network, &rounds, (lists, filling), (&uses, &mut given))?;
            fillings.extend(filling);
            Some(repeat)
        }
        Over::Blocks(class) => {
            let (repeat, block, filling) = over_blocks(network, &rounds, (*class, only), (&uses, &mut given))?;
            fillings.extend(filling);
            blocks.push(block);
            Some(repeat)
        }
    });
    let repeats: Vec<Repeat> = written.collect();
    network.body.repeat(repeats);
    given.into_iter().for_each(|(values, list): Given| network.body.unpack_later(&values, Expr::local(list)));
    (blocks, fillings)
}

/// Outputs, and the list that has them.
type Given = (Vec<ValueId>, String);

/// The variable that goes from round to round.
fn carried(network: &mut Network<'_>, rounds: &Rounds, uses: &Uses) -> String {
    let reads = |v: &ValueId| network.body.code(*v).values().filter(|r| *r == rounds.entry).count() as u32;
    let alone = uses.of(rounds.entry) == rounds.values[0].iter().map(reads).sum::<u32>();
    match network.body.expr(rounds.entry) {
        // Nothing else reads the argument.
        Expr::Local(name) if alone => name.clone(),
        _ => network.locals.unique("y"),
    }
}

/// A loop over lists of layers.
fn over_each(
    network: &mut Network<'_>,
    rounds: &Rounds,
    (lists, filling): (Vec<List>, Option<Box<Filling>>),
    (uses, given_away): (&Uses, &mut Vec<Given>),
) -> Option<(Repeat, Option<Filling>)> {
    let result = rounds.result()?;
    let mut first = rounds.values[0].clone();
    // What is unpacked later is another value than what each round computes.
    for g in rounds.gathered.iter().filter(|g| g.join.is_none()) {
        let expr = network.body.expr(first[g.place]).clone();
        first[g.place] = network.body.compute(expr);
    }
    let place = place(network, rounds, result);
    let (held, variables) = hold(network, rounds, lists, filling.is_some());
    let order: Vec<StateId> = variables.iter().map(|(list, _)| *list).collect();
    let name = carried(network, rounds, uses);
    let mut begins = vec![(name.clone(), rounds.entry.into())];
    for v in &first {
        let value = &mut network.body.values[v.0 as usize];
        value.expr = inside(&value.expr, rounds.entry, &name, &held).into();
    }
    let mut ends = Vec::new();
    for g in &rounds.gathered {
        let name = gather(network, rounds, (g, &g.after), &mut begins, given_away);
        let value: Expr = first[g.place].into();
        ends.push(if g.adds { Item::set(name.clone(), Expr::local(name) + value) } else { append(&name, value) });
    }
    ends.push(Item::set(name.clone(), first[0].into()));
    let zip = |lists: Vec<Expr>| match <[Expr; 1]>::try_from(lists) {
        Ok([one]) => one,
        Err(lists) => Expr::local("zip").call(lists.into_iter().map(Argument::from).collect()),
    };
    let names: Vec<String> = variables.into_iter().map(|(_, name)| name).collect();
    let repeat = Repeat {
        values: first.into_iter().filter(|v| !network.body.values[v.0 as usize].is_atom).collect(),
        place,
        begins,
        ends,
        variables: names.join(", "),
        over: zip(order.iter().copied().map(Expr::State).collect()),
        result,
        name,
    };
    Some((repeat, filling.map(|f| f.with_lists(&order))))
}

/// A loop over blocks: each gives the next value, and what is gathered.
fn over_blocks(
    network: &mut Network<'_>,
    rounds: &Rounds,
    (class, only): (Class, bool),
    (uses, given_away): (&Uses, &mut Vec<Given>),
) -> Option<(Repeat, Block, Option<Filling>)> {
    let result = rounds.result()?;
    let place = place(network, rounds, result);
    let context = class.context.clone();
    let (block, list, filling) = class.write(network, rounds, only)?;
    let name = carried(network, rounds, uses);
    let mut begins = vec![(name.clone(), rounds.entry.into())];
    let (mut results, mut ends) = (vec![name.clone()], Vec::new());
    let mut given: Vec<Expr> = std::iter::once(Expr::local(&name)).chain(context.into_iter().map(Expr::from)).collect();
    for g in &rounds.gathered {
        let after = if rounds.tail.is_some() { &g.after[1..] } else { &g.after };
        let name = gather(network, rounds, (g, after), &mut begins, given_away);
        if g.adds {
            given.push(Expr::local(&name));
            results.push(name);
        } else {
            results.push(network.locals.unique("part"));
            ends.push(append(&name, Expr::local(&results[results.len() - 1])));
        }
    }
    let layer = network.locals.unique("layer");
    let call = Expr::Each(layer.clone(), Weighs::Block).call(given.into_iter().map(Argument::from).collect());
    ends.insert(0, Item::Move(results, Box::new(call.into())));
    let (values, variables, over) = (Vec::new(), layer, Expr::State(list));
    Some((Repeat { values, place, begins, ends, variables, over, result, name }, block, filling))
}

fn append(list: &str, value: Expr) -> Item {
    Item::act(Expr::local(list).method("append", args![value]))
}

/// The first value that reads what a loop makes, or the result.
fn place(network: &Network<'_>, rounds: &Rounds, result: ValueId) -> ValueId {
    let mut wanted: HashSet<ValueId> = rounds.gathered.iter().filter_map(|g| g.join).collect();
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
        let mut state = State::of(Kind::List(container, freeze), Some(numbered(&plural)), "layers");
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

/// A variable that sums up or collects a value, and how it begins. What joins the rounds reads it.
fn gather(
    network: &mut Network<'_>,
    rounds: &Rounds,
    (gathered, after): (&Gathered, &[ValueId]),
    begins: &mut Vec<(String, Expr)>,
    given_away: &mut Vec<Given>,
) -> String {
    let Gathered { join, adds, before, place, .. } = gathered;
    let name = network.locals.unique(if *adds { "total" } else { "parts" });
    let variable = Expr::local(name.clone());
    let all = |values: &[ValueId]| -> Vec<Expr> { values.iter().map(|v| Expr::Value(*v)).collect() };
    if *adds {
        let zero = || torch("zeros", args![Expr::Tuple(Vec::new())]);
        let begin = all(before).into_iter().reduce(|a, b| a + b).unwrap_or_else(zero);
        begins.push((name.clone(), begin));
    } else {
        begins.push((name.clone(), Expr::List(all(before))));
    }
    let Some(join) = join else {
        given_away.push((rounds.values.iter().map(|round| round[*place]).collect(), name.clone()));
        return name;
    };
    let joined = &mut network.body.values[join.0 as usize].expr;
    if *adds {
        *joined = all(after).into_iter().fold(variable, |sum, v| sum + v).into();
    } else {
        let whole = if after.is_empty() { variable } else { variable + Expr::List(all(after)) };
        *joined = joined.rewrite(&mut |e| matches!(e, Expr::List(_)).then(|| whole.clone())).into();
    }
    name
}

//! Lowers a recurrence to a Python loop over the steps, with variables for the delayed values.

use super::sequence::initial_steps;
use super::{Lower, Scope, Val};
use crate::pytorch::python::expr::{Expr, Subscript, ValueId, args, list, of, torch};
use crate::report::Reason;
use cntk_parser::model::{Dims, FunctionId, LoopId, Source};
use cntk_parser::ops::Operator;
use smallvec::smallvec;
use std::collections::HashSet;

/// The longest supported delay, whose steps are written one by one.
const LONGEST: u64 = 64;

/// A delay of the loop.
struct State {
    function: FunctionId,
    /// The Python variable: a tensor, or a list with one tensor for each step of the delay.
    name: String,
    steps: u64,
    val: Val,
}

/// A value of the loop that is read outside of it.
struct Kept {
    source: Source,
    /// The Python list of its steps.
    list: String,
}

pub(super) fn lower(cx: &mut Lower<'_, '_, '_>, id: LoopId) -> Result<(), (FunctionId, Reason)> {
    let model = cx.graph.model;
    let one = model.recurrence(id);
    let members: Vec<FunctionId> = one.members.clone();
    let Some(first) = members.iter().copied().find(|f| offset(cx, *f).is_some()) else { return Ok(()) };
    let fail = |reason| (first, reason);
    let Some(axis) = model.output_types(first)[0].axes.sequence else {
        return Err(fail(Reason::new("", "a recurrence without a sequence axis")));
    };
    let timed = cx.timed(axis).map_err(fail)?;
    let Some(mut states) = states(cx, &members, timed)? else { return Ok(()) };
    let step = match cx.step.clone() {
        Some(step) => step,
        None => cx.step.insert(cx.names.unique("t")).clone(),
    };
    // Values from outside, in the order of the loop's steps.
    let mut scope = Scope::default();
    let mut read: Vec<(Source, Val)> = Vec::new();
    let mut seen: HashSet<Source> = HashSet::new();
    for s in members.iter().flat_map(|f| model.inputs(*f)) {
        let inside = matches!(s, Source::Output(f, _) if model.loop_of(*f) == Some(id));
        if inside || !seen.insert(*s) {
            continue;
        }
        if let Ok(Some(v)) = cx.value(*s)
            && v.lead.sequence == Some(axis)
        {
            let v = if one.backward { cx.flip_steps(&v).map_err(fail)? } else { v };
            read.push((*s, v));
        }
    }
    let kept = kept(cx, &members);
    for k in &kept {
        cx.body.set(&k.list, Expr::List(Vec::new()));
    }
    cx.body.begin();
    for (s, v) in read {
        let id = cx.compute(of(v.id).index(vec![Subscript::ALL, Subscript::At(Expr::local(step.clone()))]));
        scope.values.insert(s, Val { lead: v.lead.per_sample(), ..v.with(id) });
    }
    for s in &states {
        scope.values.insert(Source::Output(s.function, 0), s.val.clone());
    }
    cx.scopes.push(scope);
    cx.running.push((axis, step.clone()));
    let before = cx.reasons.len();
    for f in members.iter().copied() {
        if offset(cx, f).is_none() {
            cx.lower_one(f);
        }
    }
    let done = if cx.reasons.len() == before { finish_step(cx, &mut states, &kept) } else { Ok(false) };
    cx.running.pop();
    cx.scopes.pop();
    cx.body.end(step, of(timed).size(1));
    if !done? {
        return Ok(());
    }
    for k in kept {
        bind(cx, &k, one.backward).map_err(fail)?;
    }
    Ok(())
}

/// The number of steps by which a function delays.
fn offset(cx: &Lower<'_, '_, '_>, f: FunctionId) -> Option<u64> {
    match cx.graph.model.operator(f) {
        Operator::PastValue(d) | Operator::FutureValue(d) => Some(d.offset),
        _ => None,
    }
}

/// The delays, each set to its initial state; `None` if the lowering of an initial state was refused.
fn states(
    cx: &mut Lower<'_, '_, '_>,
    members: &[FunctionId],
    timed: ValueId,
) -> Result<Option<Vec<State>>, (FunctionId, Reason)> {
    let model = cx.graph.model;
    let mut states = Vec::new();
    for f in members.iter().copied() {
        let Some(steps) = offset(cx, f) else { continue };
        let fail = |reason| (f, reason);
        let dims = model.output_types(f)[0].shape.clone();
        if cx.graph.starts_itself(f) {
            return Err(fail(Reason::new("", "the recurrence computes its own initial state")));
        }
        let Some(initial) = cx.value(model.inputs(f)[1]).map_err(fail)? else { return Ok(None) };
        let name = cx.names.unique(&cx.local_name(f).unwrap_or_else(|| "state".to_owned()));
        let start = start(cx, &initial, &dims, timed, (f, steps)).map_err(fail)?;
        let first = match (start, steps) {
            (Start::Same(id), 1) => of(id),
            (Start::Same(id), _) => list(&[id]) * steps,
            (Start::Each(ids), 1) if ids.len() == 1 => of(ids[0]),
            (Start::Each(ids), _) => list(&ids),
        };
        cx.body.set(&name, first);
        let read = Expr::local(name.clone());
        let id = cx.body.atom(if steps == 1 { read } else { read.at(0) });
        let lead = cx.lead(Source::Output(f, 0)).per_sample();
        let elem = initial.elem;
        let elem = super::Elem::new(model.output_types(f)[0].data_type).unwrap_or(elem);
        states.push(State { function: f, name, steps, val: Val { id, lead, dims, elem, literal: None } });
    }
    Ok(Some(states))
}

enum Start {
    Same(ValueId),
    Each(Vec<ValueId>),
}

/// The state before the first step.
fn start(
    cx: &mut Lower<'_, '_, '_>,
    initial: &Val,
    dims: &Dims,
    timed: ValueId,
    (f, steps): (FunctionId, u64),
) -> Result<Start, Reason> {
    let lead = cx.lead(Source::Output(f, 0)).per_sample();
    if let Some(value) = initial.literal {
        let mut sizes = vec![of(timed).size(0)];
        for d in dims {
            sizes.push(cx.size(*d)?);
        }
        let elem = super::Elem::new(cx.graph.model.output_types(f)[0].data_type).unwrap_or(initial.elem);
        return Ok(Start::Same(cx.full(elem, Expr::Tuple(sizes), value, timed)));
    }
    if initial.lead.sequence.is_some() {
        if steps > LONGEST {
            return Err(Reason::new("offset", format!("a delay of {steps} steps with a sequence before them")));
        }
        let full = cx.expand(initial, initial.lead, dims)?;
        let future = matches!(cx.graph.model.operator(f), Operator::FutureValue(_));
        // In the order of the loop's steps: PastValue continues from the last frames; FutureValue runs backwards and
        // continues from the first.
        let frames = initial_steps(cx, &full, steps, future)?;
        let step = |i: u64| of(frames).index(vec![Subscript::ALL, Subscript::At(i.into())]);
        let ids = (0..steps).map(|i| cx.compute(step(i))).collect();
        return Ok(Start::Each(ids));
    }
    let full = cx.expand(initial, lead, dims)?;
    Ok(Start::Same(full.id))
}

/// Values of members that are read outside, or are outputs of the model.
pub(super) fn outside(cx: &Lower<'_, '_, '_>, members: &[FunctionId]) -> Vec<Source> {
    let model = cx.graph.model;
    let all = members.iter().flat_map(|f| (0..model.output_types(*f).len()).map(|i| Source::Output(*f, i as u32)));
    let inside: HashSet<FunctionId> = members.iter().copied().collect();
    let read = |s: &Source| cx.consumers.get(s).is_some_and(|all| all.iter().any(|c| !inside.contains(c)));
    all.filter(|s| read(s) || cx.wanted.contains(s)).collect()
}

/// The members from [`outside`], each with a list for its steps.
fn kept(cx: &mut Lower<'_, '_, '_>, members: &[FunctionId]) -> Vec<Kept> {
    outside(cx, members).into_iter().map(|source| Kept { source, list: cx.names.unique("steps") }).collect()
}

/// The end of a step: appends kept values to their lists, then moves the states on. False if something was refused.
fn finish_step(cx: &mut Lower<'_, '_, '_>, states: &mut [State], kept: &[Kept]) -> Result<bool, (FunctionId, Reason)> {
    let model = cx.graph.model;
    for k in kept {
        let Source::Output(f, i) = k.source else { continue };
        let Ok(Some(v)) = cx.value(k.source) else { return Ok(false) };
        let dims = &model.output_types(f)[i as usize].shape;
        let v = cx.expand(&v, cx.lead(k.source), dims).map_err(|r| (f, r))?;
        cx.body.act(Expr::local(k.list.clone()).method("append", args![v.id]));
    }
    let (mut targets, mut values) = (Vec::new(), Vec::new());
    for s in states {
        let Ok(Some(v)) = cx.value(model.inputs(s.function)[0]) else { return Ok(false) };
        let dims = s.val.dims.clone();
        let v = cx.expand(&v, s.val.lead, &dims).map_err(|r| (s.function, r))?;
        targets.push(s.name.clone());
        let rest = || Expr::local(s.name.clone()).index(vec![Subscript::Range(Some(1.into()), None, None)]);
        values.push(if s.steps == 1 { of(v.id) } else { rest() + list(&[v.id]) });
    }
    cx.body.set_all(targets, values);
    Ok(true)
}

/// A kept value as a sequence.
fn bind(cx: &mut Lower<'_, '_, '_>, k: &Kept, backward: bool) -> Result<(), Reason> {
    let Source::Output(f, i) = k.source else { return Ok(()) };
    let ty = &cx.graph.model.output_types(f)[i as usize];
    let id = cx.compute(torch("stack", args![Expr::local(k.list.clone()), 1]));
    let elem = super::Elem::new(ty.data_type).unwrap_or(super::Elem::Float);
    let lead = cx.lead(k.source);
    let v = Val { id, lead, dims: ty.shape.clone(), elem, literal: None };
    let v = if backward { cx.flip_steps(&v)? } else { v };
    if i == 0 {
        cx.bind_outputs(f, smallvec![v]);
    } else {
        cx.bind(k.source, v);
    }
    Ok(())
}

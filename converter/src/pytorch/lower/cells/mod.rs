//! Lowers recurrences that are known cells to layers of `torch.nn`, or to small modules if it has none.
//!
//! A layer stores the weights in its own layout, so nothing else may read them, and nothing may read a value of the
//! loop except for its result. Which loops become layers is decided before anything is lowered. Loops that share all
//! their weights are one layer.

pub(crate) mod class;
mod plan;

use super::value::stored;
use super::{Lower, Owner, Val};
use crate::cells::{Cell, Kind, recognise};
use crate::layout::Lead;
use crate::pytorch::python::expr::{Argument, Expr, StateId, Subscript, ValueId, args, of};
use crate::pytorch::state::State;
use crate::pytorch::weights::Weight;
use cntk_parser::model::{Dim, FunctionId, LoopId, Source, VariableId};
use cntk_parser::ops::Operator;
use plan::{Layer, Plan};
use smallvec::smallvec;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// How many functions before the loop may be between it and a reader of its weights.
const DEPTH: u32 = 12;
/// The steepness of the helper `Stabilizer`.
pub(super) const STEEPNESS: f64 = 4.0;

/// A loop that is a layer.
#[derive(Clone)]
pub(super) struct Found {
    cell: Rc<Cell>,
    plan: Rc<Plan>,
}

/// The loops that become layers.
pub(super) fn find(cx: &Lower<'_, '_, '_>) -> HashMap<LoopId, Found> {
    let mut loops: Vec<LoopId> = cx.graph.functions().filter_map(|f| cx.graph.model.loop_of(f)).collect();
    loops.sort_unstable_by_key(|id| id.index());
    loops.dedup();
    let mut groups: HashMap<Rc<Plan>, Vec<(LoopId, Rc<Cell>)>> = HashMap::new();
    for id in loops {
        let Some((cell, plan)) = candidate(cx, id) else { continue };
        groups.entry(Rc::new(plan)).or_default().push((id, Rc::new(cell)));
    }
    let mut found = HashMap::new();
    for (plan, group) in groups {
        let members: HashSet<FunctionId> =
            group.iter().flat_map(|(id, _)| &cx.graph.model.recurrence(*id).members).copied().collect();
        if plan.parts.iter().all(|p| exclusive(cx, p.variable, &members, group.len())) {
            found.extend(group.into_iter().map(|(id, cell)| (id, Found { cell, plan: Rc::clone(&plan) })));
        }
    }
    found
}

/// The layer that a loop could become without regard to other loops.
fn candidate(cx: &Lower<'_, '_, '_>, id: LoopId) -> Option<(Cell, Plan)> {
    let model = cx.graph.model;
    let members = &model.recurrence(id).members;
    // A layer would train weights that these keep from training.
    let plain = |f: &FunctionId| !matches!(model.operator(*f), Operator::StopGradient | Operator::Dropout(_));
    if !members.iter().all(plain) {
        return None;
    }
    let cell = recognise(model, id)?;
    let [x] = cell.inputs.as_slice() else { return None };
    let ty = model.type_of(*x);
    let [Dim::Known(inputs)] = ty.shape.as_slice() else { return None };
    let elem = super::Elem::new(ty.data_type)?;
    let mut initials = vec![cell.initial];
    let mut wanted: Vec<Source> = super::loops::outside(cx, members);
    wanted.retain(|s| *s != result(&cell));
    if let Kind::Lstm(lstm) = &cell.kind {
        initials.push(lstm.initial_state);
    }
    let states = match (&cell.kind, wanted.as_slice()) {
        (_, []) => false,
        (Kind::Lstm(lstm), [one]) if *one == lstm.state => true,
        _ => return None,
    };
    for initial in initials {
        let ty = model.type_of(initial);
        let double = super::Elem::new(ty.data_type)?.is_double();
        if ty.axes.sequence.is_some() || double != elem.is_double() {
            return None;
        }
    }
    let plan = Plan::new(model, &cell, *inputs, states)?;
    let alike = |v: VariableId| Weight::new(model.variable(v)).is_some_and(|w| w.elem == stored(elem));
    plan.parts.iter().all(|p| alike(p.variable)).then_some((cell, plan))
}

/// The result of the layer.
fn result(cell: &Cell) -> Source {
    cell.projection.map_or(cell.output, |p| p.output)
}

/// Is a variable read only by the loops, or by functions whose values only the loops read?
fn exclusive(cx: &Lower<'_, '_, '_>, v: VariableId, members: &HashSet<FunctionId>, loops: usize) -> bool {
    let Some(readers) = cx.consumers.get(&Source::Variable(v)) else { return false };
    readers.len() <= loops && readers.iter().all(|f| feeds_only(cx, *f, Source::Variable(v), members, DEPTH))
}

/// Is the result of `f` on `operand` read only by the loops, and not as an initial state?
fn feeds_only(
    cx: &Lower<'_, '_, '_>,
    f: FunctionId,
    operand: Source,
    members: &HashSet<FunctionId>,
    depth: u32,
) -> bool {
    let model = cx.graph.model;
    if members.contains(&f) {
        let delay = matches!(model.operator(f), Operator::PastValue(_) | Operator::FutureValue(_));
        return !delay || model.inputs(f).first() == Some(&operand);
    }
    let source = Source::Output(f, 0);
    depth > 0
        && !cx.wanted.contains(&source)
        && cx
            .consumers
            .get(&source)
            .is_some_and(|all| all.iter().all(|c| feeds_only(cx, *c, source, members, depth - 1)))
}

/// Lowers a loop to a layer; false if it does not become one.
pub(super) fn lower(cx: &mut Lower<'_, '_, '_>, id: LoopId) -> bool {
    let Some(found) = cx.layers.get(&id).cloned() else { return false };
    // If an operand was refused, that was reported.
    let _ = call(cx, &found);
    true
}

fn call(cx: &mut Lower<'_, '_, '_>, found: &Found) -> Option<()> {
    let Found { cell, plan } = found;
    let (Source::Output(made, 0), [x]) = (result(cell), cell.inputs.as_slice()) else { return None };
    let x = cx.value(*x).ok()??;
    let axis = x.lead.sequence?;
    let mut initials = vec![initial(cx, cell.initial, x.lead.per_sample(), plan.outputs)?];
    if let Kind::Lstm(lstm) = &cell.kind {
        initials.push(initial(cx, lstm.initial_state, x.lead.per_sample(), plan.hidden)?);
    }
    let state = layer(cx, found, &x);
    let timed = cx.timed(axis).ok()?;
    let steps = if cell.backward { cx.flip_steps(&x).ok()? } else { x.clone() };
    let arguments = start(cx, plan, &steps, &initials, timed);
    let own = match &plan.layer {
        Layer::Own(class) => Some(class.features.contains(&class::Feature::State)),
        Layer::Torch(..) => None,
    };
    let call = Expr::layer(state, arguments);
    let call = if own.is_none() { call.at(0) } else { call };
    let mut results = vec![(made, result(cell), plan.outputs)];
    if let (Some(true), Kind::Lstm(lstm)) = (own, &cell.kind)
        && let Source::Output(f, _) = lstm.state
    {
        results.push((f, lstm.state, plan.hidden));
    }
    let ids = if let [_, _] = results.as_slice() { cx.body.unpack(2, call) } else { vec![cx.compute(call)] };
    for ((f, _, length), id) in results.into_iter().zip(ids) {
        let y = Val { dims: [Dim::Known(length)].as_slice().into(), ..x.with(id) };
        let y = if cell.backward { cx.flip_steps(&y).ok()? } else { y };
        cx.bind_outputs(f, smallvec![y]);
    }
    Some(())
}

/// An initial state: a number, or a value to broadcast over batch and units.
enum Initial {
    Number(f64, u64),
    Value(Val),
}

fn initial(cx: &mut Lower<'_, '_, '_>, source: Source, lead: Lead, units: u64) -> Option<Initial> {
    let v = cx.value(source).ok()??;
    if let Some(value) = v.literal {
        return Some(Initial::Number(value, units));
    }
    cx.expand(&v, lead, &[Dim::Known(units)]).ok().map(Initial::Value)
}

/// The arguments of the layer after the first: none if all initial states are zero.
fn start(cx: &mut Lower<'_, '_, '_>, plan: &Plan, x: &Val, initials: &[Initial], timed: ValueId) -> Vec<Argument> {
    if initials.iter().all(|i| matches!(i, Initial::Number(0.0, _))) {
        return args![x.id];
    }
    // PyTorch's own layers need an axis for the directions in front, and take two states as one argument.
    let layered = matches!(plan.layer, Layer::Torch(..));
    let mut states: Vec<Expr> = Vec::new();
    for i in initials {
        states.push(of(match i {
            Initial::Number(v, units) => {
                let mut sizes = if layered { vec![Expr::from(1)] } else { Vec::new() };
                sizes.extend([of(timed).size(0), Expr::from(*units)]);
                cx.full(x.elem, Expr::Tuple(sizes), *v, timed)
            }
            Initial::Value(v) if layered => {
                cx.compute(of(v.id).index(vec![Subscript::New]).method("contiguous", args![]))
            }
            Initial::Value(v) => v.id,
        }));
    }
    let mut arguments = args![x.id];
    if layered && states.len() == 2 {
        arguments.push(Expr::Tuple(states).into());
    } else {
        arguments.extend(states.into_iter().map(Argument::from));
    }
    arguments
}

/// The module of the layer, created for the first loop that calls it.
fn layer(cx: &mut Lower<'_, '_, '_>, found: &Found, x: &Val) -> StateId {
    let Found { cell, plan } = found;
    let key = format!("cell {:?}", plan.parts);
    if let Some(state) = cx.modules.get(&key) {
        return *state;
    }
    let model = cx.graph.model;
    let elem = stored(x.elem);
    let (class, fallback) = match &plan.layer {
        Layer::Own(class) => (cx.class(class), fallback(&cell.kind)),
        Layer::Torch(..) => (String::new(), fallback(&cell.kind)),
    };
    let constructor = plan.constructor(&class, x.elem.is_double());
    let mut state = State::module(constructor, name(cx, cell), fallback);
    for part in &plan.parts {
        let Some(weight) = Weight::new(model.variable(part.variable)) else { continue };
        state = state.tensor(&part.name, (part.variable, &weight), &part.dims(), part.data(&weight), part.layout());
    }
    let rows = plan.gates() * plan.hidden;
    let has = |name: &str| plan.parts.iter().any(|p| p.name == name);
    match &plan.layer {
        Layer::Torch(..) if has("bias_ih_l0") && !has("bias_hh_l0") => {
            state = state.filled("bias_hh_l0", elem, &[rows], 0.0);
        }
        Layer::Own(_) if !has("input.bias") => state = state.filled("input.bias", elem, &[rows], 0.0),
        _ => {}
    }
    let id = cx.hold(state);
    for part in &plan.parts {
        cx.owners.insert(part.variable, Owner::rearranged(id));
    }
    cx.modules.insert(key, id);
    id
}

fn fallback(kind: &Kind) -> &'static str {
    match kind {
        Kind::Lstm(_) => "lstm",
        Kind::Gru(_) => "gru",
        Kind::Rnn { .. } => "rnn",
    }
}

/// The name of the layer in the model: that of the function that passes on its result, or of a block around the cell.
fn name(cx: &Lower<'_, '_, '_>, cell: &Cell) -> Option<String> {
    let passes = |f: &&FunctionId| matches!(cx.graph.model.operator(**f), Operator::NoOp | Operator::Pass);
    let mut readers = cx.consumers.get(&result(cell)).into_iter().flatten().filter(passes);
    let Source::Output(made, _) = result(cell) else { return None };
    readers.find_map(|f| cx.local_name(*f)).or_else(|| cx.layer_name(made))
}

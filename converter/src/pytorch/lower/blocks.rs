//! Recognises layers that CNTK composes of simple functions: the self-stabilizer, layer normalization, the parametric
//! ReLU.
//!
//! Each is recognised at its last function, by its functions alone and not by the labels of blocks. Values that only
//! the composition needs are then unused and not written.

use super::cells::STEEPNESS;
use super::value::stored;
use super::{Lower, Node, Owner, Val};
use crate::cells::stabilizer;
use crate::pytorch::python::expr::{Argument, Expr, StateId, args, keyword, nn};
use crate::pytorch::python::literal::number;
use crate::pytorch::state::State;
use crate::pytorch::weights::{Weight, single};
use crate::resolve::reduction::Reduced;
use cntk_parser::model::{Dim, FunctionId, Source, VariableId, VariableKind};
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::Reduction;

/// The default of `LayerNorm`'s epsilon, which is added to the deviation.
const DEFAULT_EPSILON: f64 = 1e-5;

/// `x` times the factor of a stabilizer.
pub(super) fn stabilized(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    let (found, x) = [(0, 1), (1, 0)].into_iter().find_map(|(factor, x)| {
        let found = stabilizer(cx.graph.model, node.sources[factor])?;
        (found.steepness == STEEPNESS).then_some((found, x))
    })?;
    let x = cx.tensor(&node.inputs[x]);
    let weight = weight(cx, found.alpha, &x)?;
    let shape = vec![(found.alpha, "alpha", weight, vec![])];
    let constructor = double(Expr::Helper("Stabilizer").call(args![]), &x);
    let state = layer(cx, node.id, "stabilizer", constructor, shape)?;
    let id = cx.compute(Expr::layer(state, args![x.id]));
    Some(x.with(id))
}

/// `scale * (x - mean) / (deviation + epsilon) + bias`, with mean and deviation over all axes of a sample.
pub(super) fn layer_norm(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    let (found, bias) = either(node.sources).find_map(|(scaled, bias)| Some((normalized(cx, scaled)?, bias)))?;
    let Source::Variable(bias) = bias else { return None };
    let Normalized { x, scale, epsilon } = found;
    let x = cx.value(x).ok()??;
    let x = cx.tensor(&x);
    if x.rank() != node.types[0].shape.len() {
        return None;
    }
    let mut tensors = Vec::new();
    for (variable, name) in [(scale, "scale"), (bias, "bias")] {
        let weight = weight(cx, variable, &x)?;
        let dims = weight.dims.clone();
        let ([n], Some(Dim::Known(last))) = (dims.as_slice(), x.dims.last()) else { return None };
        if n != last {
            return None;
        }
        tensors.push((variable, name, weight, dims));
    }
    let mut arguments = args![tensors[0].3[0]];
    if x.rank() > 1 {
        arguments.push(keyword("axes", x.rank()));
    }
    let single = !x.elem.is_double();
    if number(epsilon, single) != number(DEFAULT_EPSILON, single) {
        arguments.push(keyword("eps", Expr::number(epsilon, single)));
    }
    let constructor = double(Expr::Helper("LayerNorm").call(arguments), &x);
    let state = layer(cx, node.id, "norm", constructor, tensors)?;
    let id = cx.compute(Expr::wrapper(state, x.id));
    Some(x.with(id))
}

/// `x` if it is not negative, else `x` times a factor, of which each channel has its own.
pub(super) fn prelu(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    let model = cx.graph.model;
    let [condition, below, x] = node.sources else { return None };
    let (less, Operator::Less) = maker(cx, *condition)? else { return None };
    let [compared, zero] = model.inputs(less) else { return None };
    let (times, Operator::ElementTimes) = maker(cx, *below)? else { return None };
    let (alpha, multiplied) = either(model.inputs(times)).find(|(_, of)| of == x)?;
    let Source::Variable(alpha) = alpha else { return None };
    if compared != x || multiplied != *x || constant(cx, *zero) != Some(0.0) {
        return None;
    }
    let x = cx.tensor(&node.inputs[2]);
    let weight = weight(cx, alpha, &x)?;
    let count = weight.count();
    // The channels are the first static axis. For PyTorch, they must be the second axis of the tensor.
    let channels = match (weight.dims.as_slice(), x.dims.as_slice()) {
        _ if count == 1 && weight.dims.len() <= x.rank() => true,
        ([c, ones @ ..], [Dim::Known(n), rest @ ..]) => {
            c == n && x.lead.rank() == 1 && ones.len() == rest.len() && ones.iter().all(|d| *d == 1)
        }
        _ => false,
    };
    if !channels || node.types[0].shape.len() != x.rank() {
        return None;
    }
    let mut arguments: Vec<Argument> = Vec::new();
    arguments.extend((count != 1).then(|| Argument::from(count)));
    arguments.extend(x.elem.dtype());
    let constructor = nn("PReLU", arguments);
    let state = layer(cx, node.id, "prelu", constructor, vec![(alpha, "weight", weight, vec![count])])?;
    let id = cx.compute(Expr::wrapper(state, x.id));
    Some(x.with(id))
}

/// A layer normalization without its bias.
struct Normalized {
    x: Source,
    scale: VariableId,
    epsilon: f64,
}

fn normalized(cx: &Lower<'_, '_, '_>, scaled: Source) -> Option<Normalized> {
    let model = cx.graph.model;
    let operands = |f: FunctionId| either(model.inputs(f));
    let (f, Operator::ElementTimes) = maker(cx, scaled)? else { return None };
    operands(f).find_map(|(quotient, scale)| {
        let Source::Variable(scale) = scale else { return None };
        let (f, Operator::ElementTimes) = maker(cx, quotient)? else { return None };
        operands(f).find_map(|(centred, inverse)| {
            let (f, Operator::Reciprocal) = maker(cx, inverse)? else { return None };
            let (f, Operator::Plus) = maker(cx, model.inputs(f)[0])? else { return None };
            let (deviation, epsilon) =
                operands(f).find_map(|(deviation, epsilon)| Some((deviation, constant(cx, epsilon)?)))?;
            let (f, Operator::Sqrt) = maker(cx, deviation)? else { return None };
            let squares = mean(cx, model.inputs(f)[0])?;
            let (f, Operator::ElementTimes) = maker(cx, squares)? else { return None };
            if model.inputs(f) != [centred, centred] {
                return None;
            }
            let (f, Operator::Minus) = maker(cx, centred)? else { return None };
            let [x, subtracted] = model.inputs(f) else { return None };
            (mean(cx, *subtracted)? == *x).then_some(Normalized { x: *x, scale, epsilon })
        })
    })
}

/// The operand of a value that is a mean over all axes of a sample.
fn mean(cx: &Lower<'_, '_, '_>, source: Source) -> Option<Source> {
    let (f, Operator::ReduceElements(a)) = maker(cx, source)? else { return None };
    let x = *cx.graph.model.inputs(f).first()?;
    let rank = cx.graph.model.type_of(x).shape.len();
    let over = Reduced::of(a, rank).ok()?;
    (a.reduction == Reduction::Mean && !over.batch && over.axes.len() == rank).then_some(x)
}

/// The function that computes a value, if it is outside of loops or in the current one.
fn maker<'m, 'a>(cx: &Lower<'_, 'm, 'a>, source: Source) -> Option<(FunctionId, &'m Operator<'a>)> {
    match source {
        Source::Output(f, 0) => Some((f, cx.graph.model.operator(f))),
        _ => None,
    }
}

/// The operands of a commutative function, in both orders.
fn either(sources: &[Source]) -> impl Iterator<Item = (Source, Source)> + '_ {
    let pairs = if let [a, b] = sources { vec![(*a, *b), (*b, *a)] } else { Vec::new() };
    pairs.into_iter()
}

/// The number of a constant with one element.
fn constant(cx: &Lower<'_, '_, '_>, source: Source) -> Option<f64> {
    let Source::Variable(v) = source else { return None };
    let variable = cx.graph.model.variable(v);
    if variable.kind == VariableKind::Constant { single(variable) } else { None }
}

/// A weight, if it has the element type of `x`.
fn weight(cx: &Lower<'_, '_, '_>, variable: VariableId, x: &Val) -> Option<Weight> {
    let variable = cx.graph.model.variable(variable);
    let is_weight = matches!(variable.kind, VariableKind::Parameter | VariableKind::Constant);
    Weight::new(variable).filter(|w| is_weight && w.elem == stored(x.elem))
}

/// The layer in the precision of `x`.
fn double(layer: Expr, x: &Val) -> Expr {
    if x.elem.is_double() { layer.method("double", args![]) } else { layer }
}

/// A layer with these tensors, none of which another layer may hold.
fn layer(
    cx: &mut Lower<'_, '_, '_>,
    f: FunctionId,
    fallback: &'static str,
    constructor: Expr,
    tensors: Vec<(VariableId, &'static str, Weight, Vec<u64>)>,
) -> Option<StateId> {
    let ids: Vec<VariableId> = tensors.iter().map(|t| t.0).collect();
    let key = format!("{constructor:?} {ids:?}");
    if let Some(state) = cx.modules.get(&key) {
        return Some(*state);
    }
    let twice = ids.iter().enumerate().any(|(i, v)| ids[..i].contains(v));
    if twice || ids.iter().any(|v| cx.owners.contains_key(v)) {
        return None;
    }
    let mut state = State::module(constructor, cx.layer_name(f), fallback);
    for (variable, name, weight, dims) in &tensors {
        state = state.tensor(name, (*variable, weight), dims, weight.whole(), "as in CNTK");
    }
    let id = cx.hold(state);
    cx.modules.insert(key, id);
    for (variable, name, weight, dims) in tensors {
        cx.owners.insert(variable, Owner::tensor(id, name).shaped(&weight.dims, weight.dims == dims));
    }
    Some(id)
}

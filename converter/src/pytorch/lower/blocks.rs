//! Recognises layers that CNTK composes of simple functions: the self-stabilizer, layer and local response
//! normalization, Gelu, the parametric ReLU.
//!
//! Each is recognised at its last function, by its functions alone and not by the labels of blocks. Values that only
//! the composition needs are then unused and not written.

use super::cells::STEEPNESS;
use super::reduction::softmax_along;
use super::value::stored;
use super::{Lower, Node, Owner, Val};
use crate::cells::stabilizer;
use crate::pytorch::python::expr::{Argument, Expr, StateId, args, functional, keyword, nn, tuple};
use crate::pytorch::python::literal::number;
use crate::pytorch::state::State;
use crate::pytorch::weights::Weight;
use crate::resolve::normalization::LayerNorm;
use crate::resolve::response::LocalResponse;
use crate::resolve::{self, either, softmax};
use cntk_parser::model::{Dim, FunctionId, Source, VariableId, VariableKind};
use cntk_parser::ops::Operator;

/// The default of `LayerNorm`'s epsilon, which is added to the deviation.
const DEFAULT_EPSILON: f64 = 1e-5;

/// The value of a function that completes one of these, or a softmax.
pub(super) fn composed(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    match node.op {
        Operator::Plus => layer_norm(cx, node),
        Operator::ElementTimes => stabilized(cx, node)
            .or_else(|| softmax(cx, node))
            .or_else(|| gelu(cx, node))
            .or_else(|| local_response(cx, node)),
        Operator::Exp | Operator::Minus => softmax(cx, node),
        Operator::Select => prelu(cx, node),
        _ => None,
    }
}

/// A softmax along one axis.
fn softmax(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    let found = softmax::composed(cx.graph.model, node.id)?;
    let x = cx.value(found.x).ok()??;
    let is_tensor = x.literal.is_none() && x.rank() == node.types[0].shape.len();
    is_tensor.then(|| softmax_along(cx, found.softmax, &x, found.axis))
}

/// Gelu in its tanh form.
fn gelu(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    let x = resolve::gelu::gelu(cx.graph.model, node.id)?;
    let x = cx.value(x).ok()??;
    let x = cx.tensor(&x);
    let id = cx.compute(functional("gelu", args![x.id, keyword("approximate", Expr::Quoted("tanh".into()))]));
    Some(x.with(id))
}

/// A local response normalization.
fn local_response(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    let found = LocalResponse::composed(cx.graph.model, node.id)?;
    let x = cx.value(found.x).ok()??;
    let x = cx.tensor(&x);
    let number = |v| Expr::number(v, !x.elem.is_double());
    let input = cx.as_batch(&x);
    let arguments = args![input, found.size, number(found.alpha), number(found.beta), number(found.bias)];
    let id = cx.compute(functional("local_response_norm", arguments));
    Some(cx.spread_batch(id, &x, x.dims.clone()))
}

/// `x` times the factor of a stabilizer.
fn stabilized(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
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

/// A layer normalization: `nn.LayerNorm`, or CNTK's, which adds epsilon to the deviation.
fn layer_norm(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    let found = LayerNorm::composed(cx.graph.model, node.id)?;
    let x = cx.value(found.x).ok()??;
    let x = cx.tensor(&x);
    let over: Vec<u64> = x.dims[found.axis..].iter().map(|d| d.known()).collect::<Option<_>>()?;
    let (names, shape) = if found.to_variance {
        (["weight", "bias"], over.as_slice())
    } else if found.axis == 0 {
        (["scale", "bias"], &over[over.len() - 1..])
    } else {
        return None;
    };
    let mut tensors = Vec::new();
    for (variable, name) in [found.scale, found.bias].into_iter().zip(names) {
        let weight = weight(cx, variable, &x)?;
        if weight.dims != shape {
            return None;
        }
        tensors.push((variable, name, weight, shape.to_vec()));
    }
    let mut arguments = if let [n] = shape { args![*n] } else { args![tuple(shape)] };
    if !found.to_variance && x.rank() > 1 {
        arguments.push(keyword("axes", x.rank()));
    }
    let single = !x.elem.is_double();
    if number(found.epsilon, single) != number(DEFAULT_EPSILON, single) {
        arguments.push(keyword("eps", Expr::number(found.epsilon, single)));
    }
    let constructor = if found.to_variance {
        arguments.extend(x.elem.dtype());
        nn("LayerNorm", arguments)
    } else {
        double(Expr::Helper("LayerNorm").call(arguments), &x)
    };
    let state = layer(cx, node.id, "norm", constructor, tensors)?;
    let id = cx.compute(Expr::wrapper(state, x.id));
    Some(x.with(id))
}

/// `x` if it is not negative, else `x` times a factor, of which each channel has its own.
fn prelu(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    let model = cx.graph.model;
    let [condition, below, x] = node.sources else { return None };
    let maker = |s| if let Source::Output(f, 0) = s { Some((f, model.operator(f))) } else { None };
    let (less, Operator::Less) = maker(*condition)? else { return None };
    let [compared, zero] = model.inputs(less) else { return None };
    let (times, Operator::ElementTimes) = maker(*below)? else { return None };
    let (alpha, multiplied) = either(model.inputs(times)).find(|(_, of)| of == x)?;
    let Source::Variable(alpha) = alpha else { return None };
    if compared != x || multiplied != *x || resolve::number(model, *zero) != Some(0.0) {
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

//! Lowers BatchNormalization (spec 4.9) to `nn.BatchNorm…`, per channel or, if not spatial, per element.

use super::shape::product;
use super::value::stored;
use super::{Lower, Lowered, Node, Owner, Val};
use crate::pytorch::python::expr::{Expr, StateId, ValueId, args, functional, helper, keyword, nn, of};
use crate::pytorch::state::State;
use crate::pytorch::weights::Weight;
use crate::report::Reason;
use crate::resolve::normalization::is_per_element;
use crate::weights::ElemType;
use cntk_parser::model::{Dim, Source, VariableId};
use cntk_parser::ops::attributes::BatchNormalization;
use smallvec::smallvec;

/// `scale * (x - mean) / sqrt(variance + epsilon) + bias`.
pub(super) fn batch_normalization(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &BatchNormalization) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let rows = if is_per_element(a, x.rank()) { cx.flatten(&x)? } else { x.clone() };
    let rows = if rows.rank() == 0 { cx.reshape(&rows, &[Dim::Known(1)])? } else { rows };
    let Some(channels) = rows.dims[0].known() else {
        return Err(Reason::new("spatial", "as many channels as a free axis has"));
    };
    let kind = match rows.rank() {
        1 | 2 => "BatchNorm1d",
        3 => "BatchNorm2d",
        4 => "BatchNorm3d",
        _ => "",
    };
    let input = cx.as_batch(&rows);
    let made = match module(cx, node, &x, a, kind, channels) {
        Some(state) if !kind.is_empty() => cx.compute(Expr::wrapper(state, input)),
        _ => {
            let single = !x.elem.is_double();
            let mut ids: Vec<ValueId> = vec![input];
            for v in &node.inputs[1..5] {
                let v = cx.tensor(v);
                let v = cx.cast(&v, x.elem);
                let one = product(&v.dims) == Some(1) && channels != 1;
                let v = cx.reshape(&v, &[Dim::Known(if one { 1 } else { channels })])?;
                ids.push(if one { cx.compute(of(v.id).method("expand", args![channels])) } else { v.id });
            }
            let epsilon = keyword("eps", Expr::number(a.epsilon, single));
            cx.compute(functional("batch_norm", args![ids[0], ids[3], ids[4], ids[1], ids[2], epsilon]))
        }
    };
    let y = cx.spread_batch(made, &rows, rows.dims.clone());
    Ok(smallvec![cx.reshape(&Val { elem: x.elem, ..y }, &x.dims)?])
}

/// The layer that holds scale, bias and statistics, if each has one element per channel and no other layer holds it.
fn module(
    cx: &mut Lower<'_, '_, '_>,
    node: &Node<'_, '_>,
    x: &Val,
    a: &BatchNormalization,
    kind: &'static str,
    channels: u64,
) -> Option<StateId> {
    let model = cx.graph.model;
    let mut parts: Vec<(VariableId, Weight)> = Vec::new();
    for s in &node.sources[1..5] {
        let Source::Variable(v) = s else { return None };
        let weight = Weight::new(model.variable(*v))?;
        if weight.count() != channels || weight.elem != stored(x.elem) {
            return None;
        }
        parts.push((*v, weight));
    }
    let ids: Vec<VariableId> = parts.iter().map(|p| p.0).collect();
    let key = format!("{kind} {ids:?} {}", a.epsilon);
    if let Some(state) = cx.modules.get(&key) {
        return Some(*state);
    }
    let twice = ids.iter().enumerate().any(|(i, v)| ids[..i].contains(v));
    if twice || ids.iter().any(|v| cx.owners.contains_key(v)) || kind.is_empty() {
        return None;
    }
    let mut arguments = args![channels];
    if (a.epsilon - 1e-5).abs() > 1e-12 {
        arguments.push(keyword("eps", Expr::number(a.epsilon, false)));
    }
    arguments.push(keyword("momentum", momentum(a.normalization_time_constant)));
    arguments.extend(x.elem.dtype());
    let mut state = State::module(nn(kind, arguments), cx.layer_name(node.id), "bn");
    for ((id, weight), suffix) in parts.iter().zip(["weight", "bias", "running_mean", "running_var"]) {
        // Statistics are not parameters of the module, even if their records say so.
        let mut weight = weight.clone();
        weight.trainable &= !suffix.starts_with("running");
        let weight = &weight;
        state = state.tensor(suffix, (*id, weight), &[channels], weight.whole(), "as in CNTK");
    }
    state = state.filled("num_batches_tracked", ElemType::Int64, &[], 0.0);
    let id = cx.hold(state);
    cx.modules.insert(key, id);
    for ((v, weight), suffix) in parts.iter().zip(["weight", "bias", "running_mean", "running_var"]) {
        cx.owners.insert(*v, Owner::tensor(id, suffix).shaped(&weight.dims, weight.dims.len() == 1));
    }
    Some(id)
}

/// PyTorch's momentum, for the minibatch size that the emitted file states.
fn momentum(time_constant: f64) -> Expr {
    if time_constant.is_infinite() {
        return Expr::number(0.0, false);
    }
    if time_constant <= 0.0 || time_constant.is_nan() {
        return Expr::number(1.0, false);
    }
    helper("bn_momentum", args![Expr::number(time_constant, false)])
}

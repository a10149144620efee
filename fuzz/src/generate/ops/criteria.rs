//! Training criteria; some of them have no ONNX form.

use super::elementwise::partner;
use crate::generate::maker::{Maker, Value};
use crate::generate::values::{entry, file_shape, flag, float, int, list, number, text};
use crate::mutate::Choice;
use cntk_parser::ops::Op;

/// One number for the whole minibatch.
fn total(x: &Value) -> Value {
    Value { batch: false, sequence: None, ..x.shaped(Vec::new()) }
}

pub(super) fn sum_all(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.batch)?;
    m.function(Op::SumAll, &[&x], vec![], total(&x));
    Some(())
}

pub(super) fn aggregate(m: &mut Maker<'_, '_>, op: Op) -> Option<()> {
    let x = m.pick(|v| v.batch && v.shape.len() == 1 && v.known().is_some())?;
    let target = m.pick(|v| v.elem == x.elem && v.shape == x.shape && v.same_axes(&x))?;
    m.function(op, &[&x, &target], vec![], total(&x));
    Some(())
}

pub(super) fn cos_distance(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.batch && v.shape.len() == 1 && v.known().is_some())?;
    let y = m.pick(|v| v.elem == x.elem && v.shape == x.shape && v.same_axes(&x))?;
    m.function(Op::CosDistance, &[&x, &y], vec![], x.shaped(Vec::new()));
    Some(())
}

pub(super) fn negative_samples(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.batch && v.sequence.is_none() && v.shape.len() == 1 && v.known().is_some())?;
    let y = partner(m, &x);
    if y.shape != x.shape || !y.same_axes(&x) {
        return None;
    }
    let shift = m.tensor_of(&[], true, x.elem, Some(1.0));
    let count = m.tensor_of(&[], true, x.elem, Some(2.0));
    m.function(Op::CosDistanceWithNegativeSamples, &[&x, &y, &shift, &count], vec![], x.shaped(vec![Some(3)]));
    Some(())
}

pub(super) fn ranking(m: &mut Maker<'_, '_>, op: Op) -> Option<()> {
    let x = m.pick(|v| v.batch && v.known().is_some())?;
    m.refusable = true;
    m.function(op, &[&x, &x, &x], vec![], total(&x));
    Some(())
}

pub(super) fn edit_distance(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.batch && v.sequence.is_some() && v.shape.len() == 1)?;
    let attributes = vec![
        entry("SubstitutionPenalty", float(1.0)),
        entry("DeletionPenalty", float(1.0)),
        entry("InsertionPenalty", float(1.0)),
        entry("SquashInputs", flag(m.choice.one_in(2))),
        entry("TokensToIgnore", list(vec![number(0)])),
    ];
    m.refusable = true;
    m.function(Op::EditDistanceError, &[&x, &x], attributes, total(&x));
    Some(())
}

pub(super) fn forward_backward(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.batch && v.sequence.is_some() && v.shape.len() == 1)?;
    let graph = m.function(Op::LabelsToGraph, &[&x], vec![], x.like());
    let attributes = vec![entry("BlankTokenId", number(0)), entry("DelayConstraint", int(-1))];
    m.refusable = true;
    m.function(Op::ForwardBackward, &[&graph, &x], attributes, total(&x));
    Some(())
}

pub(super) fn lattice(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.batch && v.sequence.is_some())?;
    m.refusable = true;
    m.function(Op::LatticeSequenceWithSoftmax, &[&x, &x], vec![], total(&x));
    Some(())
}

pub(super) fn custom(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.known().is_some())?;
    let dims: Vec<u64> = x.known()?.into_iter().rev().collect();
    let attributes = vec![
        entry("customOp", text("op")),
        entry("newDataType", int(x.elem as i32)),
        entry("outputShape", file_shape(&dims)),
    ];
    m.refusable = true;
    m.function(Op::CustomProxyOp, &[&x], attributes, x.like());
    Some(())
}

//! Generates functions on sequences: delays, selected frames, other layouts.

use crate::generate::maker::{Maker, Value};
use crate::generate::values::{double, entry, flag, number, text};
use crate::mutate::Choice;
use cntk_parser::ops::Op;

fn sequence(v: &Value) -> bool {
    v.sequence.is_some() && v.batch
}

fn samples(v: &Value) -> bool {
    v.sequence.is_none() && v.batch
}

pub(super) fn delay(m: &mut Maker<'_, '_>, op: Op) -> Option<()> {
    let x = m.pick(|v| sequence(v) && v.known().is_some())?;
    let initial = m.tensor_of(&[], true, x.elem, Some(0.125));
    let offset = 1 + m.choice.below(3) as u64;
    m.function(op, &[&x, &initial], vec![entry("offset", number(offset))], x.like());
    Some(())
}

/// Gathers the frames of a sequence where a condition holds; with `back`, scatters them again.
pub(super) fn pick(m: &mut Maker<'_, '_>, back: bool) -> Option<()> {
    let x = m.pick(|v| sequence(v) && v.known().is_some())?;
    let scalar = m.pick(|v| v.shape.is_empty() && v.elem == x.elem && v.same_axes(&x))?;
    let limit = m.tensor_of(&[], true, x.elem, Some(-1.0));
    let condition = m.function(Op::GreaterEqual, &[&scalar, &limit], vec![], scalar.like());
    let axis = m.new_axis(format!("whereNodeDynamicAxis_conditionVar_{}", condition.uid));
    let axes = m.dynamic_axes(true, Some(axis));
    let picked = |v: &Value| Value { sequence: Some(axis), ..v.like() };
    let attributes = vec![entry("newDynamicAxes", axes)];
    let places = m.function(Op::Where, &[&condition], attributes, picked(&condition));
    let index = m.function(Op::PackedIndex, &[&x, &places], vec![], Value { shape: vec![], ..picked(&x) });
    // Nothing else may read a packed index.
    m.pool.retain(|v| v.uid != index.uid);
    let frames = m.function(Op::GatherPacked, &[&x, &index], vec![], picked(&x));
    if back {
        m.function(Op::ScatterPacked, &[&frames, &index, &condition], vec![], x.like());
    }
    Some(())
}

pub(super) fn reconcile(m: &mut Maker<'_, '_>) -> Option<()> {
    let like = m.pick(sequence)?;
    let x = m.pick(|v| v.elem == like.elem && v.sequence.is_none())?;
    let made = Value { batch: true, sequence: like.sequence, ..x.like() };
    m.function(Op::ReconcileDynamicAxis, &[&x, &like], vec![], made);
    Some(())
}

pub(super) fn to_sequence(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| samples(v) && v.shape.len() > 1 && v.known().is_some())?;
    let axis = m.new_axis(format!("toSequence_{}", x.uid));
    let attributes =
        vec![entry("sequenceAxis", text("toSequence_")), entry("newDynamicAxes", m.dynamic_axes(true, Some(axis)))];
    let made = Value { sequence: Some(axis), ..x.shaped(x.shape[1..].to_vec()) };
    m.function(Op::ToSequence, &[&x], attributes, made);
    Some(())
}

/// Unpacks a sequence and packs it again with its layout.
pub(super) fn to_sequence_like(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(sequence)?;
    let made = Value { sequence: None, ..x.shaped([vec![None], x.shape.clone()].concat()) };
    let unpacked = m.functions_of(Op::UnpackSequence, &[&x], unpack_attributes(true), vec![made]).remove(0);
    m.function(Op::ToSequenceLike, &[&unpacked, &x], vec![], x.like());
    Some(())
}

fn unpack_attributes(suppress: bool) -> Vec<crate::schema::Entry> {
    vec![entry("sequenceUnpackPaddingValue", double(0.0)), entry("sequenceUnpackSuppressMaskOutput", flag(suppress))]
}

pub(super) fn unpack(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(sequence)?;
    let suppress = m.choice.one_in(2);
    let value = |shape: Vec<Option<u64>>| Value { sequence: None, ..x.shaped(shape) };
    let mut made = vec![value([vec![None], x.shape.clone()].concat())];
    if !suppress {
        made.push(value(vec![None]));
    }
    m.functions_of(Op::UnpackSequence, &[&x], unpack_attributes(suppress), made);
    Some(())
}

pub(super) fn unpack_batch(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(samples)?;
    let made = Value { batch: false, ..x.shaped([vec![None], x.shape.clone()].concat()) };
    m.function(Op::UnpackBatch, &[&x], vec![], made);
    Some(())
}

pub(super) fn to_batch(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| !v.batch && v.sequence.is_none() && !v.shape.is_empty())?;
    let made = Value { batch: true, ..x.shaped(x.shape[1..].to_vec()) };
    m.function(Op::ToBatch, &[&x], vec![], made);
    Some(())
}

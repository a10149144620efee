//! Generates element-wise functions with broadcasting.

use crate::generate::maker::{DOUBLE, FLOAT, HALF, Maker, Value};
use crate::generate::values::{double, entry, flag, int, number};
use crate::mutate::Choice;
use cntk_parser::ops::Op;

/// A function of one operand, which any value fits.
pub fn identity(m: &mut Maker<'_, '_>) {
    let x = match m.pick(|_| true) {
        Some(x) => x,
        None => m.tensor(&[2], false),
    };
    m.function(Op::NoOp, &[&x], vec![], x.like());
}

pub(super) fn unary(m: &mut Maker<'_, '_>, op: Op) -> Option<()> {
    let x = m.pick(|_| true)?;
    m.function(op, &[&x], vec![], x.like());
    Some(())
}

/// A second operand for `x`: a stored tensor that broadcasts with it, or a value with its shape.
pub(super) fn partner(m: &mut Maker<'_, '_>, x: &Value) -> Value {
    let suits =
        |v: &Value| v.uid != x.uid && v.elem == x.elem && v.shape == x.shape && v.known().is_some() && v.same_axes(x);
    if m.choice.one_in(2)
        && let Some(v) = m.pick(suits)
    {
        return v;
    }
    // Its inner axes, some of them 1.
    let inner = m.choice.below(x.shape.len() + 1);
    let dims: Vec<u64> = (x.shape[x.shape.len() - inner..].iter())
        .map(|n| if m.choice.one_in(3) { 1 } else { n.unwrap_or(1) })
        .collect();
    let constant = m.choice.one_in(2);
    m.tensor_of(&dims, constant, x.elem, None)
}

pub(super) fn binary(m: &mut Maker<'_, '_>, op: Op) -> Option<()> {
    let x = m.pick(|_| true)?;
    let y = partner(m, &x);
    let operands = if m.choice.one_in(3) { [&y, &x] } else { [&x, &y] };
    m.function(op, &operands, vec![], x.like());
    Some(())
}

pub(super) fn clip(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|_| true)?;
    let low = m.tensor_of(&[], true, x.elem, Some(-0.5));
    let high = m.tensor_of(&[], true, x.elem, Some(0.5));
    m.function(Op::Clip, &[&x, &low, &high], vec![], x.like());
    Some(())
}

pub(super) fn select(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|_| true)?;
    let (a, b) = (partner(m, &x), partner(m, &x));
    m.function(Op::Select, &[&x, &a, &b], vec![], x.like());
    Some(())
}

pub(super) fn dropout(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|_| true)?;
    let attributes =
        vec![entry("dropoutRate", double(0.5)), entry("rngSeed", number(7)), entry("rngOffset", number(0))];
    m.function(Op::Dropout, &[&x], attributes, x.like());
    Some(())
}

pub(super) fn constant(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|_| true)?;
    m.function(Op::ConstantOp, &[&x], vec![entry("fillValue", double(1.5))], x.like());
    Some(())
}

pub(super) fn cast(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|_| true)?;
    let types: &[u64] = if m.options.runnable { &[FLOAT, DOUBLE] } else { &[FLOAT, DOUBLE, HALF] };
    let elem = types[m.choice.below(types.len())];
    let made = Value { elem, ..x.like() };
    m.function(Op::Cast, &[&x], vec![entry("newDataType", int(elem as i32))], made);
    Some(())
}

pub(super) fn assign(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.known().is_some() && !v.batch && v.sequence.is_none())?;
    let place = m.tensor_of(&x.known()?, false, x.elem, None);
    m.function(Op::Assign, &[&place, &x], vec![], x.like());
    Some(())
}

pub(super) fn eye_like(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.shape.len() == 1 && v.batch && v.sequence.is_none())?;
    m.function(Op::EyeLikeOp, &[&x], vec![entry("OutputSparse", flag(false))], x.like());
    Some(())
}

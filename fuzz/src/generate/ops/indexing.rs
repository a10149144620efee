//! Generates functions with indices: one-hot codes, tables, largest elements.

use crate::generate::maker::Maker;
use crate::generate::values::{entry, file_axis, flag, number};
use crate::mutate::Choice;
use cntk_parser::ops::Op;

pub(super) fn one_hot(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.shape.len() < 4)?;
    let (rank, classes) = (x.shape.len(), m.size());
    let file = m.choice.below(rank + 1);
    let mut shape = x.shape.clone();
    shape.insert(rank - file, Some(classes));
    let attributes = vec![
        entry("numClass", number(classes)),
        entry("oneHotOutputSparse", flag(false)),
        entry("onehotAxis", file_axis(file as i32)),
    ];
    m.function(Op::OneHot, &[&x], attributes, x.shaped(shape));
    Some(())
}

/// A Gather whose indices are clamped to the table, because CNTK would read memory beyond it.
pub(super) fn gather(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.shape.len() < 3 && v.batch)?;
    let rows = m.size();
    let table: Vec<u64> = [vec![rows], m.shape(2)].concat();
    let low = m.tensor_of(&[], true, x.elem, Some(0.0));
    let high = m.tensor_of(&[], true, x.elem, Some((rows - 1) as f64));
    let clipped = m.function(Op::Clip, &[&x, &low, &high], vec![], x.like());
    let index = m.function(Op::Floor, &[&clipped], vec![], x.like());
    let shape = x.shape.iter().copied().chain(table[1..].iter().map(|n| Some(*n))).collect();
    let table = m.tensor_of(&table, false, x.elem, None);
    m.function(Op::Gather, &[&index, &table], vec![], x.shaped(shape));
    Some(())
}

pub(super) fn top_k(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| !v.shape.is_empty() && v.known().is_some())?;
    let mut shape = x.shape.clone();
    let inner = shape.last_mut()?;
    let k = 1 + m.choice.below((*inner)? as usize) as u64;
    *inner = Some(k);
    let made = x.shaped(shape);
    let attributes = vec![entry("axis", file_axis(0)), entry("numItems", number(k))];
    m.functions_of(Op::TopK, &[&x], attributes, vec![made.clone(), made]);
    Some(())
}

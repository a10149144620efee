//! Matrix products and layers with parameters of their own.

use crate::generate::maker::{FLOAT, HALF, Maker, Value};
use crate::generate::values::{double, entry, flag, int, number, text};
use crate::mutate::Choice;
use crate::schema::Entry;
use cntk_parser::ops::Op;

/// The attributes of a Times with so many output axes.
pub fn times_attributes(output_rank: u64) -> Vec<Entry> {
    vec![entry("outputRank", number(output_rank)), entry("inferInputRankToMap", int(-1))]
}

pub(super) fn times(m: &mut Maker<'_, '_>) -> Option<()> {
    if m.choice.one_in(6) {
        return over_sequence(m);
    }
    let x = m.pick(|v| !v.shape.is_empty() && v.known().is_some())?;
    let dims = x.known()?;
    let (mapped, reduced) = dims.split_at(dims.len() - (1 + m.choice.below(dims.len().min(3))));
    let mut outputs = vec![m.size()];
    if m.choice.one_in(4) {
        outputs.push(m.size());
    }
    let w = m.tensor_of(&[reduced, &outputs].concat(), false, x.elem, None);
    let shape = mapped.iter().chain(&outputs).map(|n| Some(*n)).collect();
    m.function(Op::Times, &[&w, &x], times_attributes(outputs.len() as u64), x.shaped(shape));
    Some(())
}

/// A product over the steps of two sequences: of matrices and vectors, or of vectors and numbers.
fn over_sequence(m: &mut Maker<'_, '_>) -> Option<()> {
    let sequence = |v: &Value| v.known().is_some() && v.sequence.is_some() && v.batch;
    let w = m.pick(|v| sequence(v) && (1..=2).contains(&v.shape.len()))?;
    let inner = if w.shape.len() == 1 { Some(1) } else { w.shape[0] };
    let x = m.pick(|v| v.shape == [inner] && v.elem == w.elem && v.same_axes(&w))?;
    let mut made = w.shaped(if w.shape.len() == 1 { vec![Some(1), w.shape[0]] } else { vec![w.shape[1]] });
    made.sequence = None;
    let attributes = vec![entry("outputRank", number(1)), entry("inferInputRankToMap", int(-2))];
    m.function(Op::Times, &[&w, &x], attributes, made);
    Some(())
}

pub(super) fn transpose_times(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| !v.shape.is_empty() && v.known().is_some())?;
    let (inner, mapped) = x.shape.split_last()?;
    let (r, vector) = ((*inner)?, m.choice.one_in(4));
    let o = if vector { 1 } else { m.size() };
    let w = if vector { m.tensor_of(&[r], false, x.elem, None) } else { m.tensor_of(&[o, r], false, x.elem, None) };
    let shape = mapped.iter().copied().chain([Some(o)]).collect();
    m.function(Op::TransposeTimes, &[&w, &x], vec![entry("outputRank", number(1))], x.shaped(shape));
    Some(())
}

pub(super) fn batch_normalization(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| !v.shape.is_empty() && v.known().is_some() && v.batch)?;
    let dims = x.known()?;
    let spatial = dims.len() > 1 && m.choice.one_in(2);
    let count = if spatial { dims[0] } else { dims.iter().product() };
    let elem = if x.elem == HALF { FLOAT } else { x.elem };
    let scale = m.tensor_of(&[count], false, elem, None);
    let bias = m.tensor_of(&[count], false, elem, None);
    let mean = m.tensor_of(&[count], true, elem, Some(0.25));
    let variance = m.tensor_of(&[count], true, elem, Some(0.5));
    let samples = m.tensor_of(&[], true, elem, Some(100.0));
    let attributes = vec![
        entry("spatial", flag(spatial)),
        entry("epsilon", double(1e-5)),
        entry("normalizationTimeConstant", double(0.0)),
        entry("blendTimeConstant", double(0.0)),
        entry("useCuDNNEngine", flag(false)),
        entry("disableRegularization", flag(false)),
    ];
    m.function(Op::BatchNormalization, &[&x, &scale, &bias, &mean, &variance, &samples], attributes, x.like());
    Some(())
}

pub(super) fn rnn_stack(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.shape.len() == 1 && v.known().is_some() && v.sequence.is_some() && v.batch)?;
    let (input, hidden) = (x.shape[0]?, m.size());
    let layers = 1 + m.choice.below(2) as u64;
    let bidirectional = m.choice.one_in(2);
    let (cell, gates) = [("lstm", 4), ("gru", 3), ("rnnReLU", 1), ("rnnTanh", 1)][m.choice.below(4)];
    let directions = 1 + u64::from(bidirectional);
    let layer = |input: u64| gates * hidden * directions * (input + hidden + 2);
    let count = layer(input) + (layers - 1) * layer(hidden * directions);
    let w = m.tensor_of(&[count / hidden, hidden], false, x.elem, None);
    let attributes = vec![
        entry("hiddenSize", number(hidden)),
        entry("numLayers", number(layers)),
        entry("bidirectional", flag(bidirectional)),
        entry("recurrentOp", text(cell)),
    ];
    m.function(Op::OptimizedRNNStack, &[&x, &w], attributes, x.shaped(vec![Some(hidden * directions)]));
    Some(())
}

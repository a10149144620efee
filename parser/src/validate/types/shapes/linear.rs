//! Shapes of Times and TransposeTimes (spec 4.6).

use crate::model::{Dim, Dims};
use crate::ops::attributes::{Times, TransposeTimes};
use crate::validate::rules;
use crate::validate::types::node::Node;
use crate::validate::types::value::show;

/// Times: `W` has its reduced axes first and its output axes last; `x` has the reduced axes last.
pub(super) fn times(node: &mut Node<'_, '_, '_, '_>, times: &Times) -> Option<Dims> {
    let w = node.shape(0)?;
    let output_rank = usize::try_from(times.output_rank).ok().filter(|rank| (1..=w.len()).contains(rank));
    let Some(output_rank) = output_rank else {
        let text = format!("outputRank {} does not suit a first input of shape {}", times.output_rank, show(w));
        return node.attribute(&rules::OUTPUT_RANK, "outputRank", text);
    };
    if times.reduces_sequence() {
        return over_sequence(node, w);
    }
    // Any other negative number says as little as -1.
    let map = usize::try_from(times.infer_input_rank_to_map).unwrap_or(0);
    if map > 0 && node.shape(1).is_some_and(|x| map >= x.len()) {
        let text = format!("{map} axes are to be mapped, but the second input does not have more than that");
        return node.attribute(&rules::ATTRIBUTE_RANGE, "inferInputRankToMap", text);
    }
    let (reduced, outputs) = w.split_at_checked(w.len().checked_sub(output_rank)?)?;
    // In a recurrence, an operand that is not known yet is assumed to have the reduced axes only.
    let Some(x) = node.shape(1) else { return guess(node, outputs) };
    let Some((mapped, inner)) = x.len().checked_sub(reduced.len()).and_then(|k| x.split_at_checked(k)) else {
        return node.mismatch("the second input has too few axes for the matrix", w, x);
    };
    if !reduced.iter().zip(inner).all(|(a, b)| Node::equal(*a, *b)) {
        return node.mismatch("the reduced dimensions disagree", w, x);
    }
    Some(mapped.iter().chain(outputs).copied().collect())
}

/// The shape of a product whose operand is not known yet; `None` if it will not be known later either.
fn guess(node: &Node<'_, '_, '_, '_>, outputs: &[Dim]) -> Option<Dims> {
    let waits = node.operands.get(1).is_some_and(|x| !x.stays_unknown());
    waits.then(|| outputs.iter().copied().collect())
}

/// Times that also reduces the sequence axis: file shapes `[m, k]` and `[k]` give `[m]`; a column is a vector, so `[m]` and `[1]`
/// give `[m, 1]`.
fn over_sequence(node: &mut Node<'_, '_, '_, '_>, w: &Dims) -> Option<Dims> {
    let x = node.shape(1)?;
    match (w.as_slice(), x.as_slice()) {
        ([m], [one]) if Node::equal(*one, Dim::Known(1)) => Some([*one, *m].into_iter().collect()),
        ([k, m], [n]) if Node::equal(*k, *n) => Some(std::iter::once(*m).collect()),
        _ => node.mismatch("a product over the sequence axis needs a matrix and a vector", w, x),
    }
}

/// TransposeTimes: `W` has the shape `(o, r)` or `(r,)`.
pub(super) fn transpose_times(node: &mut Node<'_, '_, '_, '_>, times: &TransposeTimes) -> Option<Dims> {
    let w = node.shape(0)?;
    let (output, reduced) = match w.as_slice() {
        [r] => (Dim::Known(1), *r),
        [o, r] => (*o, *r),
        _ => {
            let text = format!("the transposed input has the shape {}, not one or two axes", show(w));
            return node.input(&rules::SHAPE, 0, text);
        }
    };
    if times.output_rank != 1 {
        let text = format!("outputRank is {}, only 1 is possible", times.output_rank);
        return node.attribute(&rules::OUTPUT_RANK, "outputRank", text);
    }
    let Some(x) = node.shape(1) else { return guess(node, &[output]) };
    let Some((inner, mapped)) = x.split_last() else {
        return node.mismatch("the second input has too few axes for the matrix", w, x);
    };
    if !Node::equal(*inner, reduced) {
        return node.mismatch("the reduced dimensions disagree", w, x);
    }
    Some(mapped.iter().copied().chain([output]).collect())
}

//! The argument of a gate's activation as a sum of products.

use super::ring::Ring;
use super::{Block, Segment};
use cntk_parser::model::{AxisKind, Source};
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::SliceRange;

/// One summand of a gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Term {
    /// The product of a stored matrix and a value.
    Product(Block, Source),
    /// A stored vector.
    Bias(Segment),
    /// The element-wise product of two values.
    Elementwise(Source, Source),
}

/// The most summands that a gate may have.
const MOST: usize = 64;

/// Elements `from` to `from + length` of a vector as a sum; `None` if it is not a sum that a gate can have.
pub(super) fn terms(ring: &Ring<'_, '_>, source: Source, from: u64, length: u64) -> Option<Vec<Term>> {
    let mut found = Vec::new();
    let mut stack = vec![(ring.peel(source), from)];
    let mut steps = 0;
    while let Some((source, from)) = stack.pop() {
        steps += 1;
        let n = ring.length(source)?;
        if steps > 4 * MOST || found.len() > MOST || from.checked_add(length)? > n {
            return None;
        }
        let Some((f, op)) = ring.maker(source) else {
            found.push(Term::Bias(ring.segment(source, from, length)?));
            continue;
        };
        match op {
            Operator::Plus => {
                for operand in ring.operands(f)? {
                    if ring.length(operand) != Some(n) {
                        return None;
                    }
                    stack.push((operand, from));
                }
            }
            Operator::Slice(a) => {
                let [range] = a.ranges.as_slice() else { return None };
                let inner = ring.peel(*ring.model.inputs(f).first()?);
                stack.push((inner, from.checked_add(begin(range, ring.length(inner)?)?)?));
            }
            Operator::Times(_) => {
                let (block, x) = ring.matrix(f, from)?;
                products(ring, block, x, &mut found)?;
            }
            Operator::ElementTimes if from == 0 && n == length => {
                let [a, b] = ring.operands(f)?;
                found.push(Term::Elementwise(a, b));
            }
            _ => return None,
        }
    }
    Some(found)
}

/// The begin of a slice of a vector with stride 1.
fn begin(range: &SliceRange<'_>, n: u64) -> Option<u64> {
    if range.stride != 1 || !matches!(range.axis.kind(), AxisKind::Static(_)) || range.axis.row(1) != Some(0) {
        return None;
    }
    let begin = i64::from(range.begin);
    u64::try_from(if begin < 0 { begin.checked_add(i64::try_from(n).ok()?)? } else { begin }).ok()
}

/// Splits the product of a matrix and spliced vectors into products of a block of rows and each vector.
fn products(ring: &Ring<'_, '_>, block: Block, x: Source, found: &mut Vec<Term>) -> Option<()> {
    let spliced = match ring.maker(x) {
        Some((f, Operator::Splice(a))) if ring.length(x).is_some() && a.axis.row(1) == Some(0) => Some(f),
        _ => None,
    };
    let Some(f) = spliced else {
        found.push(Term::Product(block, x));
        return Some(());
    };
    let parts: Vec<Source> = ring.model.inputs(f).iter().map(|s| ring.peel(*s)).collect();
    // A vector that is spliced outside of the loop is one input. Only a splice of state and input is split.
    if !parts.iter().any(|p| ring.is_inside(*p)) {
        found.push(Term::Product(block, x));
        return Some(());
    }
    let mut row = block.row;
    for part in parts {
        let rows = ring.length(part)?;
        found.push(Term::Product(Block { row, rows, ..block }, part));
        row = row.checked_add(rows)?;
    }
    Some(())
}

//! Generates reshapes and reductions.

use crate::generate::maker::Maker;
use crate::generate::values::{
    all_axes, all_static_axes, batch_axis, entry, file_axis, file_shape, flag, list, row_axis, text,
};
use crate::mutate::Choice;
use cntk_parser::ops::Op;

/// `InferredDimension`.
const INFERRED: u64 = u64::MAX;

pub(super) fn reshape(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.known().is_some())?;
    let dims = x.known()?;
    let from = m.choice.below(dims.len() + 1);
    let to = from + m.choice.below(dims.len() - from + 1);
    let count: u64 = dims[from..to].iter().product();
    let small = (2..=count).find(|d| count.is_multiple_of(*d)).unwrap_or(1);
    let (new, written) = match m.choice.below(5) {
        0 => (vec![count], vec![count]),
        1 => (vec![small, count / small], vec![INFERRED, count / small]),
        2 => (vec![count, 1], vec![count, 1]),
        3 if count == 1 => (vec![], vec![]),
        _ => (vec![count / small, small], vec![count / small, small]),
    };
    let shape: Vec<u64> = [&dims[..from], &new, &dims[to..]].concat();
    if shape.len() > 6 {
        return None;
    }
    let file: Vec<u64> = written.into_iter().rev().collect();
    let mut attributes = vec![entry("newShape", file_shape(&file))];
    if (from, to) != (0, dims.len()) || m.choice.one_in(2) {
        attributes.push(entry("beginAxis", file_axis((dims.len() - to) as i32)));
        attributes.push(entry("endAxis", file_axis((dims.len() - from) as i32)));
    }
    m.function(Op::Reshape, &[&x], attributes, x.shaped(shape.into_iter().map(Some).collect()));
    Some(())
}

pub(super) fn squeeze(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.shape.contains(&Some(1)))?;
    let rank = x.shape.len();
    if m.choice.one_in(2) {
        let shape = x.shape.iter().copied().filter(|n| *n != Some(1)).collect();
        m.function(Op::Squeeze, &[&x], vec![], x.shaped(shape));
        return Some(());
    }
    let row = x.shape.iter().position(|n| *n == Some(1))?;
    let mut shape = x.shape.clone();
    shape.remove(row);
    m.function(Op::Squeeze, &[&x], vec![entry("axisVec", list(vec![row_axis(row, rank)]))], x.shaped(shape));
    Some(())
}

pub(super) fn transpose(m: &mut Maker<'_, '_>) -> Option<()> {
    let x = m.pick(|v| v.shape.len() > 1)?;
    let rank = x.shape.len();
    let (a, b) = (m.choice.below(rank), m.choice.below(rank));
    let mut shape = x.shape.clone();
    shape.swap(a, b);
    let attributes = if m.choice.one_in(2) {
        vec![entry("axis1", row_axis(a, rank)), entry("axis2", row_axis(b, rank))]
    } else {
        // File order: entry i of the list is where the output's file axis i comes from.
        let mut rows: Vec<usize> = (0..rank).collect();
        rows.swap(a, b);
        vec![entry("axisVec", list(rows.iter().rev().map(|row| row_axis(*row, rank)).collect()))]
    };
    m.function(Op::TransposeAxes, &[&x], attributes, x.shaped(shape));
    Some(())
}

pub(super) fn reduce(m: &mut Maker<'_, '_>) -> Option<()> {
    const NAMES: [&str; 8] = ["Sum", "LogSum", "Mean", "Max", "Min", "Prod", "Argmax", "Argmin"];
    // The last two work along one axis.
    let among = if m.options.runnable { 6 } else { NAMES.len() };
    let x = m.pick(|v| !v.shape.is_empty() && v.known().is_some())?;
    let (rank, mut keep) = (x.shape.len(), m.choice.one_in(2));
    let name = NAMES[m.choice.below(among)];
    let one = name.starts_with("Arg");
    let row = m.choice.below(rank);
    let mut made = x.like();
    let axis = match m.choice.below(6) {
        0 if !one => {
            made.shape = if keep { vec![Some(1); rank] } else { Vec::new() };
            entry("axis", all_static_axes())
        }
        1 if !one && x.batch => {
            // CNTK infers sizes of 1 for axes that are kept here, but cannot compute them.
            keep &= !m.options.runnable;
            let shape = if keep { vec![Some(1); rank] } else { Vec::new() };
            made = crate::generate::maker::Value { shape, batch: false, sequence: None, ..made };
            entry("axis", all_axes())
        }
        2 if !one && x.batch && x.sequence.is_none() => {
            made.batch = false;
            entry("axis", batch_axis())
        }
        // CNTK's API keeps axes in the operator and drops them after it; where a file does otherwise, CNTK refuses or reduces
        // other axes.
        3 if keep && !one && rank > 1 => {
            let other = (row + 1) % rank;
            made.shape = reduced(&x.shape, &[row, other], keep);
            entry("axisVec", list(vec![row_axis(row, rank), row_axis(other, rank)]))
        }
        _ => {
            keep = true;
            made.shape = reduced(&x.shape, &[row], keep);
            entry("axis", row_axis(row, rank))
        }
    };
    let attributes = vec![axis, entry("reductionOpName", text(name)), entry("reductionKeepDimensions", flag(keep))];
    m.function(Op::ReduceElements, &[&x], attributes, made);
    Some(())
}

fn reduced(shape: &[Option<u64>], rows: &[usize], keep: bool) -> Vec<Option<u64>> {
    let kept = shape.iter().enumerate().filter(|(i, _)| keep || !rows.contains(i));
    kept.map(|(i, n)| if rows.contains(&i) { Some(1) } else { *n }).collect()
}

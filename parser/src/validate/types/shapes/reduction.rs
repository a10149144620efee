//! The shape of ReduceElements (spec 4.11).

use crate::model::{AxisKind, Dim, Dims};
use crate::ops::attributes::{ReduceElements, Reduction};
use crate::validate::rules;
use crate::validate::types::node::Node;
use crate::validate::types::value::show;

/// Each reduced axis becomes 1 or is removed.
pub(super) fn reduce(node: &mut Node<'_, '_, '_, '_>, reduce: &ReduceElements<'_>) -> Option<Dims> {
    let x = node.shape(0)?;
    let key = if reduce.axes.len() == 1 { "axis" } else { "axisVec" };
    possible(node, reduce, key, x)?;
    let mut reduced = smallvec::SmallVec::<[bool; 8]>::from_elem(false, x.len());
    for axis in &reduce.axes {
        match axis.kind() {
            AxisKind::AllStatic | AxisKind::All if reduce.keep_dimensions => {
                return Some(std::iter::repeat_n(Dim::Known(1), x.len()).collect());
            }
            AxisKind::AllStatic | AxisKind::All => return Some(Dims::new()),
            AxisKind::Batch | AxisKind::Sequence => continue,
            _ => {}
        }
        let slot = axis.row(x.len()).and_then(|row| reduced.get_mut(row));
        match slot {
            None => {
                let text = format!("axis {} is not one of the shape {}", axis.index, show(x));
                return node.attribute(&rules::AXIS_RANGE, key, text);
            }
            Some(true) => {
                let text = format!("axis {} is reduced twice", axis.index);
                node.warn(&rules::AXIS_REPEATED, key, text);
            }
            Some(slot) => *slot = true,
        }
    }
    let keep = reduce.keep_dimensions;
    let result: Dims = x
        .iter()
        .zip(&reduced)
        .filter(|(_, reduced)| keep || !**reduced)
        .map(|(n, reduced)| if *reduced { Dim::Known(1) } else { *n })
        .collect();
    // What is left is laid along the operand from the innermost axis on.
    let lies = |(left, n): (&Dim, &Dim)| *left == Dim::Known(1) || Node::equal(*left, *n);
    if !result.iter().rev().zip(x.iter().rev()).all(lies) {
        let text = format!("{} is not what CNTK can make of the shape {} by dropping axes", show(&result), show(x));
        return node.attribute(&rules::SHAPE, "reductionKeepDimensions", text);
    }
    Some(result)
}

/// Checks what CNTK cannot reduce, whatever the sizes are.
fn possible(node: &mut Node<'_, '_, '_, '_>, reduce: &ReduceElements<'_>, key: &'static str, x: &Dims) -> Option<()> {
    if reduce.axes.is_empty() || reduce.axes.len() > x.len().max(1) {
        let text = format!("{} axes of the shape {}", reduce.axes.len(), show(x));
        return node.attribute(&rules::ATTRIBUTE_LENGTH, key, text);
    }
    let has = |wanted: AxisKind| reduce.axes.iter().any(|axis| axis.kind() == wanted);
    if has(AxisKind::Sequence) && reduce.reduction != Reduction::Sum {
        return node.attribute(&rules::AXIS_RANGE, key, "along a sequence, CNTK only takes sums".to_owned());
    }
    let sequences = node.operands.first().and_then(|x| x.axes()).is_some_and(|axes| axes.sequence.is_some());
    if has(AxisKind::Batch) && sequences {
        return node.attribute(&rules::AXIS_RANGE, key, "CNTK does not reduce sequences along the batch".to_owned());
    }
    let places = matches!(reduce.reduction, Reduction::Argmax | Reduction::Argmin);
    if places && (has(AxisKind::Batch) || has(AxisKind::All)) {
        return node.attribute(&rules::AXIS_RANGE, key, "the place of a number within a batch".to_owned());
    }
    Some(())
}

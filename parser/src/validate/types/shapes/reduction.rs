//! The shape of ReduceElements (spec 4.11).

use crate::model::{AxisKind, Dim, Dims};
use crate::ops::attributes::ReduceElements;
use crate::validate::rules;
use crate::validate::types::node::Node;
use crate::validate::types::value::show;

/// Each reduced axis becomes 1 or is removed.
pub(super) fn reduce(node: &mut Node<'_, '_, '_, '_>, reduce: &ReduceElements<'_>) -> Option<Dims> {
    let x = node.shape(0)?;
    let key = if reduce.axes.len() == 1 { "axis" } else { "axisVec" };
    let mut reduced = smallvec::SmallVec::<[bool; 8]>::from_elem(false, x.len());
    for axis in &reduce.axes {
        match axis.kind() {
            AxisKind::AllStatic | AxisKind::All if reduce.keep_dimensions => {
                return Some(Dims::from_elem(Dim::Known(1), x.len()));
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
    Some(
        x.iter()
            .zip(&reduced)
            .filter(|(_, reduced)| keep || !**reduced)
            .map(|(n, reduced)| if *reduced { Dim::Known(1) } else { *n })
            .collect(),
    )
}

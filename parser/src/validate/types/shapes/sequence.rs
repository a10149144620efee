//! Shapes of operators that convert between dynamic and static axes (spec 4.13).

use crate::model::Dims;
use crate::validate::rules;
use crate::validate::types::node::Node;

/// UnpackSequence, UnpackBatch: a dynamic axis becomes the first row-major axis.
pub(super) fn unpack(node: &mut Node<'_, '_, '_, '_>) -> Option<Dims> {
    let x = node.shape(0)?;
    let outer = node.fresh();
    Some([outer].into_iter().chain(x.iter().copied()).collect())
}

/// ToSequence, ToSequenceLike, ToBatch: the first row-major axis becomes a dynamic one.
pub(super) fn pack(node: &mut Node<'_, '_, '_, '_>) -> Option<Dims> {
    let x = node.shape(0)?;
    match x.split_first() {
        Some((_, rest)) => Some(rest.iter().copied().collect()),
        None => node.input(&rules::SHAPE, 0, "the input has no static axis that could become a dynamic one".to_owned()),
    }
}

/// Where: one index per selected frame. The condition must be one number per frame.
pub(super) fn positions(node: &mut Node<'_, '_, '_, '_>) -> Option<Dims> {
    node.one_number(0, "frame")?;
    Some(Dims::new())
}

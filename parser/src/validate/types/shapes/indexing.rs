//! Shapes of OneHot, Gather and TopK (spec 4.12).

use crate::model::{AxisKind, Dim, Dims, MAX_DIM};
use crate::ops::attributes::{OneHot, TopK};
use crate::validate::rules;
use crate::validate::types::node::Node;
use crate::validate::types::value::show;

/// OneHot: the input's shape with a new axis of `numClass`.
pub(super) fn one_hot(node: &mut Node<'_, '_, '_, '_>, one_hot: &OneHot<'_>) -> Option<Dims> {
    if !(1..=MAX_DIM).contains(&one_hot.num_class) {
        let text = format!("{} classes", one_hot.num_class);
        return node.attribute(&rules::ATTRIBUTE_RANGE, "numClass", text);
    }
    let x = node.shape(0)?;
    let rank = x.len().saturating_add(1);
    let place = match one_hot.axis.kind() {
        AxisKind::Static(k) if k >= 0 => usize::try_from(k).ok().filter(|k| *k < rank),
        AxisKind::Static(k) => usize::try_from(k.unsigned_abs()).ok().and_then(|k| rank.checked_sub(k)),
        _ => None,
    };
    let Some(place) = place else {
        let text = format!("axis {} is not one of the {rank} axes of the output", one_hot.axis.index);
        return node.attribute(&rules::AXIS_RANGE, "onehotAxis", text);
    };
    let mut file: Dims = x.iter().rev().copied().collect();
    file.insert(place, Dim::Known(one_hot.num_class));
    Some(file.into_iter().rev().collect())
}

/// Gather: the shape of the indices, followed by that of the table without its first row-major axis.
pub(super) fn gather(node: &mut Node<'_, '_, '_, '_>) -> Option<Dims> {
    let (indices, table) = (node.shape(0)?, node.shape(1)?);
    let Some((_, rest)) = table.split_first() else {
        return node.input(&rules::SHAPE, 1, "a table without axes".to_owned());
    };
    Some(indices.iter().chain(rest).copied().collect())
}

/// TopK: the innermost axis becomes k. Both outputs have this shape.
pub(super) fn top_k(node: &mut Node<'_, '_, '_, '_>, top_k: &TopK<'_>) -> Option<Dims> {
    let x = node.shape(0)?;
    let Some(row) = top_k.axis.row(x.len()) else {
        let text = format!("axis {} is not one of the shape {}", top_k.axis.index, show(x));
        return node.attribute(&rules::AXIS_RANGE, "axis", text);
    };
    let mut result = x.clone();
    let place = result.get_mut(row)?;
    let most = place.known().unwrap_or(MAX_DIM);
    if !(1..=most).contains(&top_k.num_items) {
        let text = format!("the first {} elements of an axis of size {}", top_k.num_items, show(&[*place]));
        return node.attribute(&rules::ATTRIBUTE_RANGE, "numItems", text);
    }
    *place = Dim::Known(top_k.num_items);
    Some(result)
}

//! Shapes of Reshape, Squeeze and TransposeAxes (spec 4.12).

use crate::model::{Axis, AxisKind, Dim, Dims, MAX_DIM, Shape};
use crate::ops::attributes::{Reshape, Squeeze, TransposeAxes};
use crate::validate::rules;
use crate::validate::types::node::Node;
use crate::validate::types::value::show;
use smallvec::SmallVec;

/// The last function version whose files may write an inferred dimension as 0.
const ZERO_IS_INFERRED: u64 = 10;

/// Reshape: the file axes `begin..end` are replaced by `newShape`.
pub(super) fn reshape(node: &mut Node<'_, '_, '_, '_>, reshape: &Reshape<'_>) -> Option<Dims> {
    let x = node.shape(0)?;
    let rank = x.len();
    let begin = bound(node, reshape.begin, rank, 0, "beginAxis")?;
    let end = bound(node, reshape.end, rank, rank, "endAxis")?;
    // File axes begin..end are row axes rank - end .. rank - begin.
    let (Some(from), Some(to)) = (rank.checked_sub(end), rank.checked_sub(begin)) else { return None };
    if from > to {
        let text = format!("the axes end at {end}, before their begin at {begin}");
        return node.attribute(&rules::AXIS_RANGE, "endAxis", text);
    }
    let replaced: Dims = x.get(from..to).unwrap_or_default().iter().copied().collect();
    let made = replacement(node, &reshape.new_shape, &replaced)?;
    let outer = x.get(..from).unwrap_or_default();
    let inner = x.get(to..).unwrap_or_default();
    Some(outer.iter().chain(&made).chain(inner).copied().collect())
}

/// `beginAxis` or `endAxis` as a file axis from 0 to the rank.
fn bound(
    node: &mut Node<'_, '_, '_, '_>,
    axis: Option<Axis<'_>>,
    rank: usize,
    absent: usize,
    key: &'static str,
) -> Option<usize> {
    let Some(axis) = axis else { return Some(absent) };
    let found = match axis.kind() {
        AxisKind::End => Some(rank),
        AxisKind::Static(k) if k >= 0 => usize::try_from(k).ok(),
        AxisKind::Static(k) => usize::try_from(k.unsigned_abs()).ok().and_then(|k| rank.checked_sub(k)),
        _ => None,
    };
    match found.filter(|axis| *axis <= rank) {
        Some(axis) => Some(axis),
        None => {
            let text = format!("axis {} is not one of {rank} axes", axis.index);
            node.attribute(&rules::AXIS_RANGE, key, text)
        }
    }
}

/// `newShape` in row-major order; its inferred entry is computed from the dimensions that it replaces.
fn replacement(node: &mut Node<'_, '_, '_, '_>, new_shape: &Shape, replaced: &[Dim]) -> Option<Dims> {
    const KEY: &str = "newShape";
    let old = node.function.version <= ZERO_IS_INFERRED;
    let is_open = |entry: u64| entry == Shape::INFERRED || entry == Shape::FREE;
    let zero_is_open = old && !new_shape.0.iter().any(|entry| is_open(*entry));
    let open = |entry: u64| is_open(entry) || zero_is_open && entry == 0;
    if let Some(entry) = new_shape.0.iter().find(|entry| !open(**entry) && !(1..=MAX_DIM).contains(*entry)) {
        let text = format!("a new dimension of {entry}");
        let rule = if *entry == 0 { &rules::ZERO_DIMENSION } else { &rules::DIMENSION_RANGE };
        return node.attribute(rule, KEY, text);
    }
    let free = replaced.iter().any(|dim| dim.known().is_none());
    if new_shape.0.contains(&Shape::FREE) && !free && node.operands.first().is_some_and(|x| !x.in_loop) {
        return node.attribute(&rules::RESHAPE, KEY, format!("a free dimension made of {}", show(replaced)));
    }
    let number_open = new_shape.0.iter().filter(|entry| open(**entry)).count();
    if number_open > 1 {
        return node.attribute(&rules::RESHAPE, KEY, "more than one dimension is to be inferred".to_owned());
    }
    // Remove free dimensions that occur on both sides, and compare the rest.
    let number_free = replaced.iter().filter(|dim| dim.known().is_none()).count();
    let old_known = replaced.iter().filter_map(|dim| dim.known()).try_fold(1u64, u64::checked_mul);
    let new_known = new_shape.0.iter().filter(|entry| !open(**entry)).try_fold(1u64, |p, n| p.checked_mul(*n));
    let (Some(old_known), Some(new_known)) = (old_known, new_known) else {
        return node.attribute(&rules::DIMENSION_RANGE, KEY, "the number of elements overflows".to_owned());
    };
    let inferred = match (number_open, number_free) {
        (0, 0) if old_known == new_known => None,
        (0, 0) => {
            let text = format!("{new_known} elements from {old_known}, the product of {}", show(replaced));
            return node.attribute(&rules::RESHAPE, KEY, text);
        }
        // At run time, the free dimensions may have the sizes that the new shape needs.
        (0, _) => None,
        (_, 0) => match old_known.checked_rem(new_known) {
            Some(0) => old_known.checked_div(new_known).map(Dim::Known),
            _ => {
                let text = format!("{} does not divide by {new_known}, the dimensions that are given", show(replaced));
                return node.attribute(&rules::RESHAPE, KEY, text);
            }
        },
        (_, 1) if old_known == new_known => replaced.iter().copied().find(|dim| dim.known().is_none()),
        _ => Some(node.fresh()),
    };
    let dims = new_shape.0.iter().rev();
    Some(dims.map(|entry| if open(*entry) { inferred.unwrap_or(Dim::Known(1)) } else { Dim::Known(*entry) }).collect())
}

/// Squeeze: removes the given axes, or all axes of size 1.
pub(super) fn squeeze(node: &mut Node<'_, '_, '_, '_>, squeeze: &Squeeze<'_>) -> Option<Dims> {
    const KEY: &str = "axisVec";
    let x = node.shape(0)?;
    let Some(axes) = &squeeze.axes else {
        return Some(x.iter().copied().filter(|n| *n != Dim::Known(1)).collect());
    };
    let mut gone = SmallVec::<[bool; 8]>::from_elem(false, x.len());
    for axis in axes {
        let row = axis.row(x.len());
        let (Some(n), Some(slot)) = (row.and_then(|r| x.get(r)), row.and_then(|r| gone.get_mut(r))) else {
            let text = format!("axis {} is not one of the shape {}", axis.index, show(x));
            return node.attribute(&rules::AXIS_RANGE, KEY, text);
        };
        if !Node::equal(*n, Dim::Known(1)) {
            let text = format!("axis {} of the shape {} is not of size 1", axis.index, show(x));
            return node.attribute(&rules::SHAPE, KEY, text);
        }
        *slot = true;
    }
    Some(x.iter().zip(&gone).filter(|(_, gone)| !**gone).map(|(n, _)| *n).collect())
}

/// TransposeAxes: a permutation, or a swap of two axes. A swapped axis may lie beyond the rank, as a new outer axis.
pub(super) fn transpose(node: &mut Node<'_, '_, '_, '_>, transpose: &TransposeAxes<'_>) -> Option<Dims> {
    let x = node.shape(0)?;
    match transpose {
        TransposeAxes::Permute(axes) => permute(node, axes, x),
        TransposeAxes::Swap(a, b) => swap(node, [a, b], x),
    }
}

fn permute(node: &mut Node<'_, '_, '_, '_>, axes: &[Axis<'_>], x: &Dims) -> Option<Dims> {
    const KEY: &str = "axisVec";
    if axes.len() != x.len() {
        let text = format!("{} axes for the shape {}", axes.len(), show(x));
        return node.attribute(&rules::PERMUTATION, KEY, text);
    }
    let mut seen = SmallVec::<[bool; 8]>::from_elem(false, x.len());
    let mut result = Dims::new();
    for axis in axes.iter().rev() {
        let row = axis.row(x.len());
        let (Some(n), Some(slot)) = (row.and_then(|r| x.get(r)), row.and_then(|r| seen.get_mut(r))) else {
            let text = format!("axis {} is not one of the shape {}", axis.index, show(x));
            return node.attribute(&rules::AXIS_RANGE, KEY, text);
        };
        if std::mem::replace(slot, true) {
            let text = format!("axis {} occurs twice", axis.index);
            return node.attribute(&rules::PERMUTATION, KEY, text);
        }
        result.push(*n);
    }
    Some(result)
}

fn swap(node: &mut Node<'_, '_, '_, '_>, axes: [&Axis<'_>; 2], x: &Dims) -> Option<Dims> {
    /// The most axes that a CNTK shape can have.
    const MOST: usize = 12;
    let mut file: Dims = x.iter().rev().copied().collect();
    let mut places = [0usize; 2];
    for ((axis, place), key) in axes.into_iter().zip(&mut places).zip(["axis1", "axis2"]) {
        let found = match axis.kind() {
            AxisKind::Static(k) if k >= 0 => usize::try_from(k).ok().filter(|k| *k < MOST.max(x.len())),
            AxisKind::Static(k) => usize::try_from(k.unsigned_abs()).ok().and_then(|k| x.len().checked_sub(k)),
            _ => None,
        };
        let Some(found) = found else {
            let text = format!("axis {} is not one of the shape {}", axis.index, show(x));
            return node.attribute(&rules::AXIS_RANGE, key, text);
        };
        *place = found;
        while file.len() <= found {
            file.push(Dim::Known(1));
        }
    }
    let [a, b] = places;
    file.swap(a, b);
    Some(file.into_iter().rev().collect())
}

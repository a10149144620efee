//! Shapes of Slice, Splice, Pad and Crop (spec 4.12).

use crate::model::{AxisKind, Dim, Dims, MAX_DIM, MOST_AXES};
use crate::ops::attributes::{Crop, Pad, PaddingMode, Slice, SliceRange, Splice};
use crate::validate::rules;
use crate::validate::types::node::Node;
use crate::validate::types::value::show;
use smallvec::SmallVec;

/// Slice: each listed axis is cut to its range.
pub(super) fn slice(node: &mut Node<'_, '_, '_, '_>, slice: &Slice<'_>) -> Option<Dims> {
    let x = node.shape(0)?;
    let mut result = x.clone();
    let many = slice.ranges.len() > 1;
    let key = |one, several| if many { several } else { one };
    let mut seen = SmallVec::<[bool; 8]>::from_elem(false, x.len());
    for range in &slice.ranges {
        let row = range.axis.row(x.len());
        if row.and_then(|row| seen.get_mut(row)).is_some_and(|seen| std::mem::replace(seen, true)) {
            let text = format!("axis {} is cut twice", range.axis.index);
            return node.attribute(&rules::AXIS_REPEATED, "axisVec", text);
        }
        let place = row.and_then(|row| result.get_mut(row));
        let Some(place) = place else {
            let text = format!("axis {} is not one of the shape {}", range.axis.index, show(x));
            return node.attribute(&rules::AXIS_RANGE, key("axis", "axisVec"), text);
        };
        if range.stride == 0 {
            let text = "the stride is 0".to_owned();
            return node.attribute(&rules::ATTRIBUTE_RANGE, key("sliceStrides", "sliceStridesVec"), text);
        }
        *place = match cut(range, *place) {
            Cut::Size(n) => Dim::Known(n),
            Cut::Whole => *place,
            Cut::Unknown => node.fresh(),
            Cut::Empty => {
                let text = format!("the range [{}, {}) of an axis of size {}", range.begin, range.end, show(&[*place]));
                return node.attribute(&rules::SLICE, key("endIndex", "endIndexVec"), text);
            }
            Cut::Long(span) => {
                let text = format!("steps of {}, longer than the {span} elements that are cut out", range.stride);
                return node.attribute(&rules::SLICE, key("sliceStrides", "sliceStridesVec"), text);
            }
        };
    }
    Some(result)
}

enum Cut {
    Size(u64),
    Whole,
    Unknown,
    Empty,
    /// So many elements, fewer than a step is long, which CNTK does not take.
    Long(u64),
}

/// The part of an axis that a slice keeps. A negative index and an end of 0 count from the end of the axis.
fn cut(range: &SliceRange<'_>, dim: Dim) -> Cut {
    let (begin, end) = (i64::from(range.begin), i64::from(range.end));
    let stride = u64::from(range.stride.unsigned_abs());
    let span = match dim.known().map(i64::try_from) {
        Some(Ok(n)) => {
            let begin = if begin < 0 { begin.saturating_add(n) } else { begin };
            let end = if end <= 0 { end.saturating_add(n) } else { end };
            if begin < 0 || end > n {
                return Cut::Empty;
            }
            end.saturating_sub(begin)
        }
        Some(Err(_)) => return Cut::Empty,
        None if begin == 0 && end == 0 && stride == 1 => return Cut::Whole,
        // The size is known if both indices count from the same end of the axis.
        None if (begin < 0) == (end <= 0) => end.saturating_sub(begin),
        None => return Cut::Unknown,
    };
    match u64::try_from(span) {
        Ok(span @ 1..) if stride > span => Cut::Long(span),
        Ok(span @ 1..) => Cut::Size(span.div_ceil(stride)),
        _ => Cut::Empty,
    }
}

/// Splice: concatenation along one axis; the others are broadcast.
pub(super) fn splice(node: &mut Node<'_, '_, '_, '_>, splice: &Splice<'_>) -> Option<Dims> {
    const KEY: &str = "axis";
    let mut rank = 0;
    for i in 0..node.operands.len() {
        rank = rank.max(node.shape(i)?.len());
    }
    let axis = match splice.axis.kind() {
        // One beyond the rank makes a new outer axis, and all axes of size 1 that are missing before it.
        AxisKind::Static(k) if k >= 0 => usize::try_from(k).ok().filter(|k| *k < MOST_AXES.max(rank)),
        AxisKind::Static(k) => usize::try_from(k.unsigned_abs()).ok().and_then(|k| rank.checked_sub(k)),
        _ => None,
    };
    let Some(axis) = axis else {
        let text = format!("axis {} is not one of {rank} axes, nor one of those that can follow", splice.axis.index);
        return node.attribute(&rules::AXIS_RANGE, KEY, text);
    };
    let rank = rank.max(axis.saturating_add(1));
    let mut result: Option<Dims> = None;
    for i in 0..node.operands.len() {
        // In file order, padded with 1.
        let mut next: Dims = node.shape(i)?.iter().rev().copied().collect();
        next.resize(rank, Dim::Known(1));
        result = Some(match result {
            None => next,
            Some(sum) => join_along(node, axis, &sum, &next)?,
        });
    }
    Some(result?.into_iter().rev().collect())
}

/// The shape of two spliced operands, given in file order and with the same rank.
fn join_along(node: &mut Node<'_, '_, '_, '_>, axis: usize, a: &Dims, b: &Dims) -> Option<Dims> {
    let mut result = Dims::new();
    for (k, (&m, &n)) in a.iter().zip(b).enumerate() {
        if k == axis {
            result.push(match (m, n) {
                (Dim::Known(m), Dim::Known(n)) => Dim::Known(m.saturating_add(n)),
                _ => node.fresh(),
            });
            continue;
        }
        let Some(joined) = node.join(m, n) else {
            let row = |dims: &Dims| -> Dims { dims.iter().rev().copied().collect() };
            return node.mismatch("beside the spliced axis, the dimensions disagree", &row(a), &row(b));
        };
        result.push(joined);
    }
    Some(result)
}

/// Pad: the amounts are in file order, one per axis.
pub(super) fn pad(node: &mut Node<'_, '_, '_, '_>, pad: &Pad) -> Option<Dims> {
    let x = node.shape(0)?;
    let mut file = Dims::new();
    for (list, key) in [(&pad.head, "paddingHead"), (&pad.foot, "paddingFoot")] {
        if list.len() != x.len() {
            let text = format!("{} amounts for the shape {}", list.len(), show(x));
            return node.attribute(&rules::ATTRIBUTE_RANGE, key, text);
        }
    }
    for ((n, head), foot) in x.iter().rev().zip(&pad.head).zip(&pad.foot) {
        for (amount, key) in [(*head, "paddingHead"), (*foot, "paddingFoot")] {
            let most = match (pad.mode, n.known()) {
                (PaddingMode::Constant, _) | (_, None) => MAX_DIM,
                (PaddingMode::Reflect, Some(n)) => n.saturating_sub(1),
                (PaddingMode::Symmetric, Some(n)) => n,
            };
            if amount > most {
                let text = format!("{amount} is more than {most}, the most for an axis of {}", show(&[*n]));
                return node.attribute(&rules::ATTRIBUTE_RANGE, key, text);
            }
        }
        let added = head.saturating_add(*foot);
        file.push(match n {
            _ if added == 0 => *n,
            Dim::Known(n) => Dim::Known(n.saturating_add(added)),
            Dim::Free(_) => node.fresh(),
        });
    }
    Some(file.into_iter().rev().collect())
}

/// Crop: the two inner axes of the reference, and the other axes of x.
pub(super) fn crop(node: &mut Node<'_, '_, '_, '_>, crop: &Crop) -> Option<Dims> {
    let (x, reference) = (node.shape(0)?, node.shape(1)?);
    if x.len() < 2 || reference.len() < 2 {
        return node.mismatch("a crop needs two axes", x, reference);
    }
    let mut file: Dims = x.iter().rev().copied().collect();
    let offsets = crop.offset.as_deref().unwrap_or_default();
    if crop.offset.is_some() && offsets.len() != 2 {
        let text = format!("{} offsets, not two", offsets.len());
        return node.attribute(&rules::ATTRIBUTE_RANGE, "offset", text);
    }
    for (k, wanted) in reference.iter().rev().take(2).enumerate() {
        let offset = offsets.get(k).copied().unwrap_or(0);
        let place = file.get_mut(k)?;
        if let (Dim::Known(n), Dim::Known(wanted)) = (*place, *wanted)
            && offset.checked_add(wanted).is_none_or(|end| end > n)
        {
            let text = format!("{wanted} from {offset} is more than the axis of {n}");
            return node.attribute(&rules::SLICE, "offset", text);
        }
        *place = *wanted;
    }
    Some(file.into_iter().rev().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Axis;

    fn size(begin: i32, end: i32, stride: i32, dim: Dim) -> Option<u64> {
        let axis = Axis { index: 0, name: "", ordered: true };
        match cut(&SliceRange { axis, begin, end, stride }, dim) {
            Cut::Size(n) => Some(n),
            Cut::Whole => Some(u64::MAX),
            Cut::Unknown => Some(0),
            Cut::Empty | Cut::Long(_) => None,
        }
    }

    #[test]
    fn indices_count_from_the_end() {
        let ten = Dim::Known(10);
        assert_eq!(size(0, 0, 1, ten), Some(10));
        assert_eq!(size(-3, 0, 1, ten), Some(3));
        assert_eq!(size(1, -1, 3, ten), Some(3));
        assert_eq!(size(1, 9, -4, ten), Some(2));
        assert_eq!(size(1, 3, -3, ten), None);
        for (begin, end) in [(1, 1), (0, 11), (-11, 5), (5, 3), (i32::MIN, i32::MAX)] {
            assert_eq!(size(begin, end, 1, ten), None);
        }
        let free = Dim::Free(3);
        assert_eq!(size(0, 0, -1, free), Some(u64::MAX));
        assert_eq!(size(2, 5, 1, free), Some(3));
        assert_eq!(size(-2, 0, 1, free), Some(2));
        assert_eq!(size(0, -1, 1, free), Some(0));
    }
}

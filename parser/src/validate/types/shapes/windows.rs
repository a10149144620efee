//! The arithmetic of windows that slide over spatial axes, for convolution and pooling (spec 4.7).
//!
//! Everything here is in file order: entry 0 is the innermost axis.

use crate::model::{Dim, MAX_DIM, Shape};
use crate::validate::rules;
use crate::validate::types::node::Node;

/// How a window slides along one axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slide {
    /// The window, dilation included.
    pub(super) window: u64,
    /// The window, dilation not included.
    pub(super) taps: u64,
    pub(super) stride: u64,
    pub(super) auto_padding: bool,
    pub(super) lower: u64,
    pub(super) upper: u64,
}

/// The attribute keys that determine a size, for reports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    pub(super) window: &'static str,
}

impl Slide {
    /// Is there only one window? So it is if CNTK infers the stride, which is then longer than any axis.
    pub(super) fn is_single(&self) -> bool {
        self.stride == Shape::INFERRED
    }

    /// The output size along an axis of size `n`; `None` if the window does not fit.
    pub(super) fn output(&self, n: u64, ceil: bool) -> Option<u64> {
        let span = if self.auto_padding {
            n.checked_sub(1)?
        } else {
            n.checked_add(self.lower)?.checked_add(self.upper)?.checked_sub(self.window)?
        };
        let ceil = ceil && !self.is_single();
        let steps = if ceil { span.div_ceil(self.stride) } else { span.checked_div(self.stride)? };
        steps.checked_add(1)
    }

    /// Does CNTK refuse to slide it over an axis of `n`? Where CNTK chooses the padding, the window has to fit without; where
    /// padding is given, windows have to reach across all of the axis (spec 4.7).
    pub(super) fn misses(&self, n: u64, output: u64) -> bool {
        if self.auto_padding {
            return self.taps > n;
        }
        let padded = self.lower != 0 || self.upper != 0;
        let reach = output.saturating_sub(1).saturating_mul(self.stride).saturating_add(self.window);
        padded && !self.is_single() && reach < n.saturating_add(self.lower)
    }

    /// Does it leave every size as it is?
    pub(super) fn is_identity(&self) -> bool {
        let same = self.window == 1 && self.lower == 0 && self.upper == 0 || self.auto_padding;
        self.stride == 1 && same
    }
}

/// The entry for `axis` of a list that may be too short: a single entry applies to all `windowed` axes, missing entries
/// are `fill` (spec 4.7).
pub(super) fn spread<T: Copy>(list: &[T], windowed: usize, axis: usize, fill: T) -> T {
    match list {
        [only] if axis < windowed => *only,
        _ => list.get(axis).copied().unwrap_or(fill),
    }
}

/// Checks that a list has an entry for all axes, or no more entries than the operand has axes.
pub(super) fn length(node: &mut Node<'_, '_, '_, '_>, key: &'static str, found: usize, rank: usize) -> Option<()> {
    if (1..=rank.max(1)).contains(&found) {
        return Some(());
    }
    let text = format!("{found} entries for an operand of {rank} axes");
    node.attribute(&rules::ATTRIBUTE_LENGTH, key, text)
}

/// Checks that all entries of a shape attribute are between `least` and [`MAX_DIM`].
pub(super) fn entries(node: &mut Node<'_, '_, '_, '_>, key: &'static str, shape: &Shape, least: u64) -> Option<()> {
    match shape.0.iter().find(|entry| !(least..=MAX_DIM).contains(entry)) {
        None => Some(()),
        Some(entry) => {
            let text = format!("{entry} is not between {least} and {MAX_DIM}");
            node.attribute(&rules::ATTRIBUTE_RANGE, key, text)
        }
    }
}

/// Checks strides in the same way, except that each may be left for CNTK to infer.
pub(super) fn strides(node: &mut Node<'_, '_, '_, '_>, strides: &Shape) -> Option<()> {
    let given = strides.0.iter().copied().filter(|stride| *stride != Shape::INFERRED);
    entries(node, "strides", &Shape(given.collect()), 1)
}

/// The output size of one axis.
pub(super) fn size(node: &mut Node<'_, '_, '_, '_>, n: Dim, slide: Slide, ceil: bool, keys: Keys) -> Option<Dim> {
    let Dim::Known(n) = n else {
        return Some(if slide.is_identity() { n } else { node.fresh() });
    };
    match slide.output(n, ceil) {
        Some(size) if !slide.misses(n, size) => Some(Dim::Known(size)),
        Some(_) if slide.auto_padding => {
            let text = format!("a window of {} for an input of {n}, which the automatic padding comes to", slide.taps);
            node.attribute(&rules::WINDOW, keys.window, text)
        }
        Some(size) => {
            let text = format!(
                "{size} windows of {} at a distance of {} do not reach across a padded input of {n}",
                slide.window, slide.stride
            );
            let key = if slide.lower != 0 { "lowerPad" } else { "upperPad" };
            node.attribute(&rules::WINDOW, key, text)
        }
        None => {
            let text = format!("a window of {} does not fit a padded input of {n}", slide.window);
            node.attribute(&rules::WINDOW, keys.window, text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let slide = |window, stride, auto_padding, pad| Slide {
            window,
            taps: window,
            stride,
            auto_padding,
            lower: pad,
            upper: pad,
        };
        assert_eq!(slide(3, 2, true, 0).output(6, false), Some(3));
        assert_eq!(slide(3, 2, false, 0).output(6, false), Some(2));
        assert_eq!(slide(3, 2, false, 0).output(6, true), Some(3));
        assert_eq!(slide(7, 1, false, 0).output(6, false), None);
        assert_eq!(slide(7, 1, false, 1).output(6, false), Some(2));
        assert_eq!(slide(1, 1, true, 0).output(0, false), None);
        for (auto_padding, ceil) in [(true, false), (false, false), (false, true)] {
            assert_eq!(slide(3, Shape::INFERRED, auto_padding, 1).output(9, ceil), Some(1));
        }
        assert_eq!(slide(7, Shape::INFERRED, false, 0).output(6, false), None);
    }
}

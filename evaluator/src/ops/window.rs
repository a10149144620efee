//! The positions of windows on an axis (spec 4.7), for convolution and pooling.

use crate::fault::{Fault, fault};
use crate::limits::Meter;
use cntk_parser::model::Shape;
use std::ops::Range;

/// A stride that CNTK infers, so that there is one window.
const INFERRED: usize = usize::MAX;

/// The window along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) taps: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    /// Is padding automatic and centred? Otherwise the amounts apply.
    pub(super) auto: bool,
    pub(super) pads: [usize; 2],
    /// Is the number of positions rounded up?
    pub(super) ceil: bool,
}

/// A window on an axis of known size: the number of positions, and where the first begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) window: Window,
    pub(super) input: usize,
    pub(super) output: usize,
    /// Elements before the axis that the first window covers; negative if it leaves some out.
    pub(super) before: i64,
}

impl Window {
    /// The number of elements that a window spans.
    fn extent(&self) -> i64 {
        (self.taps as i64 - 1) * self.dilation as i64 + 1
    }

    /// Places the window by the table "output size" and the rule for automatic padding of the format description.
    pub(super) fn place(self, n: usize) -> Result<Placed, Fault> {
        let (s, pads) = (self.stride as i64, self.pads.map(|p| p as i64));
        let room = if self.auto { n as i64 - 1 } else { n as i64 + pads[0] + pads[1] - self.extent() };
        if room < 0 {
            return fault(format!("a window of {} does not fit an axis of {n}", self.extent()));
        }
        let steps = match self.stride {
            INFERRED => 0,
            _ if self.ceil => (room + s - 1) / s,
            _ => room / s,
        };
        let before = if self.auto { self.centred(n as i64, steps) } else { pads[0] };
        Ok(Placed { window: self, input: n, output: steps as usize + 1, before })
    }

    /// The automatic padding before the axis.
    fn centred(&self, n: i64, steps: i64) -> i64 {
        let extra = n - (steps * self.stride as i64 + 1);
        (self.extent() - 1) / 2 - extra / 2
    }

    /// Places the window of a transposed convolution: finds the axis on which it has `n` positions.
    pub(super) fn transposed(self, n: usize, wanted: Option<usize>) -> Result<Placed, Fault> {
        let steps = (n as i64 - 1) * self.stride as i64;
        let (input, before) = match (self.auto, wanted) {
            (true, Some(size)) => (size as i64, self.centred(size as i64, n as i64 - 1)),
            (true, None) => (steps + 1, (self.extent() - 1) / 2),
            (false, Some(size)) => (size as i64, self.pads[0] as i64),
            (false, None) => (steps + self.extent() - self.pads[0] as i64 - self.pads[1] as i64, self.pads[0] as i64),
        };
        match usize::try_from(input) {
            Ok(input @ 1..) => Ok(Placed { window: self, input, output: n, before }),
            _ => fault("the padding is more than the transposed input gives"),
        }
    }
}

impl Placed {
    /// Does it have a position without any element?
    pub(super) fn misses(&self) -> bool {
        let last = ((self.output - 1) as i64).saturating_mul(self.window.stride as i64) - self.before;
        self.before >= self.window.extent() || last >= self.input as i64
    }

    /// The element that a tap of the window reads at a position, if there is one.
    fn at(&self, place: usize, tap: usize) -> Option<usize> {
        let i = (place * self.window.stride + tap * self.window.dilation) as i64 - self.before;
        usize::try_from(i).ok().filter(|i| *i < self.input)
    }
}

/// Stands for padding, where there is no element.
const PADDING: u32 = u32::MAX;

/// All windows on the axes of an operand: the element that each tap reads at each position.
pub(super) struct Grid {
    /// The number of taps of the window.
    pub(super) taps: usize,
    /// The number of positions of the window.
    pub(super) places: usize,
    /// The number of elements of all axes together.
    pub(super) area: usize,
    /// Does the window at each position have just the element of that position?
    pub(super) is_plain: bool,
    /// By tap and then position: the row-major index of the element, or [`PADDING`].
    under: Vec<u32>,
}

impl Grid {
    pub(super) fn new(meter: &mut Meter, placed: &[Placed]) -> Result<Self, Fault> {
        let count =
            |f: fn(&Placed) -> usize| placed.iter().map(f).try_fold(1, usize::checked_mul).unwrap_or(usize::MAX);
        let (taps, all, area) = (count(|p| p.window.taps), count(|p| p.output), count(|p| p.input));
        meter.room(&[taps, all, 2])?;
        if u32::try_from(area).is_err() {
            return fault("an operand of more than 4 billion elements per channel");
        }
        let mut under = vec![0];
        let mut outer_places = 1;
        // Extend the taps and positions by those along each axis.
        for axis in placed {
            let mut wider = Vec::with_capacity(under.len() * axis.window.taps * axis.output);
            for outer in under.chunks(outer_places) {
                for tap in 0..axis.window.taps {
                    let inner: Vec<Option<usize>> = (0..axis.output).map(|place| axis.at(place, tap)).collect();
                    let element = |outer: u32| {
                        let from = outer as usize * axis.input;
                        let at = move |inner: &Option<usize>| match inner {
                            Some(inner) if outer != PADDING => (from + inner) as u32,
                            _ => PADDING,
                        };
                        inner.iter().map(at)
                    };
                    wider.extend(outer.iter().flat_map(|outer| element(*outer)));
                }
            }
            under = wider;
            outer_places *= axis.output;
        }
        let is_plain = taps == 1 && all == area && under.iter().enumerate().all(|(i, element)| i == *element as usize);
        Ok(Self { taps, places: all, area, is_plain, under })
    }

    /// The element that a tap reads at a position; `None` in the padding.
    pub(super) fn at(&self, tap: usize, place: usize) -> Option<usize> {
        Some(self.under[tap * self.places + place]).filter(|i| *i != PADDING).map(|i| i as usize)
    }

    /// The elements of a channel that a tap reads at some positions; 0 in the padding.
    pub(super) fn gather<'g>(
        &'g self,
        channel: &'g [f64],
        tap: usize,
        places: Range<usize>,
    ) -> impl Iterator<Item = f64> + 'g {
        let from = tap * self.places;
        self.under[from + places.start..from + places.end]
            .iter()
            .map(|i| channel.get(*i as usize).copied().unwrap_or(0.0))
    }
}

/// The entry of a list for a file axis. A single entry applies to all axes below `windowed`; missing entries are
/// `fill`.
pub(super) fn entry<T: Copy>(list: &[T], windowed: usize, file: usize, fill: T) -> T {
    match list {
        [one] if file < windowed => *one,
        _ => list.get(file).copied().unwrap_or(fill),
    }
}

/// [`entry`] for a shape attribute.
pub(super) fn size(list: &Shape, windowed: usize, file: usize, fill: u64) -> usize {
    usize::try_from(entry(&list.0, windowed, file, fill)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(taps: usize, stride: usize) -> Window {
        Window { taps, stride, dilation: 1, auto: true, pads: [0, 0], ceil: false }
    }

    #[test]
    fn padding_is_centred() {
        let placed = |w: Window, n| w.place(n).map(|p| (p.output, p.before)).unwrap();
        assert_eq!(placed(auto(3, 2), 6), (3, 1));
        assert_eq!(placed(auto(2, 1), 5), (5, 0));
        assert_eq!(placed(auto(1, 4), 8), (2, -1));
        let rounded = Window { auto: false, ceil: true, ..auto(2, 2) };
        assert_eq!(placed(rounded, 5), (3, 0));
        let misses = |w: Window, n| w.place(n).unwrap().misses();
        assert!(misses(Window { ceil: true, ..auto(2, 2) }, 2) && !misses(rounded, 5));
        assert!(misses(Window { auto: false, pads: [2, 0], ..auto(2, 1) }, 4));
        assert!(Window { auto: false, ..auto(7, 1) }.place(6).is_err());
    }

    #[test]
    fn transposed_sizes() {
        let size = |w: Window, wanted| w.transposed(3, wanted).map(|p| (p.input, p.before)).unwrap();
        assert_eq!(size(auto(3, 2), Some(6)), (6, 1));
        assert_eq!(size(auto(3, 2), None), (5, 1));
        assert_eq!(size(Window { auto: false, ..auto(3, 2) }, None), (7, 0));
    }
}

//! The positions of the windows of convolution and pooling. CNTK centres windows by a rule of its own (spec 4.7), which
//! is neither of ONNX's SAME modes.

use cntk_parser::model::Shape;
use cntk_parser::ops::attributes::Convolution;

/// A window along one spatial axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The number of elements that it reads.
    pub kernel: u64,
    /// The distance between two windows.
    pub stride: u64,
    /// The distance between two elements that it reads.
    pub dilation: u64,
    /// How the ends of the axis are padded.
    pub padding: Padding,
    /// Is the output size rounded up?
    pub ceil: bool,
}

/// How the ends of an axis are padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// CNTK's automatic padding, which centres the windows.
    Auto,
    /// These amounts before and after.
    Explicit(u64, u64),
}

/// A window on an axis of known size, and the padding with which it gives `size` outputs. Negative padding crops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The number of outputs.
    pub size: u64,
    /// Padding before the axis.
    pub before: i64,
    /// Padding after the axis, as needed for the declared padding or a size that is rounded up.
    pub after: i64,
}

impl Window {
    /// The number of input elements that one window spans.
    pub fn extent(&self) -> u64 {
        (self.kernel.saturating_sub(1)).saturating_mul(self.dilation).saturating_add(1)
    }

    /// Places the window on an axis of `n` elements; `None` if no window fits or the numbers overflow.
    pub fn place(&self, n: u64) -> Option<Placed> {
        let (k, s, n) = (i64::try_from(self.extent()).ok()?, i64::try_from(self.stride).ok()?, i64::try_from(n).ok()?);
        if s == 0 || n == 0 {
            return None;
        }
        match self.padding {
            Padding::Auto => {
                // To round up, CNTK adds k - 1 to n, which gives ceil((n - 1) / s) + 1 windows.
                let steps = if self.ceil { (n - 1).checked_add(s - 1)? / s } else { (n - 1) / s };
                let (before, after) = centred(n, k, s, steps)?;
                Some(Placed { size: u64::try_from(steps + 1).ok()?, before, after })
            }
            Padding::Explicit(lo, hi) => {
                let (lo, hi) = (i64::try_from(lo).ok()?, i64::try_from(hi).ok()?);
                let room = n.checked_add(lo)?.checked_add(hi)?.checked_sub(k)?;
                if room < 0 {
                    return None;
                }
                let steps = if self.ceil { room.checked_add(s - 1)? / s } else { room / s };
                let after = steps.checked_mul(s)?.checked_add(k)?.checked_sub(n)?.checked_sub(lo)?;
                Some(Placed { size: u64::try_from(steps + 1).ok()?, before: lo, after })
            }
        }
    }

    /// Does it have one position for each element of an axis of any size, with the element in the middle?
    pub fn is_centred(&self) -> bool {
        let half = self.extent() / 2;
        let padded = self.padding == Padding::Auto || self.padding == Padding::Explicit(half, half);
        self.stride == 1 && self.extent() % 2 == 1 && padded
    }

    /// Does it have a position where it contains none of the `n` elements of an axis?
    pub fn misses(&self, n: u64) -> bool {
        let (Some(placed), Ok(extent)) = (self.place(n), i64::try_from(self.extent())) else { return false };
        let last = (placed.size - 1).saturating_mul(self.stride);
        placed.before >= extent || i128::from(last) - i128::from(placed.before) >= i128::from(n)
    }

    /// Places the window of a transposed convolution from `n` inputs to an output, which has `wanted` elements if
    /// given.
    pub fn place_transposed(&self, n: u64, wanted: Option<u64>) -> Option<Placed> {
        let (k, s, n) = (i64::try_from(self.extent()).ok()?, i64::try_from(self.stride).ok()?, i64::try_from(n).ok()?);
        let full = (n - 1).checked_mul(s)?.checked_add(k)?;
        let wanted = wanted.map(i64::try_from).transpose().ok()?;
        let (size, before) = match (self.padding, wanted) {
            (Padding::Auto, None) => (full.checked_sub(k - 1)?, (k - 1) / 2),
            (Padding::Auto, Some(size)) => (size, centred(size, k, s, n - 1)?.0),
            (Padding::Explicit(lo, hi), None) => (
                full.checked_sub(i64::try_from(lo).ok()?)?.checked_sub(i64::try_from(hi).ok()?)?,
                i64::try_from(lo).ok()?,
            ),
            (Padding::Explicit(lo, _), Some(size)) => (size, i64::try_from(lo).ok()?),
        };
        let after = full.checked_sub(size)?.checked_sub(before)?;
        Some(Placed { size: u64::try_from(size).ok().filter(|n| *n > 0)?, before, after })
    }
}

/// CNTK's centring of `steps + 1` windows of `k` elements, at distance `s`, over `n` elements.
fn centred(n: i64, k: i64, s: i64, steps: i64) -> Option<(i64, i64)> {
    let extra = n.checked_sub(steps.checked_mul(s)?)?.checked_sub(1)?;
    let center = extra / 2;
    let before = (k - 1) / 2 - center;
    let after = (k - 1) - (k - 1) / 2 - (extra - center);
    Some((before, after))
}

/// The entry of a file-order list for row-major axis `row` of `rank` axes. A single entry applies to every axis;
/// missing entries are `fill`.
pub fn entry(list: &Shape, rank: usize, row: usize, fill: u64) -> u64 {
    let list = list.0.as_slice();
    let file = rank - 1 - row;
    match list {
        [one] => *one,
        _ => list.get(file).copied().unwrap_or(fill),
    }
}

/// [`entry`] for a list of flags.
pub fn flag(list: &[bool], rank: usize, row: usize) -> bool {
    match list {
        [one] => *one,
        _ => list.get(rank - 1 - row).copied().unwrap_or(false),
    }
}

/// The stride for an axis whose stride CNTK infers, so that there is one window: the length of the padded axis, or more
/// than any axis has if the length is not known.
pub(super) fn one_window(n: Option<u64>, padding: Padding) -> u64 {
    let (lo, hi) = if let Padding::Explicit(lo, hi) = padding { (lo, hi) } else { (0, 0) };
    n.map_or(i32::MAX as u64, |n| n.saturating_add(lo).saturating_add(hi).max(1))
}

/// The windows of a convolution over the spatial axes of a kernel, in row-major order. `kernel` has its spatial sizes,
/// `operand` those of the operand where they are known. Attribute lists cover all axes of the operand, the channel axis
/// last.
pub fn of_convolution(a: &Convolution, kernel: &[u64], operand: &[Option<u64>]) -> Vec<Window> {
    let rank = operand.len();
    let windows = kernel.iter().enumerate().map(|(i, kernel)| {
        let row = i + 1;
        let padding = padding(&a.auto_padding, (&a.lower_pad, &a.upper_pad), rank, row);
        let dilation = entry(&a.dilation, rank, row, 1).max(1);
        let stride = match entry(&a.strides, rank, row, 1) {
            Shape::INFERRED => one_window(operand[row], padding),
            stride => stride,
        };
        Window { kernel: *kernel, stride, dilation, padding, ceil: false }
    });
    windows.collect()
}

pub(super) fn padding(auto: &[bool], pads: (&Shape, &Shape), rank: usize, row: usize) -> Padding {
    if flag(auto, rank, row) {
        Padding::Auto
    } else {
        Padding::Explicit(entry(pads.0, rank, row, 0), entry(pads.1, rank, row, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::random::Random;

    fn auto(kernel: u64, stride: u64) -> Window {
        Window { kernel, stride, dilation: 1, padding: Padding::Auto, ceil: false }
    }

    #[test]
    fn automatic_padding_is_centred() {
        // The examples of the format description: k=3 s=2 n=6; k=2 s=1; a 1x1 kernel with stride 4 on 8.
        assert_eq!(auto(3, 2).place(6), Some(Placed { size: 3, before: 1, after: 0 }));
        assert_eq!(auto(2, 1).place(5), Some(Placed { size: 5, before: 0, after: 1 }));
        assert_eq!(auto(1, 4).place(8), Some(Placed { size: 2, before: -1, after: -2 }));
    }

    #[test]
    fn transposed_with_an_output_shape() {
        assert_eq!(auto(3, 2).place_transposed(3, Some(6)), Some(Placed { size: 6, before: 1, after: 0 }));
        assert_eq!(auto(3, 2).place_transposed(3, None), Some(Placed { size: 5, before: 1, after: 1 }));
    }

    #[test]
    fn sizes_rounded_up_reach_beyond_the_end() {
        let w = Window { kernel: 2, stride: 2, dilation: 1, padding: Padding::Explicit(0, 0), ceil: true };
        assert_eq!(w.place(5), Some(Placed { size: 3, before: 0, after: 1 }));
        let w = Window { ceil: false, ..w };
        assert_eq!(w.place(5), Some(Placed { size: 2, before: 0, after: -1 }));
        assert_eq!(w.place(1), None);
    }

    #[test]
    fn windows_beyond_the_operand() {
        let w = Window { kernel: 1, stride: 3, dilation: 1, padding: Padding::Explicit(0, 0), ceil: true };
        assert_eq!([4, 5, 7].map(|n| w.misses(n)), [false, true, false]);
        let w = Window { kernel: 2, stride: 2, padding: Padding::Auto, ..w };
        assert_eq!([1, 2, 3].map(|n| w.misses(n)), [false, true, false]);
        let w = Window { padding: Padding::Explicit(2, 1), ceil: false, ..w };
        assert!(w.misses(5) && !Window { padding: Padding::Explicit(1, 0), ..w }.misses(5));
    }

    /// The index of the first element of each window. Indices below 0 are in the padding before the axis.
    fn starts(w: &Window, placed: &Placed) -> Vec<i64> {
        (0..placed.size as i64).map(|i| i * w.stride as i64 - placed.before).collect()
    }

    fn random_window(random: &mut Random) -> Window {
        let padding =
            if random.flag() { Padding::Auto } else { Padding::Explicit(random.size(0, 3), random.size(0, 3)) };
        let (kernel, stride) = (random.size(1, 5), random.size(1, 4));
        Window { kernel, stride, dilation: random.size(1, 2), padding, ceil: random.flag() }
    }

    /// The last window ends where the padded axis ends.
    #[test]
    fn windows_fill_the_padded_axis() {
        let random = &mut Random(1);
        for _ in 0..2000 {
            let (w, n) = (random_window(random), random.between(1, 12));
            let taps: Vec<u64> = (0..w.kernel).map(|tap| tap * w.dilation).collect();
            let extent = taps.iter().max().map_or(0, |last| last + 1) as i64;
            assert_eq!(w.extent() as i64, extent);
            let Some(placed) = w.place(n as u64) else {
                let Padding::Explicit(lo, hi) = w.padding else { panic!("automatic padding always fits") };
                assert!(n + lo as i64 + hi as i64 - extent < 0, "{w:?} fits {n}");
                continue;
            };
            let starts = starts(&w, &placed);
            let last = starts[starts.len() - 1];
            assert_eq!(last + extent, n + placed.after, "{w:?} on {n}: {placed:?}");
            match w.padding {
                Padding::Explicit(lo, hi) => {
                    let (lo, hi) = (lo as i64, hi as i64);
                    assert_eq!(placed.before, lo);
                    // One more window would reach beyond the padded axis.
                    let (end, next) = (n + hi, last + w.stride as i64);
                    if w.ceil {
                        assert!(last + extent >= end && last - w.stride as i64 + extent < end, "{w:?} on {n}");
                    } else {
                        assert!(last + extent <= end && next + extent > end, "{w:?} on {n}");
                    }
                }
                Padding::Auto => {
                    // On the left of the centres of all windows there is as much as on the right, or one less.
                    let center = (extent - 1) / 2;
                    let (left, right) = (starts[0] + center, n - 1 - (last + center));
                    assert!(
                        left == right || left + 1 == right || left == right + 1 && left + right < 0,
                        "{w:?} on {n}"
                    );
                    let steps = (n - 1) as u64;
                    let rounded = if w.ceil { steps.div_ceil(w.stride) } else { steps / w.stride };
                    assert_eq!(placed.size, rounded + 1);
                }
            }
        }
        let none = Window { kernel: 1, stride: 0, dilation: 1, padding: Padding::Auto, ceil: false };
        assert_eq!((none.place(3), auto(1, 1).place(0)), (None, None));
    }

    /// A transposed window gives back the size from which the window started.
    #[test]
    fn a_transposed_window_undoes_the_window() {
        let random = &mut Random(2);
        for _ in 0..2000 {
            let (w, n) = (Window { ceil: false, ..random_window(random) }, random.size(1, 12));
            let Some(placed) = w.place(n) else { continue };
            let back = w.place_transposed(placed.size, Some(n));
            assert_eq!(back.map(|back| back.before), Some(placed.before), "{w:?} on {n}");
            assert_eq!(back.map(|back| (back.size, back.after)), Some((n, placed.after)));
            // Without a wanted size, the result is the size that the windows cover exactly.
            let Some(back) = w.place_transposed(placed.size, None) else {
                assert!(matches!(w.padding, Padding::Explicit(..)));
                continue;
            };
            let full = (placed.size - 1) * w.stride + w.extent();
            assert_eq!(back.size as i64, full as i64 - back.before - back.after);
            match w.padding {
                Padding::Auto => assert_eq!((back.before + back.after) as u64, w.extent() - 1),
                Padding::Explicit(lo, hi) => assert_eq!((back.before, back.after), (lo as i64, hi as i64)),
            }
        }
        let wide = Window { padding: Padding::Explicit(2, 1), ..auto(3, 1) };
        assert_eq!(wide.place_transposed(1, None), None, "nothing is left");
        assert_eq!(wide.place_transposed(2, None), Some(Placed { size: 1, before: 2, after: 1 }));
    }

    #[test]
    fn entries_are_found_from_the_innermost_axis() {
        let shape = |dims: &[u64]| Shape(dims.iter().copied().collect());
        let entries = |list: &[u64], rank| (0..rank).map(|row| entry(&shape(list), rank, row, 9)).collect::<Vec<_>>();
        assert_eq!(entries(&[1, 2, 3], 3), [3, 2, 1]);
        assert_eq!(entries(&[1, 2], 3), [9, 2, 1]);
        assert_eq!(entries(&[7], 3), [7, 7, 7]);
        assert_eq!(entries(&[7], 1), [7]);
        let flags = |list: &[bool], rank| (0..rank).map(|row| flag(list, rank, row)).collect::<Vec<_>>();
        assert_eq!(flags(&[true, false], 3), [false, false, true]);
        assert_eq!(flags(&[true], 2), [true, true]);
    }

    #[test]
    fn windows_are_those_of_the_attributes() {
        let shape = |dims: &[u64]| Shape(dims.iter().copied().collect());
        // In file order: width, height, channel.
        let a = Convolution {
            strides: shape(&[1, 2, 3]),
            dilation: shape(&[4, 0, 1]),
            sharing: vec![true],
            auto_padding: vec![true, false, false],
            lower_pad: shape(&[5, 6, 0]),
            upper_pad: shape(&[7, 8, 0]),
            transpose: false,
            output_shape: None,
            kernel_shape: None,
            max_temp_mem_size_in_samples: 0,
            groups: 1,
            sequential: false,
        };
        let height = Window { kernel: 3, stride: 2, dilation: 1, padding: Padding::Explicit(6, 8), ceil: false };
        let width = Window { kernel: 5, stride: 1, dilation: 4, padding: Padding::Auto, ceil: false };
        assert_eq!(of_convolution(&a, &[3, 5], &[Some(2), Some(9), Some(9)]), [height, width]);
    }
}

//! Where the windows of convolution and pooling lie: CNTK's own centring rule (spec 4.7), which is neither of ONNX's SAME modes.

use cntk_parser::model::Shape;
use cntk_parser::ops::attributes::{Convolution, Pooling, Unpooling};

/// The window along one spatial axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Taps.
    pub kernel: u64,
    /// Step.
    pub stride: u64,
    /// Distance between taps.
    pub dilation: u64,
    /// How the ends are treated.
    pub padding: Padding,
    /// The output size is rounded up.
    pub ceil: bool,
}

/// How the ends of an axis are padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// CNTK's automatic, centred padding.
    Auto,
    /// Amounts before and after.
    Explicit(u64, u64),
}

/// A window placed on an axis of known size: what pads make it produce `size` outputs. Negative pads crop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Outputs.
    pub size: u64,
    /// Zeros before.
    pub before: i64,
    /// Zeros after; what the declared padding, or a size rounded up, asks for.
    pub after: i64,
}

impl Window {
    /// Input elements under one window.
    pub fn extent(&self) -> u64 {
        (self.kernel.saturating_sub(1)).saturating_mul(self.dilation).saturating_add(1)
    }

    /// Places the window on an axis of `n` elements. `None` where no window fits or numbers are out of all proportion.
    pub fn place(&self, n: u64) -> Option<Placed> {
        let (k, s, n) = (i64::try_from(self.extent()).ok()?, i64::try_from(self.stride).ok()?, i64::try_from(n).ok()?);
        if s == 0 || n == 0 {
            return None;
        }
        match self.padding {
            Padding::Auto => {
                // Rounded up, k - 1 is added to n: ceil((n - 1) / s) + 1.
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

    /// The transposed window: from `n` inputs to an output, of `wanted` elements if that is given.
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

/// CNTK's centring: `steps + 1` windows of `k` at distance `s` over `n` elements.
fn centred(n: i64, k: i64, s: i64, steps: i64) -> Option<(i64, i64)> {
    let extra = n.checked_sub(steps.checked_mul(s)?)?.checked_sub(1)?;
    let center = extra / 2;
    let before = (k - 1) / 2 - center;
    let after = (k - 1) - (k - 1) / 2 - (extra - center);
    Some((before, after))
}

/// The entry of a file-order list for row-major axis `row` of `rank` axes: a list of one entry counts for every axis, a
/// shorter list is filled with `fill`.
pub fn entry(list: &Shape, rank: usize, row: usize, fill: u64) -> u64 {
    let list = list.0.as_slice();
    let file = rank - 1 - row;
    match list {
        [one] if rank > 1 => *one,
        _ => list.get(file).copied().unwrap_or(fill),
    }
}

/// The same for a list of flags.
pub fn flag(list: &[bool], rank: usize, row: usize) -> bool {
    match list {
        [one] => *one,
        _ => list.get(rank - 1 - row).copied().unwrap_or(false),
    }
}

/// The windows of a convolution over the spatial axes of a kernel, in row-major order. `kernel`: its spatial sizes; `rank`:
/// the operand's. Attribute lists cover all axes of the operand, the channel's entry last.
pub fn of_convolution(a: &Convolution, kernel: &[u64], rank: usize) -> Vec<Window> {
    let windows = kernel.iter().enumerate().map(|(i, kernel)| {
        let row = i + 1;
        let padding = padding(&a.auto_padding, (&a.lower_pad, &a.upper_pad), rank, row);
        let dilation = entry(&a.dilation, rank, row, 1).max(1);
        Window { kernel: *kernel, stride: entry(&a.strides, rank, row, 1), dilation, padding, ceil: false }
    });
    windows.collect()
}

/// The windows of a pooling, one per pooled axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolingWindows {
    /// In row-major order.
    pub list: Vec<Window>,
    /// A window runs over the outermost axis too: the operand has no channel axis.
    pub bare: bool,
}

/// The attributes that Pooling and Unpooling share.
#[derive(Clone, Copy, Debug)]
pub struct PoolingShape<'s> {
    /// `poolingWindowShape`.
    pub window: &'s Shape,
    /// `strides`.
    pub strides: &'s Shape,
    /// `autoPadding`.
    pub auto_padding: &'s [bool],
    /// `lowerPad`, `upperPad`.
    pub pads: (&'s Shape, &'s Shape),
    /// `ceilOutDim`.
    pub ceil: bool,
}

impl<'s> From<&'s Pooling> for PoolingShape<'s> {
    fn from(a: &'s Pooling) -> Self {
        let pads = (&a.lower_pad, &a.upper_pad);
        Self { window: &a.window, strides: &a.strides, auto_padding: &a.auto_padding, pads, ceil: a.ceil_out_dim }
    }
}

impl<'s> From<&'s Unpooling> for PoolingShape<'s> {
    fn from(a: &'s Unpooling) -> Self {
        let pads = (&a.lower_pad, &a.upper_pad);
        Self { window: &a.window, strides: &a.strides, auto_padding: &a.auto_padding, pads, ceil: false }
    }
}

/// The windows of a pooling of an operand of `rank` static axes.
pub fn of_pooling(a: PoolingShape<'_>, rank: usize) -> PoolingWindows {
    let size = |row: usize| match a.window.0.as_slice() {
        [one] if rank == 1 => *one,
        list => list.get(rank - 1 - row).copied().unwrap_or(1),
    };
    // The outermost axis is the channel unless a window runs over it.
    let bare = rank > 0 && size(0) != 1;
    let list = (usize::from(!bare)..rank)
        .map(|row| {
            let padding = padding(a.auto_padding, a.pads, rank, row);
            let stride = entry(a.strides, rank, row, 1).max(1);
            Window { kernel: size(row), stride, dilation: 1, padding, ceil: a.ceil }
        })
        .collect();
    PoolingWindows { list, bare }
}

fn padding(auto: &[bool], pads: (&Shape, &Shape), rank: usize, row: usize) -> Padding {
    if flag(auto, rank, row) {
        Padding::Auto
    } else {
        Padding::Explicit(entry(pads.0, rank, row, 0), entry(pads.1, rank, row, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(kernel: u64, stride: u64) -> Window {
        Window { kernel, stride, dilation: 1, padding: Padding::Auto, ceil: false }
    }

    #[test]
    fn automatic_padding_is_centred() {
        // The examples of the format description: k=3 s=2 n=6, k=2 s=1, and a 1x1 kernel with stride 4 on 8.
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
}

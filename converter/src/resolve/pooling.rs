//! Pooling (spec 4.8): a number, one window over everything, or windows that slide.

use super::window::{Padding, Window, entry, one_window, padding};
use cntk_parser::model::Shape;
use cntk_parser::ops::attributes::{Pooling, Unpooling};

/// What a Pooling computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The operand itself: each window has one element.
    Same,
    /// One window over all static axes from this one on, which stay with size 1.
    Whole(usize),
    /// Windows that slide.
    Windows(PoolingWindows),
}

impl Pool {
    /// Resolves a pooling of an operand with these static sizes (`None` where not known), or says what is wrong with its
    /// window.
    pub fn new(a: &Pooling, operand: &[Option<u64>]) -> Result<Self, &'static str> {
        if operand.is_empty() {
            return Ok(Self::Same);
        }
        if a.window.is_unknown() {
            let spatial = operand.len() > 1;
            return if spatial { Ok(Self::Whole(1)) } else { Err("pooling over all spatial axes needs at least one") };
        }
        let windows = of_pooling(a.into(), operand)?;
        let first = operand.len() - windows.list.len();
        Ok(if windows.list.is_empty() {
            Self::Same
        } else if windows.list.iter().zip(&operand[first..]).all(|(w, n)| covers(w, *n)) {
            Self::Whole(first)
        } else {
            Self::Windows(windows)
        })
    }
}

/// Does one unpadded window cover an axis?
fn covers(w: &Window, size: Option<u64>) -> bool {
    size == Some(w.kernel) && w.place(w.kernel).is_some_and(|p| p.size == 1 && p.before == 0)
}

/// The windows of a pooling, one per pooled axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolingWindows {
    /// In row-major order.
    pub list: Vec<Window>,
    /// Does the window also slide over the outermost axis? Then that is not a channel axis.
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

/// The windows of a pooling of an operand with these static sizes (`None` where not known). The error is the reason why
/// CNTK computes nothing that can be relied on.
pub fn of_pooling(a: PoolingShape<'_>, operand: &[Option<u64>]) -> Result<PoolingWindows, &'static str> {
    let rank = operand.len();
    let along = |row: usize| {
        let file = rank - 1 - row;
        let kernel = a.window.0.get(file).copied().unwrap_or(1);
        // The lists cover only the axes that the window has.
        if file >= a.window.rank() {
            return Window { kernel, stride: 1, dilation: 1, padding: Padding::Explicit(0, 0), ceil: a.ceil };
        }
        let padding = padding(a.auto_padding, a.pads, rank, row);
        match entry(a.strides, rank, row, 1).max(1) {
            Shape::INFERRED => {
                Window { kernel, stride: one_window(operand[row], padding), dilation: 1, padding, ceil: false }
            }
            stride => Window { kernel, stride, dilation: 1, padding, ceil: a.ceil },
        }
    };
    // The outermost axis is the channel axis unless the window slides over it.
    let bare = rank > 0 && {
        let first = along(0);
        first.kernel != 1 || first.stride != 1 || !matches!(first.padding, Padding::Auto | Padding::Explicit(0, 0))
    };
    let list: Vec<Window> = (usize::from(!bare)..rank).map(along).collect();
    let sizes = operand.iter().skip(usize::from(!bare));
    if list.iter().zip(sizes).any(|(window, n)| n.is_some_and(|n| window.misses(n))) {
        return Err("a window lies beyond the operand, where CNTK reads other memory");
    }
    Ok(PoolingWindows { list, bare })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cntk_parser::ops::attributes::PoolingType;

    fn pool(window: &[u64], operand: &[u64]) -> Result<Pool, &'static str> {
        let shape = |dims: &[u64]| Shape(dims.iter().copied().collect());
        let a = Pooling {
            kind: PoolingType::Max,
            window: if window.is_empty() { shape(&[Shape::UNKNOWN]) } else { shape(window) },
            strides: shape(&[1]),
            auto_padding: vec![false],
            lower_pad: shape(&[0]),
            upper_pad: shape(&[0]),
            ceil_out_dim: false,
            include_pad: false,
        };
        Pool::new(&a, &operand.iter().map(|n| Some(*n)).collect::<Vec<_>>())
    }

    #[test]
    fn windows_are_as_wide_as_they_need_to_be() {
        assert_eq!(pool(&[2, 2], &[]), Ok(Pool::Same));
        assert_eq!(pool(&[1], &[5]), Ok(Pool::Same));
        assert_eq!(pool(&[5, 4], &[3, 4, 5]), Ok(Pool::Whole(1)));
        assert_eq!(pool(&[5], &[5]), Ok(Pool::Whole(0)));
        assert_eq!(pool(&[], &[3, 4, 5]), Ok(Pool::Whole(1)));
        assert!(pool(&[], &[3]).is_err());
        let Ok(Pool::Windows(windows)) = pool(&[2, 4], &[3, 4, 5]) else { panic!("they slide") };
        assert_eq!((windows.list.len(), windows.bare), (2, false));
    }

    #[test]
    fn windows_are_those_of_the_attributes() {
        let shape = |dims: &[u64]| Shape(dims.iter().copied().collect());
        let pooling = |window: &[u64], rank| {
            let (window, strides, none) = (shape(window), shape(&[1, 0]), shape(&[0]));
            let a = PoolingShape {
                window: &window,
                strides: &strides,
                auto_padding: &[true, false],
                pads: (&none, &none),
                ceil: true,
            };
            let windows = of_pooling(a, &vec![Some(9); rank]).unwrap();
            (windows.bare, windows.list.iter().map(|w| (w.kernel, w.stride, w.padding)).collect::<Vec<_>>())
        };
        let (none, auto) = (Padding::Explicit(0, 0), Padding::Auto);
        assert_eq!(pooling(&[3, 2], 3), (false, vec![(2, 1, none), (3, 1, auto)]));
        assert_eq!(pooling(&[3, 2], 2), (true, vec![(2, 1, none), (3, 1, auto)]));
        assert_eq!(pooling(&[3, 1], 2), (false, vec![(3, 1, auto)]));
        assert_eq!(pooling(&[3], 1), (true, vec![(3, 1, auto)]));
        assert_eq!(pooling(&[3], 0), (false, vec![]));
    }
}

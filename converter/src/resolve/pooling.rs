//! Pooling (spec 4.8): a number, one window over everything, or windows that slide.

use super::window::{PoolingWindows, Window, of_pooling};
use cntk_parser::ops::attributes::Pooling;

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

#[cfg(test)]
mod tests {
    use super::*;
    use cntk_parser::model::Shape;
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
}

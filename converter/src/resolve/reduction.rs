//! The dimensions that a ReduceElements reduces (spec 4.11).

use cntk_parser::model::AxisKind;
use cntk_parser::ops::attributes::{ReduceElements, Reduction};

/// The reduced dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reduced {
    /// Row-major static axes, ascending.
    pub axes: Vec<usize>,
    /// Does it also reduce the batch, with all valid frames?
    pub batch: bool,
    /// Are all static axes reduced at once? An arg-reduction then gives an index into the flattened sample.
    pub flat: bool,
}

impl Reduced {
    /// Resolves the axes for an operand with `rank` static axes, or says what is wrong with them.
    pub fn of(a: &ReduceElements<'_>, rank: usize) -> Result<Self, &'static str> {
        let mut over = Self::default();
        for axis in &a.axes {
            match axis.kind() {
                AxisKind::AllStatic => {
                    over.axes.extend(0..rank);
                    over.flat = true;
                }
                AxisKind::All => {
                    over.axes.extend(0..rank);
                    over.batch = true;
                    over.flat = true;
                }
                AxisKind::Batch => over.batch = true,
                AxisKind::Sequence => return Err("a reduction over the sequence axis is not a primitive in CNTK 2.7"),
                _ => over.axes.push(axis.row(rank).ok_or("out of range")?),
            }
        }
        over.axes.sort_unstable();
        over.axes.dedup();
        Ok(over)
    }
}

/// The neutral element of a reduction.
pub fn neutral(reduction: Reduction) -> f64 {
    match reduction {
        Reduction::Sum | Reduction::Mean => 0.0,
        Reduction::Prod => 1.0,
        Reduction::LogSum | Reduction::Max | Reduction::Argmax => f64::NEG_INFINITY,
        Reduction::Min | Reduction::Argmin => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::random::Random;
    use cntk_parser::model::Axis;

    fn over(indices: &[i32], rank: usize) -> Result<Reduced, &'static str> {
        let axes = indices.iter().map(|index| Axis { index: *index, name: "s", ordered: *index != i32::MAX }).collect();
        Reduced::of(&ReduceElements { axes, reduction: Reduction::Sum, keep_dimensions: false }, rank)
    }

    #[test]
    fn axes_come_out_as_those_of_the_reversed_shape() {
        let random = &mut Random(1);
        for _ in 0..300 {
            let rank = random.size(1, 5) as usize;
            let n = rank as i64;
            let indices: Vec<i32> = (0..random.between(0, 4)).map(|_| random.between(-n, n - 1) as i32).collect();
            // Does a file axis in `indices` name this dimension? File axes count dimensions from the last.
            let named = |row: &usize| indices.iter().any(|k| i64::from(*k).rem_euclid(n) == n - 1 - *row as i64);
            let axes: Vec<usize> = (0..rank).filter(named).collect();
            assert_eq!(over(&indices, rank), Ok(Reduced { axes, batch: false, flat: false }), "{indices:?} of {rank}");
        }
        assert!(over(&[3], 3).is_err() && over(&[-4], 3).is_err());
    }

    #[test]
    fn sentinels_stand_for_many_axes() {
        let all = vec![0, 1, 2];
        assert_eq!(over(&[i32::MAX - 1], 3), Ok(Reduced { axes: all.clone(), batch: false, flat: true }));
        assert_eq!(over(&[i32::MAX - 4], 3), Ok(Reduced { axes: all, batch: true, flat: true }));
        assert_eq!(over(&[i32::MAX, 0], 3), Ok(Reduced { axes: vec![2], batch: true, flat: false }));
        let sequence = vec![Axis { index: i32::MAX, name: "s", ordered: true }];
        let a = ReduceElements { axes: sequence, reduction: Reduction::Sum, keep_dimensions: false };
        assert!(Reduced::of(&a, 3).is_err());
    }

    #[test]
    fn the_neutral_element_changes_nothing() {
        use Reduction::{Argmax, Argmin, LogSum, Max, Min, Prod, Sum};
        for x in [-2.0, 0.0, 1.0, 3.5f64] {
            assert_eq!(x + neutral(Sum), x);
            assert_eq!(x * neutral(Prod), x);
            assert_eq!((x.exp() + neutral(LogSum).exp()).ln(), x.exp().ln());
            assert_eq!([x.max(neutral(Max)), x.max(neutral(Argmax))], [x; 2]);
            assert_eq!([x.min(neutral(Min)), x.min(neutral(Argmin))], [x; 2]);
        }
    }
}

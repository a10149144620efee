//! What a ReduceElements computes (spec 4.11).

use crate::layout::Lead;
use cntk_parser::model::{AxisKind, DataType, SequenceAxisId, ValueType};
use cntk_parser::ops::attributes::{ReduceElements, Reduction};

/// A reduction. Its dimensions are those of the converted operand, `[batch, sequence, *static]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Reduce {
    /// Nothing is reduced; only the static shape may be another.
    Same,
    /// A number for all reduced elements.
    Fold {
        /// The number.
        fold: Fold,
        /// The reduced dimensions, ascending.
        dims: Vec<usize>,
        /// Do they stay, with size 1?
        keep: bool,
        /// If frames are reduced: what those beyond the end of a sequence count as.
        padding: Option<f64>,
    },
    /// The index of the first largest or smallest element.
    Index {
        /// Of the largest?
        largest: bool,
        /// Where it counts.
        along: Along,
        /// If frames are reduced: what those beyond the end of a sequence count as.
        padding: Option<f64>,
    },
}

/// A number for many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fold {
    /// The sum.
    Sum,
    /// The mean.
    Mean {
        /// If frames of this axis are reduced: only those within the sequences count.
        frames: Option<SequenceAxisId>,
        /// Is the sum a half before it is divided, so that it may overflow?
        half: bool,
    },
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The product.
    Prod,
    /// The logarithm of the sum of exponentials.
    LogSum,
}

/// The smallest magnitude that rounds to infinity in half precision.
pub const HALF_OVERFLOW: f64 = 65520.0;

/// Where an index counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// One dimension, which may stay with size 1.
    Dim {
        /// The dimension.
        dim: usize,
        /// Does it stay?
        keep: bool,
    },
    /// The flattened static axes.
    Sample,
    /// All frames of the batch, for each static element.
    Batch,
    /// The whole flattened value.
    All,
}

impl Reduce {
    /// Resolves a reduction of an operand with this type and these dynamic axes, or says what is wrong with its axes.
    pub fn new(
        a: &ReduceElements<'_>,
        operand: &ValueType,
        lead: Lead,
        result: &ValueType,
    ) -> Result<Self, &'static str> {
        let rank = operand.shape.len();
        let over = Reduced::of(a, rank)?;
        // For AllStaticAxes and AllAxes, the static rank that CNTK infers for the result tells whether dimensions are kept.
        let keep = result.shape.len() == rank && (a.keep_dimensions || rank == 0);
        let frames = lead.sequence.filter(|_| over.batch);
        let padding = frames.map(|_| neutral(a.reduction));
        let fold = match a.reduction {
            Reduction::Sum => Fold::Sum,
            Reduction::Mean => Fold::Mean { frames, half: operand.data_type == DataType::Float16 },
            Reduction::Max => Fold::Max,
            Reduction::Min => Fold::Min,
            Reduction::Prod => Fold::Prod,
            Reduction::LogSum => Fold::LogSum,
            Reduction::Argmax | Reduction::Argmin => {
                let along = match (over.batch, over.flat, over.axes.as_slice()) {
                    (true, true, _) => Along::All,
                    (true, false, _) => Along::Batch,
                    (false, false, [axis]) => Along::Dim { dim: axis + lead.rank(), keep },
                    (false, ..) => Along::Sample,
                };
                return Ok(Self::Index { largest: a.reduction == Reduction::Argmax, along, padding });
            }
        };
        let dynamic = if over.batch { lead.rank() } else { 0 };
        let dims: Vec<usize> = (0..dynamic).chain(over.axes.iter().map(|a| a + lead.rank())).collect();
        Ok(if dims.is_empty() { Self::Same } else { Self::Fold { fold, dims, keep, padding } })
    }
}

/// The reduced dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reduced {
    /// Row-major static axes, ascending.
    pub axes: Vec<usize>,
    /// Does it also reduce the batch, with all valid frames?
    pub batch: bool,
    /// Are all static axes reduced at once? An arg-reduction then gives an index into the flattened sample.
    flat: bool,
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
fn neutral(reduction: Reduction) -> f64 {
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
    use crate::layout::Batch;
    use crate::resolve::random::Random;
    use cntk_parser::model::{Axis, Dim, DynamicAxes};

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

    fn resolved(index: i32, reduction: Reduction, sequence: bool, kept: usize) -> Reduce {
        let value = |rank| ValueType {
            shape: std::iter::repeat_n(Dim::Known(4), rank).collect(),
            data_type: DataType::Float,
            axes: DynamicAxes::default(),
        };
        let axes = vec![Axis { index, name: "s", ordered: index != i32::MAX }];
        let a = ReduceElements { axes, reduction, keep_dimensions: true };
        let lead = Lead { batch: Some(Batch::INPUTS), sequence: sequence.then_some(SequenceAxisId::made_up(0)) };
        Reduce::new(&a, &value(2), lead, &value(kept)).unwrap()
    }

    #[test]
    fn dimensions_count_the_dynamic_axes() {
        let fold = |fold, dims: &[usize], keep, padding| Reduce::Fold { fold, dims: dims.to_vec(), keep, padding };
        assert_eq!(resolved(0, Reduction::Max, true, 2), fold(Fold::Max, &[3], true, None));
        assert_eq!(resolved(0, Reduction::Max, false, 2), fold(Fold::Max, &[2], true, None));
        assert_eq!(resolved(i32::MAX - 1, Reduction::Sum, true, 1), fold(Fold::Sum, &[2, 3], false, None));
    }

    #[test]
    fn reductions_of_the_batch_skip_padding() {
        let mean = |frames| Fold::Mean { frames, half: false };
        let over = |fold, padding| Reduce::Fold { fold, dims: vec![0, 1], keep: true, padding };
        assert_eq!(
            resolved(i32::MAX, Reduction::Mean, true, 2),
            over(mean(Some(SequenceAxisId::made_up(0))), Some(0.0))
        );
        assert_eq!(resolved(i32::MAX, Reduction::Prod, true, 2), over(Fold::Prod, Some(1.0)));
        let samples = Reduce::Fold { fold: mean(None), dims: vec![0], keep: true, padding: None };
        assert_eq!(resolved(i32::MAX, Reduction::Mean, false, 2), samples);
    }

    #[test]
    fn indices_count_along_what_is_reduced() {
        let index = |along, padding| Reduce::Index { largest: true, along, padding };
        let max = |axis, kept| resolved(axis, Reduction::Argmax, true, kept);
        assert_eq!(max(1, 2), index(Along::Dim { dim: 2, keep: true }, None));
        assert_eq!(max(i32::MAX - 1, 0), index(Along::Sample, None));
        assert_eq!(max(i32::MAX, 2), index(Along::Batch, Some(f64::NEG_INFINITY)));
        assert_eq!(max(i32::MAX - 4, 0), index(Along::All, Some(f64::NEG_INFINITY)));
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

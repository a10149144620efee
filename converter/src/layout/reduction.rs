//! What a ReduceElements runs over (spec 4.11).

use cntk_parser::model::AxisKind;
use cntk_parser::ops::attributes::{ReduceElements, Reduction};

/// The dimensions of a reduction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reduced {
    /// Row-major static axes, ascending.
    pub axes: Vec<usize>,
    /// The batch too, and with it all valid frames.
    pub batch: bool,
    /// All static axes at once: an arg-reduction counts through the flattened sample.
    pub flat: bool,
}

impl Reduced {
    /// Resolves the attribute for an operand of `rank` static axes; or says what is wrong with it.
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

/// The element that leaves a reduction's result as it is.
pub fn neutral(reduction: Reduction) -> f64 {
    match reduction {
        Reduction::Sum | Reduction::Mean | Reduction::Any => 0.0,
        Reduction::Prod | Reduction::All => 1.0,
        Reduction::LogSum | Reduction::Max | Reduction::Argmax => f64::NEG_INFINITY,
        Reduction::Min | Reduction::Argmin => f64::INFINITY,
    }
}

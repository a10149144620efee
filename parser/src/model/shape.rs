//! Shapes as stored (column-major) and as inferred (row-major), in two types that cannot be confused.

use super::sizes::Sizes;

/// The most axes that a CNTK shape can have.
pub(crate) const MOST_AXES: usize = 12;
/// The largest dimension, stride or pad: CNTK keeps them in 32 bits.
pub(crate) const MAX_DIM: u64 = i32::MAX as u64;

/// A shape as the file stores it: **column-major**, entry 0 varies fastest. Entries may be sentinels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Shape(pub Sizes<u64>);

impl Shape {
    /// `InferredDimension`, -1.
    pub const INFERRED: u64 = u64::MAX;
    /// -2, the only entry of the unknown shape.
    pub const UNKNOWN: u64 = u64::MAX - 1;
    /// `FreeDimension`, -3.
    pub const FREE: u64 = u64::MAX - 2;

    /// Is this the unknown shape `[2^64-2]`?
    pub fn is_unknown(&self) -> bool {
        self.0.as_slice() == [Self::UNKNOWN]
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The product of all entries, `None` beyond 64 bits. It counts elements only where no entry is a sentinel.
    pub fn elements(&self) -> Option<u64> {
        self.0.iter().try_fold(1, |count: u64, entry| count.checked_mul(*entry))
    }
}

impl<const N: usize> From<[u64; N]> for Shape {
    fn from(entries: [u64; N]) -> Self {
        Self(entries.into())
    }
}

/// One dimension of an inferred, row-major shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dim {
    /// A size known from the file.
    Known(u64),
    /// Known only at run time. Equal ids mean equal sizes; a computed size gets an id of its own.
    Free(u32),
}

impl Dim {
    /// The size, if it is known.
    pub fn known(self) -> Option<u64> {
        match self {
            Self::Known(n) => Some(n),
            Self::Free(_) => None,
        }
    }
}

/// A **row-major** (NumPy order) static shape.
pub type Dims = Sizes<Dim>;

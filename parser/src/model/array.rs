//! Tensors, which are ranges of the input.

use super::{DataType, Shape};
use std::ops::Range;

/// How the elements of an [`Array`] lie in the input.
#[derive(Clone, Debug, PartialEq)]
pub enum ElementStorage<'a> {
    /// One run of little-endian f32 (for `Float` and `Float16`), f64 (`Double`) or bytes (`Int8`), row-major under the reversed shape.
    /// The usual case: one packed field, or a tail tensor.
    Contiguous(&'a [u8]),
    /// Unpacked elements, or several packed pieces, in order. Valid, but CNTK does not write it.
    Pieces(Vec<&'a [u8]>),
    /// Zig-zag varints (`Int16`), packed pieces in order.
    ZigZag(Vec<&'a [u8]>),
    /// No inline values, and no part of the tail assigned yet (over-2-GB layout).
    Absent,
}

/// An `NDArrayView`.
#[derive(Clone, Debug, PartialEq)]
pub struct Array<'a> {
    /// Element type.
    pub data_type: DataType,
    /// Column-major shape.
    pub shape: Shape,
    /// Where the elements are.
    pub elements: ElementStorage<'a>,
    /// File offset of the record.
    pub at: u64,
    /// File range of the elements when contiguous.
    pub range: Option<Range<u64>>,
}

//! Where the bytes of a tensor come from.

use super::{ElemType, Output, View, WriteError, view};
use std::ops::Range;

/// Where the bytes of a tensor come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Bytes that the converter made; they are few.
    Owned(Vec<u8>),
    /// A range of the file, whose bytes need no change.
    Unchanged(Range<u64>),
    /// Views of the file's tensors, one after another, each element converted to the tensor's type.
    Views(Vec<View>),
}

impl Data {
    /// The number of bytes that will be written. Checks that `source` has the data and that they can become elements of
    /// type `elem`.
    pub(crate) fn length(&self, elem: ElemType, source: &[u8]) -> Result<u64, &'static str> {
        match self {
            Self::Owned(bytes) => Ok(bytes.len() as u64),
            Self::Unchanged(range) if range.start <= range.end && range.end <= source.len() as u64 => {
                Ok(range.end - range.start)
            }
            Self::Unchanged(_) => Err("its bytes are not within the file"),
            Self::Views(views) => {
                let count = views
                    .iter()
                    .try_fold(0u64, |total, v| Ok::<_, &str>(total.saturating_add(view::check(v, elem, source)?)))?;
                Ok(count.saturating_mul(elem.size() as u64))
            }
        }
    }

    /// Writes data that passed [`length`](Self::length). `chunk` is scratch space.
    pub(crate) fn write(
        &self,
        elem: ElemType,
        source: &[u8],
        chunk: &mut Vec<u8>,
        out: &mut Output<'_>,
    ) -> Result<(), WriteError> {
        match self {
            Self::Owned(bytes) => out.write(bytes),
            Self::Unchanged(range) => out.copy(source, range.start as usize..range.end as usize),
            Self::Views(views) => views.iter().try_for_each(|v| view::write(v, elem, source, chunk, out)),
        }
    }
}

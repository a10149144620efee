//! The tensors after the metadata of the over-2-GB layout, assigned in the order of `inputs`.

use crate::dictionary::element_size;
use crate::error::{Error, ErrorKind};
use crate::model::{Array, Container, DataType, ElementStorage};

/// The part of the tail that is not yet assigned. A plain file has no tail.
pub(super) struct Tail<'a> {
    rest: &'a [u8],
    at: u64,
}

impl<'a> Tail<'a> {
    pub(super) fn new(input: &'a [u8], container: &Container) -> Self {
        let start = match container {
            Container::Plain | Container::Nodes { .. } => input.len() as u64,
            Container::LargeLayout { tail, .. } => tail.start,
        };
        let rest = usize::try_from(start).ok().and_then(|start| input.get(start..)).unwrap_or(&[]);
        Self { rest, at: start }
    }

    /// Assigns the next bytes of the tail to an array without inline values.
    pub(super) fn bind(&mut self, array: &mut Array<'a>) -> Result<(), Error> {
        if array.elements != ElementStorage::Absent {
            return Ok(());
        }
        let Some(size) = element_size(array.data_type) else {
            let data_type = if array.data_type == DataType::Int16 { "Int16" } else { "Unknown" };
            return Err(Error::new(ErrorKind::TailDataType { data_type }, array.at));
        };
        let needed = (array.shape.0.iter()).try_fold(size, |bytes, dim| bytes.checked_mul(*dim));
        let needed = needed.ok_or_else(|| Error::new(ErrorKind::ShapeOverflow, array.at).in_key("shape"))?;
        let short = || {
            let left = self.rest.len() as u64;
            Error::new(ErrorKind::TailTooShort { needed, left }, array.at)
        };
        let count = usize::try_from(needed).map_err(|_| short())?;
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(short)?;
        let end = self.at.saturating_add(needed);
        array.elements = ElementStorage::Contiguous(bytes);
        array.range = Some(self.at..end);
        self.rest = rest;
        self.at = end;
        Ok(())
    }

    /// Checks that the whole tail was assigned.
    pub(super) fn finish(&self) -> Result<(), Error> {
        match self.rest.len() as u64 {
            0 => Ok(()),
            extra => Err(Error::new(ErrorKind::TailTooLong { extra }, self.at)),
        }
    }
}

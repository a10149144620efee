//! Matrices: a dense one stays a range of the file, a sparse one is expanded.

use super::reader::Reader;
use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::model::{Array, DataType, ElementStorage, Shape};
use std::ops::Range;

/// A column-major matrix. Its bytes are those of any tensor with the same number of elements whose first dimension
/// varies fastest.
#[derive(Debug)]
pub(super) struct Matrix<'a> {
    /// Offset of the byte that tells dense from sparse.
    pub(super) at: u64,
    pub(super) rows: u64,
    pub(super) columns: u64,
    bytes: &'a [u8],
    range: Option<Range<u64>>,
    data_type: DataType,
}

/// By which factor a sparse matrix may grow when it is expanded.
const MOST_GROWTH: u64 = 64;

impl<'a> Matrix<'a> {
    /// Reads a matrix whose elements have this type.
    pub(super) fn read(reader: &mut Reader<'a>, data_type: DataType, context: &mut Context<'_>) -> Result<Self, Error> {
        let at = reader.at();
        match reader.u8()? {
            b'd' => Self::dense(reader, data_type, at),
            b's' => Self::sparse(reader, data_type, at, context),
            kind => Err(Error::new(ErrorKind::MatrixKind(kind), at)),
        }
    }

    fn dense(reader: &mut Reader<'a>, data_type: DataType, at: u64) -> Result<Self, Error> {
        reader.marker("BMAT")?;
        let size = element_size(reader, data_type)?;
        reader.units()?;
        reader.i32()?;
        let sizes_at = reader.at();
        let (rows, columns) = (reader.u64()?, reader.u64()?);
        let length = rows.checked_mul(columns).and_then(|count| count.checked_mul(size));
        let length = length.ok_or_else(|| Error::new(ErrorKind::ShapeOverflow, sizes_at))?;
        let start = reader.at();
        let bytes = reader.bytes(length)?;
        let range = Some(start..reader.at());
        reader.marker("EMAT")?;
        Ok(Self { at, rows, columns, bytes, range, data_type })
    }

    /// Reads a sparse matrix in CSR or CSC format; elements that are not stored are 0.
    fn sparse(reader: &mut Reader<'a>, data_type: DataType, at: u64, context: &mut Context<'_>) -> Result<Self, Error> {
        reader.marker("BMAT")?;
        let size = element_size(reader, data_type)?;
        reader.units()?;
        let format_at = reader.at();
        let by_rows = match reader.i32()? {
            CSC => false,
            CSR => true,
            other => return Err(Error::new(ErrorKind::StorageFormat(u64::from(other.cast_unsigned())), format_at)),
        };
        let stored_at = reader.at();
        let stored = reader.u64()?;
        let (columns, rows) = (reader.u64()?, reader.u64()?);
        let (lines, within) = if by_rows { (rows, columns) } else { (columns, rows) };
        let overflow = || Error::new(ErrorKind::ShapeOverflow, stored_at);
        let length = rows.checked_mul(columns).and_then(|n| n.checked_mul(size)).ok_or_else(overflow)?;
        let mut parts = (&[][..], &[][..], &[][..]);
        if stored > 0 {
            let starts = lines.checked_add(1).ok_or_else(overflow)?;
            let part = |n: u64, size: u64| n.checked_mul(size).ok_or_else(overflow);
            parts =
                (reader.bytes(part(stored, size)?)?, reader.bytes(part(stored, 4)?)?, reader.bytes(part(starts, 4)?)?);
        }
        reader.marker("EMAT")?;
        let most = reader.at().saturating_sub(at).saturating_mul(MOST_GROWTH);
        if length > most {
            return Err(Error::new(ErrorKind::Limit { limit: "sparse matrix", value: length, max: most }, at));
        }
        let length = usize::try_from(length).map_err(|_| overflow())?;
        context.budget.spend::<u8>(length, at)?;
        let mut dense = vec![0; length];
        if stored > 0 {
            let step = |line: u64, index: u64| if by_rows { (line, index) } else { (index, line) };
            let mut place = |line: u64, index: u64, element: &[u8]| {
                let (row, column) = step(line, index);
                let first = column.checked_mul(rows)?.checked_add(row)?.checked_mul(size)?;
                let last = first.checked_add(size)?;
                let slot = dense.get_mut(usize::try_from(first).ok()?..usize::try_from(last).ok()?)?;
                slot.copy_from_slice(element);
                Some(())
            };
            fill(parts, size, within, &mut place).map_err(|kind| Error::new(kind, stored_at))?;
        }
        let bytes = reader.file().keep_bytes(dense);
        Ok(Self { at, rows, columns, bytes, range: None, data_type })
    }

    /// The number of elements.
    pub(super) fn count(&self) -> u64 {
        self.rows.saturating_mul(self.columns)
    }

    /// The range of the file that holds the elements; `None` if the matrix was expanded.
    pub(super) fn range(&self) -> Option<&Range<u64>> {
        self.range.as_ref()
    }

    /// A tensor of this shape. Its first dimension must be the number of rows and the product of the others that of
    /// columns.
    pub(super) fn tensor(&self, shape: Shape) -> Result<Array<'a>, Error> {
        let expected = shape.elements();
        let expected = expected.ok_or_else(|| Error::new(ErrorKind::ShapeOverflow, self.at))?;
        if expected == 0 {
            return Err(Error::new(ErrorKind::ZeroDimension, self.at));
        }
        // The first dimension is the number of rows. CNTK checks both numbers, too.
        let rows = shape.0.first().copied().unwrap_or(1);
        if expected != self.count() || rows != self.rows {
            let (rows, columns) = (self.rows, self.columns);
            return Err(Error::new(ErrorKind::MatrixShape { rows, columns, expected: shape.0.to_vec() }, self.at));
        }
        Ok(self.array(shape))
    }

    /// A tensor of a matrix that is just a list of numbers, of any shape.
    pub(super) fn list(&self, shape: Option<&Shape>) -> Result<Array<'a>, Error> {
        let count = self.count();
        let fits = |shape: &&Shape| shape.elements() == Some(count);
        let shape = shape.filter(fits).cloned().unwrap_or_else(|| Shape::from([count]));
        if count == 0 {
            return Err(Error::new(ErrorKind::ZeroDimension, self.at));
        }
        Ok(self.array(shape))
    }

    fn array(&self, shape: Shape) -> Array<'a> {
        Array {
            data_type: self.data_type,
            shape,
            elements: ElementStorage::Contiguous(self.bytes),
            at: self.at,
            range: self.range.clone(),
        }
    }
}

/// CNTK's code of compressed columns. [`CSR`] is that of compressed rows.
const CSC: i32 = 6;
const CSR: i32 = 7;

/// The size of an element, which must match the node's type.
fn element_size(reader: &mut Reader<'_>, data_type: DataType) -> Result<u64, Error> {
    let at = reader.at();
    let (found, expected) = (reader.u64()?, if data_type == DataType::Double { 8 } else { 4 });
    if found != expected {
        return Err(Error::new(ErrorKind::ElementSize { found, expected }, at));
    }
    Ok(found)
}

/// Writes each stored element to its position.
fn fill(
    (elements, indices, starts): (&[u8], &[u8], &[u8]),
    size: u64,
    within: u64,
    place: &mut impl FnMut(u64, u64, &[u8]) -> Option<()>,
) -> Result<(), ErrorKind> {
    let number = |bytes: &[u8; 4]| u64::try_from(i32::from_le_bytes(*bytes)).map_err(|_| ErrorKind::SparseIndex);
    let size = usize::try_from(size).unwrap_or(1);
    let mut stored = elements.chunks_exact(size).zip(indices.as_chunks::<4>().0);
    let mut starts = starts.as_chunks::<4>().0.iter();
    let mut start = starts.next().map(&number).transpose()?.unwrap_or(0);
    if start != 0 {
        return Err(ErrorKind::SparseIndex);
    }
    for (line, end) in (0..).zip(starts) {
        let end = number(end)?;
        for _ in 0..end.checked_sub(start).ok_or(ErrorKind::SparseIndex)? {
            let (element, index) = stored.next().ok_or(ErrorKind::SparseIndex)?;
            let index = number(index)?;
            if index >= within {
                return Err(ErrorKind::SparseIndex);
            }
            place(line, index, element).ok_or(ErrorKind::SparseIndex)?;
        }
        start = end;
    }
    if stored.next().is_some() { Err(ErrorKind::SparseIndex) } else { Ok(()) }
}

//! Files of CNTK 1: a matrix is between two markers, and its header gives its size.

use super::Walk;
use crate::arena::Read;

/// How a file begins: `BCN`, in UTF-16.
pub const BEGIN: &[u8] = b"B\0C\0N\0\0\0";
const MATRIX: &[u8] = b"B\0M\0A\0T\0\0\0";
const END: &[u8] = b"E\0M\0A\0T\0\0\0";
/// The most bytes of a marker with the sizes and the name of a matrix.
const HEAD: u64 = 256;
const MARKER: u64 = MATRIX.len() as u64;

/// Walks through a whole file.
pub fn walk<R: Read + ?Sized>(walk: &mut Walk<'_, R>, size: u64) -> Result<bool, String> {
    let step = walk.arena.block();
    let mut at = 0;
    while at < size {
        let bytes = walk.bytes(at..size.min(at + step + MARKER))?;
        let Some(place) = bytes.windows(MATRIX.len()).position(|window| window == MATRIX) else {
            at += step;
            continue;
        };
        let marker = at + place as u64;
        at = match elements(walk.bytes(marker.saturating_sub(1)..size.min(marker + HEAD))?) {
            Some((head, length)) if length >= walk.large => {
                // What was looked at begins one byte before the marker.
                let end = (marker - 1 + head).saturating_add(length);
                let closed = end < size && walk.bytes(end..size.min(end.saturating_add(MARKER)))? == END;
                if closed { end } else { marker + MARKER }
            }
            _ => marker + MARKER,
        };
    }
    Ok(true)
}

/// Where the elements of a dense matrix begin, and how many bytes they are. The matrix is given from its kind on.
fn elements(matrix: &[u8]) -> Option<(u64, u64)> {
    let rest = matrix.strip_prefix(b"d")?.strip_prefix(MATRIX)?;
    let (size, rest) = rest.split_first_chunk::<8>()?;
    let name = rest.as_chunks::<2>().0.iter().position(|unit| *unit == [0, 0])?;
    let rest = rest.get(2 * (name + 1) + 4..)?;
    let (rows, rest) = rest.split_first_chunk::<8>()?;
    let (columns, rest) = rest.split_first_chunk::<8>()?;
    let length = u64::from_le_bytes(*rows).checked_mul(u64::from_le_bytes(*columns))?;
    Some(((matrix.len() - rest.len()) as u64, length.checked_mul(u64::from_le_bytes(*size))?))
}

//! `NDArrayView`: a shape and where its elements are. The elements are never touched.

use super::leaves;
use crate::error::{Error, ErrorKind};
use crate::model::{Array, DataType, ElementStorage, Shape};
use crate::wire::{Field, Payload, Reader};

/// Axes that CNTK's own shapes can hold; [`crate::Limits::tensor_rank`] can only lower it.
const MAX_RANK: usize = 12;

/// Reads an array. It has as many inline values as its shape says, or none ([`ElementStorage::Absent`]); the container
/// decides whether none is allowed.
pub(super) fn decode(reader: Reader<'_>) -> Result<Array<'_>, Error> {
    let at = reader.at();
    let mut reader = reader;
    let mut data_type: Option<(u64, u64)> = None;
    let mut format: Option<(u64, u64)> = None;
    let mut shape: Option<Reader<'_>> = None;
    let mut values: Option<Field<'_>> = None;
    let mut seen = 0_u32;
    while let Some(field) = reader.field()? {
        let name = match field.number {
            1 => {
                data_type = Some((field.varint("data_type")?, field.at));
                "data_type"
            }
            2 => {
                format = Some((field.varint("storage_format")?, field.at));
                "storage_format"
            }
            3 => {
                shape = Some(field.message("shape")?);
                "shape"
            }
            // Only one of the four members may be set: nothing would look at a message that another one replaces.
            4..=7 => {
                field.once(&mut values, field, "values")?;
                continue;
            }
            _ => continue,
        };
        let bit = 1_u32.checked_shl(field.number).unwrap_or(0);
        if seen & bit != 0 {
            return Err(field.repeated(name));
        }
        seen |= bit;
    }
    if let Some((format, at)) = format.filter(|(format, _)| *format != 0) {
        return Err(Error::new(ErrorKind::StorageFormat(format), at));
    }
    let (code, code_at) = data_type.unwrap_or((0, at));
    let data_type = match code {
        1 => DataType::Float,
        2 => DataType::Double,
        4 => DataType::Float16,
        5 => DataType::Int8,
        6 => DataType::Int16,
        _ => return Err(Error::new(ErrorKind::UnknownDataType(code), code_at)),
    };
    let shape_at = shape.map_or(at, |r| r.at());
    let shape = match shape {
        Some(reader) => leaves::shape(reader).map_err(|e| e.in_key("shape"))?,
        None => Shape::default(),
    };
    let expected = element_count(&shape, data_type).map_err(|kind| Error::new(kind, shape_at).in_key("shape"))?;
    let (elements, range) = match values {
        None => (ElementStorage::Absent, None),
        Some(field) => {
            let inside = field.message("values")?;
            let elements = elements(&field, data_type, expected)?;
            (elements, Some(inside))
        }
    };
    let range = match (&elements, range) {
        (ElementStorage::Contiguous(bytes), Some(inside)) => contiguous_range(inside, bytes),
        _ => None,
    };
    Ok(Array { data_type, shape, elements, at, range })
}

/// Bytes of an element inline or in the tail; `None` where elements have no fixed size.
pub(crate) fn element_size(data_type: DataType) -> Option<u64> {
    match data_type {
        DataType::Float | DataType::Float16 => Some(4),
        DataType::Double => Some(8),
        DataType::Int8 => Some(1),
        DataType::Int16 | DataType::Unknown => None,
    }
}

/// The product of the dimensions. It and the size in bytes must fit 64 bits.
fn element_count(shape: &Shape, data_type: DataType) -> Result<u64, ErrorKind> {
    if shape.rank() > MAX_RANK {
        return Err(ErrorKind::Rank { rank: shape.rank() as u64, limit: MAX_RANK as u64 });
    }
    let mut count = 1_u64;
    for &dim in &shape.0 {
        match dim {
            Shape::INFERRED | Shape::FREE | Shape::UNKNOWN => return Err(ErrorKind::SentinelDimension),
            0 => return Err(ErrorKind::ZeroDimension),
            dim => count = count.checked_mul(dim).ok_or(ErrorKind::ShapeOverflow)?,
        }
    }
    let size = element_size(data_type).unwrap_or(4);
    count.checked_mul(size).filter(|bytes| i64::try_from(*bytes).is_ok()).ok_or(ErrorKind::ShapeOverflow)?;
    Ok(count)
}

fn elements<'a>(field: &Field<'a>, data_type: DataType, expected: u64) -> Result<ElementStorage<'a>, Error> {
    let (member, size) = match (field.number, data_type) {
        (4, DataType::Float | DataType::Float16) => ("float_values", 4),
        (5, DataType::Double) => ("double_values", 8),
        (6, DataType::Int8) => ("bytes_value", 1),
        (7, DataType::Int16) => ("sint32_values", 0),
        (number, _) => {
            let found = match number {
                4 => "float_values",
                5 => "double_values",
                6 => "bytes_value",
                _ => "sint32_values",
            };
            return Err(Error::new(ErrorKind::WrongValues { data_type: name(data_type), found }, field.at));
        }
    };
    let message = field.message(member)?;
    let (pieces, count) = count(message, size)?;
    if count == 0 {
        return Ok(ElementStorage::Absent);
    }
    if count != expected {
        return Err(Error::new(ErrorKind::ValueCount { found: count, expected }, message.at()));
    }
    if size == 0 {
        return Ok(ElementStorage::ZigZag(collect(message, pieces)?));
    }
    if pieces == 1 {
        let mut only = collect(message, 1)?;
        return Ok(only.pop().map_or(ElementStorage::Absent, ElementStorage::Contiguous));
    }
    Ok(ElementStorage::Pieces(collect(message, pieces)?))
}

/// The number of non-empty runs and of elements in a values message. A `size` of 0 means varints.
fn count(mut message: Reader<'_>, size: u64) -> Result<(usize, u64), Error> {
    let (mut pieces, mut count) = (0_usize, 0_u64);
    while let Some(field) = message.field()? {
        if field.number != 1 {
            continue;
        }
        let found = match (field.payload, size) {
            (Payload::Bytes(bytes), 0) => varints(bytes)?,
            (Payload::Bytes(bytes), size) => {
                let length = bytes.bytes().len() as u64;
                if length.checked_rem(size) != Some(0) {
                    return Err(Error::new(ErrorKind::RaggedValues { bytes: length, element: size }, bytes.at()));
                }
                length.checked_div(size).unwrap_or(0)
            }
            (Payload::Fixed32(_), 4) | (Payload::Fixed64(_), 8) | (Payload::Varint(_), 0) => 1,
            _ => return Err(field.wrong("value")),
        };
        if size == 1 && count > 0 {
            return Err(field.repeated("value"));
        }
        count = count.saturating_add(found);
        pieces = pieces.saturating_add(usize::from(found > 0));
    }
    Ok((pieces, count))
}

fn varints(mut bytes: Reader<'_>) -> Result<u64, Error> {
    let mut count = 0_u64;
    while !bytes.is_empty() {
        bytes.varint()?;
        count = count.saturating_add(1);
    }
    Ok(count)
}

/// The non-empty runs, of which [`count`] found `pieces`. An unpacked element is a run of its own.
fn collect(mut message: Reader<'_>, pieces: usize) -> Result<Vec<&[u8]>, Error> {
    let mut runs = Vec::with_capacity(pieces);
    loop {
        let before = message;
        let Some(field) = message.field()? else { return Ok(runs) };
        if field.number != 1 {
            continue;
        }
        let run = match field.payload {
            Payload::Bytes(bytes) => bytes.bytes(),
            // The tag of field 1 may be a varint longer than necessary, so the payload is found from the field's end.
            Payload::Fixed32(_) => tail_of(before, message, 4),
            Payload::Fixed64(_) => tail_of(before, message, 8),
            Payload::Varint(_) => after_tag(before, message),
        };
        if !run.is_empty() {
            runs.push(run);
        }
    }
}

/// The last `size` bytes that were read between two states of a reader.
fn tail_of<'a>(before: Reader<'a>, after: Reader<'a>, size: usize) -> &'a [u8] {
    let read = before.bytes().len().saturating_sub(after.bytes().len());
    before.bytes().get(read.saturating_sub(size)..read).unwrap_or(&[])
}

/// The bytes that were read between two states of a reader, without the tag.
fn after_tag<'a>(before: Reader<'a>, after: Reader<'a>) -> &'a [u8] {
    let read = before.bytes().len().saturating_sub(after.bytes().len());
    let mut inside = before;
    match inside.varint() {
        Ok(_) => tail_of(before, after, read.saturating_sub(before.bytes().len().saturating_sub(inside.bytes().len()))),
        Err(_) => &[],
    }
}

/// The file range of the only run in a values message. The run ends where its field does, so its length gives its
/// begin.
fn contiguous_range(mut message: Reader<'_>, bytes: &[u8]) -> Option<std::ops::Range<u64>> {
    let length = bytes.len() as u64;
    while let Ok(Some(field)) = message.field() {
        let run = match field.payload {
            Payload::Bytes(run) if run.bytes().is_empty() => continue,
            Payload::Bytes(run) => run.at()..run.end(),
            Payload::Varint(_) => continue,
            Payload::Fixed32(_) | Payload::Fixed64(_) => message.at().checked_sub(length)?..message.at(),
        };
        if field.number == 1 {
            return Some(run);
        }
    }
    None
}

pub(super) fn name(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Unknown => "Unknown",
        DataType::Float => "Float",
        DataType::Double => "Double",
        DataType::Float16 => "Float16",
        DataType::Int8 => "Int8",
        DataType::Int16 => "Int16",
    }
}

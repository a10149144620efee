//! Tensors of the file as values.

use crate::limits::Meter;
use crate::{fault::Fault, fault::fault, value::Frames, value::Value};
use cntk_parser::model::{Array, DataType, ElementStorage};

/// A parameter or constant.
pub(crate) fn value(array: &Array<'_>, meter: &mut Meter) -> Result<Value, Fault> {
    let shape: Vec<usize> = array.shape.0.iter().rev().map(|n| usize::try_from(*n).unwrap_or(usize::MAX)).collect();
    meter.room(&shape)?;
    let pieces: Vec<&[u8]> = match &array.elements {
        ElementStorage::Contiguous(bytes) => vec![bytes],
        ElementStorage::Pieces(pieces) => pieces.clone(),
        ElementStorage::ZigZag(_) | ElementStorage::Absent => {
            return fault("a tensor of integers, which is no operand");
        }
    };
    let mut elements = Vec::with_capacity(pieces.iter().map(|p| p.len() / 4).sum());
    for bytes in pieces {
        match array.data_type {
            DataType::Double => elements.extend(bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b))),
            DataType::Float | DataType::Float16 => {
                elements.extend(bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))));
            }
            DataType::Int8 => elements.extend(bytes.iter().map(|b| f64::from(i8::from_le_bytes([*b])))),
            DataType::Int16 | DataType::Unknown => return fault("a tensor of integers, which is no operand"),
        }
    }
    Value::of(Frames::One, &shape, elements)
}

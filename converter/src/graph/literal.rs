//! The values of small stored tensors, for lowerings that depend on them.

use cntk_parser::model::{Array, DataType, ElementStorage, Source, ValidatedModel, VariableKind};
use std::borrow::Cow;

/// The elements of an array, in file order, which is row-major order of the reversed shape.
pub fn elements(array: &Array<'_>) -> Vec<f64> {
    let bytes = match &array.elements {
        ElementStorage::Contiguous(bytes) => Cow::Borrowed(*bytes),
        ElementStorage::Pieces(pieces) => Cow::Owned(pieces.concat()),
        ElementStorage::ZigZag(pieces) => return zig_zag(pieces),
        ElementStorage::Absent => Cow::Borrowed(&[][..]),
    };
    match array.data_type {
        DataType::Double => {
            bytes.chunks_exact(8).map(|c| f64::from_le_bytes(c.try_into().unwrap_or_default())).collect()
        }
        DataType::Int8 => bytes.iter().map(|b| f64::from(b.cast_signed())).collect(),
        _ => bytes.chunks_exact(4).map(|c| f64::from(f32::from_le_bytes(c.try_into().unwrap_or_default()))).collect(),
    }
}

/// The value of a parameter or constant with one element.
pub fn scalar(model: &ValidatedModel<'_>, source: Source) -> Option<f64> {
    small(model, source, 1)?.first().copied()
}

/// The elements of a parameter or constant with at most `most` elements.
pub fn small(model: &ValidatedModel<'_>, source: Source, most: u64) -> Option<Vec<f64>> {
    let Source::Variable(id) = source else { return None };
    let variable = model.variable(id);
    if !matches!(variable.kind, VariableKind::Constant | VariableKind::Parameter) {
        return None;
    }
    let array = variable.value.as_ref()?;
    array.shape.elements().is_some_and(|n| n <= most).then(|| elements(array))
}

fn zig_zag(pieces: &[&[u8]]) -> Vec<f64> {
    let mut out = Vec::new();
    for piece in pieces {
        let mut at = (0u64, 0u32);
        for byte in *piece {
            at.0 |= u64::from(byte & 0x7f).checked_shl(at.1).unwrap_or(0);
            at.1 += 7;
            if byte & 0x80 == 0 {
                let (n, _) = std::mem::take(&mut at);
                out.push(((n >> 1) as i64 ^ -((n & 1) as i64)) as f64);
            }
        }
    }
    out
}

//! Checks that stored indices of a Gather are within its table: CNTK reads memory beyond it (spec 3.9.3).

use super::arena::Id;
use super::findings::{Findings, Place};
use super::rules;
use super::types::Types;
use crate::model::{Array, DataType, Dim, ElementStorage, FunctionId, Model, Source, VariableId};
use hashbrown::HashMap;

/// The ranges of the index tensors checked so far, so that each tensor is read once.
#[derive(Default)]
pub(super) struct Gathers {
    ranges: HashMap<VariableId, Range>,
}

/// The smallest and the largest element of a tensor, and whether it contains a NaN.
#[derive(Clone, Copy)]
struct Range {
    least: f64,
    most: f64,
    nan: bool,
}

impl Gathers {
    /// Checks one Gather.
    pub(super) fn check<'a>(
        &mut self,
        model: &Model<'a>,
        id: FunctionId,
        inputs: &[Source],
        types: &Types<'a>,
        findings: &mut Findings<'_, 'a>,
    ) {
        let [Source::Variable(indices), table] = inputs else { return };
        let table = match table {
            Source::Variable(v) => types.variables.get(*v),
            Source::Output(f, i) => types.outputs.get(*f).and_then(|types| types.get(*i as usize)),
        };
        let Some(Dim::Known(rows)) = table.and_then(|table| table.shape.first()) else { return };
        let Some(value) = model.variables.get(indices.place()).and_then(|v| v.value.as_ref()) else { return };
        let range = *self.ranges.entry(*indices).or_insert_with(|| range(value));
        // CNTK truncates an index toward zero.
        #[expect(clippy::cast_precision_loss, reason = "no table has 2^53 rows")]
        let stray =
            [(range.least, range.least <= -1.0), (range.most, range.most >= *rows as f64), (f64::NAN, range.nan)];
        if let Some((index, _)) = stray.iter().find(|(_, is_stray)| *is_stray) {
            let text = format!("the index {index} lies outside of a table of {rows}");
            findings.add(&rules::GATHER_INDEX, Place::Input(id, 0), text);
        }
    }
}

fn range(array: &Array<'_>) -> Range {
    let pieces = match &array.elements {
        ElementStorage::Contiguous(bytes) => std::slice::from_ref(bytes),
        ElementStorage::Pieces(pieces) => pieces.as_slice(),
        ElementStorage::ZigZag(_) | ElementStorage::Absent => &[],
    };
    let mut range = Range { least: 0.0, most: 0.0, nan: false };
    let mut note = |x: f64| {
        range.least = range.least.min(x);
        range.most = range.most.max(x);
        range.nan |= x.is_nan();
    };
    for bytes in pieces {
        match array.data_type {
            DataType::Float | DataType::Float16 => {
                bytes.as_chunks().0.iter().for_each(|b| note(f32::from_le_bytes(*b).into()));
            }
            DataType::Double => bytes.as_chunks().0.iter().for_each(|b| note(f64::from_le_bytes(*b))),
            DataType::Int8 => bytes.iter().for_each(|b| note(i8::from_le_bytes([*b]).into())),
            DataType::Int16 | DataType::Unknown => {}
        }
    }
    range
}

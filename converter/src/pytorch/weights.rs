//! Weights of the CNTK file as views in the order that the module's tensors need.

use crate::graph::literal::elements;
use crate::weights::{Data, ElemType, Stored, View};
use cntk_parser::model::{DataType, Variable, VariableKind};
use std::ops::Range;

/// A parameter or constant of the model.
#[derive(Clone, Debug)]
pub(crate) struct Weight {
    /// The element type in the module. Half precision is stored in single precision, because PyTorch's CPU kernels need
    /// that.
    pub(crate) elem: ElemType,
    /// Row-major.
    pub(crate) dims: Vec<u64>,
    pub(crate) trainable: bool,
    pub(crate) constant: bool,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    File(Range<u64>, Stored),
    Held(Vec<f64>),
}

/// A view of a weight: offset, sizes and strides in elements.
pub(crate) struct Piece<'p> {
    pub(crate) offset: u64,
    pub(crate) dims: &'p [u64],
    pub(crate) strides: &'p [i64],
}

impl Weight {
    /// `None` if the variable has no value or its element type is not numeric.
    pub(crate) fn new(variable: &Variable<'_>) -> Option<Self> {
        let array = variable.value.as_ref()?;
        let elem = match array.data_type {
            DataType::Double => ElemType::Double,
            DataType::Float | DataType::Float16 | DataType::Int8 | DataType::Int16 => ElemType::Float,
            DataType::Unknown => return None,
        };
        let stored = match array.data_type {
            DataType::Double => Some(Stored::F64),
            DataType::Int8 => Some(Stored::I8),
            DataType::Int16 | DataType::Unknown => None,
            DataType::Float | DataType::Float16 => Some(Stored::F32),
        };
        let place = match (&array.range, stored) {
            (Some(range), Some(stored)) => Place::File(range.clone(), stored),
            _ => Place::Held(elements(array)),
        };
        Some(Self {
            elem,
            dims: array.shape.0.iter().rev().copied().collect(),
            trainable: variable.kind == VariableKind::Parameter && variable.needs_gradient,
            constant: variable.kind == VariableKind::Constant,
            place,
        })
    }

    /// A variable in its own element type.
    pub(crate) fn exact(variable: &Variable<'_>) -> Option<(ElemType, Vec<u64>, Data)> {
        let mut weight = Self::new(variable)?;
        weight.elem = match variable.value.as_ref()?.data_type {
            DataType::Float16 => ElemType::Float16,
            DataType::Int8 => ElemType::Int8,
            DataType::Int16 => ElemType::Int16,
            _ => weight.elem,
        };
        let data = weight.whole();
        Some((weight.elem, weight.dims, data))
    }

    /// The number of elements.
    pub(crate) fn count(&self) -> u64 {
        self.dims.iter().product()
    }

    /// The whole weight in its own order.
    pub(crate) fn whole(&self) -> Data {
        match &self.place {
            Place::File(range, Stored::F32) if self.elem == ElemType::Float => Data::Unchanged(range.clone()),
            Place::File(range, Stored::F64) if self.elem == ElemType::Double => Data::Unchanged(range.clone()),
            _ => self.pieces(&[Piece { offset: 0, dims: &[self.count()], strides: &[1] }]),
        }
    }

    /// The weight as a matrix with this many rows, transposed.
    pub(crate) fn transposed(&self, rows: u64) -> Data {
        let columns = self.count() / rows.max(1);
        self.pieces(&[Piece { offset: 0, dims: &[columns, rows], strides: &[1, columns.cast_signed()] }])
    }

    /// Pieces one after another.
    pub(crate) fn pieces(&self, pieces: &[Piece<'_>]) -> Data {
        match &self.place {
            Place::File(range, stored) => Data::Views(
                pieces
                    .iter()
                    .map(|p| View {
                        range: range.clone(),
                        stored: *stored,
                        offset: p.offset,
                        dims: p.dims.into(),
                        strides: p.strides.into(),
                    })
                    .collect(),
            ),
            Place::Held(values) => {
                let mut bytes = Vec::new();
                for p in pieces {
                    let mut at = vec![p.offset.cast_signed()];
                    for (n, stride) in p.dims.iter().zip(p.strides) {
                        at = at.iter().flat_map(|a| (0..n.cast_signed()).map(move |i| a + i * stride)).collect();
                    }
                    for a in at {
                        let value = usize::try_from(a).ok().and_then(|a| values.get(a)).copied().unwrap_or(0.0);
                        self.elem.encode(value, &mut bytes);
                    }
                }
                Data::Owned(bytes)
            }
        }
    }
}

/// The element of an array with one element.
pub(crate) fn single(variable: &Variable<'_>) -> Option<f64> {
    let array = variable.value.as_ref()?;
    if array.shape.elements() != Some(1) {
        return None;
    }
    elements(array).first().copied()
}

/// The elements of a small array.
pub(crate) fn small(variable: &Variable<'_>, most: u64) -> Option<Vec<f64>> {
    let array = variable.value.as_ref()?;
    array.shape.elements().is_some_and(|n| n <= most).then(|| elements(array))
}

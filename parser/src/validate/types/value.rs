//! What is known of a value while types are being inferred.

use crate::model::{DataType, Dim, Dims, DynamicAxes, Source, ValueType};

/// Which parts of a [`ValueType`] are known. All are, except in a recurrence that is not settled, after an error, and
/// behind an unbound placeholder or a user-defined function.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Certainty {
    pub(crate) shape: bool,
    pub(crate) axes: bool,
}

impl Certainty {
    /// Everything is known.
    pub(crate) const ALL: Self = Self { shape: true, axes: true };
}

/// One input of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operand<'v> {
    pub(crate) source: Source,
    pub(crate) value: &'v ValueType,
    pub(crate) certainty: Certainty,
    /// Is it a constant? CNTK converts constants to the element type of the other operands.
    pub(crate) constant: bool,
    /// Is it a member of the recurrence that is being inferred? Its shape may be guessed while it is not known yet.
    pub(crate) in_loop: bool,
}

impl<'v> Operand<'v> {
    /// The row-major shape, if it is known.
    pub(crate) fn shape(&self) -> Option<&'v Dims> {
        self.certainty.shape.then_some(&self.value.shape)
    }

    /// Will the shape stay unknown?
    pub(crate) fn stays_unknown(&self) -> bool {
        !self.certainty.shape && !self.in_loop
    }

    /// The dynamic axes, if they are known.
    pub(crate) fn axes(&self) -> Option<DynamicAxes> {
        self.certainty.axes.then_some(self.value.axes)
    }
}

/// The type of a value of which nothing is known.
pub(crate) fn unknown() -> ValueType {
    ValueType { shape: Dims::new(), data_type: DataType::Unknown, axes: DynamicAxes::default() }
}

/// The number of elements, if every dimension is known and the product fits.
pub(crate) fn count(dims: &[Dim]) -> Option<u64> {
    dims.iter().try_fold(1u64, |product, dim| product.checked_mul(dim.known()?))
}

/// Are two shapes equal, if all free dimensions count as equal?
pub(crate) fn alike(a: &[Dim], b: &[Dim]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.known() == b.known())
}

/// A shape in text.
pub(crate) fn show(dims: &[Dim]) -> String {
    const SHOWN: usize = 16;
    let mut names: Vec<String> =
        dims.iter().take(SHOWN).map(|dim| dim.known().map_or_else(|| "?".to_owned(), |n| n.to_string())).collect();
    if dims.len() > SHOWN {
        names.push("…".to_owned());
    }
    format!("({})", names.join(", "))
}

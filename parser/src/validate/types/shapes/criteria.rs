//! Shapes of training criteria (spec 4.14).

use crate::model::{Array, DataType, Dim, Dims, ElementStorage, MAX_DIM, Source};
use crate::validate::arena::Id;
use crate::validate::rules;
use crate::validate::types::node::Node;
use crate::validate::types::value::{count, show};

/// A criterion of two operands whose shapes must fit; the result is one number.
pub(super) fn pair(node: &mut Node<'_, '_, '_, '_>) -> Option<Dims> {
    let (a, b) = (node.shape(0)?, node.shape(1)?);
    if node.broadcast(a, b).is_none() {
        return node.mismatch("prediction and target do not fit", a, b);
    }
    Some(Dims::new())
}

/// CosDistanceWithNegativeSamples: one number for the positive pair, then one for each negative pair, of which input 3
/// gives the number. Only the numbers of elements of the two vectors must agree.
pub(super) fn negative_samples(node: &mut Node<'_, '_, '_, '_>) -> Option<Dims> {
    let (a, b) = (node.shape(0)?, node.shape(1)?);
    let as_long = count(a).is_some_and(|n| count(b) == Some(n));
    if !as_long && node.broadcast(a, b).is_none() {
        return node.mismatch("the vectors do not fit", a, b);
    }
    let number = node.operands.get(3).and_then(|operand| {
        let Source::Variable(v) = operand.source else { return None };
        scalar(node.context.model.variables.get(v.place())?.value.as_ref()?)
    });
    let Some(number) = number else {
        let shape = node.operands.get(3).map(|o| show(&o.value.shape)).unwrap_or_default();
        let text = format!("the number of negative samples is no stored number (shape {shape})");
        return node.input(&rules::SHAPE, 3, text);
    };
    if !(1.0..MAX_DIM as f64).contains(&number) {
        return node.input(&rules::ATTRIBUTE_RANGE, 3, format!("{number} negative samples"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: between 1 and 2^31")]
    let number = number as u64;
    Some([Dim::Known(number.saturating_add(1))].into_iter().collect())
}

/// The value of a stored scalar.
fn scalar(array: &Array<'_>) -> Option<f64> {
    let bytes = match &array.elements {
        ElementStorage::Contiguous(bytes) => *bytes,
        ElementStorage::Pieces(pieces) => pieces.first()?,
        _ => return None,
    };
    match array.data_type {
        DataType::Float | DataType::Float16 => Some(f32::from_le_bytes(bytes.try_into().ok()?).into()),
        DataType::Double => Some(f64::from_le_bytes(bytes.try_into().ok()?)),
        _ => None,
    }
}

//! Shapes of training criteria (spec 4.14).

use crate::model::{Array, DataType, Dim, Dims, ElementStorage, MAX_DIM, Source, VariableKind};
use crate::validate::arena::Id;
use crate::validate::rules;
use crate::validate::types::node::Node;
use crate::validate::types::value::{count, show};

/// Which numbers of elements two operands may have whose shapes can be broadcast.
#[derive(Clone, Copy)]
pub(super) enum Lengths {
    /// Any: each is a vector by itself.
    Any,
    /// The same, or 1 for one of them.
    SameOrOne,
    /// The same.
    Same,
}

/// A criterion of two operands whose shapes must fit; the result is one number.
pub(super) fn pair(node: &mut Node<'_, '_, '_, '_>, lengths: Lengths) -> Option<Dims> {
    let (a, b) = (node.shape(0)?, node.shape(1)?);
    let fits = match (count(a), count(b)) {
        (Some(n), Some(m)) if n != m => match lengths {
            Lengths::Any => true,
            Lengths::SameOrOne => n == 1 || m == 1,
            Lengths::Same => false,
        },
        _ => true,
    };
    if !fits || node.broadcast(a, b).is_none() {
        return node.mismatch("prediction and target do not fit", a, b);
    }
    Some(Dims::new())
}

/// ClassificationError: the number of largest predictions among which the label may be is a constant, if it is given.
pub(super) fn classification_error(node: &mut Node<'_, '_, '_, '_>) -> Option<Dims> {
    if node.operands.len() > 2 {
        let Some((VariableKind::Constant, Some(n))) = variable(node, 2) else {
            let shape = node.shape(2).map(|shape| show(shape)).unwrap_or_default();
            let text = format!("the number of largest predictions to look at is not a constant number (shape {shape})");
            return node.input(&rules::SHAPE, 2, text);
        };
        let classes = count(node.shape(0)?).unwrap_or(MAX_DIM);
        // CNTK drops the fraction.
        #[expect(clippy::cast_precision_loss, reason = "a dimension has fewer than 53 bits")]
        if !(1.0..classes as f64 + 1.0).contains(&n) {
            return node.input(&rules::ATTRIBUTE_RANGE, 2, format!("the {n} largest of {classes} predictions"));
        }
    }
    pair(node, Lengths::Any)
}

/// Logistic: with weights, each sample is one number with one weight.
pub(super) fn logistic(node: &mut Node<'_, '_, '_, '_>) -> Option<Dims> {
    if node.operands.len() > 2 {
        for i in 0..3 {
            node.one_number(i, "sample (they have weights)")?;
        }
    }
    pair(node, Lengths::Same)
}

/// CosDistanceWithNegativeSamples: one number for the positive pair, then one for each negative pair, of which input 3
/// gives the number. Only the numbers of elements of the two vectors must agree.
pub(super) fn negative_samples(node: &mut Node<'_, '_, '_, '_>) -> Option<Dims> {
    let (a, b) = (node.shape(0)?, node.shape(1)?);
    let as_long = count(a).is_some_and(|n| count(b) == Some(n));
    if !as_long && node.broadcast(a, b).is_none() {
        return node.mismatch("the vectors do not fit", a, b);
    }
    let Some((_, Some(number))) = variable(node, 3) else {
        let shape = node.shape(3).map(|shape| show(shape)).unwrap_or_default();
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

/// The kind of the variable that operand `i` is, and its value if it is one stored number.
fn variable(node: &Node<'_, '_, '_, '_>, i: usize) -> Option<(VariableKind, Option<f64>)> {
    let Source::Variable(v) = node.operands.get(i)?.source else { return None };
    let variable = node.context.model.variables.get(v.place())?;
    Some((variable.kind, variable.value.as_ref().and_then(scalar)))
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

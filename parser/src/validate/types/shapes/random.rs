//! Shapes of random numbers and samples (spec 4.13).

use super::windows::MAX_DIM;
use crate::model::{Dim, Dims, Shape};
use crate::ops::attributes::{RandomDistribution, RandomSample};
use crate::validate::rules;
use crate::validate::types::node::Node;

/// RandomDistribution: the shape of the input or, without one, of the attribute.
pub(super) fn distribution(node: &mut Node<'_, '_, '_, '_>, random: &RandomDistribution) -> Option<Dims> {
    if !node.operands.is_empty() {
        return node.shape(0).cloned();
    }
    match &random.new_shape {
        Some(shape) => definite(node, shape, "newShape"),
        None => node.attribute(&rules::ATTRIBUTE_RANGE, "newShape", "no input and no shape".to_owned()),
    }
}

/// The shape in an attribute, row-major; it must be definite.
pub(super) fn definite(node: &mut Node<'_, '_, '_, '_>, shape: &Shape, key: &'static str) -> Option<Dims> {
    match shape.0.iter().find(|n| !(1..=MAX_DIM).contains(*n)) {
        None => Some(shape.0.iter().rev().map(|n| Dim::Known(*n)).collect()),
        Some(n) => node.attribute(&rules::DIMENSION_RANGE, key, format!("a dimension of {n}")),
    }
}

/// RandomSample: a one-hot row for each sample.
pub(super) fn sample(node: &mut Node<'_, '_, '_, '_>, sample: &RandomSample) -> Option<Dims> {
    check(node, sample)?;
    let weights = node.shape(0)?;
    let classes = weights.first().copied().unwrap_or(Dim::Known(1));
    Some([Dim::Known(sample.num_samples), classes].into_iter().collect())
}

/// RandomSampleInclusionFrequency: a number per class.
pub(super) fn inclusion(node: &mut Node<'_, '_, '_, '_>, sample: &RandomSample) -> Option<Dims> {
    check(node, sample)?;
    node.shape(0).cloned()
}

fn check(node: &mut Node<'_, '_, '_, '_>, sample: &RandomSample) -> Option<()> {
    if (1..=MAX_DIM).contains(&sample.num_samples) {
        return Some(());
    }
    node.attribute(&rules::ATTRIBUTE_RANGE, "numSamples", format!("{} samples", sample.num_samples))
}

//! Shapes of random numbers and samples (spec 4.13).

use crate::model::{DataType, Dim, Dims, MAX_DIM, Shape};
use crate::ops::attributes::{RandomDistribution, RandomSample};
use crate::validate::rules;
use crate::validate::types::node::Node;

/// RandomDistribution: the shape of the input or, without one, of the attribute.
pub(super) fn distribution(node: &mut Node<'_, '_, '_, '_>, random: &RandomDistribution) -> Option<Dims> {
    if !node.operands.is_empty() {
        return node.shape(0).cloned();
    }
    if random.new_data_type.is_some_and(|of| !matches!(of, DataType::Float | DataType::Double)) {
        let text = "random numbers are Float or Double".to_owned();
        return node.attribute(&rules::ATTRIBUTE_VALUE, "newDataType", text);
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
    enough(node, sample, classes)?;
    Some([Dim::Known(sample.num_samples), classes].into_iter().collect())
}

/// RandomSampleInclusionFrequency: a number per class.
pub(super) fn inclusion(node: &mut Node<'_, '_, '_, '_>, sample: &RandomSample) -> Option<Dims> {
    check(node, sample)?;
    let weights = node.shape(0)?;
    enough(node, sample, weights.first().copied().unwrap_or(Dim::Known(1)))?;
    Some(weights.clone())
}

/// Without duplicates, some class has to be left out.
fn enough(node: &mut Node<'_, '_, '_, '_>, sample: &RandomSample, classes: Dim) -> Option<()> {
    match classes.known() {
        Some(classes) if !sample.allow_duplicates && sample.num_samples >= classes => {
            let text = format!("{} different samples of {classes} classes", sample.num_samples);
            node.attribute(&rules::ATTRIBUTE_RANGE, "numSamples", text)
        }
        _ => Some(()),
    }
}

fn check(node: &mut Node<'_, '_, '_, '_>, sample: &RandomSample) -> Option<()> {
    if (1..=MAX_DIM).contains(&sample.num_samples) {
        return Some(());
    }
    node.attribute(&rules::ATTRIBUTE_RANGE, "numSamples", format!("{} samples", sample.num_samples))
}

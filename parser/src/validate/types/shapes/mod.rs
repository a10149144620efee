//! The shape rule of each operator (spec 4.3 to 4.14). Shapes are row-major unless a function says file order.

mod convolution;
mod criteria;
mod elementwise;
mod indexing;
mod layers;
mod linear;
mod pooling;
mod random;
mod reduction;
mod reshaping;
mod sequence;
mod slicing;
mod windows;

use super::node::Node;
use crate::model::Dims;
use crate::ops::Operator;
use crate::ops::facts::ShapeRule;
use criteria::Lengths;

/// The shape of output 0; `None` if an input's shape is not known or an error was reported.
pub(crate) fn infer(node: &mut Node<'_, '_, '_, '_>, operator: &Operator<'_>) -> Option<Dims> {
    if matches!(operator, Operator::PackedIndex | Operator::GatherPacked | Operator::ScatterPacked) {
        node.one_number(1, "frame")?;
    }
    match operator.facts().shape {
        ShapeRule::First => elementwise::same_as(node, 0),
        ShapeRule::Broadcast => elementwise::broadcast(node),
        ShapeRule::Scalar => Some(Dims::new()),
        ShapeRule::Own => own(node, operator),
    }
}

/// The rules that apply to one operator or a few.
fn own(node: &mut Node<'_, '_, '_, '_>, operator: &Operator<'_>) -> Option<Dims> {
    match operator {
        Operator::Assign => elementwise::assign(node),
        Operator::PastValue(_) | Operator::FutureValue(_) => elementwise::delay(node),
        Operator::Times(a) => linear::times(node, a),
        Operator::TransposeTimes(a) => linear::transpose_times(node, a),
        Operator::Convolution(a) => convolution::convolution(node, a),
        Operator::ConvolutionSequenceShape(a) => convolution::sequence_shape(node, a),
        Operator::Pooling(a) => pooling::pooling(node, a),
        Operator::Unpooling(a) => pooling::unpooling(node, a),
        Operator::ROIPooling(a) => pooling::roi_pooling(node, a),
        Operator::BatchNormalization(a) => layers::batch_normalization(node, a),
        Operator::OptimizedRNNStack(a) => layers::rnn_stack(node, a),
        Operator::ReduceElements(a) => reduction::reduce(node, a),
        Operator::TransposeAxes(a) => reshaping::transpose(node, a),
        Operator::Reshape(a) => reshaping::reshape(node, a),
        Operator::Squeeze(a) => reshaping::squeeze(node, a),
        Operator::Slice(a) => slicing::slice(node, a),
        Operator::Splice(a) => slicing::splice(node, a),
        Operator::Pad(a) => slicing::pad(node, a),
        Operator::Crop(a) => slicing::crop(node, a),
        Operator::OneHot(a) => indexing::one_hot(node, a),
        Operator::Gather => indexing::gather(node),
        Operator::TopK(a) => indexing::top_k(node, a),
        Operator::UnpackSequence(_) | Operator::UnpackBatch => sequence::unpack(node),
        Operator::ToSequence(_) | Operator::ToSequenceLike(_) | Operator::ToBatch => sequence::pack(node),
        Operator::Where(_) => sequence::positions(node),
        Operator::RandomDistribution(a) => random::distribution(node, a),
        Operator::RandomSample(a) => random::sample(node, a),
        Operator::RandomSampleInclusionFrequency(a) => random::inclusion(node, a),
        Operator::SquaredError => criteria::pair(node, Lengths::SameOrOne),
        Operator::ClassificationError => criteria::classification_error(node),
        Operator::CrossEntropyWithSoftmax | Operator::CosDistance => criteria::pair(node, Lengths::Same),
        Operator::Logistic => criteria::logistic(node),
        Operator::CosDistanceWithNegativeSamples => criteria::negative_samples(node),
        Operator::CustomProxyOp(a) => random::definite(node, a.output_shape.as_ref()?, "outputShape"),
        // Combine, blocks and user-defined functions have no shape of their own.
        _ => None,
    }
}

/// The shape of output 1, given that of output 0.
pub(crate) fn second(operator: &Operator<'_>, first: &Dims) -> Dims {
    match operator {
        // The mask has only the unpacked axis.
        Operator::UnpackSequence(_) => first.iter().copied().take(1).collect(),
        _ => first.clone(),
    }
}

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

pub(crate) use windows::MAX_DIM;

use super::node::Node;
use crate::model::Dims;
use crate::ops::Operator;

/// The shape of output 0; `None` if an input's is not known or after a report.
pub(crate) fn infer(node: &mut Node<'_, '_, '_, '_>, operator: &Operator<'_>) -> Option<Dims> {
    match operator {
        Operator::Negate
        | Operator::Sigmoid
        | Operator::Tanh
        | Operator::ReLU
        | Operator::Exp
        | Operator::Log
        | Operator::Sqrt
        | Operator::Floor
        | Operator::Abs
        | Operator::Reciprocal
        | Operator::Softmax
        | Operator::Hardmax
        | Operator::Dropout(_)
        | Operator::LogSoftmax
        | Operator::Sin
        | Operator::Cos
        | Operator::Pass
        | Operator::NoOp
        | Operator::LabelsToGraph
        | Operator::StopGradient
        | Operator::ELU
        | Operator::StableSigmoid
        | Operator::Sinh
        | Operator::Cosh
        | Operator::Asin
        | Operator::Acos
        | Operator::Atanh
        | Operator::Asinh
        | Operator::ConstantOp(_)
        | Operator::Cast(_)
        | Operator::EyeLikeOp(_)
        | Operator::StraightThrough
        | Operator::Tan
        | Operator::Atan
        | Operator::ReconcileDynamicAxis
        | Operator::GatherPacked
        | Operator::ScatterPacked => elementwise::same_as(node, 0),
        Operator::Plus
        | Operator::Minus
        | Operator::ElementTimes
        | Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::LogPlus
        | Operator::Pow
        | Operator::Clip
        | Operator::Select => elementwise::broadcast(node),
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
        Operator::SquaredError
        | Operator::CrossEntropyWithSoftmax
        | Operator::ClassificationError
        | Operator::Logistic
        | Operator::CosDistance => criteria::pair(node),
        Operator::CosDistanceWithNegativeSamples => criteria::negative_samples(node),
        Operator::PackedIndex
        | Operator::SumAll
        | Operator::LambdaRank
        | Operator::NDCG
        | Operator::EditDistanceError(_)
        | Operator::ForwardBackward(_)
        | Operator::LatticeSequenceWithSoftmax(_) => Some(Dims::new()),
        Operator::CustomProxyOp(a) => random::definite(node, a.output_shape.as_ref()?, "outputShape"),
        Operator::Combine | Operator::Block | Operator::User => None,
    }
}

/// The shape of output 1, given that of output 0.
pub(crate) fn second(operator: &Operator<'_>, first: &Dims) -> Dims {
    match operator {
        // The mask has the unpacked axis alone.
        Operator::UnpackSequence(_) => first.iter().copied().take(1).collect(),
        _ => first.clone(),
    }
}

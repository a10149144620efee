//! Adds a function: an operator of the table on operands that fit; `None` if none fit.

mod criteria;
mod elementwise;
mod indexing;
mod linear;
mod random;
mod reshaping;
mod sequence;
mod slicing;
mod windows;

use super::maker::Maker;
use crate::mutate::Choice;
use cntk_parser::ops::{Class, Op};

pub(super) use elementwise::identity;
pub(super) use linear::times_attributes as times;

/// Ops that CNTK cannot evaluate on a CPU, or not on their own.
const NOT_RUNNABLE: [Op; 9] = [
    Op::OptimizedRNNStack,
    Op::LambdaRank,
    Op::NDCG,
    Op::LatticeSequenceWithSoftmax,
    Op::CustomProxyOp,
    Op::EditDistanceError,
    Op::ForwardBackward,
    Op::Assign,
    Op::CosDistanceWithNegativeSamples,
];

/// Adds a function with any operator that may be generated, if the operands fit.
pub(super) fn any(m: &mut Maker<'_, '_>) -> Option<()> {
    let op = Op::ALL[m.choice.below(Op::ALL.len())];
    let chance = op.facts().class == Class::Random;
    if m.options.runnable && (chance || NOT_RUNNABLE.contains(&op)) { None } else { function(m, op) }
}

fn function(m: &mut Maker<'_, '_>, op: Op) -> Option<()> {
    match op {
        Op::Clip => elementwise::clip(m),
        Op::Select => elementwise::select(m),
        Op::Dropout => elementwise::dropout(m),
        Op::ConstantOp => elementwise::constant(m),
        Op::Cast => elementwise::cast(m),
        Op::Assign => elementwise::assign(m),
        Op::EyeLikeOp => elementwise::eye_like(m),
        Op::Times => linear::times(m),
        Op::TransposeTimes => linear::transpose_times(m),
        Op::BatchNormalization => linear::batch_normalization(m),
        Op::OptimizedRNNStack => linear::rnn_stack(m),
        Op::Convolution => windows::convolution(m),
        Op::ConvolutionSequenceShape => windows::sequence_shape(m),
        Op::Pooling => windows::pooling(m),
        Op::Unpooling => windows::unpooling(m),
        Op::ROIPooling => windows::roi_pooling(m),
        Op::ReduceElements => reshaping::reduce(m),
        Op::TransposeAxes => reshaping::transpose(m),
        Op::Reshape => reshaping::reshape(m),
        Op::Squeeze => reshaping::squeeze(m),
        Op::Slice => slicing::slice(m),
        Op::Splice => slicing::splice(m),
        Op::Pad => slicing::pad(m),
        Op::Crop => slicing::crop(m),
        Op::OneHot => indexing::one_hot(m),
        Op::Gather => indexing::gather(m),
        Op::TopK => indexing::top_k(m),
        Op::PastValue | Op::FutureValue => sequence::delay(m, op),
        Op::Where | Op::PackedIndex | Op::GatherPacked => sequence::pick(m, false),
        Op::ScatterPacked => sequence::pick(m, true),
        Op::ReconcileDynamicAxis => sequence::reconcile(m),
        Op::ToSequence => sequence::to_sequence(m),
        Op::ToSequenceLike => sequence::to_sequence_like(m),
        Op::UnpackSequence => sequence::unpack(m),
        Op::UnpackBatch => sequence::unpack_batch(m),
        Op::ToBatch => sequence::to_batch(m),
        Op::RandomDistribution => random::distribution(m),
        Op::RandomSample | Op::RandomSampleInclusionFrequency => random::sample(m, op),
        Op::SumAll => criteria::sum_all(m),
        Op::SquaredError | Op::CrossEntropyWithSoftmax | Op::ClassificationError | Op::Logistic => {
            criteria::aggregate(m, op)
        }
        Op::CosDistance => criteria::cos_distance(m),
        Op::CosDistanceWithNegativeSamples => criteria::negative_samples(m),
        Op::LambdaRank | Op::NDCG => criteria::ranking(m, op),
        Op::EditDistanceError => criteria::edit_distance(m),
        Op::ForwardBackward => criteria::forward_backward(m),
        Op::LatticeSequenceWithSoftmax => criteria::lattice(m),
        Op::CustomProxyOp => criteria::custom(m),
        // Both stand where they make sense: `block`, and the root.
        Op::Block | Op::Combine => None,
        // What takes operands and no attributes, by its class.
        _ => match (op.facts().class, op.spec().min_inputs) {
            (Class::Elementwise | Class::Identity | Class::Softmax, 1) => elementwise::unary(m, op),
            (Class::Broadcast, 2) => elementwise::binary(m, op),
            _ => None,
        },
    }
}

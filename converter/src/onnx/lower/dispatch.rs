//! Which function lowers which operator: the one place that names them all.

use super::{
    Lowered, Lowering, Node, convolution, criteria, elementwise, indexing, linear, normalization, pooling, random,
    reduction, region, reshaping, sequence,
};
use crate::report::Reason;
use cntk_parser::ops::Operator as Op;

/// Lowers one function outside or inside a loop; delays that close a loop never get here.
pub(super) fn lower(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    match node.op {
        Op::Negate => elementwise::unary(cx, node, "Neg"),
        Op::Sigmoid | Op::StableSigmoid => elementwise::unary(cx, node, "Sigmoid"),
        Op::Tanh => elementwise::unary(cx, node, "Tanh"),
        Op::ReLU => elementwise::unary(cx, node, "Relu"),
        Op::Exp => elementwise::unary(cx, node, "Exp"),
        Op::Floor => elementwise::unary(cx, node, "Floor"),
        Op::Abs => elementwise::unary(cx, node, "Abs"),
        Op::Sin => elementwise::unary(cx, node, "Sin"),
        Op::Cos => elementwise::unary(cx, node, "Cos"),
        Op::Tan => elementwise::unary(cx, node, "Tan"),
        Op::Asin => elementwise::unary(cx, node, "Asin"),
        Op::Acos => elementwise::unary(cx, node, "Acos"),
        Op::Atan => elementwise::unary(cx, node, "Atan"),
        Op::Sinh => elementwise::unary(cx, node, "Sinh"),
        Op::Cosh => elementwise::unary(cx, node, "Cosh"),
        Op::Asinh => elementwise::unary(cx, node, "Asinh"),
        Op::Atanh => elementwise::unary(cx, node, "Atanh"),
        Op::ELU => elementwise::unary(cx, node, "Elu"),
        Op::Log => elementwise::log(cx, node),
        Op::Sqrt => elementwise::sqrt(cx, node),
        Op::Reciprocal => elementwise::reciprocal(cx, node),
        Op::StraightThrough => elementwise::straight_through(cx, node),
        Op::Pow => elementwise::pow(cx, node),
        Op::LogPlus => elementwise::log_plus(cx, node),
        Op::Plus => elementwise::binary(cx, node, "Add"),
        Op::Minus => elementwise::binary(cx, node, "Sub"),
        Op::ElementTimes => elementwise::binary(cx, node, "Mul"),
        Op::Equal => elementwise::compare(cx, node, "Equal", false, false),
        Op::NotEqual => elementwise::compare(cx, node, "Equal", false, true),
        Op::Less => elementwise::compare(cx, node, "Less", false, false),
        Op::LessEqual => elementwise::compare(cx, node, "Less", true, false),
        Op::Greater => elementwise::compare(cx, node, "Greater", false, false),
        Op::GreaterEqual => elementwise::compare(cx, node, "Greater", true, false),
        Op::Select => elementwise::select(cx, node),
        Op::Clip => elementwise::clip(cx, node),
        Op::Cast(a) => elementwise::cast(cx, node, a),
        Op::ConstantOp(a) => elementwise::constant_like(cx, node, a.fill_value),
        // Inference: dropout is the identity, gradients do not exist.
        Op::Dropout(_) | Op::Pass | Op::NoOp | Op::StopGradient | Op::LabelsToGraph => elementwise::pass(node, 0),
        // The value assigned; the side effect on the first operand is training's.
        Op::Assign => elementwise::pass(node, 1),
        Op::Times(a) => linear::times(cx, node, a),
        Op::TransposeTimes(a) => linear::transpose_times(cx, node, a),
        Op::Convolution(a) => convolution::convolution(cx, node, a),
        Op::ConvolutionSequenceShape(a) => convolution::sequence_shape(cx, node, a),
        Op::Pooling(a) => pooling::pooling(cx, node, a),
        Op::Unpooling(a) => pooling::unpooling(cx, node, a),
        Op::ROIPooling(a) => region::roi_pooling(cx, node, a),
        Op::Crop(a) => region::crop(cx, node, a),
        Op::BatchNormalization(a) => normalization::batch_normalization(cx, node, a),
        Op::ReduceElements(a) => reduction::reduce(cx, node, a),
        Op::Softmax => reduction::softmax(cx, node, "Softmax"),
        Op::LogSoftmax => reduction::softmax(cx, node, "LogSoftmax"),
        Op::Hardmax => reduction::softmax(cx, node, "Hardmax"),
        Op::TransposeAxes(a) => reshaping::transpose(cx, node, a),
        Op::Slice(a) => reshaping::slice(cx, node, a),
        Op::Reshape(_) | Op::Squeeze(_) => reshaping::reshape(cx, node),
        Op::Splice(a) => reshaping::splice(cx, node, a),
        Op::Pad(a) => reshaping::pad(cx, node, a),
        Op::ToBatch | Op::UnpackBatch => reshaping::relabel_batch(cx, node),
        Op::OneHot(a) => indexing::one_hot(cx, node, a),
        Op::Gather => indexing::gather(cx, node),
        Op::TopK(a) => indexing::top_k(cx, node, a),
        Op::EyeLikeOp(_) => indexing::eye_like(cx, node),
        Op::SumAll => criteria::sum_all(cx, node),
        Op::SquaredError => criteria::squared_error(cx, node),
        Op::CrossEntropyWithSoftmax => criteria::cross_entropy(cx, node),
        Op::ClassificationError => criteria::classification_error(cx, node),
        Op::Logistic => criteria::logistic(cx, node),
        Op::CosDistance => criteria::cos_distance(cx, node),
        Op::CosDistanceWithNegativeSamples => criteria::cos_distance_with_negative_samples(cx, node),
        Op::RandomDistribution(a) => random::distribution(cx, node, a),
        Op::RandomSample(a) => random::sample(cx, node, a),
        Op::RandomSampleInclusionFrequency(a) => random::inclusion_frequency(cx, node, a),
        Op::PastValue(_)
        | Op::FutureValue(_)
        | Op::Where(_)
        | Op::PackedIndex
        | Op::GatherPacked
        | Op::ScatterPacked
        | Op::ReconcileDynamicAxis
        | Op::ToSequence(_)
        | Op::ToSequenceLike(_)
        | Op::UnpackSequence(_)
        | Op::OptimizedRNNStack(_)
        | Op::EditDistanceError(_)
        | Op::ForwardBackward(_) => sequence::lower(cx, node),
        Op::LambdaRank | Op::NDCG => {
            Err(Reason::new("", "a ranking criterion has no ONNX form; leave it out with --outputs"))
        }
        Op::LatticeSequenceWithSoftmax(_) => {
            Err(Reason::new("", "sequence training reads lattice files; it has no ONNX form"))
        }
        Op::CustomProxyOp(_) => Err(Reason::new("customOp", "names native code that only its author's program has")),
        Op::User => Err(Reason::new("", "a user-defined function is code that the file does not contain")),
        // Seen through before the lowering starts.
        Op::Block | Op::Combine => Err(Reason::new("", "is not a computation")),
    }
}

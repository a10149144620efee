//! The function that lowers each operator.

use super::{
    Lower, Lowered, Node, blocks, convolution, criteria, elementwise, indexing, linear, normalization, pooling, random,
    reduction, region, reshaping, sequence, stack,
};
use crate::pytorch::python::expr::{Binary, Expr, args, functional, nn, of};
use crate::pytorch::state::State;
use crate::report::Reason;
use crate::resolve::softmax::Softmax;
use cntk_parser::ops::Operator as Op;
use smallvec::smallvec;

/// Lowers one function, outside or inside of a loop, except for the delays that close a loop.
pub(super) fn lower(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    if let Some(whole) = blocks::composed(cx, node) {
        return Ok(smallvec![whole]);
    }
    match node.op {
        Op::Negate => elementwise::unary(cx, node, |x| -of(x)),
        Op::Sigmoid | Op::StableSigmoid => elementwise::method(cx, node, "sigmoid"),
        Op::Tanh => elementwise::method(cx, node, "tanh"),
        Op::ReLU => elementwise::unary(cx, node, |x| functional("relu", args![x])),
        Op::Exp => elementwise::method(cx, node, "exp"),
        Op::Floor => elementwise::method(cx, node, "floor"),
        Op::Abs => elementwise::method(cx, node, "abs"),
        Op::Sin => elementwise::method(cx, node, "sin"),
        Op::Cos => elementwise::method(cx, node, "cos"),
        Op::Tan => elementwise::method(cx, node, "tan"),
        Op::Asin => elementwise::method(cx, node, "asin"),
        Op::Acos => elementwise::method(cx, node, "acos"),
        Op::Atan => elementwise::method(cx, node, "atan"),
        Op::Sinh => elementwise::method(cx, node, "sinh"),
        Op::Cosh => elementwise::method(cx, node, "cosh"),
        Op::Asinh => elementwise::method(cx, node, "asinh"),
        Op::Atanh => elementwise::method(cx, node, "atanh"),
        Op::ELU => elementwise::unary(cx, node, |x| functional("elu", args![x])),
        Op::Log => elementwise::log(cx, node),
        Op::Sqrt => elementwise::sqrt(cx, node),
        Op::Reciprocal => elementwise::reciprocal(cx, node),
        Op::StraightThrough => elementwise::straight_through(cx, node),
        Op::Pow => elementwise::pow(cx, node),
        Op::LogPlus => elementwise::log_plus(cx, node),
        Op::Plus => elementwise::binary(cx, node, Binary::Plus),
        Op::Minus => elementwise::binary(cx, node, Binary::Minus),
        Op::ElementTimes => elementwise::times(cx, node),
        Op::Equal => elementwise::compare(cx, node, Binary::Equal),
        Op::NotEqual => elementwise::compare(cx, node, Binary::NotEqual),
        Op::Less => elementwise::compare(cx, node, Binary::Less),
        Op::LessEqual => elementwise::compare(cx, node, Binary::LessEqual),
        Op::Greater => elementwise::compare(cx, node, Binary::Greater),
        Op::GreaterEqual => elementwise::compare(cx, node, Binary::GreaterEqual),
        Op::Select => elementwise::select(cx, node),
        Op::Clip => elementwise::clip(cx, node),
        Op::Cast(a) => elementwise::cast(cx, node, a),
        Op::ConstantOp(a) => elementwise::constant_like(cx, node, a.fill_value),
        Op::Dropout(a) => dropout(cx, node, a.rate),
        Op::Pass | Op::NoOp | Op::LabelsToGraph => elementwise::pass(node, 0),
        Op::StopGradient => stop_gradient(cx, node),
        // The assigned value; the side effect on the first operand belongs to training.
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
        Op::Softmax => reduction::softmax(cx, node, Softmax::Plain),
        Op::LogSoftmax => reduction::softmax(cx, node, Softmax::Log),
        Op::Hardmax => reduction::softmax(cx, node, Softmax::Hard),
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
        Op::OptimizedRNNStack(a) => stack::lower(cx, node, a),
        Op::PastValue(_)
        | Op::FutureValue(_)
        | Op::Where(_)
        | Op::PackedIndex
        | Op::GatherPacked
        | Op::ScatterPacked
        | Op::ReconcileDynamicAxis
        | Op::ToSequence(_)
        | Op::ToSequenceLike(_)
        | Op::UnpackSequence(_) => sequence::lower(cx, node),
        Op::EditDistanceError(_) => {
            Err(Reason::new("", "an edit distance is a metric without a PyTorch form; leave it out with --outputs"))
        }
        Op::ForwardBackward(_) => Err(Reason::new(
            "",
            "CTC is a criterion: use torch.nn.functional.ctc_loss, and leave it out with --outputs",
        )),
        Op::LambdaRank | Op::NDCG => {
            Err(Reason::new("", "a ranking criterion has no PyTorch form; leave it out with --outputs"))
        }
        Op::LatticeSequenceWithSoftmax(_) => {
            Err(Reason::new("", "sequence training reads lattice files; it has no PyTorch form"))
        }
        Op::CustomProxyOp(_) => Err(Reason::new("customOp", "names native code that only its author's program has")),
        // These were resolved or refused before the lowering started.
        Op::Foreign(_) | Op::User | Op::Block | Op::Combine => Err(Reason::new("", "is not a computation")),
    }
}

/// Dropout as a layer of its own, which is active in training only.
fn dropout(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, rate: f64) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let constructor = nn("Dropout", args![Expr::number(rate, false)]);
    let state = cx.hold(State::module(constructor, cx.layer_name(node.id), "drop"));
    let id = cx.compute(Expr::wrapper(state, x.id));
    Ok(smallvec![x.with(id)])
}

fn stop_gradient(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let id = cx.compute(of(x.id).method("detach", args![]));
    if let Some(count) = cx.counts.get(&x.id).copied() {
        cx.counts.insert(id, count);
    }
    Ok(smallvec![x.with(id)])
}

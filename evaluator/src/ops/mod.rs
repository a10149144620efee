//! The computation of each operator, with a module for each family. Every function names its paragraph of the format
//! description.

mod alignment;
mod broadcast;
mod convolution;
mod criteria;
mod crop;
mod elementwise;
mod indexing;
mod linear;
mod normalization;
mod pooling;
mod random;
mod ranking;
mod reduction;
mod sequence;
mod shape;
mod softmax;
mod stack;
mod window;

use crate::fault::{Fault, fault};
use crate::limits::Meter;
use crate::value::Value;
use cntk_parser::model::{DynamicAxes, FunctionId, Source, ValidatedModel, ValueType};
use cntk_parser::ops::Operator;
use fastrand::Rng;

/// The results of an operator.
pub(crate) type Out = Result<Vec<Value>, Fault>;

/// One application of an operator.
pub(crate) struct Call<'c> {
    pub(crate) model: &'c ValidatedModel<'c>,
    pub(crate) id: FunctionId,
    /// The operands, in the order of the record.
    pub(crate) inputs: &'c [Value],
    /// The types of the results in the model.
    pub(crate) types: &'c [ValueType],
    pub(crate) meter: &'c mut Meter,
    /// The source of random numbers; `None` refuses random operators.
    pub(crate) random: Option<&'c mut Rng>,
}

impl<'c> Call<'c> {
    /// An operand, which exists because the validator checked their number.
    fn input(&self, i: usize) -> &'c Value {
        &self.inputs[i]
    }

    /// Does the result have no dynamic axes?
    fn is_constant(&self) -> bool {
        self.types.first().is_some_and(|t| t.axes == DynamicAxes::default())
    }

    /// Refuses what stands in the gaps of CNTK's minibatch if operand `i` is computed: it is what earlier operators made of the
    /// padding. In an input, it is 0.
    fn reads_gap(&self, i: usize) -> Result<(), Fault> {
        match self.model.inputs(self.id)[i] {
            Source::Output(..) => {
                fault("CNTK counts the padding of a computed operand, so sequences must have one length")
            }
            Source::Variable(_) => Ok(()),
        }
    }

    /// The same for an operator that reads all columns of all operands.
    fn reads_gaps(&self) -> Result<(), Fault> {
        let mut gaps = (0..self.inputs.len()).filter(|i| self.input(*i).frames.columns().contains(&None));
        gaps.try_for_each(|i| self.reads_gap(i))
    }

    /// The source of random numbers.
    fn random(&mut self) -> Result<&mut Rng, Fault> {
        match &mut self.random {
            Some(random) => Ok(random),
            None => fault("it draws random numbers, and no seed is given"),
        }
    }
}

/// Computes an operator other than a delay.
pub(crate) fn apply(call: &mut Call<'_>) -> Out {
    use Operator as Op;
    match call.model.operator(call.id) {
        Op::Negate => elementwise::unary(call, |x| -x),
        Op::Abs => elementwise::unary(call, f64::abs),
        Op::Exp => elementwise::unary(call, f64::exp),
        Op::Floor => elementwise::unary(call, f64::floor),
        Op::Tanh => elementwise::unary(call, f64::tanh),
        Op::Sin => elementwise::unary(call, f64::sin),
        Op::Cos => elementwise::unary(call, f64::cos),
        Op::Tan => elementwise::unary(call, f64::tan),
        Op::Asin => elementwise::unary(call, f64::asin),
        Op::Acos => elementwise::unary(call, f64::acos),
        Op::Atan => elementwise::unary(call, f64::atan),
        Op::Sinh => elementwise::unary(call, f64::sinh),
        Op::Cosh => elementwise::unary(call, f64::cosh),
        Op::Asinh => elementwise::unary(call, f64::asinh),
        Op::Atanh => elementwise::unary(call, f64::atanh),
        Op::Sigmoid | Op::StableSigmoid => elementwise::unary(call, elementwise::sigmoid),
        Op::ReLU => elementwise::unary(call, elementwise::relu),
        Op::ELU => elementwise::unary(call, elementwise::elu),
        Op::StraightThrough => elementwise::unary(call, elementwise::straight_through),
        Op::Log => elementwise::unary(call, elementwise::log),
        Op::Sqrt => elementwise::unary(call, elementwise::sqrt),
        Op::Reciprocal => elementwise::unary(call, elementwise::reciprocal),
        Op::ConstantOp(a) => elementwise::unary(call, |_| a.fill_value),
        Op::Cast(a) => elementwise::cast(call, a.new_data_type),
        Op::Plus => elementwise::binary(call, |a, b| a + b),
        Op::Minus => elementwise::binary(call, |a, b| a - b),
        Op::ElementTimes => elementwise::binary(call, |a, b| a * b),
        Op::Pow => elementwise::binary(call, elementwise::pow),
        Op::LogPlus => elementwise::binary(call, elementwise::log_plus),
        Op::Equal => elementwise::compare(call, f64::eq),
        Op::NotEqual => elementwise::compare(call, f64::ne),
        Op::Less => elementwise::compare(call, f64::lt),
        Op::LessEqual => elementwise::compare(call, f64::le),
        Op::Greater => elementwise::compare(call, f64::gt),
        Op::GreaterEqual => elementwise::compare(call, f64::ge),
        Op::Clip => elementwise::clip(call),
        Op::Select => elementwise::select(call),
        Op::Assign => elementwise::assign(call),
        Op::Pass | Op::NoOp | Op::StopGradient | Op::LabelsToGraph | Op::Dropout(_) => elementwise::identity(call),
        Op::Softmax => softmax::softmax(call),
        Op::LogSoftmax => softmax::log_softmax(call),
        Op::Hardmax => softmax::hardmax(call),
        Op::Times(a) => linear::times(call, a),
        Op::TransposeTimes(_) => linear::transpose_times(call),
        Op::Convolution(a) => convolution::convolution(call, a),
        Op::ConvolutionSequenceShape(a) => convolution::sequence_shape(call, a),
        Op::Pooling(a) => pooling::pooling(call, a),
        Op::Unpooling(a) => pooling::unpooling(call, a),
        Op::ROIPooling(a) => pooling::roi_pooling(call, a),
        Op::BatchNormalization(a) => normalization::batch_normalization(call, a),
        Op::OptimizedRNNStack(a) => stack::stack(call, a),
        Op::ReduceElements(a) => reduction::reduce(call, a),
        Op::Slice(a) => shape::slice(call, a),
        Op::Splice(a) => shape::splice(call, a),
        Op::TransposeAxes(a) => shape::transpose(call, a),
        Op::Reshape(a) => shape::reshape(call, a),
        Op::Squeeze(a) => shape::squeeze(call, a),
        Op::Pad(a) => shape::pad(call, a),
        Op::Crop(a) => crop::crop(call, a),
        Op::OneHot(a) => indexing::one_hot(call, a),
        Op::Gather => indexing::gather(call),
        Op::TopK(a) => indexing::top_k(call, a),
        Op::EyeLikeOp(_) => indexing::eye_like(call),
        Op::Where(_) => sequence::positions(call),
        Op::PackedIndex => sequence::packed_index(call),
        Op::GatherPacked => sequence::gather_packed(call),
        Op::ScatterPacked => sequence::scatter_packed(call),
        Op::ReconcileDynamicAxis => sequence::reconcile(call),
        Op::UnpackSequence(a) => sequence::unpack(call, a),
        Op::ToSequence(_) => sequence::to_sequence(call, false),
        Op::ToSequenceLike(_) => sequence::to_sequence(call, true),
        Op::UnpackBatch => sequence::unpack_batch(call),
        Op::ToBatch => sequence::to_batch(call),
        Op::SumAll => criteria::sum_all(call),
        Op::SquaredError => criteria::squared_error(call),
        Op::CrossEntropyWithSoftmax => criteria::cross_entropy(call),
        Op::ClassificationError => criteria::classification_error(call),
        Op::Logistic => criteria::logistic(call),
        Op::CosDistance => criteria::cos_distance(call),
        Op::CosDistanceWithNegativeSamples => criteria::negative_samples(call),
        Op::EditDistanceError(a) => alignment::edit_distance(call, a),
        Op::ForwardBackward(a) => alignment::forward_backward(call, a),
        Op::LambdaRank => ranking::lambda_rank(call),
        Op::NDCG => ranking::ndcg(call),
        Op::RandomDistribution(a) => random::distribution(call, a),
        Op::RandomSample(a) => random::random_sample(call, a),
        Op::RandomSampleInclusionFrequency(a) => random::inclusion_frequency(call, a),
        Op::PastValue(_) | Op::FutureValue(_) => fault("a delay has no value of its own"),
        Op::LatticeSequenceWithSoftmax(_) => fault("it reads lattice files, which a model file does not hold"),
        Op::CustomProxyOp(_) => fault("it names native code that only its author's program has"),
        Op::Foreign(foreign) => fault(foreign.why),
        Op::User => fault("a model file stores a reference to a user-defined function's code, not what it computes"),
        Op::Combine | Op::Block => fault("it is a structure, which computes nothing"),
    }
}

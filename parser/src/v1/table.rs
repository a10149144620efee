//! The operators of the format, one row per name or alias, sorted by name: how to read each and what it becomes.

use super::body::{self, Body};
use super::said::Said;
use crate::error::Error;
use crate::model::Foreign;
use crate::ops::Op;

/// A row: an operator's name and how to read it.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) form: Form,
    /// For each v2 input, the index of the child; empty if the order is the same.
    pub(super) order: &'static [u8],
}

/// How an operator's node is read.
pub(super) enum Form {
    /// A v2 primitive without attributes; the node has no body.
    Plain(Op),
    /// A node with a body, which this function reads.
    Read(for<'a> fn(&mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error>),
    /// An operator that cannot be computed; the node has no body.
    Foreign(Foreign),
}

/// The row with this name.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    let at = ROWS.binary_search_by(|row| row.name.cmp(name)).ok()?;
    ROWS.get(at)
}

const fn plain(name: &'static str, op: Op) -> Row {
    Row { name, form: Form::Plain(op), order: &[] }
}

const fn ordered(name: &'static str, op: Op, order: &'static [u8]) -> Row {
    Row { name, form: Form::Plain(op), order }
}

const fn read(name: &'static str, read: for<'a> fn(&mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error>) -> Row {
    Row { name, form: Form::Read(read), order: &[] }
}

/// An operator whose parameters the format does not store.
const fn lossy(name: &'static str, lost: &'static str) -> Row {
    Row { name, form: Form::Foreign(Foreign { name, why: lost, criterion: false }), order: &[] }
}

/// A training criterion without a counterpart in CNTK 2.
const fn criterion(name: &'static str) -> Row {
    Row { name, form: Form::Foreign(Foreign { name, why: NO_COUNTERPART, criterion: true }), order: &[] }
}

/// The reason for refusing a training operator of CNTK 1.
pub(super) const NO_COUNTERPART: &str = "an operator of CNTK 1 for training, without a counterpart in CNTK 2";

static ROWS: &[Row] = &[
    plain("Abs", Op::Abs),
    plain("Acos", Op::Acos),
    plain("Asin", Op::Asin),
    plain("Asinh", Op::Asinh),
    plain("Assign", Op::Assign),
    plain("Atan", Op::Atan),
    plain("Atanh", Op::Atanh),
    read("AveragePooling", body::old_pooling),
    read("BatchNormalization", body::batch_normalization),
    lossy("Cast", "the file has lost the type to which it converts"),
    criterion("ClassBasedCrossEntropyWithSoftmax"),
    ordered("ClassificationError", Op::ClassificationError, &[1, 0, 2]),
    ordered("Clip", Op::Clip, &[2, 0, 1]),
    plain("ColumnElementTimes", Op::ElementTimes),
    lossy("ConstantOp", "the file has lost the number that fills it"),
    read("Convolution", body::convolution),
    plain("CosDistance", Op::CosDistance),
    plain("CosDistanceWithNegativeSamples", Op::CosDistanceWithNegativeSamples),
    plain("Cosh", Op::Cosh),
    plain("Cosine", Op::Cos),
    read("Crop", body::crop),
    read("CrossEntropy", body::cross_entropy),
    Row { name: "CrossEntropyWithSoftmax", form: Form::Read(body::cross_entropy_with_softmax), order: &[1, 0] },
    read("Delay", body::past_value),
    plain("DiagTimes", Op::ElementTimes),
    read("Diagonal", body::diagonal),
    read("Dropout", body::dropout),
    criterion("DummyCriterion"),
    read("DynamicAxis", body::dynamic_axis),
    read("EditDistanceError", body::edit_distance_error),
    plain("ElementTimes", Op::ElementTimes),
    read("EnvironmentInput", body::environment_input),
    lossy("EpochAccumulator", "it sums over an epoch of training"),
    plain("Equal", Op::Equal),
    ordered("ErrorPrediction", Op::ClassificationError, &[1, 0, 2]),
    plain("Exp", Op::Exp),
    plain("ExponentialLinearUnit", Op::ELU),
    read("EyeLikeOp", body::eye_like),
    plain("Floor", Op::Floor),
    read("ForwardBackward", body::forward_backward),
    read("FutureValue", body::future_value),
    plain("Gather", Op::Gather),
    ordered("GatherPacked", Op::GatherPacked, &[1, 0]),
    plain("Greater", Op::Greater),
    plain("GreaterEqual", Op::GreaterEqual),
    plain("Hardmax", Op::Hardmax),
    plain("If", Op::Select),
    read("InputValue", body::input),
    read("InvStdDev", body::statistic),
    read("KhatriRaoProduct", body::khatri_rao),
    plain("LabelsToGraph", Op::LabelsToGraph),
    ordered("LambdaRank", Op::LambdaRank, &[1, 0, 2]),
    read("LatticeSequenceWithSoftmax", body::lattice),
    read("LearnableParameter", body::parameter),
    read("LegacyReshape", body::legacy_reshape),
    plain("Less", Op::Less),
    plain("LessEqual", Op::LessEqual),
    plain("Log", Op::Log),
    plain("LogPlus", Op::LogPlus),
    plain("LogSoftmax", Op::LogSoftmax),
    ordered("Logistic", Op::Logistic, &[1, 0, 2]),
    read("LookupTable", body::lookup_table),
    read("MatrixL1Reg", body::l1),
    read("MatrixL2Reg", body::l2),
    read("MaxPooling", body::old_pooling),
    read("MaxUnpooling", body::unpooling),
    read("Mean", body::statistic),
    plain("Minus", Op::Minus),
    ordered("NDCG1Eval", Op::NDCG, &[1, 0, 2]),
    plain("Negate", Op::Negate),
    read("NoiseContrastiveEstimation", body::noise_contrastive_estimation),
    plain("NotEqual", Op::NotEqual),
    lossy("OneHot", "the file has lost the number of classes and the axis"),
    Row { name: "OptimizedRNNStack", form: Form::Read(body::rnn_stack), order: &[1, 0] },
    read("OutputMultiplexer", body::multiplexer),
    plain("PackedIndex", Op::PackedIndex),
    lossy("Padding", "the file has lost the pads, the mode and the number that fills them"),
    plain("Pass", Op::Pass),
    read("PastValue", body::past_value),
    read("PerDimMeanVarDeNormalization", body::denormalize),
    read("PerDimMeanVarDeNormalizationNode", body::denormalize),
    read("PerDimMeanVarNormalization", body::normalize),
    read("PerDimMeanVarNormalizationNode", body::normalize),
    plain("Plus", Op::Plus),
    read("Pooling", body::pooling),
    plain("Pow", Op::Pow),
    read("QuantizedTimes", body::quantized_times),
    Row { name: "RNN", form: Form::Read(body::rnn_stack), order: &[1, 0] },
    read("ROIPooling", body::roi_pooling),
    lossy("RandomDistribution", "the file has lost the distribution and its parameters"),
    read("RandomSample", body::random_sample),
    read("RandomSampleInclusionFrequency", body::inclusion_frequency),
    plain("Reciprocal", Op::Reciprocal),
    plain("ReconcileDynamicAxis", Op::ReconcileDynamicAxis),
    plain("ReconcileMBLayout", Op::ReconcileDynamicAxis),
    plain("RectifiedLinear", Op::ReLU),
    read("ReduceElements", body::reduce),
    read("Reshape", body::reshape),
    plain("RowElementTimes", Op::ElementTimes),
    read("RowRepeat", body::row_repeat),
    read("RowSlice", body::slice),
    read("RowStack", body::row_stack),
    plain("Scale", Op::ElementTimes),
    ordered("ScatterPacked", Op::ScatterPacked, &[2, 1, 0]),
    criterion("SequenceWithSoftmax"),
    plain("Sigmoid", Op::Sigmoid),
    plain("Sin", Op::Sin),
    plain("Sinh", Op::Sinh),
    read("Slice", body::slice),
    plain("Softmax", Op::Softmax),
    read("SparseInputValue", body::sparse_input),
    plain("Sqrt", Op::Sqrt),
    plain("SquareError", Op::SquaredError),
    plain("StableSigmoid", Op::StableSigmoid),
    plain("StopGradient", Op::StopGradient),
    plain("StraightThrough", Op::StraightThrough),
    read("SumColumnElements", body::sum_columns),
    plain("SumElements", Op::SumAll),
    plain("Tan", Op::Tan),
    plain("Tanh", Op::Tanh),
    read("Times", body::times),
    plain("ToBatchAxisNode", Op::ToBatch),
    read("ToSequence", body::to_sequence),
    lossy("TopK", "the file has lost how many it selects"),
    read("Trace", body::trace),
    read("Transpose", body::transpose),
    read("TransposeDimensions", body::transpose),
    read("TransposeTimes", body::transpose_times),
    plain("UnpackBatchAxis", Op::UnpackBatch),
    read("UnpackSequence", body::unpack_sequence),
    read("Where", body::positions),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_found() {
        assert!(ROWS.is_sorted_by(|a, b| a.name < b.name));
        assert!(ROWS.iter().all(|row| find(row.name).is_some_and(|found| found.name == row.name)));
        assert!(find("Plus ").is_none() && find("").is_none());
    }
}

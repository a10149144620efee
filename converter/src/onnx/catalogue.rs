//! What becomes of each operator: the ONNX form, the restrictions, the status. `cntk2onnx ops` and `docs/ops.md` print it.

use cntk_parser::ops::Op;

/// Is an operator converted?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Yes, within the restrictions.
    Converted,
    /// No: it holds code or reads files that the model does not contain, or has no sensible graph.
    Refused,
    /// It is structure, not computation.
    Structure,
}

impl Status {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converted => "converted",
            Self::Refused => "refused",
            Self::Structure => "structure",
        }
    }
}

/// A row of the op page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The ONNX operators it becomes.
    pub onnx: &'static str,
    /// What is not converted, or not to the last digit; empty for nothing.
    pub restrictions: &'static str,
    /// Is it converted?
    pub status: Status,
}

const fn plain(onnx: &'static str) -> Entry {
    Entry { onnx, restrictions: "", status: Status::Converted }
}

const fn but(onnx: &'static str, restrictions: &'static str) -> Entry {
    Entry { onnx, restrictions, status: Status::Converted }
}

const fn refused(why: &'static str) -> Entry {
    Entry { onnx: "", restrictions: why, status: Status::Refused }
}

const FLOAT_ONLY: &str = "double runs in float between Casts (no double kernel in ONNX Runtime)";
const OWN_NUMBERS: &str = "draws its own random numbers; a warning says so";
const WHOLE_BATCH: &str = "gives one number for all valid frames of the batch";

/// What becomes of `op`.
pub fn entry(op: Op) -> Entry {
    match op {
        Op::Negate => plain("Neg"),
        Op::Sigmoid | Op::StableSigmoid => plain("Sigmoid"),
        Op::Tanh => plain("Tanh"),
        Op::ReLU => but("Relu", "ReLU(-inf) is 0 (CNTK: NaN)"),
        Op::Exp => plain("Exp"),
        Op::Log => but(
            "Max, Log",
            "below 1.1e-37 the result is -85.1, as in CNTK; no Max where the operand is above zero by construction",
        ),
        Op::Sqrt => but(
            "Greater, Where, Sqrt",
            "negative numbers and NaN give 0, as in CNTK; plain Sqrt where the operand cannot be negative",
        ),
        Op::Floor => plain("Floor"),
        Op::Abs => plain("Abs"),
        Op::Reciprocal => but(
            "Reciprocal, Equal, Where",
            "1/0 is 0, as in CNTK; plain Reciprocal where the operand is above zero by construction",
        ),
        Op::Softmax => plain("Softmax over the flattened static axes"),
        Op::LogSoftmax => plain("LogSoftmax over the flattened static axes"),
        Op::Hardmax => but("Hardmax over the flattened static axes", FLOAT_ONLY),
        Op::TransposeAxes => plain("Transpose; a weight becomes another view of its bytes"),
        Op::Where => plain("NonZero-free compaction: CumSum, masks and gathers"),
        Op::Slice => plain("Slice"),
        Op::Dropout => plain("nothing: the identity at inference"),
        Op::Reshape => plain("Reshape"),
        Op::Squeeze => plain("Squeeze"),
        Op::Pooling => but(
            "MaxPool, AveragePool, GlobalAveragePool, ReduceMax; Pad or a constant count map where padding is one-sided",
            FLOAT_ONLY,
        ),
        Op::SumAll => but("ReduceSum", WHOLE_BATCH),
        Op::Plus => plain("Add; a bias moves into its Conv or Gemm"),
        Op::Minus => plain("Sub"),
        Op::ElementTimes => plain("Mul"),
        Op::Equal => plain("Equal, Cast"),
        Op::NotEqual => plain("Equal, Not, Cast"),
        Op::Less => plain("Less, Cast"),
        Op::LessEqual => plain("Less, Equal, Or, Cast"),
        Op::Greater => plain("Greater, Cast"),
        Op::GreaterEqual => plain("Greater, Equal, Or, Cast"),
        Op::PackedIndex => {
            plain("the frame indices of a Where; refused where anything but GatherPacked and ScatterPacked reads it")
        }
        Op::GatherPacked => plain("GatherElements or Gather along the sequence axis"),
        Op::ScatterPacked => plain("ScatterElements along the sequence axis"),
        Op::Times => plain("MatMul, Gemm; a product over the sequence axis masks what is beyond the length"),
        Op::TransposeTimes => plain("MatMul with the transposed weight"),
        Op::Convolution => but(
            "Conv, ConvTranspose; Slice, Pad where CNTK's centring asks for it",
            "untied weights (`sharing` false) and kernels that differ by sample are refused; double runs in float between Casts",
        ),
        Op::SquaredError | Op::CrossEntropyWithSoftmax | Op::ClassificationError => {
            but("arithmetic and ReduceSum", WHOLE_BATCH)
        }
        Op::Logistic => {
            but("arithmetic and ReduceSum", "gives one number for the batch; weights are scaled to a mean of 1")
        }
        Op::PastValue | Op::FutureValue => {
            plain("in a loop LSTM, GRU, RNN or Scan; outside one a shift by Concat and Slice")
        }
        Op::ReduceElements => but(
            "ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceLogSumExp, ArgMax, ArgMin",
            "a mean in half precision overflows where CNTK's does",
        ),
        Op::BatchNormalization => plain("BatchNormalization with running statistics"),
        Op::Clip => but("Clip; Less, Min, Where for bounds that are not ordered scalars", ""),
        Op::Select => plain("Where"),
        Op::Splice => plain("Concat"),
        Op::Combine => {
            Entry { onnx: "nothing: its outputs are its inputs", restrictions: "", status: Status::Structure }
        }
        Op::Block => Entry { onnx: "nothing: seen through", restrictions: "", status: Status::Structure },
        Op::RandomSample => but("RandomUniform, ArgMax or TopK", OWN_NUMBERS),
        Op::RandomSampleInclusionFrequency => {
            but("arithmetic", "without duplicates the expectation, where CNTK simulates")
        }
        Op::ROIPooling => but(
            "MaxRoiPool, or two products for the average",
            "a box whose end lies before its start gives other numbers than CNTK; double runs in float between Casts",
        ),
        Op::OptimizedRNNStack => plain("LSTM, GRU, RNN, one per layer and direction"),
        Op::ReconcileDynamicAxis => plain("Expand, or nothing"),
        Op::LogPlus => plain("Softplus, Max, Abs"),
        Op::CosDistance => plain("ReduceSum, Sqrt, Div, Where"),
        Op::Sin => plain("Sin"),
        Op::Cos => but("Cos", FLOAT_ONLY),
        Op::Pass | Op::NoOp | Op::StopGradient | Op::LabelsToGraph => plain("nothing: the identity"),
        Op::Unpooling => but("MaxPool, ScatterElements", "windows that skip the first elements are refused"),
        Op::LambdaRank | Op::NDCG => refused("a ranking criterion: it sorts within groups of the batch"),
        Op::EditDistanceError => refused("a metric: it aligns token sequences by dynamic programming"),
        Op::ForwardBackward => refused("a training criterion: it runs over label graphs"),
        Op::ELU => but("Elu", FLOAT_ONLY),
        Op::CosDistanceWithNegativeSamples => {
            but("Gather along the batch, ReduceSum, Div", "operands that are sequences are refused")
        }
        Op::OneHot => plain("Floor, Cast, Equal, Cast"),
        Op::Pow => plain("Pow; Where for 0 to a negative power"),
        Op::ToSequence | Op::ToSequenceLike => plain("nothing but another reading of the first static axis"),
        Op::UnpackSequence => plain("Where: padding gets the fill value; the mask is a second output"),
        Op::Assign => plain("nothing: the value assigned; the side effect is training's"),
        Op::Gather => {
            but("Cast, Gather, GatherElements", "an index out of range fails or is clamped (CNTK reads foreign memory)")
        }
        Op::RandomDistribution => but("RandomUniform, RandomNormal and arithmetic", OWN_NUMBERS),
        Op::Sinh => but("Sinh", FLOAT_ONLY),
        Op::Cosh => but("Cosh", FLOAT_ONLY),
        Op::UnpackBatch | Op::ToBatch => but("nothing but another reading of the batch axis", "sequences are refused"),
        Op::Asin => but("Asin", FLOAT_ONLY),
        Op::Acos => but("Acos", FLOAT_ONLY),
        Op::Pad => but("Pad; Gather for reflect and symmetric", "reflecting an axis of free size is refused"),
        Op::Crop => but("Slice", "automatic offsets need a common ancestor through ops that only shift and scale"),
        Op::Atanh => but("Atanh", FLOAT_ONLY),
        Op::Asinh => but("Asinh", FLOAT_ONLY),
        Op::TopK => but("TopK, Cast", "the order among ties is the runtime's"),
        Op::ConstantOp => plain("Expand"),
        Op::LatticeSequenceWithSoftmax => refused("sequence training: it reads lattice files"),
        Op::Cast => plain("Cast"),
        Op::EyeLikeOp => plain("EyeLike"),
        Op::CustomProxyOp => refused("it names native code that only its author's program has"),
        Op::StraightThrough => plain("Greater, Where"),
        Op::Tan => but("Tan", FLOAT_ONLY),
        Op::Atan => but("Atan", FLOAT_ONLY),
        Op::ConvolutionSequenceShape => plain("integer arithmetic on the lengths"),
    }
}

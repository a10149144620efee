//! A row for every operator: its ONNX form in words, and the function that lowers it. Dropout is the identity at
//! inference. Assign gives the assigned value; its side effect belongs to training.

use super::{
    Lowered, Lowering, Node, Val, convolution, criteria, elementwise, indexing, linear, normalization, pooling, random,
    reduction, region, reshaping, sequence,
};
use crate::onnx::entry::{Entry, but, plain, refused, structure};
use crate::report::Reason;
use crate::resolve::softmax::Softmax;
use cntk_parser::ops::{Op, Operator};
use smallvec::smallvec;

const FLOAT_ONLY: &str = "double runs in float between Casts (no double kernel in ONNX Runtime)";
const OWN_NUMBERS: &str = "draws its own random numbers; a warning says so";
const WHOLE_BATCH: &str = "gives one number for all valid frames of the batch";

macro_rules! operators {
    ($cx:ident, $node:ident: $($op:ident $(($attributes:pat))? => $entry:expr, $lower:expr;)*) => {
        /// The row of `op` on the op page.
        pub fn entry(op: Op) -> Entry {
            match op {
                $(Op::$op => $entry,)*
            }
        }

        /// Lowers one function, outside or inside of a loop, except for the delays that close a loop.
        pub(super) fn lower($cx: &mut Lowering<'_, '_, '_>, $node: &Node<'_, '_>) -> Lowered {
            if let Some(whole) = composed($cx, $node) {
                return Ok(smallvec![whole]);
            }
            match $node.op {
                $(Operator::$op $(($attributes))? => $lower,)*
                // These were refused before the lowering started.
                Operator::Foreign(_) | Operator::User => Err(Reason::new("", "is not a computation")),
            }
        }
    };
}

/// The value of a function that completes what ONNX has one operator for.
fn composed(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    match node.op {
        Operator::Plus => normalization::layer(cx, node),
        Operator::ElementTimes => elementwise::gelu(cx, node)
            .or_else(|| normalization::local_response(cx, node))
            .or_else(|| reduction::composed(cx, node)),
        Operator::Exp | Operator::Minus => reduction::composed(cx, node),
        _ => None,
    }
}

operators! { cx, node:
    Negate => plain("Neg"), elementwise::unary(cx, node, "Neg");
    Sigmoid => plain("Sigmoid"), elementwise::unary(cx, node, "Sigmoid");
    Tanh => plain("Tanh"), elementwise::unary(cx, node, "Tanh");
    ReLU => but("Relu", "ReLU(-inf) is 0 (CNTK: NaN)"), elementwise::unary(cx, node, "Relu");
    Exp => plain("Exp"), elementwise::unary(cx, node, "Exp");
    Log =>
        but(
            "Max, Log",
            "below 1.1e-37 the result is -85.1, as in CNTK; no Max where the operand is above zero by construction",
        ),
        elementwise::log(cx, node);
    Sqrt =>
        but(
            "Greater, Where, Sqrt",
            "negative numbers and NaN give 0, as in CNTK; plain Sqrt where the operand cannot be negative",
        ),
        elementwise::sqrt(cx, node);
    Floor => plain("Floor"), elementwise::unary(cx, node, "Floor");
    Abs => plain("Abs"), elementwise::unary(cx, node, "Abs");
    Reciprocal =>
        but(
            "Reciprocal, Equal, Where",
            "1/0 is 0, as in CNTK; plain Reciprocal where the operand is above zero by construction",
        ),
        elementwise::reciprocal(cx, node);
    Softmax => plain("Softmax over the flattened static axes"), reduction::softmax(cx, node, Softmax::Plain);
    Hardmax => but("Hardmax over the flattened static axes", FLOAT_ONLY), reduction::softmax(cx, node, Softmax::Hard);
    TransposeAxes(a) =>
        plain("Transpose; a weight becomes another view of its bytes"),
        reshaping::transpose(cx, node, a);
    Where(_) => plain("CumSum, masks and gathers"), sequence::lower(cx, node);
    Slice(a) => plain("Slice"), reshaping::slice(cx, node, a);
    Dropout(_) => plain("nothing: the identity at inference"), elementwise::pass(node, 0);
    Reshape(_) => plain("Reshape"), reshaping::reshape(cx, node);
    Pooling(a) =>
        but(
            "MaxPool, AveragePool, GlobalAveragePool, ReduceMax; Pad or a constant count map where padding is \
             one-sided",
            FLOAT_ONLY,
        ),
        pooling::pooling(cx, node, a);
    SumAll => but("ReduceSum", WHOLE_BATCH), criteria::sum_all(cx, node);
    Plus => plain("Add; a bias moves into its Conv or Gemm"), elementwise::binary(cx, node, "Add");
    Minus => plain("Sub"), elementwise::binary(cx, node, "Sub");
    ElementTimes => plain("Mul"), elementwise::binary(cx, node, "Mul");
    Equal => plain("Equal, Cast"), elementwise::compare(cx, node, "Equal");
    NotEqual => plain("Equal, Not, Cast"), elementwise::not_equal(cx, node);
    Less => plain("Less, Cast"), elementwise::compare(cx, node, "Less");
    LessEqual => plain("Less, Equal, Or, Cast"), elementwise::compare_or_equal(cx, node, "Less");
    Greater => plain("Greater, Cast"), elementwise::compare(cx, node, "Greater");
    GreaterEqual => plain("Greater, Equal, Or, Cast"), elementwise::compare_or_equal(cx, node, "Greater");
    PackedIndex =>
        plain("the frame indices of a Where; refused where anything but GatherPacked and ScatterPacked reads it"),
        sequence::lower(cx, node);
    GatherPacked => plain("GatherElements or Gather along the sequence axis"), sequence::lower(cx, node);
    ScatterPacked => plain("Pad of a range of frames; Gather of others, zeros elsewhere; MatMul where one may repeat"), sequence::lower(cx, node);
    Times(a) =>
        plain("MatMul, Gemm; a product over the sequence axis masks what is beyond the length"),
        linear::times(cx, node, a);
    TransposeTimes(a) => plain("MatMul with the transposed weight"), linear::transpose_times(cx, node, a);
    Convolution(a) =>
        but(
            "Conv, ConvTranspose; Slice, Pad where CNTK's centring asks for it",
            "kernels that differ by sample are refused; double runs in float between Casts",
        ),
        convolution::convolution(cx, node, a);
    SquaredError => but("arithmetic and ReduceSum", WHOLE_BATCH), criteria::squared_error(cx, node);
    CrossEntropyWithSoftmax => but("arithmetic and ReduceSum", WHOLE_BATCH), criteria::cross_entropy(cx, node);
    ClassificationError => but("arithmetic and ReduceSum", WHOLE_BATCH), criteria::classification_error(cx, node);
    PastValue(_) =>
        plain("in a loop LSTM, GRU, RNN or Scan; outside one a shift by Concat and Slice"),
        sequence::lower(cx, node);
    FutureValue(_) =>
        plain("in a loop LSTM, GRU, RNN or Scan; outside one a shift by Concat and Slice"),
        sequence::lower(cx, node);
    ReduceElements(a) =>
        but(
            "ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceLogSumExp, ArgMax, ArgMin",
            "a mean in half precision overflows where CNTK's does",
        ),
        reduction::reduce(cx, node, a);
    BatchNormalization(a) =>
        plain("BatchNormalization with running statistics"),
        normalization::batch_normalization(cx, node, a);
    Clip => plain("Clip; Less, Min, Where for bounds that are not ordered scalars"), elementwise::clip(cx, node);
    Select => plain("Where"), elementwise::select(cx, node);
    Splice(a) => plain("Concat"), reshaping::splice(cx, node, a);
    Combine => structure("nothing: its outputs are its inputs"), Err(Reason::new("", "is not a computation"));
    RandomSample(a) => but("RandomUniform, ArgMax or TopK", OWN_NUMBERS), random::sample(cx, node, a);
    RandomSampleInclusionFrequency(a) =>
        but("arithmetic", "without duplicates the expectation, where CNTK simulates"),
        random::inclusion_frequency(cx, node, a);
    ROIPooling(a) =>
        but(
            "MaxRoiPool",
            "a box whose end lies before its start gives other numbers than CNTK; double runs in float between Casts",
        ),
        region::roi_pooling(cx, node, a);
    Logistic =>
        but("arithmetic and ReduceSum", "gives one number for the batch; weights are scaled to a mean of 1"),
        criteria::logistic(cx, node);
    OptimizedRNNStack(_) => plain("LSTM, GRU, RNN, one per layer and direction"), sequence::lower(cx, node);
    ReconcileDynamicAxis => plain("Expand, or nothing"), sequence::lower(cx, node);
    LogSoftmax => plain("LogSoftmax over the flattened static axes"), reduction::softmax(cx, node, Softmax::Log);
    LogPlus => plain("Softplus, Max, Abs"), elementwise::log_plus(cx, node);
    CosDistance => plain("ReduceSum, Sqrt, Div, Where"), criteria::cos_distance(cx, node);
    Sin => plain("Sin"), elementwise::unary(cx, node, "Sin");
    Cos => but("Cos", FLOAT_ONLY), elementwise::unary(cx, node, "Cos");
    Pass => plain("nothing: the identity"), elementwise::pass(node, 0);
    Block => structure("nothing: seen through"), Err(Reason::new("", "is not a computation"));
    Unpooling(a) =>
        but("MaxPool, ScatterElements", "windows that skip the first elements are refused"),
        pooling::unpooling(cx, node, a);
    LambdaRank =>
        refused("a ranking criterion: it sorts within groups of the batch"),
        Err(Reason::new("", "a ranking criterion has no ONNX form; leave it out with --outputs"));
    NDCG =>
        refused("a ranking criterion: it sorts within groups of the batch"),
        Err(Reason::new("", "a ranking criterion has no ONNX form; leave it out with --outputs"));
    EditDistanceError(_) =>
        refused("a metric: it aligns token sequences by dynamic programming"),
        sequence::lower(cx, node);
    NoOp => plain("nothing: the identity"), elementwise::pass(node, 0);
    LabelsToGraph => plain("nothing: the identity"), elementwise::pass(node, 0);
    StopGradient => plain("nothing: the identity"), elementwise::pass(node, 0);
    ELU => but("Elu", FLOAT_ONLY), elementwise::unary(cx, node, "Elu");
    ForwardBackward(_) => refused("a training criterion: it runs over label graphs"), sequence::lower(cx, node);
    CosDistanceWithNegativeSamples =>
        plain("Gather along the batch, ReduceSum, Div; in a ragged batch, a Scan for the rows of CNTK's minibatch"),
        criteria::cos_distance_with_negative_samples(cx, node);
    OneHot(a) => plain("Floor, Cast, Equal, Cast"), indexing::one_hot(cx, node, a);
    Pow => plain("Pow; Where for 0 to a negative power"), elementwise::pow(cx, node);
    ToSequence(_) => plain("nothing but another reading of the first static axis"), sequence::lower(cx, node);
    ToSequenceLike(_) => plain("nothing but another reading of the first static axis"), sequence::lower(cx, node);
    UnpackSequence(_) =>
        plain("Where: padding gets the fill value; the mask is a second output"),
        sequence::lower(cx, node);
    Assign => plain("nothing: the value assigned; the side effect is training's"), elementwise::pass(node, 1);
    Gather =>
        but("Cast, Gather, GatherElements", "an index out of range fails or is clamped (CNTK reads foreign memory)"),
        indexing::gather(cx, node);
    StableSigmoid => plain("Sigmoid"), elementwise::unary(cx, node, "Sigmoid");
    RandomDistribution(a) =>
        but("RandomUniform, RandomNormal and arithmetic", OWN_NUMBERS),
        random::distribution(cx, node, a);
    Sinh => but("Sinh", FLOAT_ONLY), elementwise::unary(cx, node, "Sinh");
    Cosh => but("Cosh", FLOAT_ONLY), elementwise::unary(cx, node, "Cosh");
    UnpackBatch =>
        but("nothing but another reading of the batch axis", "sequences are refused"),
        reshaping::relabel_batch(cx, node);
    ToBatch =>
        but("nothing but another reading of the batch axis", "sequences are refused"),
        reshaping::relabel_batch(cx, node);
    Asin => but("Asin", FLOAT_ONLY), elementwise::unary(cx, node, "Asin");
    Acos => but("Acos", FLOAT_ONLY), elementwise::unary(cx, node, "Acos");
    Pad(a) =>
        plain("Pad; Gather for reflect and symmetric"),
        reshaping::pad(cx, node, a);
    Crop(a) =>
        but("Slice", "automatic offsets need a common ancestor through ops that only shift and scale"),
        region::crop(cx, node, a);
    Atanh => but("Atanh", FLOAT_ONLY), elementwise::unary(cx, node, "Atanh");
    Asinh => but("Asinh", FLOAT_ONLY), elementwise::unary(cx, node, "Asinh");
    TopK(a) => but("TopK, Cast", "the order among ties is the runtime's"), indexing::top_k(cx, node, a);
    Squeeze(_) => plain("Squeeze"), reshaping::reshape(cx, node);
    ConstantOp(a) => plain("Expand"), elementwise::constant_like(cx, node, a.fill_value);
    LatticeSequenceWithSoftmax(_) =>
        refused("sequence training: it reads lattice files"),
        Err(Reason::new("", "sequence training reads lattice files; it has no ONNX form"));
    Cast(a) => plain("Cast"), elementwise::cast(cx, node, a);
    EyeLikeOp(_) => plain("EyeLike"), indexing::eye_like(cx, node);
    CustomProxyOp(_) =>
        refused("it names native code that only its author's program has"),
        Err(Reason::new("customOp", "names native code that only its author's program has"));
    StraightThrough => plain("Greater, Where"), elementwise::straight_through(cx, node);
    Tan => but("Tan", FLOAT_ONLY), elementwise::unary(cx, node, "Tan");
    Atan => but("Atan", FLOAT_ONLY), elementwise::unary(cx, node, "Atan");
    ConvolutionSequenceShape(a) => plain("integer arithmetic on the lengths"), convolution::sequence_shape(cx, node, a);
}

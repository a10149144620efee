//! The body of each operator by version.

use super::value::{Kind, Value};
use Kind::*;

/// A part of a body.
pub struct Part {
    pub kind: Kind,
    /// The first version that has it.
    since: u64,
    /// The first version that has it no more.
    until: u64,
    /// What the parts before must be.
    when: fn(&[Value]) -> bool,
}

impl Part {
    /// Is this part in a file of this version, after these values?
    pub(super) fn is_in(&self, version: u64, before: &[Value]) -> bool {
        (self.since..self.until).contains(&version) && (self.when)(before)
    }
}

const fn all(kind: Kind) -> Part {
    since(0, kind)
}

const fn since(since: u64, kind: Kind) -> Part {
    Part { kind, since, until: u64::MAX, when: always }
}

const fn before(until: u64, kind: Kind) -> Part {
    Part { kind, since: 0, until, when: always }
}

/// Before a version, and only after certain values.
const fn before_when(until: u64, kind: Kind, when: fn(&[Value]) -> bool) -> Part {
    Part { kind, since: 0, until, when }
}

fn always(_: &[Value]) -> bool {
    true
}

/// Of a parameter: are there no rows?
fn no_rows(body: &[Value]) -> bool {
    body.get(3) == Some(&Value::Size(0))
}

/// Of a transposition: are both axes 0?
fn no_axes(body: &[Value]) -> bool {
    body == [Value::I32(0), Value::I32(0)]
}

/// Of a batch normalization: the version that wrote it.
fn written(body: &[Value]) -> i32 {
    if let Some(Value::I32(written)) = body.first() { *written } else { 0 }
}

const INPUT: &[Part] = &[all(Size), all(Size), all(OldShape), since(8, Texts), since(10, F32)];
const PARAMETER: &[Part] = &[
    since(3, F32),
    since(3, Shape),
    before(3, Flag),
    before(3, Size),
    before(3, Size),
    before_when(3, OldShape, no_rows),
    all(Matrix),
];
const TIMES: &[Part] = &[since(3, Size), since(12, I32)];
const QUANTIZED_TIMES: &[Part] = &[since(3, Size), since(12, I32), all(Size), all(Size)];
const CONVOLUTION: &[Part] = &[
    before(5, Size),
    before(5, Size),
    before(5, Size),
    before(5, Size),
    before(5, U32),
    before(5, U32),
    before(5, Flag),
    before(5, Size),
    since(5, Shape),
    since(5, Shape),
    since(5, Shape),
    since(5, Flags),
    since(5, Flags),
    since(5, Shape),
    since(5, Shape),
    since(5, I32),
    since(5, I32),
    since(5, Size),
    since(9, Flag),
    since(20, Shape),
    since(21, Flag),
    since(23, Flag),
    since(5, Flag),
    since(18, Shape),
];
/// A convolution without its last two parts.
const POOLING: &[Part] = CONVOLUTION.split_at(CONVOLUTION.len() - 2).0;
const OLD_POOLING: &[Part] = &[all(U32), all(U32), all(Size), all(Size), all(Size)];
const BATCH_NORMALIZATION: &[Part] = &[
    before(6, I32),
    before(6, I32),
    before(6, Flag),
    all(Flag),
    all(F64),
    since(6, F64),
    since(6, I32),
    Part { kind: Size, since: 6, until: 19, when: always },
    Part { kind: Flag, since: 19, until: 20, when: always },
    since(20, Size),
    since(6, F64),
    since(6, Flag),
    before_when(6, I32, |body| written(body) >= 0x0001_0002),
    before_when(6, Size, |body| written(body) >= 0x0001_0002),
    before_when(6, F64, |body| written(body) >= 0x0001_0003),
    before_when(6, Flag, |body| written(body) >= 0x0001_0003),
];
const DELAY: &[Part] = &[all(I32), since(4, Shape), before(4, Size), before(4, Size), since(2, Number)];
const TRANSPOSE: &[Part] =
    &[since(3, I32), since(3, I32), Part { kind: Permutation, since: 25, until: u64::MAX, when: no_axes }];
const RANDOM_SAMPLE: &[Part] = &[all(Flag), all(Size), since(16, Seed), since(16, Size)];
const TRACE: &[Part] = &[
    all(Units),
    all(Size),
    all(Size),
    all(Flag),
    all(Flag),
    all(Units),
    all(Flag),
    all(Flag),
    all(Ascii),
    all(Ascii),
    all(Ascii),
    all(Ascii),
    all(Ascii),
    all(Ascii),
    all(Ascii),
    all(Ascii),
    all(Size),
    all(Size),
];
const LATTICE: &[Part] = &[
    all(Text),
    all(Text),
    all(Text),
    all(Text),
    all(Text),
    all(F64),
    all(F64),
    all(F64),
    all(F64),
    all(F64),
    all(F64),
    all(Flag),
    all(Flag),
];

/// The operators with bodies.
const BODIES: &[(&str, &[Part])] = &[
    ("InputValue", INPUT),
    ("SparseInputValue", INPUT),
    ("LearnableParameter", PARAMETER),
    ("Times", TIMES),
    ("TransposeTimes", TIMES),
    ("QuantizedTimes", QUANTIZED_TIMES),
    ("Convolution", CONVOLUTION),
    ("Pooling", POOLING),
    ("MaxUnpooling", POOLING),
    ("MaxPooling", OLD_POOLING),
    ("AveragePooling", OLD_POOLING),
    ("ROIPooling", &[all(Shape), since(26, I32), since(26, F64)]),
    ("BatchNormalization", BATCH_NORMALIZATION),
    ("PastValue", DELAY),
    ("Delay", DELAY),
    ("FutureValue", DELAY),
    ("Slice", &[all(Ranges)]),
    ("RowSlice", &[all(Ranges)]),
    ("RowStack", &[since(3, I32)]),
    ("RowRepeat", &[all(Size)]),
    ("Reshape", &[all(I32), all(I32), all(Shape)]),
    ("LegacyReshape", &[all(Size), all(OldShape)]),
    ("TransposeDimensions", TRANSPOSE),
    ("Transpose", TRANSPOSE),
    ("ReduceElements", &[all(Axes), all(Text), since(24, Flag)]),
    ("Dropout", &[since(16, Seed), since(16, Size)]),
    ("RandomSample", RANDOM_SAMPLE),
    ("RandomSampleInclusionFrequency", RANDOM_SAMPLE),
    ("OptimizedRNNStack", &[all(Size), all(Size), all(Size), all(Text), since(14, I32)]),
    ("RNN", &[all(Size), all(Size), all(Size), all(Text), since(14, I32)]),
    ("EditDistanceError", &[all(F32), all(F32), all(F32), all(Flag), all(Sizes)]),
    ("ForwardBackward", &[all(I32), all(Size)]),
    ("Where", &[since(11, Text)]),
    ("ToSequence", &[all(Text)]),
    ("UnpackSequence", &[all(Number), all(Flag)]),
    ("Crop", &[all(F64), all(F64)]),
    ("EyeLikeOp", &[all(Flag)]),
    ("Mean", &[all(Flag), all(Matrix)]),
    ("InvStdDev", &[all(Flag), all(Matrix)]),
    ("Trace", TRACE),
    ("NoiseContrastiveEstimation", &[all(SignedMode)]),
    ("CrossEntropyWithSoftmax", &[all(Mode)]),
    ("LatticeSequenceWithSoftmax", LATTICE),
    ("EnvironmentInput", &[all(Units)]),
];

/// The operators without bodies.
#[rustfmt::skip]
const BODILESS: &[&str] = &[
    "Plus", "Minus", "ElementTimes", "Scale", "RowElementTimes", "ColumnElementTimes", "DiagTimes", "RectifiedLinear", "Sigmoid",
    "StableSigmoid", "Tanh", "Cosine", "Sin", "Tan", "Cosh", "Sinh", "Asin", "Acos", "Atan", "Asinh", "Atanh", "Exp", "Log",
    "Sqrt", "Floor", "Abs", "Negate", "Reciprocal", "Softmax", "LogSoftmax", "Hardmax", "Clip", "If", "Equal", "NotEqual", "Less",
    "LessEqual", "Greater", "GreaterEqual", "LogPlus", "Pow", "ExponentialLinearUnit", "StopGradient", "Pass", "LabelsToGraph",
    "ReconcileDynamicAxis", "ReconcileMBLayout", "PackedIndex", "GatherPacked", "ScatterPacked", "SumElements", "SumColumnElements",
    "SquareError", "ClassificationError", "ErrorPrediction", "CrossEntropy", "Logistic", "CosDistance",
    "CosDistanceWithNegativeSamples", "LambdaRank", "NDCG1Eval", "StraightThrough", "Assign", "UnpackBatchAxis", "ToBatchAxisNode",
    "OutputMultiplexer", "Gather", "PerDimMeanVarNormalization", "PerDimMeanVarNormalizationNode", "PerDimMeanVarDeNormalization",
    "PerDimMeanVarDeNormalizationNode", "LookupTable", "KhatriRaoProduct", "Diagonal", "MatrixL1Reg", "MatrixL2Reg",
    "ClassBasedCrossEntropyWithSoftmax", "SequenceWithSoftmax", "DummyCriterion", "EpochAccumulator", "DynamicAxis", "OneHot", "Padding",
    "TopK", "RandomDistribution", "ConstantOp", "Cast",
];

/// The parts of an operator's body, `None` for an unknown operator.
pub fn parts(op: &str) -> Option<&'static [Part]> {
    let body = BODIES.iter().find(|(name, _)| *name == op).map(|(_, parts)| *parts);
    body.or_else(|| BODILESS.contains(&op).then_some(&[]))
}

/// The name of every operator.
pub fn ops() -> impl Iterator<Item = &'static str> {
    BODIES.iter().map(|(name, _)| *name).chain(BODILESS.iter().copied())
}

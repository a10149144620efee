//! The op table: code, name, uid prefix, inputs, outputs, version, facts and attributes of every primitive operator,
//! written once. [`Op`], [`Operator`] and [`OpSpec`] follow from it.

use super::attributes;
use super::decode::{Attributes, Decode};
use super::facts::Reach;
use super::facts::ShapeRule::{First, Own, Scalar};
use super::facts::Values::{Any, NonNegative, OfFirst, Positive, ZeroOrOne};
use super::facts::{
    BATCH, BROADCAST, COMPARISON, CRITERION, DELAY, ELEMENTWISE, FOREIGN, Facts, Gradient, IDENTITY, INDEXING, MOVES,
    NORMALIZATION, PRODUCT, RANDOM, RECURRENT, REDUCTION, SEQUENCE, SIMILARITY, SOFTMAX, STRUCTURE, WINDOW,
};
use super::spec::Outputs::{Fixed, Inner, Inputs, Masked};
use super::spec::{Default, OpSpec, alt, def, list, one, opt, req};
use crate::dictionary::ValueKind::{Axis, Bool, Double, Float, Int, NDShape, SizeT, String};
use crate::error::Error;
use crate::model::{self, AxisKind, Foreign, Function, FunctionKind};

/// No upper bound on the number of inputs.
const MANY: usize = usize::MAX;

macro_rules! op_table {
    ($(
        $code:literal $op:ident $(($payload:ty))?, $prefix:literal, $min:tt..=$max:tt => $outputs:expr,
        since $since:literal, $facts:expr, [$($attribute:expr),* $(,)?];
    )*) => {
        /// The primitive operators, under CNTK's names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the names are CNTK's")]
        pub enum Op { $($op = $code),* }

        /// An operator with its typed attributes.
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        #[allow(missing_docs, reason = "the names are CNTK's")]
        pub enum Operator<'a> {
            $($op $(($payload))?,)*
            /// A user-defined function, which is never run.
            User,
            /// An operator of CNTK 1 that cannot be computed from the file.
            Foreign(Foreign),
        }

        static SPECS: &[OpSpec] = &[$(OpSpec {
            code: $code,
            name: stringify!($op),
            uid_prefix: $prefix,
            min_inputs: $min,
            max_inputs: $max,
            outputs: $outputs,
            since: $since,
            facts: $facts,
            attributes: &[$($attribute),*],
        }),*];

        impl Op {
            /// Every operator, in the order of codes.
            pub const ALL: &'static [Self] = &[$(Self::$op),*];
        }

        impl<'a> Operator<'a> {
            /// The primitive operator; `None` for a user-defined function or an operator of CNTK 1.
            pub fn op(&self) -> Option<Op> {
                match self {
                    $(Self::$op { .. } => Some(Op::$op),)*
                    Self::User | Self::Foreign(_) => None,
                }
            }

            fn decode_attributes(op: Op, attributes: &mut Attributes<'a>) -> Option<Self> {
                Some(match op {
                    $(Op::$op => Self::$op $((<$payload as Decode<'a>>::decode(attributes)?))?,)*
                })
            }
        }
    };
}

op_table! {
    0 Negate, "Negate", 1..=1 => Fixed(1), since 1, ELEMENTWISE, [];
    1 Sigmoid, "Sigmoid", 1..=1 => Fixed(1), since 1, ELEMENTWISE.values(NonNegative), [];
    2 Tanh, "Tanh", 1..=1 => Fixed(1), since 1, ELEMENTWISE, [];
    3 ReLU, "ReLU", 1..=1 => Fixed(1), since 1, ELEMENTWISE.values(NonNegative), [];
    4 Exp, "Exp", 1..=1 => Fixed(1), since 1, ELEMENTWISE.values(NonNegative), [];
    5 Log, "Log", 1..=1 => Fixed(1), since 1, ELEMENTWISE, [];
    6 Sqrt, "Sqrt", 1..=1 => Fixed(1), since 1, ELEMENTWISE.values(NonNegative), [];
    7 Floor, "Floor", 1..=1 => Fixed(1), since 1, ELEMENTWISE, [];
    8 Abs, "Abs", 1..=1 => Fixed(1), since 1, ELEMENTWISE.values(NonNegative), [];
    9 Reciprocal, "Reciprocal", 1..=1 => Fixed(1), since 1, ELEMENTWISE, [];
    10 Softmax, "Softmax", 1..=1 => Fixed(1), since 1, SOFTMAX.values(NonNegative), [];
    11 Hardmax, "Hardmax", 1..=1 => Fixed(1), since 1, SOFTMAX.values(ZeroOrOne).gradient(Gradient::None), [];
    12 TransposeAxes(attributes::TransposeAxes<'a>), "TransposeAxes", 1..=1 => Fixed(1),
        since 1, MOVES.values(OfFirst), [
        alt("axis1", one(Axis)),
        alt("axis2", one(Axis)),
        alt("axisVec", list(Axis)),
    ];
    13 Where(attributes::Where<'a>), "Where", 1..=1 => Fixed(1), since 1, SEQUENCE.gradient(Gradient::None), [
        opt("newDynamicAxes", list(Axis)),
        opt("newSequenceAxisLengthScalingFactor", one(SizeT)),
        opt("newSequenceAxisLengthAdditiveFactor", one(Int)),
    ];
    14 Slice(attributes::Slice<'a>), "Slice", 1..=1 => Fixed(1), since 1, MOVES.values(OfFirst), [
        alt("axis", one(Axis)),
        alt("beginIndex", one(Int)),
        alt("endIndex", one(Int)),
        def("sliceStrides", one(Int), Default::Int(1)),
        alt("axisVec", list(Axis)),
        alt("beginIndexVec", list(Int)),
        alt("endIndexVec", list(Int)),
        def("sliceStridesVec", list(Int), Default::Text("all 1")),
    ];
    15 Dropout(attributes::Dropout), "Dropout", 1..=1 => Fixed(1), since 1, IDENTITY, [
        req("dropoutRate", one(Double)),
        opt("rngSeed", one(SizeT)),
        opt("rngOffset", one(SizeT)),
    ];
    16 Reshape(attributes::Reshape<'a>), "Reshape", 1..=1 => Fixed(1), since 1, MOVES.values(OfFirst), [
        req("newShape", one(NDShape)),
        def("beginAxis", one(Axis), Default::Text("0")),
        def("endAxis", one(Axis), Default::Text("rank")),
    ];
    17 Pooling(attributes::Pooling), "Pooling", 1..=1 => Fixed(1), since 1, WINDOW, [
        req("poolingType", one(SizeT)),
        req("poolingWindowShape", one(NDShape)),
        req("strides", one(NDShape)),
        req("autoPadding", list(Bool)),
        req("lowerPad", one(NDShape)),
        req("upperPad", one(NDShape)),
        def("ceilOutDim", one(Bool), Default::Bool(false)),
        def("includePad", one(Bool), Default::Bool(false)),
    ];
    18 SumAll, "SumAll", 1..=1 => Fixed(1), since 1, REDUCTION.shape(Scalar).reach(Reach::Batch), [];
    19 Plus, "Plus", 2..=2 => Fixed(1), since 1, BROADCAST, [];
    20 Minus, "Minus", 2..=2 => Fixed(1), since 1, BROADCAST, [];
    21 ElementTimes, "ElementTimes", 2..=2 => Fixed(1), since 1, BROADCAST, [];
    22 Equal, "Equal", 2..=2 => Fixed(1), since 1, COMPARISON, [];
    23 NotEqual, "NotEqual", 2..=2 => Fixed(1), since 1, COMPARISON, [];
    24 Less, "Less", 2..=2 => Fixed(1), since 1, COMPARISON, [];
    25 LessEqual, "LessEqual", 2..=2 => Fixed(1), since 1, COMPARISON, [];
    26 Greater, "Greater", 2..=2 => Fixed(1), since 1, COMPARISON, [];
    27 GreaterEqual, "GreaterEqual", 2..=2 => Fixed(1), since 1, COMPARISON, [];
    28 PackedIndex, "PackedIndex", 2..=2 => Fixed(1), since 1, SEQUENCE.shape(Scalar).gradient(Gradient::None), [];
    29 GatherPacked, "GatherPacked", 2..=2 => Fixed(1), since 1, SEQUENCE.shape(First).values(OfFirst), [];
    30 ScatterPacked, "ScatterPacked", 3..=3 => Fixed(1), since 1, SEQUENCE.shape(First), [];
    31 Times(attributes::Times), "Times", 2..=2 => Fixed(1), since 1, PRODUCT, [
        req("outputRank", one(SizeT)),
        def("inferInputRankToMap", one(Int), Default::Int(-1)),
    ];
    32 TransposeTimes(attributes::TransposeTimes), "TransposeTimes", 2..=2 => Fixed(1), since 1, PRODUCT, [
        req("outputRank", one(SizeT)),
    ];
    33 Convolution(attributes::Convolution), "Convolution", 2..=2 => Fixed(1), since 1, WINDOW, [
        req("strides", one(NDShape)),
        def("dilation", one(NDShape), Default::Ones),
        req("sharing", list(Bool)),
        req("autoPadding", list(Bool)),
        req("lowerPad", one(NDShape)),
        req("upperPad", one(NDShape)),
        def("transpose", one(Bool), Default::Bool(false)),
        opt("outputShape", one(NDShape)),
        opt("kernelShape", one(NDShape)),
        def("maxTempMemSizeInSamples", one(SizeT), Default::SizeT(0)),
        def("groups", one(SizeT), Default::SizeT(1)),
        def("sequential", one(Bool), Default::Bool(false)),
    ];
    34 SquaredError, "SquaredError", 2..=2 => Fixed(1), since 1, CRITERION.shape(Own), [];
    35 CrossEntropyWithSoftmax, "CrossEntropyWithSoftmax", 2..=2 => Fixed(1), since 1, CRITERION.shape(Own), [];
    36 ClassificationError, "ClassificationError", 2..=3 => Fixed(1),
        since 1, CRITERION.shape(Own).gradient(Gradient::None), [];
    37 PastValue(attributes::Delay), "PastValue", 2..=2 => Fixed(1), since 1, DELAY, [req("offset", one(SizeT))];
    38 FutureValue(attributes::Delay), "FutureValue", 2..=2 => Fixed(1), since 1, DELAY, [req("offset", one(SizeT))];
    39 ReduceElements(attributes::ReduceElements<'a>), "ReduceElements", 1..=1 => Fixed(1), since 1, REDUCTION, [
        alt("axis", one(Axis)),
        alt("axisVec", list(Axis)),
        req("reductionOpName", one(String)),
        def("reductionKeepDimensions", one(Bool), Default::Bool(true)),
    ];
    40 BatchNormalization(attributes::BatchNormalization), "BatchNormalization", 5..=6 => Fixed(1),
        since 1, NORMALIZATION.inputs_since(4, 6), [
        req("spatial", one(Bool)),
        req("epsilon", one(Double)),
        req("normalizationTimeConstant", one(Double)),
        req("blendTimeConstant", one(Double)),
        req("useCuDNNEngine", one(Bool)),
        def("disableRegularization", one(Bool), Default::Bool(false)),
    ];
    41 Clip, "Clip", 3..=3 => Fixed(1), since 1, BROADCAST.in_place(false), [];
    42 Select, "Select", 3..=3 => Fixed(1), since 1, BROADCAST.in_place(false).gradient(Gradient::OtherOperands), [];
    43 Splice(attributes::Splice<'a>), "Splice", 1..=MANY => Fixed(1), since 1, MOVES, [req("axis", one(Axis))];
    44 Combine, "Combine", 0..=MANY => Inputs, since 1, STRUCTURE, [];
    45 RandomSample(attributes::RandomSample), "RandomSample", 1..=1 => Fixed(1), since 1, RANDOM, [
        req("numSamples", one(SizeT)),
        req("allowDuplicates", one(Bool)),
        opt("rngSeed", one(SizeT)),
        opt("rngOffset", one(SizeT)),
    ];
    46 RandomSampleInclusionFrequency(attributes::RandomSample), "RandomSampleInclusionFrequency", 1..=1 => Fixed(1),
        since 1, RANDOM, [
        req("numSamples", one(SizeT)),
        req("allowDuplicates", one(Bool)),
        opt("rngSeed", one(SizeT)),
        opt("rngOffset", one(SizeT)),
    ];
    47 ROIPooling(attributes::RoiPooling), "ROIPooling", 2..=2 => Fixed(1), since 1, WINDOW, [
        def("poolingType", one(SizeT), Default::SizeT(0)),
        req("roiOutputShape", one(NDShape)),
        def("spatialScale", one(Double), Default::Double(0.0625)),
    ];
    48 Logistic, "Logistic", 2..=3 => Fixed(1), since 1, CRITERION.shape(Own), [];
    49 OptimizedRNNStack(attributes::OptimizedRnnStack), "OptimizedRNNStack", 2..=2 => Fixed(1), since 1, RECURRENT, [
        req("hiddenSize", one(SizeT)),
        req("numLayers", one(SizeT)),
        req("bidirectional", one(Bool)),
        req("recurrentOp", one(String)),
    ];
    50 ReconcileDynamicAxis, "ReconcileDynamicAxis", 2..=2 => Fixed(1),
        since 1, SEQUENCE.shape(First).repeats().values(OfFirst).gradient(Gradient::FirstOperand), [];
    51 LogSoftmax, "LogSoftmax", 1..=1 => Fixed(1), since 1, SOFTMAX, [];
    52 LogPlus, "LogPlus", 2..=2 => Fixed(1), since 1, BROADCAST, [];
    53 CosDistance, "CosDistance", 2..=2 => Fixed(1), since 1, SIMILARITY, [];
    54 Sin, "Sin", 1..=1 => Fixed(1), since 1, ELEMENTWISE, [];
    55 Cos, "Cos", 1..=1 => Fixed(1), since 1, ELEMENTWISE, [];
    56 Pass, "Pass", 1..=1 => Fixed(1), since 1, IDENTITY.in_place(true), [];
    57 Block, "Block", 0..=MANY => Inner, since 1, STRUCTURE, [];
    58 Unpooling(attributes::Unpooling), "Unpooling", 2..=2 => Fixed(1), since 2, WINDOW, [
        req("poolingType", one(SizeT)),
        req("unpoolingWindowShape", one(NDShape)),
        req("strides", one(NDShape)),
        req("autoPadding", list(Bool)),
        req("lowerPad", one(NDShape)),
        req("upperPad", one(NDShape)),
    ];
    59 LambdaRank, "LambdaRank", 3..=3 => Fixed(1), since 0, CRITERION, [];
    60 NDCG, "NDCG", 3..=3 => Fixed(1), since 0, CRITERION, [];
    61 EditDistanceError(attributes::EditDistanceError), "EditDistanceError", 2..=2 => Fixed(1),
        since 0, CRITERION.gradient(Gradient::None), [
        req("SubstitutionPenalty", one(Float)),
        req("DeletionPenalty", one(Float)),
        req("InsertionPenalty", one(Float)),
        req("SquashInputs", one(Bool)),
        req("TokensToIgnore", list(SizeT)),
    ];
    62 NoOp, "NoOp", 1..=1 => Fixed(1), since 0, IDENTITY.in_place(true), [];
    63 LabelsToGraph, "LabelsToGraph", 1..=1 => Fixed(1), since 0, IDENTITY, [];
    64 StopGradient, "StopGradient", 1..=1 => Fixed(1), since 0, IDENTITY.gradient(Gradient::None), [];
    65 ELU, "ELU", 1..=1 => Fixed(1), since 8, ELEMENTWISE.in_place(false), [];
    66 ForwardBackward(attributes::ForwardBackward), "ForwardBackward", 2..=2 => Fixed(1), since 0, CRITERION, [
        req("BlankTokenId", one(SizeT)),
        req("DelayConstraint", one(Int)),
    ];
    67 CosDistanceWithNegativeSamples, "CosDistanceWithNegativeSamples", 4..=4 => Fixed(1),
        since 0, SIMILARITY.reach(Reach::Batch), [];
    68 OneHot(attributes::OneHot<'a>), "OneHotOp", 1..=1 => Fixed(1),
        since 9, INDEXING.repeats().values(ZeroOrOne).gradient(Gradient::None), [
        req("numClass", one(SizeT)),
        req("oneHotOutputSparse", one(Bool)),
        req("onehotAxis", one(Axis)),
    ];
    69 Pow, "Pow", 2..=2 => Fixed(1), since 10, BROADCAST, [];
    70 ToSequence(attributes::ToSequence<'a>), "ToSequenceOp", 1..=2 => Fixed(1),
        since 11, SEQUENCE.gradient(Gradient::FirstOperand), [
        opt("sequenceAxis", one(String)),
        opt("newDynamicAxes", list(Axis)),
    ];
    71 ToSequenceLike(attributes::ToSequence<'a>), "ToSequenceLikeOp", 2..=2 => Fixed(1),
        since 11, SEQUENCE.gradient(Gradient::FirstOperand), [
        opt("sequenceAxis", one(String)),
        opt("newDynamicAxes", list(Axis)),
    ];
    72 UnpackSequence(attributes::UnpackSequence), "UnpackSequenceOp", 1..=1 => Masked,
        since 11, SEQUENCE.gradient(Gradient::FirstOutput), [
        req("sequenceUnpackPaddingValue", one(Double)),
        req("sequenceUnpackSuppressMaskOutput", one(Bool)),
    ];
    73 Assign, "Assign", 2..=2 => Fixed(1), since 12, IDENTITY.shape(Own).values(Any), [];
    74 Gather, "Gather", 2..=2 => Fixed(1), since 13, INDEXING, [];
    75 StableSigmoid, "StableSigmoid", 1..=1 => Fixed(1), since 14, ELEMENTWISE.values(NonNegative), [];
    76 RandomDistribution(attributes::RandomDistribution), "RandomDistribution", 0..=1 => Fixed(1), since 15, RANDOM, [
        req("randomDistributionType", one(String)),
        req("randomDistributionArgs", list(Double)),
        opt("newShape", one(NDShape)),
        opt("newDataType", one(Int)),
        opt("rngSeed", one(SizeT)),
        opt("rngOffset", one(SizeT)),
    ];
    77 Sinh, "Sinh", 1..=1 => Fixed(1), since 0, ELEMENTWISE, [];
    78 Cosh, "Cosh", 1..=1 => Fixed(1), since 0, ELEMENTWISE.values(Positive), [];
    79 UnpackBatch, "UnpackBatchAxis", 1..=1 => Fixed(1), since 16, BATCH, [];
    80 ToBatch, "ToBatchAxis", 1..=1 => Fixed(1), since 16, BATCH, [];
    81 Asin, "Asin", 1..=1 => Fixed(1), since 0, ELEMENTWISE, [];
    82 Acos, "Acos", 1..=1 => Fixed(1), since 0, ELEMENTWISE, [];
    83 Pad(attributes::Pad), "Pad", 1..=1 => Fixed(1), since 17, MOVES, [
        req("paddingHead", list(SizeT)),
        req("paddingFoot", list(SizeT)),
        req("paddingMode", one(SizeT)),
        req("paddingConstantValue", one(Double)),
    ];
    84 Crop(attributes::Crop), "Crop", 2..=4 => Fixed(1),
        since 18, WINDOW.gradient(Gradient::FirstOperand), [opt("offset", list(SizeT))];
    85 Atanh, "Atanh", 1..=1 => Fixed(1), since 0, ELEMENTWISE, [];
    86 Asinh, "Asinh", 1..=1 => Fixed(1), since 0, ELEMENTWISE, [];
    87 TopK(attributes::TopK<'a>), "TopK", 1..=1 => Fixed(2), since 19, INDEXING.gradient(Gradient::FirstOutput), [
        req("axis", one(Axis)),
        req("numItems", one(SizeT)),
    ];
    88 Squeeze(attributes::Squeeze<'a>), "Squeeze", 1..=1 => Fixed(1),
        since 20, MOVES.values(OfFirst), [opt("axisVec", list(Axis))];
    89 ConstantOp(attributes::ConstantOp), "ConstantOp", 1..=1 => Fixed(1), since 20, ELEMENTWISE.in_place(false), [
        req("fillValue", one(Double)),
    ];
    90 LatticeSequenceWithSoftmax(attributes::LatticeSequenceWithSoftmax<'a>), "LatticeSequenceWithSoftmax",
        2..=4 => Fixed(1), since 0, CRITERION, [
        opt("SymListPath", one(String)),
        opt("PhonePath", one(String)),
        opt("StateListPath", one(String)),
        opt("TransProbPath", one(String)),
        opt("LatticeConfigPath", one(String)),
        opt("HSmoothingWeight", one(Float)),
        opt("FrameDropThresh", one(Float)),
        opt("SeqGammarAMF", one(Float)),
        opt("SeqGammarLMF", one(Float)),
        opt("SeqGammarBMMIFactor", one(Float)),
        opt("SeqGammarWordPen", one(Float)),
        opt("DoReferenceAlign", one(Bool)),
        opt("SeqGammarUsesMBR", one(Bool)),
    ];
    91 Cast(attributes::Cast), "Cast", 1..=1 => Fixed(1),
        since 0, ELEMENTWISE.in_place(false), [req("newDataType", one(Int))];
    92 EyeLikeOp(attributes::EyeLike), "EyeLikeOp", 1..=1 => Fixed(1),
        since 21, INDEXING.shape(First).reach(Reach::Batch).values(ZeroOrOne).gradient(Gradient::None), [
        req("OutputSparse", one(Bool)),
    ];
    93 CustomProxyOp(attributes::CustomProxyOp<'a>), "CustomProxyOp", 0..=MANY => Fixed(1), since 0, FOREIGN, [
        req("customOp", one(String)),
        opt("newDataType", one(Int)),
        opt("outputShape", one(NDShape)),
    ];
    94 StraightThrough, "StraightThrough", 1..=1 => Fixed(1), since 22, ELEMENTWISE, [];
    95 Tan, "Tan", 1..=1 => Fixed(1), since 23, ELEMENTWISE, [];
    96 Atan, "Atan", 1..=1 => Fixed(1), since 23, ELEMENTWISE, [];
    97 ConvolutionSequenceShape(attributes::Convolution), "ConvolutionSequenceShape", 2..=2 => Fixed(1),
        since 24, WINDOW.reach(Reach::Sequence), [
        req("strides", one(NDShape)),
        def("dilation", one(NDShape), Default::Ones),
        req("sharing", list(Bool)),
        req("autoPadding", list(Bool)),
        req("lowerPad", one(NDShape)),
        req("upperPad", one(NDShape)),
        def("transpose", one(Bool), Default::Bool(false)),
        opt("outputShape", one(NDShape)),
        opt("kernelShape", one(NDShape)),
        def("maxTempMemSizeInSamples", one(SizeT), Default::SizeT(0)),
        def("groups", one(SizeT), Default::SizeT(1)),
        def("sequential", one(Bool), Default::Bool(false)),
    ];
}

impl Op {
    /// CNTK's number.
    pub fn code(self) -> u64 {
        u64::from(self as u8)
    }

    /// The operator with CNTK's number, of which all 64 bits count.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }

    /// CNTK's name.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// What holds of it whatever its operands are.
    pub fn facts(self) -> &'static Facts {
        &self.spec().facts
    }

    /// Its row of the table.
    #[expect(
        clippy::indexing_slicing,
        reason = "SPECS and the variants come from the same rows; codes run from 0 without a gap"
    )]
    pub fn spec(self) -> &'static OpSpec {
        &SPECS[usize::from(self as u8)]
    }

    /// The name that a development version after 2.7 gave to a number.
    pub fn later_name(code: u64) -> Option<&'static str> {
        Some(match code {
            197 => "MarginInnerProduct",
            198 => "FeatureNormalize",
            199 => "AdditiveFullConnection",
            200 => "CenterLoss",
            201 => "ChannelMultiply",
            202 => "GlobalConcat",
            203 => "DistributedLabelsGather",
            204 => "DistributedFullyConnected",
            205 => "DistributedFullyConnected_v2",
            206 => "DistributedCrossEntropyWithSoftmax",
            207 => "DistributedClassificationError",
            208 => "DistributedAdditiveFullConnection",
            _ => return None,
        })
    }
}

impl<'a> Operator<'a> {
    /// The operator of a function with typed attributes, or all errors in them, each with its offset and path. `index`
    /// is the function's index in `primitive_functions`.
    pub fn decode(function: &Function<'a>, index: usize) -> Result<Self, Vec<Error>> {
        let op = match &function.kind {
            FunctionKind::Primitive(op) => *op,
            FunctionKind::Block(_) => return Ok(Self::Block),
            FunctionKind::User(_) => return Ok(Self::User),
            FunctionKind::Foreign(foreign) => return Ok(Self::Foreign(*foreign)),
        };
        let record = match &function.attributes {
            model::Attributes::Record(record) => *record,
            model::Attributes::Typed(operator) => return Ok((**operator).clone()),
        };
        let mut attributes = Attributes::new(op, record);
        match Self::decode_attributes(op, &mut attributes) {
            Some(operator) if attributes.is_clean() => Ok(operator),
            _ => Err(attributes.into_errors(index)),
        }
    }

    /// Facts that do not depend on attributes and operands.
    pub fn facts(&self) -> &'static Facts {
        match self {
            Self::Foreign(foreign) if foreign.criterion => Op::LambdaRank.facts(),
            _ => self.op().map_or(&FOREIGN, Op::facts),
        }
    }

    /// May an operand be given once instead of repeated along its dynamic axes, because broadcasting does the
    /// repeating?
    pub fn repeats(&self) -> bool {
        self.facts().repeats && self.reach() != Reach::Batch && !self.reduces_frames()
    }

    /// How far an element of the result may depend on elements of the operands.
    pub fn reach(&self) -> Reach {
        match self {
            Self::ReduceElements(a)
                if a.axes.iter().any(|axis| matches!(axis.kind(), AxisKind::All | AxisKind::Batch)) =>
            {
                Reach::Batch
            }
            _ if self.reduces_frames() => Reach::Sequence,
            _ => self.facts().reach,
        }
    }

    fn reduces_frames(&self) -> bool {
        match self {
            Self::Times(a) => a.reduces_sequence(),
            Self::ReduceElements(a) => a.axes.iter().any(|axis| axis.kind() == AxisKind::Sequence),
            _ => false,
        }
    }

    /// CNTK's name of the operator.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Foreign(foreign) => foreign.name,
            _ => self.op().map_or("UserDefinedFunction", Op::name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::spec::Requirement;
    use super::*;
    use crate::dictionary::Dictionary;
    use crate::error::ErrorKind;

    #[test]
    fn codes_are_places() {
        for (index, op) in Op::ALL.iter().enumerate() {
            assert_eq!(op.code(), index as u64, "{}", op.name());
            assert_eq!(Op::from_code(index as u64), Some(*op));
            assert_eq!(op.spec().code, index as u64);
        }
        assert_eq!(Op::from_code((1 << 32) + 31), None);
    }

    /// The table and the decoders agree on what is required.
    #[test]
    fn an_empty_dictionary_lacks_exactly_the_required_attributes() {
        for op in Op::ALL {
            let mut attributes = Attributes::new(*op, Dictionary::default());
            let decoded = Operator::decode_attributes(*op, &mut attributes);
            let mut missing: Vec<&str> = attributes
                .into_errors(0)
                .iter()
                .map(|e| match e.kind() {
                    ErrorKind::MissingAttribute { key, .. } => *key,
                    other => panic!("{}: {other}", op.name()),
                })
                .collect();
            assert_eq!(decoded.is_none(), !missing.is_empty());
            let required: Vec<&str> = (op.spec().attributes.iter())
                .filter(|a| matches!(a.requirement, Requirement::Required | Requirement::Either))
                .map(|a| a.key)
                .collect();
            missing.retain(|key| op.spec().attribute(key).is_none_or(|a| a.requirement == Requirement::Required));
            let strict: Vec<&str> = (required.iter().copied())
                .filter(|key| op.spec().attribute(key).is_some_and(|a| a.requirement == Requirement::Required))
                .collect();
            assert_eq!(missing, strict, "{}", op.name());
        }
    }
}

//! The typed attributes of each operator: what a function record's `attributes` dictionary says, decoded, with the
//! defaults that CNTK 2.7 gives to keys that older files lack.
//!
//! Shapes are in file order (column-major: entry 0 is the innermost axis), as stored; see [`crate::model::Shape`].

use crate::model::{Axis, DataType, Shape};

/// TransposeAxes (12): swaps two axes or permutes all.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum TransposeAxes<'a> {
    /// `axis1`, `axis2`: two file axes change places.
    Swap(Axis<'a>, Axis<'a>),
    /// `axisVec`: output file axis `i` is input file axis `axes[i]`.
    Permute(Vec<Axis<'a>>),
}

/// Where (13).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Where<'a> {
    /// `newDynamicAxes`: the dynamic axes of the result.
    pub new_dynamic_axes: Option<Vec<Axis<'a>>>,
    /// `newSequenceAxisLengthScalingFactor`: new length = factor * length + additive (0: fixed length).
    pub length_scaling: Option<u64>,
    /// `newSequenceAxisLengthAdditiveFactor`.
    pub length_additive: Option<i32>,
}

/// One axis of a Slice.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SliceRange<'a> {
    /// The sliced axis.
    pub axis: Axis<'a>,
    /// First index; a negative one counts from the end.
    pub begin: i32,
    /// One past the last index; 0 or a negative one counts from the end.
    pub end: i32,
    /// Step; a negative one walks the range backwards.
    pub stride: i32,
}

/// Slice (14): single and multi-axis forms as one list.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Slice<'a> {
    /// The ranges, one per axis.
    pub ranges: Vec<SliceRange<'a>>,
}

/// Random-number state that stateful ops carry since composite version 3.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RandomState {
    /// `rngSeed`.
    pub seed: Option<u64>,
    /// `rngOffset`.
    pub offset: Option<u64>,
}

/// Dropout (15).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Dropout {
    /// `dropoutRate`.
    pub rate: f64,
    /// Random state.
    pub random: RandomState,
}

/// Reshape (16).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Reshape<'a> {
    /// `newShape`, at most one entry inferred.
    pub new_shape: Shape,
    /// `beginAxis`; absent = 0.
    pub begin: Option<Axis<'a>>,
    /// `endAxis`; absent = rank.
    pub end: Option<Axis<'a>>,
}

/// Max or average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum PoolingType {
    /// 0.
    Max,
    /// 1.
    Average,
}

/// Pooling (17).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Pooling {
    /// `poolingType`.
    pub kind: PoolingType,
    /// `poolingWindowShape`; the unknown shape means all spatial axes.
    pub window: Shape,
    /// `strides`.
    pub strides: Shape,
    /// `autoPadding`.
    pub auto_padding: Vec<bool>,
    /// `lowerPad`.
    pub lower_pad: Shape,
    /// `upperPad`.
    pub upper_pad: Shape,
    /// `ceilOutDim`.
    pub ceil_out_dim: bool,
    /// `includePad`.
    pub include_pad: bool,
}

/// Unpooling (58).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Unpooling {
    /// `poolingType`, always max.
    pub kind: PoolingType,
    /// `unpoolingWindowShape`.
    pub window: Shape,
    /// `strides`.
    pub strides: Shape,
    /// `autoPadding`.
    pub auto_padding: Vec<bool>,
    /// `lowerPad`.
    pub lower_pad: Shape,
    /// `upperPad`.
    pub upper_pad: Shape,
}

/// Times (31).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Times {
    /// `outputRank`.
    pub output_rank: u64,
    /// `inferInputRankToMap`: negative none, but -2 reduces over the sequence axis.
    pub infer_input_rank_to_map: i32,
}

impl Times {
    /// Does the product also sum over the frames of the sequence axis?
    pub fn reduces_sequence(&self) -> bool {
        self.infer_input_rank_to_map == -2
    }
}

/// TransposeTimes (32).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TransposeTimes {
    /// `outputRank`.
    pub output_rank: u64,
}

/// Convolution (33) and ConvolutionSequenceShape (97).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Convolution {
    /// `strides`.
    pub strides: Shape,
    /// `dilation`, default `[1]`.
    pub dilation: Shape,
    /// `sharing`.
    pub sharing: Vec<bool>,
    /// `autoPadding`.
    pub auto_padding: Vec<bool>,
    /// `lowerPad`.
    pub lower_pad: Shape,
    /// `upperPad`.
    pub upper_pad: Shape,
    /// `transpose`.
    pub transpose: bool,
    /// `outputShape`; `None` for absent, unknown, `[0]` or empty.
    pub output_shape: Option<Shape>,
    /// `kernelShape`: a cached value that CNTK does not rely on.
    pub kernel_shape: Option<Shape>,
    /// `maxTempMemSizeInSamples`.
    pub max_temp_mem_size_in_samples: u64,
    /// `groups`.
    pub groups: u64,
    /// `sequential`: CNTK's own bookkeeping.
    pub sequential: bool,
}

/// PastValue (37) and FutureValue (38).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Delay {
    /// `offset`, at least 1.
    pub offset: u64,
}

/// The reductions of ReduceElements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[allow(missing_docs, reason = "the names are CNTK's")]
pub enum Reduction {
    Sum,
    LogSum,
    Mean,
    Max,
    Min,
    Prod,
    Argmax,
    Argmin,
}

impl Reduction {
    /// By CNTK's name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "Sum" => Self::Sum,
            "LogSum" => Self::LogSum,
            "Mean" => Self::Mean,
            "Max" => Self::Max,
            "Min" => Self::Min,
            "Prod" => Self::Prod,
            "Argmax" => Self::Argmax,
            "Argmin" => Self::Argmin,
            _ => return None,
        })
    }
}

/// ReduceElements (39).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ReduceElements<'a> {
    /// `axis` or `axisVec`.
    pub axes: Vec<Axis<'a>>,
    /// `reductionOpName`.
    pub reduction: Reduction,
    /// `reductionKeepDimensions`, default true.
    pub keep_dimensions: bool,
}

/// BatchNormalization (40).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BatchNormalization {
    /// `spatial`.
    pub spatial: bool,
    /// `epsilon`.
    pub epsilon: f64,
    /// `normalizationTimeConstant`.
    pub normalization_time_constant: f64,
    /// `blendTimeConstant`.
    pub blend_time_constant: f64,
    /// `useCuDNNEngine`.
    pub use_cudnn_engine: bool,
    /// `disableRegularization`.
    pub disable_regularization: bool,
}

/// Splice (43).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Splice<'a> {
    /// `axis`: may be one beyond the rank.
    pub axis: Axis<'a>,
}

/// RandomSample (45) and RandomSampleInclusionFrequency (46).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RandomSample {
    /// `numSamples`.
    pub num_samples: u64,
    /// `allowDuplicates`.
    pub allow_duplicates: bool,
    /// Random state.
    pub random: RandomState,
}

/// ROIPooling (47).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RoiPooling {
    /// `poolingType`, default max.
    pub kind: PoolingType,
    /// `roiOutputShape`: `[W, H]`.
    pub output_shape: Shape,
    /// `spatialScale`, default 1/16.
    pub spatial_scale: f64,
}

/// The cells of OptimizedRNNStack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[allow(missing_docs, reason = "the names are CNTK's")]
pub enum RecurrentOp {
    Lstm,
    Gru,
    RnnRelu,
    RnnTanh,
}

impl RecurrentOp {
    /// By CNTK's name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "lstm" => Self::Lstm,
            "gru" => Self::Gru,
            "rnnReLU" => Self::RnnRelu,
            "rnnTanh" => Self::RnnTanh,
            _ => return None,
        })
    }
}

/// OptimizedRNNStack (49).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct OptimizedRnnStack {
    /// `hiddenSize`.
    pub hidden_size: u64,
    /// `numLayers`.
    pub num_layers: u64,
    /// `bidirectional`.
    pub bidirectional: bool,
    /// `recurrentOp`.
    pub recurrent_op: RecurrentOp,
}

/// EditDistanceError (61).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct EditDistanceError {
    /// `SubstitutionPenalty`.
    pub substitution_penalty: f32,
    /// `DeletionPenalty`.
    pub deletion_penalty: f32,
    /// `InsertionPenalty`.
    pub insertion_penalty: f32,
    /// `SquashInputs`.
    pub squash_inputs: bool,
    /// `TokensToIgnore`.
    pub tokens_to_ignore: Vec<u64>,
}

/// ForwardBackward (66).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ForwardBackward {
    /// `BlankTokenId`; 2^64-1 = last.
    pub blank_token_id: u64,
    /// `DelayConstraint`; -1 = none.
    pub delay_constraint: i32,
}

/// OneHot (68).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct OneHot<'a> {
    /// `numClass`.
    pub num_class: u64,
    /// `oneHotOutputSparse`.
    pub output_sparse: bool,
    /// `onehotAxis`: the axis of the classes in the output shape.
    pub axis: Axis<'a>,
}

/// ToSequence (70) and ToSequenceLike (71).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ToSequence<'a> {
    /// `sequenceAxis`: prefix of the new axis's name.
    pub sequence_axis: Option<&'a str>,
    /// `newDynamicAxes`.
    pub new_dynamic_axes: Option<Vec<Axis<'a>>>,
}

/// UnpackSequence (72).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct UnpackSequence {
    /// `sequenceUnpackPaddingValue`.
    pub padding_value: f64,
    /// `sequenceUnpackSuppressMaskOutput`.
    pub suppress_mask_output: bool,
}

/// The distributions of RandomDistribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[allow(missing_docs, reason = "the names are CNTK's")]
pub enum Distribution {
    Uniform,
    Normal,
    Gumbel,
    Bernoulli,
}

/// RandomDistribution (76).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RandomDistribution {
    /// `randomDistributionType`.
    pub distribution: Distribution,
    /// `randomDistributionArgs`.
    pub arguments: Vec<f64>,
    /// `newShape`: only if the function has no input.
    pub new_shape: Option<Shape>,
    /// `newDataType`: only if the function has no input.
    pub new_data_type: Option<DataType>,
    /// Random state.
    pub random: RandomState,
}

/// The modes of Pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[allow(missing_docs, reason = "the names are CNTK's")]
pub enum PaddingMode {
    Constant,
    Reflect,
    Symmetric,
}

/// Pad (83).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Pad {
    /// `paddingHead`, file order, one per axis.
    pub head: Vec<u64>,
    /// `paddingFoot`, file order, one per axis.
    pub foot: Vec<u64>,
    /// `paddingMode`.
    pub mode: PaddingMode,
    /// `paddingConstantValue`.
    pub constant_value: f64,
}

/// Crop (84).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Crop {
    /// `offset`: `[x, y]`, column and row. If absent, it follows from the paths to a common ancestor.
    pub offset: Option<Vec<u64>>,
}

/// TopK (87).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TopK<'a> {
    /// `axis`: always file axis 0.
    pub axis: Axis<'a>,
    /// `numItems`.
    pub num_items: u64,
}

/// Squeeze (88).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Squeeze<'a> {
    /// `axisVec`; absent = all axes of size 1.
    pub axes: Option<Vec<Axis<'a>>>,
}

/// ConstantOp (89).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ConstantOp {
    /// `fillValue`.
    pub fill_value: f64,
}

/// Cast (91).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Cast {
    /// `newDataType`.
    pub new_data_type: DataType,
}

/// EyeLikeOp (92).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct EyeLike {
    /// `OutputSparse`.
    pub output_sparse: bool,
}

/// LatticeSequenceWithSoftmax (90): paths in the file system, which are reported and never opened.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LatticeSequenceWithSoftmax<'a> {
    /// `SymListPath`, `PhonePath`, `StateListPath`, `TransProbPath`, `LatticeConfigPath`.
    pub paths: Vec<(&'static str, &'a str)>,
}

/// CustomProxyOp (93).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CustomProxyOp<'a> {
    /// `customOp`: the name of a registered native op.
    pub custom_op: &'a str,
    /// `newDataType`.
    pub new_data_type: Option<DataType>,
    /// `outputShape`.
    pub output_shape: Option<Shape>,
}

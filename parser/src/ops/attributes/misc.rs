//! Attributes of products, normalization, random operators and the rest.

use crate::model::{DataType, Shape};

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

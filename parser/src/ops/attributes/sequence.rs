//! Attributes of the operators that read sequence axes.

use crate::model::Axis;

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

/// PastValue (37) and FutureValue (38).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Delay {
    /// `offset`, at least 1.
    pub offset: u64,
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

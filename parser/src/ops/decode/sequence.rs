//! Attributes of the operators for sequences and recurrences, and of their criteria.

use super::{Attributes, Decode};
use crate::ops::attributes::{
    Delay, EditDistanceError, ForwardBackward, OptimizedRnnStack, RecurrentOp, ToSequence, UnpackSequence, Where,
};

impl<'a> Decode<'a> for Where<'a> {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let new_dynamic_axes = from.optional_list("newDynamicAxes");
        let scaling = from.optional("newSequenceAxisLengthScalingFactor");
        let additive = from.optional("newSequenceAxisLengthAdditiveFactor");
        Some(Self { new_dynamic_axes: new_dynamic_axes?, length_scaling: scaling?, length_additive: additive? })
    }
}

impl<'a> Decode<'a> for Delay {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        Some(Self { offset: from.required("offset")? })
    }
}

impl<'a> Decode<'a> for OptimizedRnnStack {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let hidden_size = from.required("hiddenSize");
        let num_layers = from.required("numLayers");
        let bidirectional = from.required("bidirectional");
        let recurrent_op = from.required::<&str>("recurrentOp").and_then(|name| {
            RecurrentOp::from_name(name)
                .or_else(|| from.impossible("recurrentOp", "lstm, gru, rnnReLU or rnnTanh", format!("\"{name}\"")))
        });
        Some(Self {
            hidden_size: hidden_size?,
            num_layers: num_layers?,
            bidirectional: bidirectional?,
            recurrent_op: recurrent_op?,
        })
    }
}

impl<'a> Decode<'a> for EditDistanceError {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let substitution = from.required("SubstitutionPenalty");
        let deletion = from.required("DeletionPenalty");
        let insertion = from.required("InsertionPenalty");
        let squash_inputs = from.required("SquashInputs");
        let tokens_to_ignore = from.list("TokensToIgnore");
        Some(Self {
            substitution_penalty: substitution?,
            deletion_penalty: deletion?,
            insertion_penalty: insertion?,
            squash_inputs: squash_inputs?,
            tokens_to_ignore: tokens_to_ignore?,
        })
    }
}

impl<'a> Decode<'a> for ForwardBackward {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let blank_token_id = from.required("BlankTokenId");
        let delay_constraint = from.required("DelayConstraint");
        Some(Self { blank_token_id: blank_token_id?, delay_constraint: delay_constraint? })
    }
}

impl<'a> Decode<'a> for ToSequence<'a> {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let sequence_axis = from.optional("sequenceAxis");
        let new_dynamic_axes = from.optional_list("newDynamicAxes");
        Some(Self { sequence_axis: sequence_axis?, new_dynamic_axes: new_dynamic_axes? })
    }
}

impl<'a> Decode<'a> for UnpackSequence {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let padding_value = from.required("sequenceUnpackPaddingValue");
        let suppress = from.required("sequenceUnpackSuppressMaskOutput");
        Some(Self { padding_value: padding_value?, suppress_mask_output: suppress? })
    }
}

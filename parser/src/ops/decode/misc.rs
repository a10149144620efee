//! Attributes of products, normalization, random numbers and casts, and of operators that name things outside the
//! model.

use super::{Attributes, Decode};
use crate::ops::attributes::{
    BatchNormalization, Cast, ConstantOp, CustomProxyOp, Distribution, Dropout, EyeLike, LatticeSequenceWithSoftmax,
    RandomDistribution, RandomSample, RandomState, Times, TransposeTimes,
};

fn random_state(from: &mut Attributes<'_>) -> Option<RandomState> {
    let seed = from.optional("rngSeed");
    let offset = from.optional("rngOffset");
    Some(RandomState { seed: seed?, offset: offset? })
}

impl<'a> Decode<'a> for Times {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let output_rank = from.required("outputRank");
        let infer = from.defaulted("inferInputRankToMap");
        Some(Self { output_rank: output_rank?, infer_input_rank_to_map: infer? })
    }
}

impl<'a> Decode<'a> for TransposeTimes {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        Some(Self { output_rank: from.required("outputRank")? })
    }
}

impl<'a> Decode<'a> for Dropout {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let rate = from.required("dropoutRate");
        let random = random_state(from);
        Some(Self { rate: rate?, random: random? })
    }
}

impl<'a> Decode<'a> for BatchNormalization {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let spatial = from.required("spatial");
        let epsilon = from.required("epsilon");
        let normalization = from.required("normalizationTimeConstant");
        let blend = from.required("blendTimeConstant");
        let cudnn = from.required("useCuDNNEngine");
        let disable_regularization = from.defaulted("disableRegularization");
        Some(Self {
            spatial: spatial?,
            epsilon: epsilon?,
            normalization_time_constant: normalization?,
            blend_time_constant: blend?,
            use_cudnn_engine: cudnn?,
            disable_regularization: disable_regularization?,
        })
    }
}

impl<'a> Decode<'a> for RandomSample {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let num_samples = from.required("numSamples");
        let allow_duplicates = from.required("allowDuplicates");
        let random = random_state(from);
        Some(Self { num_samples: num_samples?, allow_duplicates: allow_duplicates?, random: random? })
    }
}

impl<'a> Decode<'a> for RandomDistribution {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let distribution = from.required::<&str>("randomDistributionType").and_then(|name| {
            Some(match name {
                "uniform" => Distribution::Uniform,
                "normal" => Distribution::Normal,
                "gumbel" => Distribution::Gumbel,
                "bernoulli" => Distribution::Bernoulli,
                other => {
                    let expected = "uniform, normal, gumbel or bernoulli";
                    return from.impossible("randomDistributionType", expected, format!("\"{other}\""));
                }
            })
        });
        let arguments = from.list("randomDistributionArgs");
        let new_shape = from.optional("newShape");
        let new_data_type = from.data_type("newDataType");
        let random = random_state(from);
        Some(Self {
            distribution: distribution?,
            arguments: arguments?,
            new_shape: new_shape?,
            new_data_type: new_data_type?,
            random: random?,
        })
    }
}

impl<'a> Decode<'a> for ConstantOp {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        Some(Self { fill_value: from.required("fillValue")? })
    }
}

impl<'a> Decode<'a> for Cast {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        match from.data_type("newDataType")? {
            Some(new_data_type) => Some(Self { new_data_type }),
            None => from.missing("newDataType"),
        }
    }
}

impl<'a> Decode<'a> for EyeLike {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        Some(Self { output_sparse: from.required("OutputSparse")? })
    }
}

impl<'a> Decode<'a> for LatticeSequenceWithSoftmax<'a> {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let mut paths = Vec::new();
        for key in ["SymListPath", "PhonePath", "StateListPath", "TransProbPath", "LatticeConfigPath"] {
            if let Some(Some(path)) = from.optional(key) {
                paths.push((key, path));
            }
        }
        Some(Self { paths })
    }
}

impl<'a> Decode<'a> for CustomProxyOp<'a> {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let custom_op = from.required("customOp");
        let new_data_type = from.data_type("newDataType");
        let output_shape = from.optional("outputShape");
        Some(Self { custom_op: custom_op?, new_data_type: new_data_type?, output_shape: output_shape? })
    }
}

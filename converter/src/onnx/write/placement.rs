//! Decides where each initializer's bytes are stored: in the model, in a file beside it, or in the CNTK file, where
//! they already are.

use super::names::Names;
use crate::onnx::graph::{Data, Dim, Initializer, OnnxModel};
use crate::weights::WriteError;
use std::ops::Range;

/// Where the weights of a model are to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights<'a> {
    /// In the model itself, or in the file `side` beside it if the model would exceed [`MODEL_LIMIT`].
    Embed {
        /// Location of the side file, relative to the model.
        side: &'a str,
    },
    /// In one file beside the model.
    External {
        /// Its location, relative to the model.
        side: &'a str,
    },
    /// In the CNTK file, where its bytes are already those that ONNX needs, and otherwise elsewhere.
    InPlace {
        /// Location of the CNTK file, relative to the model.
        source: &'a str,
        /// Location of the file with the rest, relative to the model.
        side: &'a str,
    },
}

/// The largest size of a protobuf message.
pub const MODEL_LIMIT: u64 = i32::MAX as u64;
/// A tensor smaller than this is always stored in the model.
const SMALL_TENSOR: u64 = 1 << 10;
/// Weights that cannot stay in the CNTK file are stored in the model if their total size is at most this.
const SMALL_REST: u64 = 64 << 10;
/// The alignment of offsets that ONNX recommends, so that tensors can be mapped into memory.
const ALIGNMENT: u64 = 4096;

/// Where one initializer's bytes are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Model,
    Side { offset: u64 },
    Source { range: Range<u64> },
}

/// Where the bytes of all initializers are stored.
pub(super) struct Placement {
    pub(super) places: Vec<Place>,
    pub(super) side_length: u64,
}

impl Placement {
    /// Decides for all initializers, whose bytes have these `lengths`.
    pub(super) fn new(model: &OnnxModel, lengths: &[u64], weights: Weights<'_>) -> Self {
        let all = || model.initializers.iter().zip(lengths);
        let in_place = matches!(weights, Weights::InPlace { .. });
        let stays = |data: &Data, length: u64| in_place && length >= SMALL_TENSOR && matches!(data, Data::Unchanged(_));
        let rest: u64 = all().filter(|(i, n)| !stays(&i.data, **n) && **n >= SMALL_TENSOR).map(|(_, n)| n).sum();
        let embed = matches!(weights, Weights::Embed { .. }) || in_place && rest <= SMALL_REST;
        let mut side_length = 0u64;
        let mut place = |(initializer, length): (&Initializer, &u64)| match &initializer.data {
            Data::Unchanged(range) if stays(&initializer.data, *length) => Place::Source { range: range.clone() },
            _ if embed || *length < SMALL_TENSOR => Place::Model,
            _ => {
                let offset = side_length.next_multiple_of(ALIGNMENT);
                side_length = offset + length;
                Place::Side { offset }
            }
        };
        let places = all().map(&mut place).collect();
        Self { places, side_length }
    }
}

/// The length of an initializer in bytes. Checks that its description matches its type and the source.
pub(super) fn length(
    model: &OnnxModel,
    names: &Names<'_>,
    initializer: &Initializer,
    source: &[u8],
) -> Result<u64, WriteError> {
    let wrong = |what| WriteError::Inconsistent { tensor: names.owned(initializer.value), what };
    let value = &model.values[initializer.value.0 as usize];
    let mut count = 1u64;
    for dim in &value.dims {
        let Dim::Known(n) = dim else { return Err(wrong("a dimension is not known")) };
        count = count.checked_mul(*n).ok_or_else(|| wrong("the shape is too large"))?;
    }
    let length = count.checked_mul(value.elem.size() as u64).ok_or_else(|| wrong("the shape is too large"))?;
    let described = initializer.data.length(value.elem, source).map_err(wrong)?;
    if described == length { Ok(length) } else { Err(wrong("its shape and its bytes disagree")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::graph::ValueId;

    fn place(data: Vec<(Data, u64)>, weights: Weights<'_>) -> (Vec<Place>, u64) {
        let lengths: Vec<_> = data.iter().map(|(_, n)| *n).collect();
        let initializers = data.into_iter().map(|(data, _)| Initializer { value: ValueId(0), data }).collect();
        let model = OnnxModel { initializers, ..OnnxModel::default() };
        let placement = Placement::new(&model, &lengths, weights);
        (placement.places, placement.side_length)
    }

    #[test]
    fn external_offsets_are_aligned_and_small_tensors_stay() {
        let data =
            vec![(Data::Unchanged(0..5000), 5000), (Data::Owned(vec![]), 1023), (Data::Unchanged(0..2000), 2000)];
        let (places, side) = place(data, Weights::External { side: "m.data" });
        assert_eq!(places, [Place::Side { offset: 0 }, Place::Model, Place::Side { offset: 8192 }]);
        assert_eq!(side, 8192 + 2000);
    }

    #[test]
    fn in_place_points_into_the_source_and_keeps_a_small_rest() {
        let weights = Weights::InPlace { source: "m.model", side: "m.data" };
        let data = vec![(Data::Unchanged(77..5077), 5000), (Data::Views(vec![]), 60_000), (Data::Unchanged(5..9), 4)];
        let (places, side) = place(data, weights);
        assert_eq!(places, [Place::Source { range: 77..5077 }, Place::Model, Place::Model]);
        assert_eq!(side, 0);
        let (places, side) = place(vec![(Data::Unchanged(0..5000), 5000), (Data::Views(vec![]), 70_000)], weights);
        assert_eq!(places, [Place::Source { range: 0..5000 }, Place::Side { offset: 0 }]);
        assert_eq!(side, 70_000);
    }
}

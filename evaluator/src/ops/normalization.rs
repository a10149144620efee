//! BatchNormalization with running statistics (spec 4.9).

use super::{Call, Out};
use crate::fault::fault;
use crate::value::Value;
use cntk_parser::ops::attributes::BatchNormalization;

/// `scale * (x - mean) / sqrt(variance + epsilon) + bias`: a parameter for each element of the outermost row axis or, if not
/// spatial, for each element.
pub(super) fn batch_normalization(call: &mut Call<'_>, a: &BatchNormalization) -> Out {
    let x = call.input(0);
    call.meter.room(x.data.shape())?;
    let channels = if a.spatial { x.shape().first().copied().unwrap_or(1) } else { x.width() };
    let per_channel = x.width() / channels.max(1);
    let parameters: Vec<_> = call.inputs[1..5].iter().map(Value::contiguous).collect();
    if parameters.iter().any(|p| p.len() != channels && p.len() != 1) {
        return fault(format!("its parameters do not have {channels} elements"));
    }
    let of =
        |i: usize, channel: usize| if parameters[i].len() == 1 { parameters[i][0] } else { parameters[i][channel] };
    let mut elements = Vec::with_capacity(x.data.len());
    for (i, row) in x.contiguous().chunks(per_channel.max(1)).enumerate() {
        let channel = i % channels.max(1);
        let (scale, bias, mean) = (of(0, channel), of(1, channel), of(2, channel));
        let deviation = (of(3, channel) + a.epsilon).sqrt();
        elements.extend(row.iter().map(|x| scale * (x - mean) / deviation + bias));
    }
    Ok(vec![Value::of(x.frames.clone(), x.shape(), elements)?])
}

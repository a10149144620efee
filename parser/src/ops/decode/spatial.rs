//! Convolution and pooling.

use super::{Attributes, Decode};
use crate::model::Shape;
use crate::ops::attributes::{Convolution, Pooling, PoolingType, RoiPooling, Unpooling};
use smallvec::smallvec;

impl<'a> Decode<'a> for Convolution {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let strides = from.required("strides");
        let dilation = from.or("dilation", Shape(smallvec![1]));
        let sharing = from.list("sharing");
        let auto_padding = from.list("autoPadding");
        let lower_pad = from.required("lowerPad");
        let upper_pad = from.required("upperPad");
        let transpose = from.or("transpose", false);
        let output_shape = from.optional("outputShape");
        let kernel_shape = from.optional("kernelShape");
        let memory = from.or("maxTempMemSizeInSamples", 0);
        let groups = from.or("groups", 1);
        let sequential = from.or("sequential", false);
        Some(Self {
            strides: strides?,
            dilation: dilation?,
            sharing: sharing?,
            auto_padding: auto_padding?,
            lower_pad: lower_pad?,
            upper_pad: upper_pad?,
            transpose: transpose?,
            output_shape: output_shape?.filter(is_given),
            kernel_shape: kernel_shape?,
            max_temp_mem_size_in_samples: memory?,
            groups: groups?,
            sequential: sequential?,
        })
    }
}

/// The unknown shape, `[0]` and `[]` stand for a shape that was not given.
fn is_given(shape: &Shape) -> bool {
    !shape.is_unknown() && !shape.0.is_empty() && shape.0.as_slice() != [0]
}

fn pooling_type(from: &mut Attributes<'_>, default: Option<u64>) -> Option<PoolingType> {
    let code = match default {
        Some(default) => from.or("poolingType", default),
        None => from.required("poolingType"),
    }?;
    match code {
        0 => Some(PoolingType::Max),
        1 => Some(PoolingType::Average),
        code => from.impossible("poolingType", "0 (max) or 1 (average)", code.to_string()),
    }
}

impl<'a> Decode<'a> for Pooling {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let kind = pooling_type(from, None);
        let window = from.required("poolingWindowShape");
        let strides = from.required("strides");
        let auto_padding = from.list("autoPadding");
        let lower_pad = from.required("lowerPad");
        let upper_pad = from.required("upperPad");
        let ceil_out_dim = from.or("ceilOutDim", false);
        let include_pad = from.or("includePad", false);
        Some(Self {
            kind: kind?,
            window: window?,
            strides: strides?,
            auto_padding: auto_padding?,
            lower_pad: lower_pad?,
            upper_pad: upper_pad?,
            ceil_out_dim: ceil_out_dim?,
            include_pad: include_pad?,
        })
    }
}

impl<'a> Decode<'a> for Unpooling {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let kind = match pooling_type(from, None) {
            Some(PoolingType::Average) => from.impossible("poolingType", "0 (max)", "1".to_owned()),
            kind => kind,
        };
        let window = from.required("unpoolingWindowShape");
        let strides = from.required("strides");
        let auto_padding = from.list("autoPadding");
        let lower_pad = from.required("lowerPad");
        let upper_pad = from.required("upperPad");
        Some(Self {
            kind: kind?,
            window: window?,
            strides: strides?,
            auto_padding: auto_padding?,
            lower_pad: lower_pad?,
            upper_pad: upper_pad?,
        })
    }
}

impl<'a> Decode<'a> for RoiPooling {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let kind = pooling_type(from, Some(0));
        let output_shape = from.required("roiOutputShape");
        let spatial_scale = from.or("spatialScale", 0.0625);
        Some(Self { kind: kind?, output_shape: output_shape?, spatial_scale: spatial_scale? })
    }
}

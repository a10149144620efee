//! Attributes of convolution and pooling.

use super::{Attributes, Decode};
use crate::model::Shape;
use crate::ops::attributes::{Convolution, Pooling, PoolingType, RoiPooling, Unpooling};

impl<'a> Decode<'a> for Convolution {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let strides = from.required("strides");
        let dilation = from.defaulted("dilation");
        let sharing = from.list("sharing");
        let auto_padding = from.list("autoPadding");
        let lower_pad = from.required("lowerPad");
        let upper_pad = from.required("upperPad");
        let transpose = from.defaulted("transpose");
        let output_shape = from.optional("outputShape");
        let kernel_shape = from.optional("kernelShape");
        let memory = from.defaulted("maxTempMemSizeInSamples");
        let groups = from.defaulted("groups");
        let sequential = from.defaulted("sequential");
        let (transposes, none) = (transpose == Some(true), output_shape.as_ref().and_then(Option::as_ref));
        if transposes && none.is_some_and(|shape: &Shape| shape.0.is_empty()) {
            return from.impossible("outputShape", "a size for each axis, [0] or the unknown shape", "[]".to_owned());
        }
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

/// Was a shape given? CNTK writes the unknown shape, `[0]` or `[]` if not.
fn is_given(shape: &Shape) -> bool {
    !shape.is_unknown() && !shape.0.is_empty() && shape.0.as_slice() != [0]
}

fn pooling_type(from: &mut Attributes<'_>) -> Option<PoolingType> {
    match from.defaulted::<u64>("poolingType")? {
        0 => Some(PoolingType::Max),
        1 => Some(PoolingType::Average),
        code => from.impossible("poolingType", "0 (max) or 1 (average)", code.to_string()),
    }
}

/// Where CNTK computes no averages.
fn max_only(from: &mut Attributes<'_>) -> Option<PoolingType> {
    match pooling_type(from) {
        Some(PoolingType::Average) => from.impossible("poolingType", "0 (max)", "1".to_owned()),
        kind => kind,
    }
}

impl<'a> Decode<'a> for Pooling {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let kind = pooling_type(from);
        let window = from.required("poolingWindowShape");
        let strides = from.required("strides");
        let auto_padding = from.list("autoPadding");
        let lower_pad = from.required("lowerPad");
        let upper_pad = from.required("upperPad");
        let ceil_out_dim = from.defaulted("ceilOutDim");
        let include_pad = from.defaulted("includePad");
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
        let kind = max_only(from);
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
        let kind = max_only(from);
        let output_shape = from.required("roiOutputShape");
        let spatial_scale = from.defaulted("spatialScale");
        Some(Self { kind: kind?, output_shape: output_shape?, spatial_scale: spatial_scale? })
    }
}

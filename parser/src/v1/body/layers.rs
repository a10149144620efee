//! Bodies of products, convolutions, poolings, normalizations and recurrent layers.

use super::{Body, Composition, Said, composed, typed};
use crate::error::Error;
use crate::model::{Foreign, Shape};
use crate::ops::Operator;
use crate::ops::attributes::{
    BatchNormalization, Convolution, OptimizedRnnStack, Pooling, PoolingType, RecurrentOp, RoiPooling, Times,
    TransposeTimes, Unpooling,
};

pub(in crate::v1) fn times<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    product(body).map(|times| composed(Composition::Times(times)))
}

pub(in crate::v1) fn transpose_times<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let output_rank = product(body)?.output_rank;
    Ok(typed(Operator::TransposeTimes(TransposeTimes { output_rank })))
}

pub(in crate::v1) fn quantized_times<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let times = product(body)?;
    let (_left_shift, _right_shift) = (body.reader.u64()?, body.reader.u64()?);
    let text = "QuantizedTimes is taken for Times: quantisation is not reproduced".to_owned();
    body.note = Some(("v1.quantized", text));
    Ok(composed(Composition::Times(times)))
}

fn product(body: &mut Body<'_, '_, '_>) -> Result<Times, Error> {
    let output_rank = if body.version >= 3 { body.reader.u64()? } else { 1 };
    let infer_input_rank_to_map = if body.version >= 12 { body.reader.i32()? } else { -1 };
    Ok(Times { output_rank, infer_input_rank_to_map })
}

/// The part of a body that convolutions and poolings share.
struct Windows {
    kernel: Shape,
    /// How many maps a convolution computes; a product if there is a number for each axis.
    maps: Shape,
    strides: Shape,
    sharing: Vec<bool>,
    auto_padding: Vec<bool>,
    lower_pad: Shape,
    upper_pad: Shape,
    kind: i32,
    memory: u64,
    transpose: bool,
    output_shape: Shape,
    ceil_out_dim: bool,
    include_pad: bool,
    /// Are the images channel-major (CHW)? CNTK 2 computes no other layout.
    channels_first: bool,
    /// Is the kernel stored as a matrix?
    flat: bool,
}

impl Windows {
    fn read(body: &mut Body<'_, '_, '_>) -> Result<Self, Error> {
        if body.version < 5 {
            return Self::read_old(body);
        }
        let reader = &mut *body.reader;
        let kernel = reader.shape()?;
        let at = reader.at();
        let maps = reader.shape()?;
        if maps.0.contains(&0) || (maps.rank() != 1 && maps.rank() < kernel.rank()) {
            return body.bad("a number of maps, or one for each axis", format!("{:?}", maps.0.as_slice()), at);
        }
        let reader = &mut *body.reader;
        let strides = distances(reader.shape()?);
        let (sharing, auto_padding) = (reader.flags()?, reader.flags()?);
        let (lower_pad, upper_pad) = (distances(reader.shape()?), distances(reader.shape()?));
        let kind = reader.i32()?;
        let channels_first = channels_first(body)?;
        let reader = &mut *body.reader;
        let memory = reader.u64()?;
        let transpose = body.version >= 9 && reader.flag()?;
        let output_shape = if body.version >= 20 { reader.shape()? } else { Shape::default() };
        let ceil_out_dim = body.version >= 21 && reader.flag()?;
        let include_pad = body.version >= 23 && reader.flag()?;
        Ok(Self {
            kernel,
            maps,
            strides,
            sharing,
            auto_padding,
            lower_pad,
            upper_pad,
            kind,
            memory,
            transpose,
            output_shape,
            ceil_out_dim,
            include_pad,
            channels_first,
            flat: false,
        })
    }

    /// Reads the windows of an old file, in which convolutions are two-dimensional.
    fn read_old(body: &mut Body<'_, '_, '_>) -> Result<Self, Error> {
        let reader = &mut *body.reader;
        let mut sizes = [0; 4];
        for size in &mut sizes {
            *size = reader.u64()?;
        }
        let [kernel_width, kernel_height, stride_width, stride_height] = sizes;
        let maps = Shape::from([reader.u32()?.into()]);
        let channels_first = channels_first(body)?;
        let reader = &mut *body.reader;
        let padded = reader.flag()?;
        let memory = reader.u64()?;
        Ok(Self {
            kernel: Shape::from([kernel_width, kernel_height, 1]),
            maps,
            strides: distances(Shape::from([stride_width, stride_height, 1])),
            sharing: vec![true],
            // The channel axis is never padded.
            auto_padding: vec![padded, padded, false],
            lower_pad: Shape::from([0]),
            upper_pad: Shape::from([0]),
            kind: 0,
            memory,
            transpose: false,
            output_shape: Shape::default(),
            ceil_out_dim: false,
            include_pad: false,
            channels_first,
            flat: true,
        })
    }
}

/// Strides and pads, of which CNTK takes any number. The largest that v2 knows does the same as a larger one: it passes
/// every image.
fn distances(mut sizes: Shape) -> Shape {
    for size in sizes.0.iter_mut() {
        *size = (*size).min(i32::MAX as u64);
    }
    sizes
}

/// `ImageLayoutKind::CHW`.
const CHANNELS_FIRST: i32 = 1;

/// Reads the memory layout of images: are they channel-major (CHW)?
fn channels_first(body: &mut Body<'_, '_, '_>) -> Result<bool, Error> {
    let at = body.reader.at();
    match body.reader.i32()? {
        0 => Ok(false),
        CHANNELS_FIRST => Ok(true),
        other => body.bad("the image layout 0 (HWC) or 1 (CHW)", other, at),
    }
}

fn channels_last<'a>(body: &Body<'_, '_, '_>) -> Said<'a> {
    let why = "its images have the channel first in memory (HWC), which CNTK 2 does not compute";
    Said::Foreign(Foreign { name: body.op, why, criterion: false })
}

pub(in crate::v1) fn convolution<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let windows = Windows::read(body)?;
    let flat = windows.flat || body.reader.flag()?;
    let mut dilation = if body.version >= 18 { body.reader.shape()? } else { Shape::from([1]) };
    for distance in dilation.0.iter_mut() {
        // CNTK takes 0 for 1.
        *distance = (*distance).max(1);
    }
    if !windows.channels_first {
        return Ok(channels_last(body));
    }
    let given = |shape: Shape| (!shape.0.is_empty() && shape.0.iter().any(|dim| *dim != 0)).then_some(shape);
    let attributes = Convolution {
        strides: windows.strides,
        dilation,
        sharing: windows.sharing,
        auto_padding: windows.auto_padding,
        lower_pad: windows.lower_pad,
        upper_pad: windows.upper_pad,
        transpose: windows.transpose,
        output_shape: given(windows.output_shape),
        kernel_shape: None,
        max_temp_mem_size_in_samples: windows.memory,
        groups: 1,
        sequential: false,
    };
    let (kernel, maps) = (windows.kernel, windows.maps);
    Ok(composed(Composition::Convolution { attributes, kernel, maps, flat }))
}

pub(in crate::v1) fn pooling<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let at = body.reader.at();
    let windows = Windows::read(body)?;
    if !windows.channels_first {
        return Ok(channels_last(body));
    }
    Ok(typed(Operator::Pooling(Pooling {
        kind: pooling_type(body, windows.kind, at)?,
        window: windows.kernel,
        strides: windows.strides,
        auto_padding: windows.auto_padding,
        lower_pad: windows.lower_pad,
        upper_pad: windows.upper_pad,
        ceil_out_dim: windows.ceil_out_dim,
        include_pad: windows.include_pad,
    })))
}

pub(in crate::v1) fn unpooling<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let windows = Windows::read(body)?;
    if !windows.channels_first {
        return Ok(channels_last(body));
    }
    Ok(typed(Operator::Unpooling(Unpooling {
        kind: PoolingType::Max,
        window: windows.kernel,
        strides: windows.strides,
        auto_padding: windows.auto_padding,
        lower_pad: windows.lower_pad,
        upper_pad: windows.upper_pad,
    })))
}

fn pooling_type(body: &Body<'_, '_, '_>, kind: i32, at: u64) -> Result<PoolingType, Error> {
    match kind {
        1 => Ok(PoolingType::Max),
        2 => Ok(PoolingType::Average),
        other => body.bad("pooling 1 (max) or 2 (average)", other, at),
    }
}

/// MaxPooling and AveragePooling, which Pooling replaced.
pub(in crate::v1) fn old_pooling<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let width = u64::from(body.reader.u32()?);
    let channels_first = channels_first(body)?;
    let (height, stride_width, stride_height) = (body.reader.u64()?, body.reader.u64()?, body.reader.u64()?);
    if !channels_first {
        return Ok(channels_last(body));
    }
    Ok(typed(Operator::Pooling(Pooling {
        kind: if body.op == "MaxPooling" { PoolingType::Max } else { PoolingType::Average },
        window: Shape::from([width, height, 1]),
        strides: distances(Shape::from([stride_width, stride_height, 1])),
        auto_padding: vec![false],
        lower_pad: Shape::from([0]),
        upper_pad: Shape::from([0]),
        ceil_out_dim: false,
        include_pad: false,
    })))
}

pub(in crate::v1) fn roi_pooling<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let output_shape = body.reader.shape()?;
    let (kind, spatial_scale) = if body.version >= 26 {
        let at = body.reader.at();
        let kind = body.reader.i32()?;
        (pooling_type(body, kind, at)?, body.reader.f64()?)
    } else {
        (PoolingType::Max, 1.0 / 16.0)
    };
    Ok(typed(Operator::ROIPooling(RoiPooling { kind, output_shape, spatial_scale })))
}

pub(in crate::v1) fn batch_normalization<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let reader = &mut *body.reader;
    let mut attributes = BatchNormalization {
        spatial: false,
        epsilon: 1e-5,
        normalization_time_constant: 0.0,
        blend_time_constant: 0.0,
        use_cudnn_engine: true,
        disable_regularization: false,
    };
    let mut channels_first = true;
    if body.version >= 6 {
        attributes.spatial = reader.flag()?;
        attributes.normalization_time_constant = reader.f64()?;
        attributes.blend_time_constant = reader.f64()?;
        channels_first = reader.i32()? == CHANNELS_FIRST;
        if body.version == 19 {
            reader.flag()?;
        } else {
            reader.u64()?;
        }
        attributes.epsilon = reader.f64()?;
        attributes.use_cudnn_engine = !reader.flag()?;
    } else {
        let (written, _readable) = (reader.i32()?, reader.i32()?);
        let _eval = reader.flag()?;
        attributes.spatial = reader.flag()?;
        let constant = reader.f64()?;
        if written >= 0x0001_0004 {
            attributes.normalization_time_constant = constant;
        }
        if written >= 0x0001_0002 {
            channels_first = reader.i32()? == CHANNELS_FIRST;
            let _minibatches = reader.u64()?;
        }
        if written >= 0x0001_0003 {
            attributes.epsilon = reader.f64()?;
            attributes.use_cudnn_engine = !reader.flag()?;
        }
    }
    if attributes.spatial && !channels_first {
        return Ok(channels_last(body));
    }
    Ok(composed(Composition::BatchNormalization {
        attributes,
        inverse: body.version < 13,
        counted: body.version >= 19,
    }))
}

pub(in crate::v1) fn rnn_stack<'a>(body: &mut Body<'_, '_, 'a>) -> Result<Said<'a>, Error> {
    let bidirectional = body.reader.u64()? != 0;
    let (num_layers, hidden_size) = (body.reader.u64()?, body.reader.u64()?);
    let at = body.reader.at();
    let name = body.reader.text()?;
    let Some(recurrent_op) = RecurrentOp::from_name(&name) else {
        return body.bad("lstm, gru, rnnReLU or rnnTanh", name, at);
    };
    if body.version >= 14 {
        body.reader.i32()?;
    } else {
        body.order = &[];
    }
    let stack = OptimizedRnnStack { hidden_size, num_layers, bidirectional, recurrent_op };
    Ok(typed(Operator::OptimizedRNNStack(stack)))
}

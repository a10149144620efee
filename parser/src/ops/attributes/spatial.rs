//! Attributes of convolution and pooling.

use crate::model::Shape;

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

//! Attributes of the operators that move or reduce axes.

use crate::model::{Axis, Shape};

/// TransposeAxes (12): swaps two axes or permutes all.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum TransposeAxes<'a> {
    /// `axis1`, `axis2`: two file axes change places.
    Swap(Axis<'a>, Axis<'a>),
    /// `axisVec`: output file axis `i` is input file axis `axes[i]`.
    Permute(Vec<Axis<'a>>),
}

/// One axis of a Slice.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SliceRange<'a> {
    /// The sliced axis.
    pub axis: Axis<'a>,
    /// First index; a negative one counts from the end.
    pub begin: i32,
    /// One past the last index; 0 or a negative one counts from the end.
    pub end: i32,
    /// Step; a negative one walks the range backwards.
    pub stride: i32,
}

/// Slice (14): single and multi-axis forms as one list.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Slice<'a> {
    /// The ranges, one per axis.
    pub ranges: Vec<SliceRange<'a>>,
}

/// Reshape (16).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Reshape<'a> {
    /// `newShape`, at most one entry inferred.
    pub new_shape: Shape,
    /// `beginAxis`; absent = 0.
    pub begin: Option<Axis<'a>>,
    /// `endAxis`; absent = rank.
    pub end: Option<Axis<'a>>,
}

/// The reductions of ReduceElements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[allow(missing_docs, reason = "the names are CNTK's")]
pub enum Reduction {
    Sum,
    LogSum,
    Mean,
    Max,
    Min,
    Prod,
    Argmax,
    Argmin,
}

impl Reduction {
    /// By CNTK's name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "Sum" => Self::Sum,
            "LogSum" => Self::LogSum,
            "Mean" => Self::Mean,
            "Max" => Self::Max,
            "Min" => Self::Min,
            "Prod" => Self::Prod,
            "Argmax" => Self::Argmax,
            "Argmin" => Self::Argmin,
            _ => return None,
        })
    }
}

/// ReduceElements (39).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ReduceElements<'a> {
    /// `axis` or `axisVec`.
    pub axes: Vec<Axis<'a>>,
    /// `reductionOpName`.
    pub reduction: Reduction,
    /// `reductionKeepDimensions`, default true.
    pub keep_dimensions: bool,
}

/// Splice (43).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Splice<'a> {
    /// `axis`: may be one beyond the rank.
    pub axis: Axis<'a>,
}

/// OneHot (68).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct OneHot<'a> {
    /// `numClass`.
    pub num_class: u64,
    /// `oneHotOutputSparse`.
    pub output_sparse: bool,
    /// `onehotAxis`: the axis of the classes in the output shape.
    pub axis: Axis<'a>,
}

/// The modes of Pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[allow(missing_docs, reason = "the names are CNTK's")]
pub enum PaddingMode {
    Constant,
    Reflect,
    Symmetric,
}

/// Pad (83).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Pad {
    /// `paddingHead`, file order, one per axis.
    pub head: Vec<u64>,
    /// `paddingFoot`, file order, one per axis.
    pub foot: Vec<u64>,
    /// `paddingMode`.
    pub mode: PaddingMode,
    /// `paddingConstantValue`.
    pub constant_value: f64,
}

/// Crop (84).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Crop {
    /// `offset`: `[x, y]`, column and row. If absent, it follows from the paths to a common ancestor.
    pub offset: Option<Vec<u64>>,
}

/// TopK (87).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TopK<'a> {
    /// `axis`: always file axis 0.
    pub axis: Axis<'a>,
    /// `numItems`.
    pub num_items: u64,
}

/// Squeeze (88).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Squeeze<'a> {
    /// `axisVec`; absent = all axes of size 1.
    pub axes: Option<Vec<Axis<'a>>>,
}

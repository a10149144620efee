//! Attributes of the operators for axes, slices and shapes.

use super::{Attributes, Decode};
use crate::model::Axis;
use crate::ops::attributes::{
    Crop, OneHot, Pad, PaddingMode, ReduceElements, Reduction, Reshape, Slice, SliceRange, Splice, Squeeze, TopK,
    TransposeAxes,
};

impl<'a> Decode<'a> for TransposeAxes<'a> {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        if from.has("axisVec") || !(from.has("axis1") || from.has("axis2")) {
            return from.list("axisVec").map(Self::Permute);
        }
        let first = from.required("axis1");
        let second = from.required("axis2");
        Some(Self::Swap(first?, second?))
    }
}

impl<'a> Decode<'a> for Slice<'a> {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let lists = ["axisVec", "beginIndexVec", "endIndexVec"];
        let single = ["axis", "beginIndex", "endIndex"];
        let some_list = lists.iter().any(|key| from.has(key));
        let all_lists = lists.iter().all(|key| from.has(key));
        if all_lists || (some_list && !single.iter().any(|key| from.has(key))) {
            return several_slices(from);
        }
        let axis = from.required("axis");
        let begin = from.required("beginIndex");
        let end = from.required("endIndex");
        let stride = from.defaulted("sliceStrides");
        Some(Self { ranges: vec![SliceRange { axis: axis?, begin: begin?, end: end?, stride: stride? }] })
    }
}

fn several_slices<'a>(from: &mut Attributes<'a>) -> Option<Slice<'a>> {
    let axes = from.list::<Axis<'a>>("axisVec");
    let begins = from.list::<i32>("beginIndexVec");
    let ends = from.list::<i32>("endIndexVec");
    let strides = from.optional_list::<i32>("sliceStridesVec");
    let (axes, begins, ends, strides) = (axes?, begins?, ends?, strides?);
    let strides = strides.unwrap_or_else(|| vec![1; axes.len()]);
    for (key, length) in
        [("beginIndexVec", begins.len()), ("endIndexVec", ends.len()), ("sliceStridesVec", strides.len())]
    {
        if length != axes.len() {
            return from.impossible(key, "as many entries as `axisVec` has", format!("{length} for {}", axes.len()));
        }
    }
    let ranges = (axes.into_iter().zip(begins).zip(ends).zip(strides))
        .map(|(((axis, begin), end), stride)| SliceRange { axis, begin, end, stride })
        .collect();
    Some(Slice { ranges })
}

impl<'a> Decode<'a> for Reshape<'a> {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let new_shape = from.required("newShape");
        let begin = from.optional("beginAxis");
        let end = from.optional("endAxis");
        Some(Self { new_shape: new_shape?, begin: begin?, end: end? })
    }
}

impl<'a> Decode<'a> for ReduceElements<'a> {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let axes = match from.optional_list("axisVec") {
            Some(None) => from.required("axis").map(|axis| vec![axis]),
            Some(axes) => axes,
            None => None,
        };
        let reduction = from.required::<&str>("reductionOpName").and_then(|name| {
            Reduction::from_name(name)
                .or_else(|| from.impossible("reductionOpName", "the name of a reduction", format!("\"{name}\"")))
        });
        let keep_dimensions = from.defaulted("reductionKeepDimensions");
        Some(Self { axes: axes?, reduction: reduction?, keep_dimensions: keep_dimensions? })
    }
}

impl<'a> Decode<'a> for Splice<'a> {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        Some(Self { axis: from.required("axis")? })
    }
}

impl<'a> Decode<'a> for OneHot<'a> {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let num_class = from.required("numClass");
        let output_sparse = from.required("oneHotOutputSparse");
        let axis = from.required("onehotAxis");
        Some(Self { num_class: num_class?, output_sparse: output_sparse?, axis: axis? })
    }
}

impl<'a> Decode<'a> for Pad {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let head = from.list("paddingHead");
        let foot = from.list("paddingFoot");
        let mode = from.required::<u64>("paddingMode").and_then(|mode| match mode {
            0 => Some(PaddingMode::Constant),
            1 => Some(PaddingMode::Reflect),
            2 => Some(PaddingMode::Symmetric),
            mode => from.impossible("paddingMode", "0, 1 or 2", mode.to_string()),
        });
        let constant_value = from.required("paddingConstantValue");
        Some(Self { head: head?, foot: foot?, mode: mode?, constant_value: constant_value? })
    }
}

impl<'a> Decode<'a> for Crop {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        Some(Self { offset: from.optional_list("offset")? })
    }
}

impl<'a> Decode<'a> for TopK<'a> {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        let axis = from.required("axis");
        let num_items = from.required("numItems");
        Some(Self { axis: axis?, num_items: num_items? })
    }
}

impl<'a> Decode<'a> for Squeeze<'a> {
    fn decode(from: &mut Attributes<'a>) -> Option<Self> {
        Some(Self { axes: from.optional_list("axisVec")? })
    }
}

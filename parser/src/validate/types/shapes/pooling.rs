//! Pooling, Unpooling and ROIPooling (spec 4.8, 4.12).

use super::windows::{Keys, MAX_DIM, Slide, entries, size, spread};
use crate::model::{Dim, Dims, Shape};
use crate::ops::attributes::{Pooling, RoiPooling, Unpooling};
use crate::validate::rules;
use crate::validate::types::node::Node;
use crate::validate::types::value::show;

/// Pooling: windows slide over all axes; entries that are not given are 1.
pub(super) fn pooling(node: &mut Node<'_, '_, '_, '_>, pooling: &Pooling) -> Option<Dims> {
    const KEYS: Keys = Keys { window: "poolingWindowShape" };
    entries(node, "strides", &pooling.strides, 1)?;
    entries(node, "lowerPad", &pooling.lower_pad, 0)?;
    entries(node, "upperPad", &pooling.upper_pad, 0)?;
    let x = node.shape(0)?;
    if pooling.window.is_unknown() {
        // All spatial axes at once.
        return Some(x.iter().enumerate().map(|(row, n)| if row == 0 { *n } else { Dim::Known(1) }).collect());
    }
    entries(node, KEYS.window, &pooling.window, 1)?;
    let windowed = pooling.window.rank();
    if windowed > x.len() {
        let text = format!("a window of {windowed} axes over an input of shape {}", show(x));
        return node.attribute(&rules::WINDOW, KEYS.window, text);
    }
    let mut sizes = Dims::new();
    for (axis, n) in x.iter().rev().enumerate() {
        let slide = Slide {
            window: pooling.window.0.get(axis).copied().unwrap_or(1),
            stride: spread(&pooling.strides.0, windowed, axis, 1),
            auto_padding: spread(&pooling.auto_padding, windowed, axis, false),
            lower: spread(&pooling.lower_pad.0, windowed, axis, 0),
            upper: spread(&pooling.upper_pad.0, windowed, axis, 0),
        };
        sizes.push(size(node, *n, slide, pooling.ceil_out_dim, KEYS)?);
    }
    Some(sizes.into_iter().rev().collect())
}

/// Unpooling: the shape of the pooling's input, which must pool to the shape of input 0.
pub(super) fn unpooling(node: &mut Node<'_, '_, '_, '_>, unpooling: &Unpooling) -> Option<Dims> {
    entries(node, "strides", &unpooling.strides, 1)?;
    entries(node, "lowerPad", &unpooling.lower_pad, 0)?;
    entries(node, "upperPad", &unpooling.upper_pad, 0)?;
    if !unpooling.window.is_unknown() {
        entries(node, "unpoolingWindowShape", &unpooling.window, 1)?;
    }
    let original = node.shape(1)?;
    if let Some(pooled) = node.shape(0)
        && pooled.len() != original.len()
    {
        return node.mismatch("the pooled and the original input differ in rank", pooled, original);
    }
    Some(original.clone())
}

/// ROIPooling: map `(C, H, W)` and regions `(N, 4)` give `(N, C, H', W')`.
pub(super) fn roi_pooling(node: &mut Node<'_, '_, '_, '_>, roi: &RoiPooling) -> Option<Dims> {
    let (map, regions) = (node.shape(0)?, node.shape(1)?);
    let [channels, _, _] = map.as_slice() else {
        return node.input(&rules::SHAPE, 0, format!("a feature map of shape {}, not (C, H, W)", show(map)));
    };
    let (number, coordinates) = match regions.as_slice() {
        [number, coordinates] => (*number, *coordinates),
        _ => return node.input(&rules::SHAPE, 1, format!("regions of shape {}, not (N, 4)", show(regions))),
    };
    if !Node::equal(coordinates, Dim::Known(4)) {
        return node.input(&rules::SHAPE, 1, format!("regions of shape {}, not (N, 4)", show(regions)));
    }
    let [width, height] = two(&roi.output_shape).or_else(|| {
        node.attribute(&rules::ATTRIBUTE_RANGE, "roiOutputShape", "two sizes from 1 up are needed".to_owned())
    })?;
    Some([number, *channels, Dim::Known(height), Dim::Known(width)].into_iter().collect())
}

fn two(shape: &Shape) -> Option<[u64; 2]> {
    match shape.0.as_slice() {
        [a, b] if (1..=MAX_DIM).contains(a) && (1..=MAX_DIM).contains(b) => Some([*a, *b]),
        _ => None,
    }
}

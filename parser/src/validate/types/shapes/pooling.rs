//! Shapes of Pooling, Unpooling and ROIPooling (spec 4.8, 4.12).

use super::windows::{Keys, Slide, entries, length, size, spread, strides};
use crate::model::{Dim, Dims, MAX_DIM, Shape};
use crate::ops::attributes::{Pooling, RoiPooling, Unpooling};
use crate::validate::rules;
use crate::validate::types::node::Node;
use crate::validate::types::value::show;

/// How windows slide, in file order; missing entries are 1.
struct Windows<'w> {
    key: &'static str,
    window: &'w Shape,
    strides: &'w Shape,
    auto_padding: &'w [bool],
    lower_pad: &'w Shape,
    upper_pad: &'w Shape,
    ceil: bool,
}

impl Windows<'_> {
    /// Is there padding of any kind?
    fn is_padded(&self) -> bool {
        let pads = self.lower_pad.0.iter().chain(&self.upper_pad.0);
        self.auto_padding.contains(&true) || pads.into_iter().any(|pad| *pad != 0)
    }
}

/// Pooling: windows slide over all axes.
pub(super) fn pooling(node: &mut Node<'_, '_, '_, '_>, pooling: &Pooling) -> Option<Dims> {
    let windows = Windows {
        key: "poolingWindowShape",
        window: &pooling.window,
        strides: &pooling.strides,
        auto_padding: &pooling.auto_padding,
        lower_pad: &pooling.lower_pad,
        upper_pad: &pooling.upper_pad,
        ceil: pooling.ceil_out_dim,
    };
    let x = node.shape(0)?;
    pooled(node, &windows, x)
}

/// Unpooling: the shape of input 1, from which pooling must give the shape of input 0.
pub(super) fn unpooling(node: &mut Node<'_, '_, '_, '_>, unpooling: &Unpooling) -> Option<Dims> {
    let windows = Windows {
        key: "unpoolingWindowShape",
        window: &unpooling.window,
        strides: &unpooling.strides,
        auto_padding: &unpooling.auto_padding,
        lower_pad: &unpooling.lower_pad,
        upper_pad: &unpooling.upper_pad,
        ceil: false,
    };
    let original = node.shape(1)?;
    let wanted = pooled(node, &windows, original)?;
    if let Some(given) = node.shape(0) {
        let fits = given.len() == wanted.len() && given.iter().zip(&wanted).all(|(a, b)| Node::equal(*a, *b));
        if !fits {
            return node.mismatch(
                "the first input does not have the shape that pooling the other input gives",
                given,
                &wanted,
            );
        }
    }
    Some(original.clone())
}

/// The shape that pooling `x` gives.
fn pooled(node: &mut Node<'_, '_, '_, '_>, windows: &Windows<'_>, x: &Dims) -> Option<Dims> {
    let keys = Keys { window: windows.key };
    strides(node, windows.strides)?;
    entries(node, "lowerPad", windows.lower_pad, 0)?;
    entries(node, "upperPad", windows.upper_pad, 0)?;
    let lists = [
        ("strides", windows.strides.rank()),
        ("autoPadding", windows.auto_padding.len()),
        ("lowerPad", windows.lower_pad.rank()),
        ("upperPad", windows.upper_pad.rank()),
    ];
    for (key, found) in lists {
        length(node, key, found, x.len())?;
    }
    if windows.window.is_unknown() {
        if windows.is_padded() {
            let text = "padding, where the window is the whole operand".to_owned();
            return node.attribute(&rules::WINDOW, windows.key, text);
        }
        // All spatial axes at once.
        return Some(x.iter().enumerate().map(|(row, n)| if row == 0 { *n } else { Dim::Known(1) }).collect());
    }
    entries(node, windows.key, windows.window, 1)?;
    let windowed = windows.window.rank();
    if windowed == 0 || windowed > x.len() {
        let text = format!("a window of {windowed} axes over an input of shape {}", show(x));
        return node.attribute(&rules::WINDOW, windows.key, text);
    }
    let mut sizes = Dims::new();
    for (axis, n) in x.iter().rev().enumerate() {
        let window = windows.window.0.get(axis).copied().unwrap_or(1);
        let slide = Slide {
            window,
            taps: window,
            stride: spread(&windows.strides.0, windowed, axis, 1),
            auto_padding: spread(windows.auto_padding, windowed, axis, false),
            lower: spread(&windows.lower_pad.0, windowed, axis, 0),
            upper: spread(&windows.upper_pad.0, windowed, axis, 0),
        };
        sizes.push(size(node, *n, slide, windows.ceil, keys)?);
    }
    Some(sizes.into_iter().rev().collect())
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
    for (place, wanted, axis) in [(1, height, "rows"), (2, width, "columns")] {
        if map.get(place).and_then(|n| n.known()).is_some_and(|n| wanted > n) {
            let text = format!("{wanted} {axis} of a map of shape {}", show(map));
            return node.attribute(&rules::WINDOW, "roiOutputShape", text);
        }
    }
    Some([number, *channels, Dim::Known(height), Dim::Known(width)].into_iter().collect())
}

fn two(shape: &Shape) -> Option<[u64; 2]> {
    match shape.0.as_slice() {
        [a, b] if (1..=MAX_DIM).contains(a) && (1..=MAX_DIM).contains(b) => Some([*a, *b]),
        _ => None,
    }
}

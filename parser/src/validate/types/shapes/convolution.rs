//! Shapes of convolutions and transposed convolutions (spec 4.7).

use super::windows::{Keys, Slide, entries, length, size, spread, strides};
use crate::model::{Dim, Dims, MAX_DIM, MOST_AXES, Shape};
use crate::ops::attributes::Convolution;
use crate::validate::rules;
use crate::validate::types::node::Node;
use crate::validate::types::value::show;

const KEYS: Keys = Keys { window: "kernelShape" };

/// The shape of a convolution of input 1 with the kernel, input 0.
pub(super) fn convolution(node: &mut Node<'_, '_, '_, '_>, convolution: &Convolution) -> Option<Dims> {
    attributes(node, convolution)?;
    let (kernel, x) = (node.shape(0)?, node.shape(1)?);
    // The kernel is (O, C, k…) and x is (C, d…). A kernel of the same rank as x has one output map and no axis for it.
    let (maps, per_map) = if kernel.len() == x.len() {
        (Dim::Known(1), kernel.as_slice())
    } else {
        match kernel.split_first() {
            Some((maps, rest)) if rest.len() == x.len() => (*maps, rest),
            _ => return node.mismatch("the ranks of kernel and input do not fit", kernel, x),
        }
    };
    let (Some((&kernel_channels, windows)), Some((&channels, spatial))) = (per_map.split_first(), x.split_first())
    else {
        return node.mismatch("a convolution needs an axis for its channels", kernel, x);
    };
    lengths(node, convolution, x.len())?;
    if kernel_channels.known().is_some_and(|channels| channels > 1) {
        channels_unpadded(node, convolution)?;
    }
    groups(node, convolution, maps, kernel_channels, channels, kernel, x)?;
    if convolution.transpose {
        if !Node::equal(maps, channels) {
            return node.mismatch("the channels of kernel and input disagree", kernel, x);
        }
        asked_for(node, convolution, kernel_channels, x.len())?;
        shared(node, convolution, spatial)?;
        let mut result: Dims = [kernel_channels].into_iter().collect();
        result.extend(transposed(node, convolution, windows, spatial)?);
        return Some(result);
    }
    let mut result: Dims = [maps].into_iter().collect();
    let axes = windows.len();
    let mut sizes = Dims::new();
    for (axis, (k, n)) in windows.iter().rev().zip(spatial.iter().rev()).enumerate() {
        let slide = slide(node, convolution, axes, axis, *k)?;
        sizes.push(size(node, *n, slide, false, KEYS)?);
    }
    result.extend(sizes.into_iter().rev());
    shared(node, convolution, result.get(1..).unwrap_or_default())?;
    if let Some(wanted) = &convolution.output_shape {
        let same = |(n, wanted): (&Dim, &u64)| n.known().is_none_or(|n| n == *wanted);
        if wanted.rank() != result.len() || !result.iter().rev().zip(&wanted.0).all(same) {
            let text = format!("{:?} in file order, where the convolution gives {}", wanted.0, show(&result));
            return node.attribute(&rules::SHAPE, "outputShape", text);
        }
    }
    Some(result)
}

/// ConvolutionSequenceShape: one number per sequence, its length after a convolution along it.
pub(super) fn sequence_shape(node: &mut Node<'_, '_, '_, '_>, convolution: &Convolution) -> Option<Dims> {
    attributes(node, convolution)?;
    let (kernel, x) = (node.shape(0)?, node.shape(1)?);
    if kernel.len() < 2 {
        return node.mismatch("the kernel has no axis along the sequence", kernel, x);
    }
    Some([Dim::Known(1)].into_iter().collect())
}

/// Checks that the lists suit an operand of so many axes.
fn lengths(node: &mut Node<'_, '_, '_, '_>, convolution: &Convolution, rank: usize) -> Option<()> {
    let lists = [
        ("strides", convolution.strides.rank()),
        ("sharing", convolution.sharing.len()),
        ("autoPadding", convolution.auto_padding.len()),
        ("lowerPad", convolution.lower_pad.rank()),
        ("upperPad", convolution.upper_pad.rank()),
    ];
    for (key, found) in lists {
        length(node, key, found, rank)?;
    }
    length(node, "dilation", convolution.dilation.rank(), MOST_AXES)
}

/// Checks that channels are not padded, which CNTK does not compute.
fn channels_unpadded(node: &mut Node<'_, '_, '_, '_>, convolution: &Convolution) -> Option<()> {
    // CNTK looks at the last entry, however many there are.
    let padded = [
        ("autoPadding", convolution.auto_padding.last() == Some(&true)),
        ("lowerPad", convolution.lower_pad.0.last().is_some_and(|pad| *pad != 0)),
    ];
    match padded.into_iter().find(|(_, padded)| *padded) {
        Some((key, _)) => node.attribute(&rules::WINDOW, key, "the channels are padded".to_owned()),
        None => Some(()),
    }
}

/// Checks the shape that a transposed convolution is asked for.
fn asked_for(node: &mut Node<'_, '_, '_, '_>, convolution: &Convolution, channels: Dim, rank: usize) -> Option<()> {
    let Some(wanted) = &convolution.output_shape else { return Some(()) };
    entries(node, "outputShape", wanted, 1)?;
    let maps = wanted.0.last().copied();
    if wanted.rank() == rank && channels.known().is_none_or(|channels| maps == Some(channels)) {
        return Some(());
    }
    let text = format!("{:?} in file order does not suit {rank} axes and {} channels", wanted.0, show(&[channels]));
    node.attribute(&rules::SHAPE, "outputShape", text)
}

/// Checks the attributes by themselves.
fn attributes(node: &mut Node<'_, '_, '_, '_>, convolution: &Convolution) -> Option<()> {
    strides(node, &convolution.strides)?;
    entries(node, "dilation", &convolution.dilation, 1)?;
    entries(node, "lowerPad", &convolution.lower_pad, 0)?;
    entries(node, "upperPad", &convolution.upper_pad, 0)?;
    if !(1..=MAX_DIM).contains(&convolution.groups) {
        let text = format!("a convolution in {} groups", convolution.groups);
        return node.attribute(&rules::ATTRIBUTE_RANGE, "groups", text);
    }
    Some(())
}

/// Checks that the kernel is shared along each spatial axis (row-major) of more than one position. Where it is not, it
/// would need weights for each of them, for which the rule of shapes has no room.
fn shared(node: &mut Node<'_, '_, '_, '_>, convolution: &Convolution, positions: &[Dim]) -> Option<()> {
    let windowed = positions.len().saturating_add(1);
    for (axis, positions) in positions.iter().rev().enumerate() {
        if !spread(&convolution.sharing, windowed, axis, true) && *positions != Dim::Known(1) {
            let text = match positions.known() {
                Some(n) => format!("the weights are not shared between the {n} positions of an axis"),
                None => "the weights are not shared along an axis of free size".to_owned(),
            };
            return node.attribute(&rules::UNSHARED_WEIGHTS, "sharing", text);
        }
    }
    Some(())
}

/// Checks that channels and output maps divide into the groups.
fn groups(
    node: &mut Node<'_, '_, '_, '_>,
    convolution: &Convolution,
    maps: Dim,
    kernel_channels: Dim,
    channels: Dim,
    kernel: &[Dim],
    x: &[Dim],
) -> Option<()> {
    let groups = convolution.groups;
    // A transposed convolution undoes one from the kernel's channels: in groups, CNTK does not evaluate it.
    if convolution.transpose {
        return match groups {
            1 => Some(()),
            _ => node.attribute(&rules::SHAPE, "groups", format!("a transposed convolution in {groups} groups")),
        };
    }
    if let (Some(per_group), Some(channels)) = (kernel_channels.known(), channels.known())
        && per_group.checked_mul(groups) != Some(channels)
    {
        let text = format!(
            "a kernel of shape {} in {groups} group(s) does not suit an input of shape {}",
            show(kernel),
            show(x)
        );
        return node.fail(&rules::SHAPE, text);
    }
    if maps.known().is_some_and(|maps| maps.checked_rem(groups) != Some(0)) {
        let text = format!("{} output maps do not divide into {groups} groups", show(&[maps]));
        return node.attribute(&rules::SHAPE, "groups", text);
    }
    Some(())
}

/// How the kernel slides along a spatial axis (file order) of `axes`.
fn slide(
    node: &mut Node<'_, '_, '_, '_>,
    convolution: &Convolution,
    axes: usize,
    axis: usize,
    kernel: Dim,
) -> Option<Slide> {
    // The lists have an entry for the channel axis, too.
    let windowed = axes.saturating_add(1);
    let Some(kernel) = kernel.known().filter(|k| (1..=MAX_DIM).contains(k)) else {
        return node.input(&rules::SHAPE, 0, "the kernel has a free or impossible dimension".to_owned());
    };
    let dilation = spread(&convolution.dilation.0, windowed, axis, 1);
    let window = kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)?;
    Some(Slide {
        window,
        taps: kernel,
        stride: spread(&convolution.strides.0, windowed, axis, 1),
        auto_padding: spread(&convolution.auto_padding, windowed, axis, false),
        lower: spread(&convolution.lower_pad.0, windowed, axis, 0),
        upper: spread(&convolution.upper_pad.0, windowed, axis, 0),
    })
}

/// The spatial sizes of a transposed convolution, row-major.
fn transposed(
    node: &mut Node<'_, '_, '_, '_>,
    convolution: &Convolution,
    windows: &[Dim],
    spatial: &[Dim],
) -> Option<Dims> {
    let axes = windows.len();
    let mut sizes = Dims::new();
    for (axis, (k, n)) in windows.iter().rev().zip(spatial.iter().rev()).enumerate() {
        let slide = slide(node, convolution, axes, axis, *k)?;
        let wanted = convolution.output_shape.as_ref().and_then(|shape| given(shape, axis));
        sizes.push(match (wanted, n.known()) {
            (Some(wanted), known) => {
                let reaches = |n| slide.output(wanted, false) == Some(n) && !slide.misses(wanted, n);
                if known.is_some_and(|n| !reaches(n)) {
                    let text = format!("convolving an axis of {wanted} does not give one of {}", show(&[*n]));
                    return node.attribute(&rules::SHAPE, "outputShape", text);
                }
                Dim::Known(wanted)
            }
            (None, Some(n)) if slide.is_single() && n > 1 => {
                let text =
                    format!("an inferred stride along an axis of {n} that is transposed; it can be of size 1 only");
                return node.attribute(&rules::ATTRIBUTE_RANGE, "strides", text);
            }
            (None, Some(n)) => match undone(slide, n) {
                Some(size) => Dim::Known(size),
                None => {
                    let (key, text) = match slide.auto_padding {
                        true => ("autoPadding", "the window is more"),
                        false => ("lowerPad", "the padding is more"),
                    };
                    let text = format!("{text} than a transposed input of {n} gives");
                    return node.attribute(&rules::WINDOW, key, text);
                }
            },
            (None, None) if slide.is_identity() => *n,
            (None, None) => node.fresh(),
        });
    }
    Some(sizes.into_iter().rev().collect())
}

/// The size of an axis in `outputShape`, if it is given.
fn given(shape: &Shape, axis: usize) -> Option<u64> {
    shape.0.get(axis).copied().filter(|n| (1..=MAX_DIM).contains(n))
}

/// The size of an axis after a transposed convolution.
fn undone(slide: Slide, n: u64) -> Option<u64> {
    let spread = n.checked_sub(1)?.checked_mul(slide.stride)?;
    let size = if slide.auto_padding {
        spread.checked_add(1)?
    } else {
        spread.checked_add(slide.window)?.checked_sub(slide.lower)?.checked_sub(slide.upper)?
    };
    ((1..=MAX_DIM).contains(&size) && !slide.misses(size, n)).then_some(size)
}

//! Operators that only move elements (spec 4.12).

use super::broadcast::expand;
use super::{Call, Out};
use crate::fault::{Fault, fault};
use crate::value::{Frames, Value};
use cntk_parser::model::{Axis as FileAxis, AxisKind, Shape};
use cntk_parser::ops::attributes::{Pad, PaddingMode, Reshape, Slice, SliceRange, Splice, Squeeze, TransposeAxes};
use ndarray::{Axis, Slice as Range};

/// Slice: a negative begin and an end of 0 or less count from the end. A negative stride walks the range backwards.
pub(super) fn slice(call: &mut Call<'_>, a: &Slice<'_>) -> Out {
    let x = call.input(0);
    let mut view = x.data.view();
    for range in &a.ranges {
        let Some(row) = range.axis.row(x.rank()) else { return fault("a slice along an axis that it does not have") };
        let (begin, end) = bounds(range, view.shape()[row + 1])?;
        view.slice_axis_inplace(Axis(row + 1), Range::new(begin, Some(end), range.stride as isize));
    }
    call.meter.room(view.shape())?;
    Ok(vec![Value { frames: x.frames.clone(), data: view.to_shared() }])
}

fn bounds(range: &SliceRange<'_>, n: usize) -> Result<(isize, isize), Fault> {
    let n = n as isize;
    let (begin, end) = (range.begin as isize, range.end as isize);
    let (from, to) = (if begin < 0 { begin + n } else { begin }, if end <= 0 { end + n } else { end });
    if from < 0 || from >= to || to > n || range.stride == 0 {
        return fault(format!("a slice from {begin} to {end} of an axis of {n}"));
    }
    Ok((from, to))
}

/// Splice: concatenation. Operands of lower rank get leading axes of size 1, other axes are broadcast, and the axis may
/// be a new outermost one.
pub(super) fn splice(call: &mut Call<'_>, a: &Splice<'_>) -> Out {
    let frames = Frames::common(call.inputs)?;
    let most = call.inputs.iter().map(Value::rank).max().unwrap_or(0);
    let file = file_axis(&a.axis, most).unwrap_or(0);
    let rank = most.max(file + 1);
    let row = rank - 1 - file;
    let mut shapes: Vec<Vec<usize>> =
        call.inputs.iter().map(|v| [&vec![1; rank - v.rank()], v.shape()].concat()).collect();
    for axis in (0..rank).filter(|axis| *axis != row) {
        let size = shapes.iter().map(|s| s[axis]).max().unwrap_or(1);
        shapes.iter_mut().for_each(|s| s[axis] = size);
    }
    let parts: Result<Vec<Value>, Fault> =
        call.inputs.iter().zip(&shapes).map(|(v, shape)| expand(call, v, &frames, shape)).collect();
    let parts = parts?;
    let mut shape = shapes.first().cloned().unwrap_or_default();
    shape[row] = shapes.iter().map(|s| s[row]).sum();
    let parts: Vec<_> = parts.iter().map(|p| (p.contiguous(), p.shape()[row..].iter().product::<usize>())).collect();
    let runs = frames.count() * shape[..row].iter().product::<usize>();
    let run = |i: usize| parts.iter().flat_map(move |(numbers, length)| &numbers[i * length..(i + 1) * length]);
    Ok(vec![Value::of(frames, &shape, (0..runs).flat_map(run).copied().collect())?])
}

/// TransposeAxes: a permutation, or a swap of two axes, which may be new outer ones.
pub(super) fn transpose(call: &mut Call<'_>, a: &TransposeAxes<'_>) -> Out {
    let x = call.input(0);
    let (x, order) = match a {
        TransposeAxes::Permute(axes) => {
            let rows: Option<Vec<usize>> = axes.iter().rev().map(|axis| axis.row(x.rank())).collect();
            (x.clone(), rows.unwrap_or_default())
        }
        TransposeAxes::Swap(a, b) => {
            let places = [a, b].map(|axis| file_axis(axis, x.rank()).unwrap_or(0));
            let rank = x.rank().max(places[0] + 1).max(places[1] + 1);
            let mut order: Vec<usize> = (0..rank).collect();
            order.swap(rank - 1 - places[0], rank - 1 - places[1]);
            (x.reshaped(&[&vec![1; rank - x.rank()], x.shape()].concat())?, order)
        }
    };
    let order: Vec<usize> = std::iter::once(0).chain(order.iter().map(|row| row + 1)).collect();
    if order.len() != x.data.ndim() {
        return fault("its axes are not those of its operand");
    }
    call.meter.room(x.data.shape())?;
    let data = x.data.view().permuted_axes(order).as_standard_layout().into_owned();
    Ok(vec![Value { frames: x.frames.clone(), data: data.into_shared() }])
}

/// A static axis counted from the innermost, which need not exist in the operand.
fn file_axis(axis: &FileAxis<'_>, rank: usize) -> Option<usize> {
    match axis.kind() {
        AxisKind::Static(k) if k >= 0 => usize::try_from(k).ok(),
        AxisKind::Static(k) => rank.checked_sub(usize::try_from(k.unsigned_abs()).ok()?),
        AxisKind::End => Some(rank),
        _ => None,
    }
}

/// Reshape: the file axes from `begin` to `end` are replaced; one of the new sizes may be inferred.
pub(super) fn reshape(call: &mut Call<'_>, a: &Reshape<'_>) -> Out {
    let x = call.input(0);
    let rank = x.rank();
    let bound = |axis: &Option<FileAxis<'_>>, absent| axis.as_ref().map_or(Some(absent), |axis| file_axis(axis, rank));
    let ends = (bound(&a.begin, 0), bound(&a.end, rank));
    let (Some(begin), Some(end)) = ends else { return fault("it replaces axes that are not static") };
    if begin > end || end > rank {
        return fault("it replaces axes that its operand does not have");
    }
    let (from, to) = (rank - end, rank - begin);
    let replaced: usize = x.shape()[from..to].iter().product();
    // Early files write an inferred size as 0.
    let open = |n: u64| n == 0 || n == Shape::INFERRED || n == Shape::FREE;
    let known: u64 = a.new_shape.0.iter().filter(|n| !open(**n)).product();
    let inferred = replaced / usize::try_from(known).unwrap_or(usize::MAX).max(1);
    let new = a.new_shape.0.iter().rev().map(|n| if open(*n) { inferred } else { *n as usize });
    let shape: Vec<usize> =
        x.shape()[..from].iter().copied().chain(new).chain(x.shape()[to..].iter().copied()).collect();
    Ok(vec![x.reshaped(&shape)?])
}

/// Squeeze: removes the given axes, or all of size 1.
pub(super) fn squeeze(call: &mut Call<'_>, a: &Squeeze<'_>) -> Out {
    let x = call.input(0);
    let rank = x.rank();
    let gone = |row: usize| match &a.axes {
        None => x.shape()[row] == 1,
        Some(axes) => axes.iter().any(|axis| axis.row(rank) == Some(row)),
    };
    let shape: Vec<usize> = (0..rank).filter(|row| !gone(*row)).map(|row| x.shape()[row]).collect();
    Ok(vec![x.reshaped(&shape)?])
}

/// Pad: NumPy's `pad`; constant, reflect (the edge once) or symmetric (the edge twice).
pub(super) fn pad(call: &mut Call<'_>, a: &Pad) -> Out {
    let mut x = call.input(0).clone();
    let rank = x.rank();
    for row in 0..rank {
        let (head, foot) = (a.head[rank - 1 - row] as usize, a.foot[rank - 1 - row] as usize);
        let n = x.shape()[row];
        let mirrored = match a.mode {
            PaddingMode::Constant => None,
            PaddingMode::Reflect => Some((n.saturating_sub(1), 2 * n as i64 - 2)),
            PaddingMode::Symmetric => Some((n, 2 * n as i64 - 1)),
        };
        let mut whole = x.data.shape().to_vec();
        whole[row + 1] = n.saturating_add(head).saturating_add(foot);
        call.meter.room(&whole)?;
        let mut data = ndarray::ArrayD::from_elem(whole.as_slice(), a.constant_value);
        if mirrored.is_some_and(|(most, _)| head.max(foot) > most) {
            return fault(format!("it mirrors more than an axis of {n} has"));
        }
        for (i, mut to) in data.axis_iter_mut(Axis(row + 1)).enumerate() {
            let at = i as i64 - head as i64;
            let from = match mirrored {
                Some((most, _)) if at < 0 => -at - i64::from(most == n),
                Some((_, last)) if at >= n as i64 => last - at,
                _ => at,
            };
            if let Some(from) = usize::try_from(from).ok().filter(|i| *i < n) {
                to.assign(&x.data.index_axis(Axis(row + 1), from));
            }
        }
        x = Value { frames: x.frames, data: data.into_shared() };
    }
    Ok(vec![x])
}

//! Pooling and Unpooling (spec 4.8), ROIPooling (4.12).

use super::softmax::argmax;
use super::window::{Grid, Placed, Window, entry, size};
use super::{Call, Out};
use crate::fault::{Fault, fault};
use crate::value::{Frames, Value};
use cntk_parser::model::Shape;
use cntk_parser::ops::attributes::{Pooling, PoolingType, RoiPooling, Unpooling};

/// How windows slide over all static axes. An unknown window shape means all axes except for the channel axis, without
/// padding.
fn place(
    x: &Value,
    window: &Shape,
    strides: &Shape,
    auto: &[bool],
    pads: [&Shape; 2],
    ceil: bool,
) -> Result<Vec<Placed>, Fault> {
    let rank = x.rank();
    let global = window.is_unknown();
    let windowed = window.rank();
    let of = |(row, n): (usize, &usize)| {
        let (all, file) = (if row == 0 { 1 } else { *n }, rank - 1 - row);
        let given = Window {
            taps: window.0.get(file).map_or(1, |n| usize::try_from(*n).unwrap_or(usize::MAX)),
            stride: size(strides, windowed, file, 1).max(1),
            dilation: 1,
            auto: entry(auto, windowed, file, false),
            pads: pads.map(|list| size(list, windowed, file, 0)),
            ceil,
        };
        let whole = Window { taps: all, stride: 1, dilation: 1, auto: false, pads: [0, 0], ceil: false };
        let placed = if global { whole.place(*n) } else { given.place(*n) }?;
        if placed.misses() {
            fault("a window lies beyond the operand, where CNTK reads other memory")
        } else {
            Ok(placed)
        }
    };
    x.shape().iter().enumerate().map(of).collect()
}

/// Pooling: the largest element of each window, or the mean of its real cells (of all cells with `includePad`).
pub(super) fn pooling(call: &mut Call<'_>, a: &Pooling) -> Out {
    let x = call.input(0);
    let placed = place(x, &a.window, &a.strides, &a.auto_padding, [&a.lower_pad, &a.upper_pad], a.ceil_out_dim)?;
    let result: Vec<usize> = placed.iter().map(|p| p.output).collect();
    call.meter.room(&[&[x.frames.count()], result.as_slice()].concat())?;
    let grid = Grid::new(call.meter, &placed)?;
    call.meter.spend(&[x.frames.count(), grid.taps, grid.places])?;
    let mut elements = Vec::new();
    for frame in x.contiguous().chunks(grid.area) {
        elements.extend((0..grid.places).map(|place| {
            let under = (0..grid.taps).filter_map(|tap| grid.at(tap, place)).map(|i| frame[i]);
            match a.kind {
                PoolingType::Max => under.fold(f64::NEG_INFINITY, |best, x| if x > best { x } else { best }),
                PoolingType::Average => {
                    let (sum, real) = under.fold((0.0, 0), |(sum, n), x| (sum + x, n + 1));
                    sum / (if a.include_pad { grid.taps } else { real }) as f64
                }
            }
        }));
    }
    Ok(vec![Value::of(x.frames.clone(), &result, elements)?])
}

/// Unpooling: each pooled number is written to the position of the largest element in its window of the second operand.
pub(super) fn unpooling(call: &mut Call<'_>, a: &Unpooling) -> Out {
    let frames = Frames::common(call.inputs)?;
    let (pooled, original) = (call.input(0).spread(&frames)?, call.input(1).spread(&frames)?);
    let placed = place(&original, &a.window, &a.strides, &a.auto_padding, [&a.lower_pad, &a.upper_pad], false)?;
    call.meter.room(original.data.shape())?;
    let grid = Grid::new(call.meter, &placed)?;
    call.meter.spend(&[frames.count(), grid.taps, grid.places])?;
    if pooled.width() != grid.places {
        return fault("the first operand does not have the shape that pooling the other one gives");
    }
    let mut elements = vec![0.0; original.data.len()];
    let sources = original.contiguous();
    let frames_of = sources.chunks(grid.area).zip(elements.chunks_mut(grid.area));
    for ((source, target), numbers) in frames_of.zip(pooled.contiguous().chunks(grid.places)) {
        for (place, number) in numbers.iter().enumerate() {
            let under: Vec<usize> = (0..grid.taps).filter_map(|tap| grid.at(tap, place)).collect();
            let values: Vec<f64> = under.iter().map(|i| source[*i]).collect();
            if let Some(i) = under.get(argmax(&values)) {
                target[*i] = *number;
            }
        }
    }
    Ok(vec![Value::of(frames, original.shape(), elements)?])
}

/// ROIPooling: regions [x1, y1, x2, y2] are scaled and rounded half away from zero; their ends are inclusive. Bin i of
/// a region reaches from floor(i w / W) to ceil((i + 1) w / W). An empty bin gives 0.
pub(super) fn roi_pooling(call: &mut Call<'_>, a: &RoiPooling) -> Out {
    let (map, regions) = (call.input(0), call.input(1));
    let frames = map.frames.clone();
    if regions.frames != frames {
        return fault("CNTK wants regions of each sample's own");
    }
    let ([channels, height, width], [number, 4], [columns, rows]) =
        (map.shape(), regions.shape(), a.output_shape.0.as_slice())
    else {
        return fault("its operands are not (C, H, W) and (N, 4)");
    };
    let (rows, columns) = (*rows as usize, *columns as usize);
    let shape = [*number, *channels, rows, columns];
    call.meter.room(&[frames.count(), *number, *channels, rows, columns])?;
    let mut elements = Vec::new();
    for (map, regions) in
        map.contiguous().chunks(channels * height * width).zip(regions.contiguous().chunks(number * 4))
    {
        for region in regions.chunks(4) {
            let corner: Vec<f64> = region.iter().map(|c| (c * a.spatial_scale).round()).collect();
            for channel in map.chunks(height * width) {
                for row in 0..rows {
                    let ys = bin(row, rows, [corner[1], corner[3]], *height);
                    for column in 0..columns {
                        let xs = bin(column, columns, [corner[0], corner[2]], *width);
                        call.meter.spend(&[ys.len(), xs.len()])?;
                        let cells = ys.clone().flat_map(|y| xs.clone().map(move |x| channel[y * width + x]));
                        elements.push(pooled(cells, a.kind));
                    }
                }
            }
        }
    }
    Ok(vec![Value::of(frames, &shape, elements)?])
}

/// The cells of bin `i` of `bins` along an axis of `n`. CNTK computes with unsigned numbers: a bin that begins before
/// the axis is empty, and a region that ends before it begins reaches to the end of the axis, all of it in the first
/// bin.
fn bin(i: usize, bins: usize, [from, to]: [f64; 2], n: usize) -> std::ops::Range<usize> {
    let size = match to - from + 1.0 {
        size if size < 0.0 => 2f64.powi(64),
        size => size.max(1.0),
    };
    let place = |i: usize| i as f64 * (size / bins as f64);
    let (start, end) = (place(i).floor() + from, place(i + 1).ceil() + from);
    if start < 0.0 { 0..0 } else { (start as usize).min(n)..(end as usize).min(n) }
}

fn pooled(cells: impl Iterator<Item = f64>, kind: PoolingType) -> f64 {
    let cells: Vec<f64> = cells.collect();
    match kind {
        _ if cells.is_empty() => 0.0,
        PoolingType::Max => cells.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        PoolingType::Average => cells.iter().sum::<f64>() / cells.len() as f64,
    }
}

//! Convolution, its transpose, and ConvolutionSequenceShape (spec 4.7).

use super::linear::{product, product_into};
use super::window::{Grid, Placed, Window, entry, size};
use super::{Call, Out};
use crate::fault::{Fault, fault};
use crate::value::{Frames, Value};
use cntk_parser::ops::attributes::Convolution;

/// How many positions of the window are multiplied at a time.
const AT_A_TIME: usize = 64;

/// The window along one spatial axis of an operand with `rank` axes. The lists have an entry for the channel axis, too.
fn window(a: &Convolution, taps: usize, rank: usize, row: usize) -> Window {
    let file = rank - 1 - row;
    Window {
        taps,
        stride: size(&a.strides, rank, file, 1),
        dilation: size(&a.dilation, rank, file, 1),
        auto: entry(&a.auto_padding, rank, file, false),
        pads: [size(&a.lower_pad, rank, file, 0), size(&a.upper_pad, rank, file, 0)],
        ceil: false,
    }
}

/// The kernel as (maps, channels, taps...). A kernel of the operand's rank has a single map and no axis for it.
fn kernel_shape(kernel: &Value, rank: usize) -> Result<Vec<usize>, Fault> {
    if kernel.frames != Frames::One {
        return fault("a kernel that differs from sample to sample");
    }
    let mut shape = kernel.shape().to_vec();
    if shape.len() == rank {
        shape.insert(0, 1);
    }
    if shape.len() != rank + 1 || rank == 0 { fault("kernel and operand do not go together") } else { Ok(shape) }
}

/// Convolution: the cross-correlation of a kernel (O, C/groups, k...) and an operand (C, d...).
pub(super) fn convolution(call: &mut Call<'_>, a: &Convolution) -> Out {
    let (kernel, x) = (call.input(0), call.input(1));
    let rank = x.rank();
    let shape = kernel_shape(kernel, rank)?;
    if a.transpose {
        return transposed(call, a, &shape);
    }
    let placed: Vec<Placed> =
        (1..rank).map(|row| window(a, shape[row + 1], rank, row).place(x.shape()[row])).collect::<Result<_, _>>()?;
    let groups = usize::try_from(a.groups).unwrap_or(usize::MAX);
    let (maps, channels) = (shape[0] / groups, shape[1]);
    if maps * groups != shape[0] || channels * groups != x.shape()[0] {
        return fault(format!("a kernel of shape {shape:?} in {groups} groups on an operand of shape {:?}", x.shape()));
    }
    let mut result = vec![shape[0]];
    result.extend(placed.iter().map(|p| p.output));
    call.meter.room(&[&[x.frames.count()], result.as_slice()].concat())?;
    let grid = Grid::new(call.meter, &placed)?;
    let (kernel, data) = (kernel.contiguous(), x.contiguous());
    let mut elements = vec![0.0; x.frames.count() * shape[0] * grid.places];
    let mut under = Vec::new();
    for (frame, result) in data.chunks(x.width().max(1)).zip(elements.chunks_mut((shape[0] * grid.places).max(1))) {
        let parts = frame.chunks(channels * grid.area).zip(kernel.chunks(maps * channels * grid.taps));
        for ((part, weights), result) in parts.zip(result.chunks_mut((maps * grid.places).max(1))) {
            correlate(call, [weights, part], [maps, channels], &grid, (&mut under, result))?;
        }
    }
    Ok(vec![Value::of(x.frames.clone(), &result, elements)?])
}

/// One frame of one group: the kernel's rows times the elements in the windows, a block of positions at a time.
fn correlate(
    call: &mut Call<'_>,
    [weights, frame]: [&[f64]; 2],
    [maps, channels]: [usize; 2],
    grid: &Grid,
    (under, result): (&mut Vec<f64>, &mut [f64]),
) -> Result<(), Fault> {
    let inner = channels * grid.taps;
    if grid.is_plain {
        return product_into(call.meter, [maps, inner, grid.places], [weights, frame], result, grid.places);
    }
    for from in (0..grid.places).step_by(AT_A_TIME) {
        let block = from..grid.places.min(from + AT_A_TIME);
        call.meter.room(&[inner, block.len()])?;
        under.clear();
        for channel in frame.chunks(grid.area) {
            (0..grid.taps).for_each(|tap| under.extend(grid.gather(channel, tap, block.clone())));
        }
        let sizes = [maps, inner, block.len()];
        product_into(call.meter, sizes, [weights, under.as_slice()], &mut result[from..], grid.places)?;
    }
    Ok(())
}

/// The transposed convolution with a kernel (C_in, C_out, k...): adds to the elements that a convolution would read.
fn transposed(call: &mut Call<'_>, a: &Convolution, shape: &[usize]) -> Out {
    let (kernel, x) = (call.input(0), call.input(1));
    let rank = x.rank();
    if shape[0] != x.shape()[0] || a.groups != 1 {
        return fault("the channels of kernel and operand disagree");
    }
    let wanted = |row: usize| a.output_shape.as_ref().map(|s| size(s, rank, rank - 1 - row, 0)).filter(|n| *n > 0);
    let placed: Vec<Placed> = (1..rank)
        .map(|row| window(a, shape[row + 1], rank, row).transposed(x.shape()[row], wanted(row)))
        .collect::<Result<_, _>>()?;
    let mut result = vec![shape[1]];
    result.extend(placed.iter().map(|p| p.input));
    call.meter.room(&[&[x.frames.count()], result.as_slice()].concat())?;
    let grid = Grid::new(call.meter, &placed)?;
    let width = shape[1] * grid.taps;
    let kernel = kernel.contiguous();
    let turned: Vec<f64> =
        (0..width).flat_map(|k| (0..shape[0]).map(move |c| c * width + k)).map(|i| kernel[i]).collect();
    let mut elements = Vec::new();
    for frame in x.contiguous().chunks(x.width().max(1)) {
        let spread = product(call.meter, [width, shape[0], grid.places], &turned, frame)?;
        let mut sums = vec![0.0; shape[1] * grid.area];
        for (i, value) in spread.iter().enumerate() {
            let (row, place) = (i / grid.places, i % grid.places);
            if let Some(i) = grid.at(row % grid.taps, place) {
                sums[row / grid.taps * grid.area + i] += value;
            }
        }
        elements.extend(sums);
    }
    Ok(vec![Value::of(x.frames.clone(), &result, elements)?])
}

/// ConvolutionSequenceShape: the length of each sequence after a convolution along it. The outermost spatial axis of
/// the kernel is that of the sequence.
pub(super) fn sequence_shape(call: &mut Call<'_>, a: &Convolution) -> Out {
    let (kernel, x) = (call.input(0), call.input(1));
    let Some(rank) = kernel.rank().checked_sub(1).filter(|rank| *rank > 0) else {
        return fault("the kernel has no axis along the sequence");
    };
    let window = window(a, kernel.shape()[rank.min(2)], rank, 1.min(rank - 1));
    let lengths: Result<Vec<f64>, Fault> =
        x.frames.ranges().iter().map(|steps| Ok(window.place(steps.len())?.output as f64)).collect();
    Ok(vec![Value::of(Frames::Samples(x.frames.samples()), &[1], lengths?)?])
}

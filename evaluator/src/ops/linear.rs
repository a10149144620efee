//! Times and TransposeTimes (spec 4.6).

use super::{Call, Out};
use crate::fault::{Fault, fault};
use crate::limits::Meter;
use crate::value::{Frames, Value};
use cntk_parser::ops::attributes::Times;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder};

/// The product of `rows x inner` and `inner x columns`, both row-major.
pub(super) fn product(meter: &mut Meter, sizes: [usize; 3], a: &[f64], b: &[f64]) -> Result<Vec<f64>, Fault> {
    let [rows, _, columns] = sizes;
    meter.room(&[rows, columns])?;
    let mut result = vec![0.0; rows * columns];
    product_into(meter, sizes, [a, b], &mut result, columns)?;
    Ok(result)
}

/// The same into rows of `result` that begin `stride` elements apart.
pub(super) fn product_into(
    meter: &mut Meter,
    [rows, inner, columns]: [usize; 3],
    [a, b]: [&[f64]; 2],
    result: &mut [f64],
    stride: usize,
) -> Result<(), Fault> {
    meter.spend(&[rows, inner, columns])?;
    let operands = (ArrayView2::from_shape((rows, inner), a), ArrayView2::from_shape((inner, columns), b));
    let into = ArrayViewMut2::from_shape((rows, columns).strides((stride, 1)), result);
    let ((Ok(a), Ok(b)), Ok(mut into)) = (operands, into) else {
        return fault("the sizes of its operands do not suit a product");
    };
    general_mat_mul(1.0, &a, &b, 0.0, &mut into);
    Ok(())
}

/// Times: `tensordot(x, W)` over the axes of W before its last `outputRank` and the last axes of x. Either side may differ from
/// frame to frame.
pub(super) fn times(call: &mut Call<'_>, a: &Times) -> Out {
    if a.infer_input_rank_to_map == -2 {
        return over_sequence(call);
    }
    let (w, x) = (call.input(0), call.input(1));
    let outputs = usize::try_from(a.output_rank).unwrap_or(usize::MAX);
    let reduced = w.rank().saturating_sub(outputs);
    let Some(kept) = x.rank().checked_sub(reduced) else { return fault("its second operand has too few axes") };
    if w.shape()[..reduced] != x.shape()[kept..] {
        return fault(format!("the sizes {:?} and {:?} do not suit a product", w.shape(), x.shape()));
    }
    let mut shape = x.shape()[..kept].to_vec();
    shape.extend(&w.shape()[reduced..]);
    let columns = w.shape()[reduced..].iter().product();
    multiply(call, w, x, columns, &shape)
}

/// TransposeTimes: x times the transpose of W, which has one or two axes; of one axis, it is a single row.
pub(super) fn transpose_times(call: &mut Call<'_>) -> Out {
    let (w, x) = (call.input(0), call.input(1));
    let (columns, inner) = match w.shape() {
        [inner] => (1, *inner),
        [columns, inner] => (*columns, *inner),
        _ => return fault("its first operand has neither one axis nor two"),
    };
    let Some((last, kept)) = x.shape().split_last().filter(|(last, _)| **last == inner) else {
        return fault(format!("the sizes {:?} and {:?} do not suit a product", w.shape(), x.shape()));
    };
    let mut shape = kept.to_vec();
    shape.push(columns);
    call.meter.room(w.data.shape())?;
    let turned = w.reshaped(&[columns, *last])?.data.permuted_axes(vec![0, 2, 1]);
    let turned = Value { frames: w.frames.clone(), data: turned };
    multiply(call, &turned, x, columns, &shape)
}

/// Rows of x times W, which has this many columns, in this static shape.
fn multiply(call: &mut Call<'_>, w: &Value, x: &Value, columns: usize, shape: &[usize]) -> Out {
    let frames = Frames::common([w, x])?;
    let (matrix, inner) = (w.contiguous(), w.width() / columns.max(1));
    if w.frames == Frames::One {
        let sizes = [x.frames.count() * x.width() / inner.max(1), inner, columns];
        let all = product(call.meter, sizes, &x.contiguous(), &matrix)?;
        return Ok(vec![Value::of(frames, shape, all)?]);
    }
    let (w, x) = (w.spread(&frames)?, x.spread(&frames)?);
    let (matrices, rows) = (w.contiguous(), x.contiguous());
    let sizes = [x.width() / inner.max(1), inner, columns];
    let mut elements = Vec::new();
    for (w, x) in matrices.chunks(w.width().max(1)).zip(rows.chunks(x.width().max(1))) {
        elements.extend(product(call.meter, sizes, x, w)?);
    }
    Ok(vec![Value::of(frames, shape, elements)?])
}

/// Times with `inferInputRankToMap` -2: the sum over a sequence's steps of `x_t W_t`. A vector `W_t` is one row.
fn over_sequence(call: &mut Call<'_>) -> Out {
    let frames = Frames::common(call.inputs)?;
    let (w, x) = (call.input(0).spread(&frames)?, call.input(1).spread(&frames)?);
    let (k, m) = (x.width(), w.shape().last().copied().unwrap_or(1));
    if w.width() != k.saturating_mul(m) {
        return fault(format!("the sizes {:?} and {:?} do not suit a product", w.shape(), x.shape()));
    }
    let (left, right) = (x.contiguous(), w.contiguous());
    let mut elements = Vec::new();
    for steps in frames.ranges() {
        call.meter.spend(&[steps.len(), k, m])?;
        call.meter.room(&[m])?;
        // The rows of all steps' matrices, one for each number of x.
        let rows = steps.start * k..steps.end * k;
        elements.extend((0..m).map(|j| rows.clone().map(|row| left[row] * right[row * m + j]).sum::<f64>()));
    }
    let shape = if w.shape().len() == 1 { vec![1, m] } else { vec![m] };
    Ok(vec![Value::of(Frames::Samples(frames.samples()), &shape, elements)?])
}

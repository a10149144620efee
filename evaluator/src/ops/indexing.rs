//! Operators that select elements by index (spec 4.12): OneHot, Gather, TopK, EyeLike.

use super::{Call, Out};
use crate::fault::fault;
use crate::value::{Frames, Value};
use cntk_parser::ops::attributes::{OneHot, TopK};

/// OneHot: a new axis of `numClass`, which is all 0 for an index out of range.
pub(super) fn one_hot(call: &mut Call<'_>, a: &OneHot<'_>) -> Out {
    let x = call.input(0);
    let classes = usize::try_from(a.num_class).unwrap_or(usize::MAX);
    let Some(row) = a.axis.row(x.rank() + 1) else { return fault("onehotAxis is not an axis of its result") };
    let mut shape = x.shape().to_vec();
    shape.insert(row, classes);
    call.meter.room(&[x.data.len(), classes])?;
    let inner: usize = x.shape()[row..].iter().product();
    let indices = x.contiguous();
    let mut elements = vec![0.0; indices.len() * classes];
    for (i, index) in indices.iter().enumerate() {
        // The index is truncated toward zero, but a negative one has no class.
        if *index >= 0.0 && *index < classes as f64 {
            elements[(i / inner * classes + *index as usize) * inner + i % inner] = 1.0;
        }
    }
    Ok(vec![Value::of(x.frames.clone(), &shape, elements)?])
}

/// Gather: rows of the table along its first row-major axis. An index out of range, for which CNTK reads memory beyond
/// the table, is an error.
pub(super) fn gather(call: &mut Call<'_>) -> Out {
    let frames = Frames::common(call.inputs)?;
    let (indices, table) = (call.input(0).spread(&frames)?, call.input(1));
    let Some((rows, rest)) = table.shape().split_first() else { return fault("its table has no axes") };
    let row: usize = rest.iter().product();
    call.meter.room(&[indices.data.len(), row])?;
    let shape = [indices.shape(), rest].concat();
    let per_frame = table.frames != Frames::One;
    let table_frames = if per_frame { table.spread(&frames)? } else { table.clone() };
    let numbers = table_frames.contiguous();
    let mut elements = Vec::with_capacity(indices.data.len() * row);
    for (i, index) in indices.data.iter().enumerate() {
        if !(*index > -1.0 && *index < *rows as f64) {
            return fault(format!("the index {index} is not in a table of {rows}"));
        }
        let frame = if per_frame { i / indices.width() } else { 0 };
        let from = (frame * rows + *index as usize) * row;
        elements.extend(&numbers[from..from + row]);
    }
    Ok(vec![Value::of(frames, &shape, elements)?])
}

/// TopK: the k largest elements along an axis in descending order, and their indices. Of equal elements, the first
/// comes first.
pub(super) fn top_k(call: &mut Call<'_>, a: &TopK<'_>) -> Out {
    let x = call.input(0);
    let (Some(row), k) = (a.axis.row(x.rank()), a.num_items as usize) else {
        return fault("not an axis of its operand");
    };
    let (n, inner) = (x.shape()[row], x.shape()[row + 1..].iter().product::<usize>());
    if k > n {
        return fault(format!("the first {k} of {n}"));
    }
    let mut shape = x.shape().to_vec();
    shape[row] = k;
    call.meter.room(x.data.shape())?;
    let data = x.contiguous();
    let size = data.len() / n * k;
    let (mut values, mut indices) = (vec![0.0; size], vec![0.0; size]);
    for line in 0..data.len() / n {
        let (outer, offset) = (line / inner, line % inner);
        let at = |i: usize| data[(outer * n + i) * inner + offset];
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|i, j| at(*j).total_cmp(&at(*i)));
        for (place, i) in order.into_iter().take(k).enumerate() {
            let to = (outer * k + place) * inner + offset;
            (values[to], indices[to]) = (at(i), i as f64);
        }
    }
    Ok(vec![Value::of(x.frames.clone(), &shape, values)?, Value::of(x.frames.clone(), &shape, indices)?])
}

/// EyeLikeOp: 1 where row and column have the same index. The rows are the frames or, without dynamic axes, the first
/// axis.
pub(super) fn eye_like(call: &mut Call<'_>) -> Out {
    let x = call.input(0);
    let Some(columns) = x.shape().last().copied() else { return fault("its operand has no columns") };
    call.meter.room(x.data.shape())?;
    let elements = (0..x.data.len()).map(|i| f64::from(u8::from(i / columns == i % columns))).collect();
    Ok(vec![Value::of(x.frames.clone(), x.shape(), elements)?])
}

//! Training criteria and metrics (spec 4.14). As primitives, most give one number for the whole minibatch.

use super::broadcast::{expand, pair};
use super::elementwise::log;
use super::softmax::{argmax, log_sum};
use super::{Call, Out};
use crate::fault::{Fault, fault};
use crate::precision::round;
use crate::value::{Frames, Value};
use cntk_parser::model::DataType;

/// A result of one number.
pub(super) fn number(call: &Call<'_>, x: f64) -> Out {
    let rank = call.types.first().map_or(0, |t| t.shape.len());
    Ok(vec![Value::of(Frames::One, &vec![1; rank], vec![x])?])
}

/// The sum over all frames of a number computed from the frames of two operands.
fn total(call: &mut Call<'_>, f: impl Fn(&[f64], &[f64]) -> f64) -> Out {
    let (a, b) = samples(call)?;
    let (width, a, b) = (a.width().max(1), a.contiguous(), b.contiguous());
    let sum = a.chunks(width).zip(b.chunks(width)).map(|(a, b)| f(a, b)).sum();
    number(call, sum)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// SumAll: the sum of all elements of all frames.
pub(super) fn sum_all(call: &mut Call<'_>) -> Out {
    number(call, call.input(0).data.sum())
}

/// SquaredError: the sum of squared differences.
pub(super) fn squared_error(call: &mut Call<'_>) -> Out {
    total(call, |a, b| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum())
}

/// CrossEntropyWithSoftmax: logsumexp(z) * sum(label) - label . z, summed.
pub(super) fn cross_entropy(call: &mut Call<'_>) -> Out {
    total(call, |z, label| log_sum(z) * label.iter().sum::<f64>() - dot(label, z))
}

/// ClassificationError: the number of samples whose label is not among the N largest predictions. Samples are vectors, which may be of
/// different lengths in the two operands.
pub(super) fn classification_error(call: &mut Call<'_>) -> Out {
    let n = match call.inputs.get(2) {
        None => 1,
        Some(n) if n.data.len() == 1 => n.elements()[0] as usize,
        Some(_) => return fault("the number of predictions that count is not one number"),
    };
    let width = call.input(0).width();
    if n == 0 || n > width {
        return fault(format!("the first {n} of {width} predictions"));
    }
    let [predictions, labels] = vectors(call)?;
    let (rows, label_rows, label_width) = (predictions.contiguous(), labels.contiguous(), labels.width().max(1));
    let pairs = rows.chunks(width.max(1)).zip(label_rows.chunks(label_width));
    number(call, pairs.filter(|(prediction, label)| !is_hit(n, prediction, label)).count() as f64)
}

/// Is the largest label among the `n` largest predictions?
fn is_hit(n: usize, prediction: &[f64], label: &[f64]) -> bool {
    let wanted = argmax(label);
    let mut order: Vec<usize> = (0..prediction.len()).collect();
    order.sort_by(|i, j| prediction[*j].total_cmp(&prediction[*i]));
    if n == 1 { argmax(prediction) == wanted } else { order[..n].contains(&wanted) }
}

/// The first two operands as vectors, with the frames of both.
fn vectors(call: &mut Call<'_>) -> Result<[Value; 2], Fault> {
    let (a, b) = (call.input(0), call.input(1));
    let frames = Frames::common([a, b])?;
    let mut vector = |v: &Value| expand(call, &v.reshaped(&[v.width()])?, &frames, &[v.width()]);
    Ok([vector(a)?, vector(b)?])
}

/// The first two operands, with one shape. CNTK compares samples as vectors: operands with the same number of elements in different shapes
/// become vectors.
fn samples(call: &mut Call<'_>) -> Result<(Value, Value), Fault> {
    if call.input(0).width() != call.input(1).width() {
        return pair(call);
    }
    let [a, b] = vectors(call)?;
    Ok((a, b))
}

/// Logistic: the sum of -ln(1 - t - p + 2tp), where weights are scaled to a mean of 1. Gaps count in that mean. Without weights, a
/// gap adds no more than -ln(1 - p), which is left out as in converted models.
pub(super) fn logistic(call: &mut Call<'_>) -> Out {
    if call.inputs.len() > 2 {
        call.reads_gaps()?;
    }
    let (p, t) = samples(call)?;
    let losses: Vec<f64> = p.data.iter().zip(&t.data).map(|(p, t)| -log(1.0 - t - p + 2.0 * t * p)).collect();
    let Some(weight) = call.inputs.get(2) else { return number(call, losses.iter().sum()) };
    let scale = weight.data.len() as f64 / weight.data.sum();
    let losses = Value::of(p.frames.clone(), p.shape(), losses)?;
    let weighted = super::broadcast::zip(call, [&losses, weight], |loss, weight| loss * weight)?;
    number(call, weighted.data.sum() * scale)
}

/// The cosine of two vectors; 0 if one is zero. The product, but not the norms, may leave the range of the type.
fn cosine(call: &Call<'_>, a: &[f64], b: &[f64]) -> f64 {
    let of = call.types.first().map_or(DataType::Unknown, |t| t.data_type);
    let norm = dot(a, a).sqrt() * dot(b, b).sqrt();
    if norm == 0.0 { 0.0 } else { round(dot(a, b), of) / norm }
}

/// CosDistance: the cosine of two samples over all static axes.
pub(super) fn cos_distance(call: &mut Call<'_>) -> Out {
    let (a, b) = samples(call)?;
    let width = a.width().max(1);
    let (left, right) = (a.contiguous(), b.contiguous());
    let all = left.chunks(width).zip(right.chunks(width)).map(|(a, b)| cosine(call, a, b)).collect();
    let shape = vec![1; call.types.first().map_or(0, |t| t.shape.len())];
    Ok(vec![Value::of(a.frames, &shape, all)?])
}

/// CosDistanceWithNegativeSamples: cos(x_i, y_i), then cos(x_i, y_(i + shift + k)) for each k below `number`. The indices are
/// those of columns in CNTK's minibatch; a gap is 0.
pub(super) fn negative_samples(call: &mut Call<'_>) -> Out {
    let whole = |v: &Value| if v.data.len() == 1 { v.elements()[0] as usize } else { 0 };
    let (shift, negatives) = (whole(call.input(2)), whole(call.input(3)));
    let (x, y) = samples(call)?;
    let (columns, width) = (x.frames.columns(), x.width());
    call.meter.room(&[columns.len(), negatives.saturating_add(1), width])?;
    let (left, right, zero) = (x.contiguous(), y.contiguous(), vec![0.0; width]);
    let column = |place: usize| match columns[place % columns.len()] {
        Some(frame) => Ok(&right[frame * width..(frame + 1) * width]),
        None => call.reads_gap(1).map(|()| zero.as_slice()),
    };
    let mut elements = vec![0.0; x.frames.count() * (negatives + 1)];
    for (place, frame) in columns.iter().enumerate().filter_map(|(place, frame)| Some((place, (*frame)?))) {
        let own = &left[frame * width..(frame + 1) * width];
        let others = std::iter::once(place).chain((0..negatives).map(|k| shift.saturating_add(place + k)));
        let to = &mut elements[frame * (negatives + 1)..(frame + 1) * (negatives + 1)];
        for (to, other) in to.iter_mut().zip(others) {
            *to = cosine(call, own, column(other)?);
        }
    }
    Ok(vec![Value::of(x.frames, &[negatives + 1], elements)?])
}

//! Softmax, LogSoftmax, Hardmax (spec 4.5). They have no axis attribute and work over all static axes of a frame
//! together. In a value without dynamic axes, CNTK takes the first file axis for the rows of a matrix, so there they
//! work along the last row-major axis.

use super::{Call, Out};
use crate::precision::round;
use crate::value::{Frames, Value};
use cntk_parser::model::DataType;

/// Applies one of the three functions to each row.
fn rows(call: &mut Call<'_>, f: impl Fn(&[f64]) -> Vec<f64>) -> Out {
    let x = call.input(0);
    call.meter.room(x.data.shape())?;
    let width = match (&x.frames, x.shape().last()) {
        (Frames::One, Some(n)) if call.is_constant() => *n,
        _ => x.width(),
    };
    let elements = x.contiguous().chunks(width.max(1)).flat_map(f).collect();
    Ok(vec![Value::of(x.frames.clone(), x.shape(), elements)?])
}

/// The largest element and its index, as CNTK finds it: a NaN counts only if it is the first element.
fn largest(row: &[f64]) -> (usize, f64) {
    let first = row.first().copied().unwrap_or(f64::NAN);
    row.iter().enumerate().fold((0, first), |best, (i, x)| if *x > best.1 { (i, *x) } else { best })
}

/// The type that CNTK computes in, to which the distance from the largest element is rounded.
fn type_of(call: &Call<'_>) -> DataType {
    call.types.first().map_or(DataType::Double, |t| t.data_type)
}

/// e^x over its sum.
pub(super) fn softmax(call: &mut Call<'_>) -> Out {
    let data_type = type_of(call);
    rows(call, |row| {
        let (_, most) = largest(row);
        let powers: Vec<f64> = row.iter().map(|x| round(x - most, data_type).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|x| x / sum).collect()
    })
}

/// x less the largest x, less the logarithm of the sum of e to these, which CNTK rounds: the log of a probability of nearly 1 is 0.
pub(super) fn log_softmax(call: &mut Call<'_>) -> Out {
    let data_type = type_of(call);
    rows(call, |row| {
        let (_, most) = largest(row);
        let less = |x: &f64| round(x - most, data_type);
        let sum = round(row.iter().map(|x| less(x).exp()).sum(), data_type).ln();
        row.iter().map(|x| less(x) - sum).collect()
    })
}

/// Hardmax: 1 at the first largest element, else 0.
pub(super) fn hardmax(call: &mut Call<'_>) -> Out {
    rows(call, |row| {
        let (place, _) = largest(row);
        (0..row.len()).map(|i| f64::from(u8::from(i == place))).collect()
    })
}

/// The logarithm of the sum of e^x.
pub(super) fn log_sum(row: &[f64]) -> f64 {
    let (_, most) = largest(row);
    most + row.iter().map(|x| (x - most).exp()).sum::<f64>().ln()
}

/// The index of the first largest element.
pub(super) fn argmax(row: &[f64]) -> usize {
    largest(row).0
}

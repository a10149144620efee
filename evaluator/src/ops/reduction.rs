//! ReduceElements (spec 4.11).

use super::softmax::{argmax, log_sum};
use super::{Call, Out};
use crate::fault::{Fault, fault};
use crate::precision::round;
use crate::value::{Frames, Value};
use cntk_parser::model::{AxisKind, DataType};
use cntk_parser::ops::attributes::{ReduceElements, Reduction};
use ndarray::{Axis, Ix2};

/// The reduced axes.
#[derive(Default)]
struct Over {
    /// Static axes, row-major.
    axes: Vec<usize>,
    /// Are all frames reduced, too?
    frames: bool,
}

impl Over {
    fn of(a: &ReduceElements<'_>, rank: usize) -> Result<Self, Fault> {
        let mut over = Self::default();
        for axis in &a.axes {
            match axis.kind() {
                AxisKind::AllStatic => over.axes.extend(0..rank),
                AxisKind::All => {
                    over.axes.extend(0..rank);
                    over.frames = true;
                }
                AxisKind::Batch => over.frames = true,
                _ => match axis.row(rank) {
                    Some(row) => over.axes.push(row),
                    None => return fault(format!("axis {} is not one of its operand's", axis.index)),
                },
            }
        }
        over.axes.sort_unstable();
        over.axes.dedup();
        Ok(over)
    }
}

/// ReduceElements over static axes, over the batch with all valid frames, or over both.
pub(super) fn reduce(call: &mut Call<'_>, a: &ReduceElements<'_>) -> Out {
    let x = call.input(0);
    let rank = x.rank();
    let over = Over::of(a, rank)?;
    call.meter.room(x.data.shape())?;
    // Move the reduced axes after the kept ones, then reduce each row to one number.
    let (mut kept, mut gone): (Vec<usize>, Vec<usize>) = (1..=rank).partition(|axis| !over.axes.contains(&(axis - 1)));
    if over.frames {
        gone.insert(0, 0)
    } else {
        kept.insert(0, 0)
    }
    let sizes = |list: &[usize]| list.iter().map(|axis| x.data.shape()[*axis]).product::<usize>();
    let (rows, width) = (sizes(&kept), sizes(&gone));
    let order: Vec<usize> = kept.iter().chain(&gone).copied().collect();
    let turned = x.data.view().permuted_axes(order);
    let turned = turned.to_shape((rows, width)).map_err(|e| Fault::Why(e.to_string()))?;
    let turned = turned.into_dimensionality::<Ix2>().map_err(|e| Fault::Why(e.to_string()))?;
    let data_type = call.types.first().map_or(DataType::Double, |t| t.data_type);
    let elements = turned.axis_iter(Axis(0)).map(|row| one(a.reduction, &row.to_vec(), data_type)).collect();
    let frames = if over.frames { Frames::One } else { x.frames.clone() };
    Ok(vec![Value::of(frames, &shape(call, a, &over), elements)?])
}

/// The static shape of the result. After a reduction of all static axes, none is left unless they are kept.
fn shape(call: &Call<'_>, a: &ReduceElements<'_>, over: &Over) -> Vec<usize> {
    let axes = call.input(0).shape().iter().enumerate();
    let keep = a.keep_dimensions;
    axes.filter_map(|(i, n)| if !over.axes.contains(&i) { Some(*n) } else { keep.then_some(1) }).collect()
}

/// Reduces the elements of a row. A mean is the sum, rounded to the type of the result, divided by their number. An
/// index is that of the first of equal elements.
fn one(reduction: Reduction, row: &[f64], data_type: DataType) -> f64 {
    let fold = |better: fn(f64, f64) -> bool| {
        row.iter().copied().reduce(|best, x| if better(x, best) { x } else { best }).unwrap_or(f64::NAN)
    };
    match reduction {
        Reduction::Sum => row.iter().sum(),
        Reduction::Mean => round(row.iter().sum(), data_type) / row.len() as f64,
        Reduction::LogSum => log_sum(row),
        Reduction::Max => fold(|x, best| x > best),
        Reduction::Min => fold(|x, best| x < best),
        Reduction::Prod => row.iter().product(),
        Reduction::Argmax => argmax(row) as f64,
        Reduction::Argmin => argmax(&row.iter().map(|x| -x).collect::<Vec<_>>()) as f64,
    }
}

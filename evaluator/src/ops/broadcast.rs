//! Static broadcasting (spec 4.3): shapes are aligned at file axis 0, which is NumPy's rule for row-major shapes.
//! Missing axes are inserted between the frames and the static axes.

use super::Call;
use crate::fault::{Fault, fault};
use crate::value::{Frames, Tensor, Value};
use ndarray::{ArrayViewD, Axis};

/// The static shape that shapes broadcast to.
pub(super) fn shape<'v>(values: impl IntoIterator<Item = &'v Value>) -> Result<Vec<usize>, Fault> {
    let mut all: Vec<usize> = Vec::new();
    for value in values {
        let shape = value.shape();
        while all.len() < shape.len() {
            all.insert(0, 1);
        }
        let from = all.len() - shape.len();
        for (n, m) in all[from..].iter_mut().zip(shape) {
            match (*n, *m) {
                (a, b) if a == b || b == 1 => {}
                (1, b) => *n = b,
                (a, b) => return fault(format!("its operands have the sizes {a} and {b} along one axis")),
            }
        }
    }
    Ok(all)
}

/// A value with `rank` static axes, new ones in front, for these frames, or for one frame if it has no dynamic axes.
fn align(value: &Value, frames: &Frames, rank: usize) -> Result<Tensor, Fault> {
    let mut data = if value.frames == Frames::One { value.data.clone() } else { value.spread(frames)?.data };
    while data.ndim() <= rank {
        data = data.insert_axis(Axis(1));
    }
    Ok(data)
}

/// The frames and the shape of an element-wise operator, and its operands, aligned.
struct Aligned<const N: usize> {
    frames: Frames,
    whole: Vec<usize>,
    operands: [Tensor; N],
}

fn aligned<const N: usize>(call: &mut Call<'_>, values: [&Value; N]) -> Result<Aligned<N>, Fault> {
    let frames = Frames::common(values)?;
    let shape = shape(values)?;
    let mut whole = vec![frames.count()];
    whole.extend(&shape);
    call.meter.room(&whole)?;
    let mut operands: [Tensor; N] = std::array::from_fn(|i| values[i].data.clone());
    for (operand, value) in operands.iter_mut().zip(values) {
        *operand = align(value, &frames, shape.len())?;
    }
    Ok(Aligned { frames, whole, operands })
}

impl<const N: usize> Aligned<N> {
    /// The operands in the shape of the result. Axes that are passed in one run by all of them are merged into one.
    fn views(&self) -> Result<[ArrayViewD<'_, f64>; N], Fault> {
        let mut views: [ArrayViewD<'_, f64>; N] = std::array::from_fn(|i| self.operands[i].view());
        for (view, operand) in views.iter_mut().zip(&self.operands) {
            match operand.broadcast(self.whole.as_slice()) {
                Some(whole) => *view = whole,
                None => return fault("its operands do not broadcast"),
            }
        }
        for axis in (1..self.whole.len()).rev() {
            let mut merged = views.clone();
            if merged.iter_mut().all(|view| view.merge_axes(Axis(axis - 1), Axis(axis))) {
                views = merged.map(|view| view.index_axis_move(Axis(axis - 1), 0));
            }
        }
        Ok(views)
    }

    /// The result from its elements.
    fn result(self, elements: Vec<f64>) -> Result<Value, Fault> {
        Value::of(self.frames, &self.whole[1..], elements)
    }
}

/// Applies a function to the elements of one operand.
pub(super) fn map(call: &mut Call<'_>, f: impl Fn(f64) -> f64) -> Result<Value, Fault> {
    let x = call.input(0);
    call.meter.room(x.data.shape())?;
    Ok(Value { frames: x.frames.clone(), data: x.data.map(|x| f(*x)).into_shared() })
}

/// Applies a function to the elements of two operands.
pub(super) fn zip(call: &mut Call<'_>, [a, b]: [&Value; 2], f: impl Fn(f64, f64) -> f64) -> Result<Value, Fault> {
    let all = aligned(call, [a, b])?;
    let [a, b] = all.views()?;
    let mut elements = Vec::with_capacity(a.len());
    for (a, b) in a.rows().into_iter().zip(b.rows()) {
        match (a.as_slice(), b.as_slice()) {
            (Some(a), Some(b)) => elements.extend(a.iter().zip(b).map(|(a, b)| f(*a, *b))),
            (Some(a), None) if b.strides() == [0] => elements.extend(a.iter().map(|a| f(*a, b[0]))),
            _ => elements.extend(a.iter().zip(b).map(|(a, b)| f(*a, *b))),
        }
    }
    all.result(elements)
}

/// Applies a function to the elements of three operands.
pub(super) fn zip3(call: &mut Call<'_>, f: impl Fn(f64, f64, f64) -> f64) -> Result<Value, Fault> {
    let all = aligned(call, [call.input(0), call.input(1), call.input(2)])?;
    let [a, b, c] = all.views()?;
    let elements = a.iter().zip(&b).zip(&c).map(|((a, b), c)| f(*a, *b, *c)).collect();
    all.result(elements)
}

/// A value, expanded to these frames and this static shape.
pub(super) fn expand(call: &mut Call<'_>, value: &Value, frames: &Frames, shape: &[usize]) -> Result<Value, Fault> {
    let mut whole = vec![frames.count()];
    whole.extend(shape);
    call.meter.room(&whole)?;
    if value.data.shape() == whole && value.frames == *frames {
        return Ok(value.clone());
    }
    let data = align(value, frames, shape.len())?;
    match data.broadcast(whole) {
        Some(view) => Ok(Value { frames: frames.clone(), data: view.to_shared() }),
        None => fault(format!("a value of shape {:?} does not broadcast to {shape:?}", value.shape())),
    }
}

/// The two operands, expanded to the same frames and the same static shape.
pub(super) fn pair(call: &mut Call<'_>) -> Result<(Value, Value), Fault> {
    let (a, b) = (call.input(0), call.input(1));
    let frames = Frames::common([a, b])?;
    let shape = shape([a, b])?;
    Ok((expand(call, a, &frames, &shape)?, expand(call, b, &frames, &shape)?))
}

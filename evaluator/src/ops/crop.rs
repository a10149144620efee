//! Crop (spec 4.12): a part of the first operand, with the sizes of the second's two inner axes.

use super::window::{entry, size};
use super::{Call, Out};
use crate::fault::{Fault, fault};
use crate::value::Value;
use cntk_parser::model::{FunctionId, Shape, Source, ValidatedModel};
use cntk_parser::ops::{Operator, attributes::Crop};
use ndarray::{Axis, Slice};
use std::collections::HashMap;

/// Crop, with the offsets [column, row].
pub(super) fn crop(call: &mut Call<'_>, a: &Crop) -> Out {
    let (x, reference) = (call.input(0), call.input(1));
    let (rank, other) = (x.rank(), reference.rank());
    if rank < 2 || other < 2 {
        return fault("its operands do not have two axes each");
    }
    let offset = match a.offset.as_deref() {
        Some([column, row]) => [*column as usize, *row as usize],
        _ => automatic(call.model, call.id)?,
    };
    let mut view = x.data.view();
    for (back, from) in [(1, offset[0]), (2, offset[1])] {
        let (n, wanted) = (x.shape()[rank - back], reference.shape()[other - back]);
        if from.saturating_add(wanted) > n {
            return fault(format!("{wanted} elements from {from} on an axis of {n}"));
        }
        view.slice_axis_inplace(Axis(rank - back + 1), Slice::from(from..from + wanted));
    }
    call.meter.room(view.shape())?;
    Ok(vec![Value { frames: x.frames.clone(), data: view.to_shared() }])
}

/// A map from positions in an ancestor to positions in a value: `y = scale * x + shift` for each inner axis, column
/// first.
#[derive(Clone, Copy, PartialEq)]
struct Map {
    scale: [f64; 2],
    shift: [f64; 2],
}

const IDENTITY: Map = Map { scale: [1.0; 2], shift: [0.0; 2] };

impl Map {
    /// The composition that applies `inner` first and then `self`.
    fn after(self, inner: Self) -> Self {
        let scale = [0, 1].map(|i| self.scale[i] * inner.scale[i]);
        Self { scale, shift: [0, 1].map(|i| self.scale[i] * inner.shift[i] + self.shift[i]) }
    }

    fn inverse(self) -> Self {
        let scale = self.scale.map(|s| 1.0 / s);
        Self { scale, shift: [0, 1].map(|i| -self.shift[i] * scale[i]) }
    }
}

/// The offsets if the attribute is absent. They follow from strides and pads on the paths from both operands to a
/// common ancestor. Operands 2 and 3, if present, count as the same ancestor.
fn automatic(model: &ValidatedModel<'_>, id: FunctionId) -> Result<[usize; 2], Fault> {
    let inputs = model.inputs(id);
    let (from_x, from_reference) = (ancestors(model, inputs[0])?, ancestors(model, inputs[1])?);
    let meeting = match inputs {
        [_, _, a, b] => from_x.get(a).zip(from_reference.get(b)),
        _ => from_x.iter().find_map(|(source, map)| Some((map, from_reference.get(source)?))),
    };
    let Some((to_x, to_reference)) = meeting else { return fault("its operands have no common ancestor") };
    let whole = to_reference.after(to_x.inverse());
    let offset = whole.shift.map(|s| -s);
    if whole.scale != [1.0; 2] || offset.iter().any(|s| !(0.0..1e9).contains(s)) {
        return fault("the paths to the common ancestor scale differently, or its window begins before the operand");
    }
    Ok(offset.map(|s| s as usize))
}

/// The maps from ancestors of a value to it, through operators that only scale and shift.
fn ancestors(model: &ValidatedModel<'_>, start: Source) -> Result<HashMap<Source, Map>, Fault> {
    let mut maps = HashMap::from([(start, IDENTITY)]);
    let mut open = vec![start];
    while let Some(source) = open.pop() {
        let Source::Output(f, _) = source else { continue };
        let here = maps.get(&source).copied().unwrap_or(IDENTITY);
        for (i, input) in model.inputs(f).iter().enumerate() {
            let Some(step) = step(model, f, i)? else { continue };
            let map = here.after(step);
            match maps.insert(*input, map) {
                None => open.push(*input),
                Some(other) if other == map => {}
                Some(_) => return fault("two paths to one ancestor shift differently"),
            }
        }
    }
    Ok(maps)
}

/// The map from operand `i` of a function to its result; `None` if that operand is not an image.
fn step(model: &ValidatedModel<'_>, f: FunctionId, i: usize) -> Result<Option<Map>, Fault> {
    let inputs = model.inputs(f);
    let rank = |source: Source| model.type_of(source).shape.len();
    let image = |wanted: usize, map: Map| Ok((i == wanted).then_some(map));
    match model.operator(f) {
        Operator::Convolution(a) => {
            let kernel = &model.type_of(inputs[0]).shape;
            let taps = [1, 2].map(|back| kernel.iter().rev().nth(back - 1).and_then(|n| n.known()).unwrap_or(1));
            let map = filter(rank(inputs[1]), taps, &a.strides, &a.auto_padding, &a.lower_pad);
            image(1, if a.transpose { map } else { map.inverse() })
        }
        Operator::Pooling(a) => {
            let taps = [0, 1].map(|k| a.window.0.get(k).copied().unwrap_or(1));
            image(0, filter(rank(inputs[0]), taps, &a.strides, &a.auto_padding, &a.lower_pad).inverse())
        }
        Operator::Crop(a) => {
            let offset = match a.offset.as_deref() {
                Some([column, row]) => [*column as usize, *row as usize],
                _ => return fault("another crop without offsets lies on the way to the common ancestor"),
            };
            image(0, Map { scale: [1.0; 2], shift: offset.map(|n| -(n as f64)) })
        }
        Operator::BatchNormalization(_) => image(0, IDENTITY),
        Operator::Plus
        | Operator::Minus
        | Operator::ElementTimes
        | Operator::ReLU
        | Operator::Sigmoid
        | Operator::Tanh
        | Operator::Exp
        | Operator::Log
        | Operator::Negate
        | Operator::Abs
        | Operator::Sqrt
        | Operator::Clip
        | Operator::ELU
        | Operator::Pass
        | Operator::NoOp => Ok(Some(IDENTITY)),
        other => fault(format!("{}, on the way to the common ancestor, does more than scale and shift", other.name())),
    }
}

/// The map from positions in a filter's output to the centres of the windows in its operand.
fn filter(rank: usize, taps: [u64; 2], strides: &Shape, auto: &[bool], lower: &Shape) -> Map {
    let mut map = IDENTITY;
    for (i, taps) in taps.into_iter().enumerate().take(rank) {
        let half = (taps.saturating_sub(1) / 2) as f64;
        let pad = if entry(auto, rank, i, false) { half } else { size(lower, rank, i, 0) as f64 };
        map.scale[i] = size(strides, rank, i, 1) as f64;
        map.shift[i] = half - pad;
    }
    map
}

//! The offsets of an automatic Crop (spec 4.12). Along the paths from both operands to a common ancestor, the affine
//! maps of spatial positions are composed; their shift is the offset.

use super::window::{entry, flag};
use cntk_parser::model::{FunctionId, Shape, Source, ValidatedModel};
use cntk_parser::ops::Operator;
use std::collections::HashMap;

/// An affine map `y = scale * x + shift` for each of the two inner axes, column first.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Map {
    scale: [f64; 2],
    shift: [f64; 2],
}

impl Map {
    const IDENTITY: Self = Self { scale: [1.0; 2], shift: [0.0; 2] };

    /// The composition that applies `inner` first and then `self`.
    fn after(self, inner: Self) -> Self {
        let each = |i: usize| (self.scale[i] * inner.scale[i], self.scale[i] * inner.shift[i] + self.shift[i]);
        let (a, b) = (each(0), each(1));
        Self { scale: [a.0, b.0], shift: [a.1, b.1] }
    }

    fn inverse(self) -> Self {
        let each = |i: usize| (1.0 / self.scale[i], -self.shift[i] / self.scale[i]);
        let (a, b) = (each(0), each(1));
        Self { scale: [a.0, b.0], shift: [a.1, b.1] }
    }
}

/// The offsets [column, row] of an automatic Crop, or a message why they cannot be computed.
pub fn automatic_offsets(model: &ValidatedModel<'_>, id: FunctionId) -> Result<[u64; 2], &'static str> {
    let inputs = model.inputs(id);
    let (Some(x), Some(reference)) = (inputs.first(), inputs.get(1)) else { return Err("needs two operands") };
    let from_x = maps_to(model, *x)?;
    let from_reference = maps_to(model, *reference)?;
    let meeting = match (inputs.get(2), inputs.get(3)) {
        (Some(a), Some(b)) => from_x.get(a).copied().zip(from_reference.get(b).copied()),
        _ => from_reference.iter().find_map(|(s, to_reference)| Some((*from_x.get(s)?, *to_reference))),
    };
    let (to_x, to_reference) = meeting.ok_or("the operands have no common ancestor")?;
    let whole = to_reference.after(to_x.inverse());
    if whole.scale != [1.0; 2] {
        return Err("the paths to the common ancestor scale differently");
    }
    let offset = |shift: f64| {
        let v = -shift;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be small and not negative"
        )]
        (0.0..=1e9).contains(&v).then_some(v as u64).ok_or("the offset would be negative")
    };
    Ok([offset(whole.shift[0])?, offset(whole.shift[1])?])
}

/// The maps from ancestors of a value to it, through all operators that have an affine map.
fn maps_to(model: &ValidatedModel<'_>, start: Source) -> Result<HashMap<Source, Map>, &'static str> {
    let mut maps = HashMap::from([(start, Map::IDENTITY)]);
    let mut stack = vec![start];
    while let Some(source) = stack.pop() {
        let Source::Output(f, _) = source else { continue };
        let here = maps[&source];
        for (i, input) in model.inputs(f).iter().enumerate() {
            let Some(step) = step(model, f, i)? else { continue };
            let map = here.after(step);
            match maps.insert(*input, map) {
                None => stack.push(*input),
                Some(other) if other == map => {}
                Some(_) => return Err("two paths to one ancestor shift differently"),
            }
        }
    }
    Ok(maps)
}

/// The map from operand `i` of a function to its result; `None` if the operand is not an image (a kernel, a statistic).
fn step(model: &ValidatedModel<'_>, f: FunctionId, i: usize) -> Result<Option<Map>, &'static str> {
    let rank = |s: Source| model.type_of(s).shape.len();
    Ok(match model.operator(f) {
        Operator::Convolution(a) => {
            if i != 1 {
                return Ok(None);
            }
            let n = rank(model.inputs(f)[1]);
            let kernel = &model.type_of(model.inputs(f)[0]).shape;
            let size = |back: usize| kernel.len().checked_sub(back).and_then(|k| kernel[k].known()).unwrap_or(1);
            let map = filter(n, [size(1), size(2)], &a.strides, &a.auto_padding, &a.lower_pad);
            Some(if a.transpose { map } else { map.inverse() })
        }
        Operator::Pooling(a) => {
            let n = rank(model.inputs(f)[0]);
            Some(
                filter(
                    n,
                    [entry(&a.window, n, n - 1, 1), entry(&a.window, n, n.saturating_sub(2), 1)],
                    &a.strides,
                    &a.auto_padding,
                    &a.lower_pad,
                )
                .inverse(),
            )
        }
        Operator::BatchNormalization(_) => (i == 0).then_some(Map::IDENTITY),
        Operator::Crop(a) => {
            let offset = match a.offset.as_deref() {
                Some([x, y]) => [*x, *y],
                _ => automatic_offsets(model, f)?,
            };
            (i == 0).then_some(Map { scale: [1.0; 2], shift: [-(offset[0] as f64), -(offset[1] as f64)] })
        }
        op if op.facts().in_place => Some(Map::IDENTITY),
        _ => return Err("an op on the way to the common ancestor has no affine map"),
    })
}

/// The map from a filter's output to its input.
fn filter(rank: usize, kernel: [u64; 2], strides: &Shape, auto: &[bool], lower: &Shape) -> Map {
    let mut map = Map::IDENTITY;
    for (i, taps) in kernel.into_iter().enumerate().take(rank) {
        let row = rank - 1 - i;
        let half = (taps.saturating_sub(1) / 2) as f64;
        let pad = if flag(auto, rank, row) { half } else { entry(lower, rank, row, 0) as f64 };
        map.scale[i] = entry(strides, rank, row, 1) as f64;
        map.shift[i] = half - pad;
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::random::Random;

    fn apply(map: Map, x: [f64; 2]) -> [f64; 2] {
        [0, 1].map(|i| map.scale[i] * x[i] + map.shift[i])
    }

    /// Maps compose and invert as functions do.
    #[test]
    fn maps_are_functions() {
        let random = &mut Random(1);
        for _ in 0..200 {
            // Powers of two, so that nothing is rounded.
            let mut map = || Map {
                scale: [0; 2].map(|_| 2f64.powi(random.between(-2, 3) as i32)),
                shift: [0; 2].map(|_| random.between(-8, 8) as f64 / 2.0),
            };
            let (f, g) = (map(), map());
            let x = [random.between(-9, 9) as f64, random.between(-9, 9) as f64];
            assert_eq!(apply(f.after(g), x), apply(f, apply(g, x)));
            assert_eq!(apply(f.inverse(), apply(f, x)), x);
            assert_eq!(f.after(Map::IDENTITY), f);
        }
    }

    /// The centre of the first window is where its padding puts it, and each further one a stride later.
    #[test]
    fn a_filter_maps_outputs_to_the_centres_of_their_windows() {
        let shape = |dims: &[u64]| Shape(dims.iter().copied().collect());
        let map = filter(3, [3, 4], &shape(&[2, 1, 9]), &[true, false, false], &shape(&[7, 1, 7]));
        assert_eq!(map, Map { scale: [2.0, 1.0], shift: [0.0, 0.0] });
        let map = filter(3, [5, 1], &shape(&[2, 3, 9]), &[false], &shape(&[1, 2, 7]));
        assert_eq!(map, Map { scale: [2.0, 3.0], shift: [1.0, -2.0] });
        // The map is the identity on an axis that the operand does not have.
        let map = filter(1, [5, 5], &shape(&[2]), &[false], &shape(&[0]));
        assert_eq!(map, Map { scale: [2.0, 1.0], shift: [2.0, 0.0] });
    }
}

//! Values that depend only on the distances of a frame from the start and from the end of its sequence.

use crate::graph::literal::scalar;
use cntk_parser::model::{Dim, FunctionId, Source, ValidatedModel};
use cntk_parser::ops::Operator;
use std::collections::HashMap;

/// The end of a range that has no upper bound.
pub(super) const INFINITE: u64 = u64::MAX;

/// The most functions through which a condition is followed, and the most intervals of a grid along one distance.
const MOST: usize = 64;

/// A function of a frame with `i` frames before it and `j` after it, constant on a grid of intervals of `i` and `j`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grid {
    /// The starts of the intervals of `i`; the first is 0.
    front: Vec<u64>,
    /// The starts of the intervals of `j`.
    back: Vec<u64>,
    /// The values, by interval of `i` and then of `j`.
    values: Vec<f64>,
}

impl Grid {
    fn constant(v: f64) -> Self {
        Self { front: vec![0], back: vec![0], values: vec![v] }
    }

    fn at(&self, i: u64, j: u64) -> f64 {
        let place = |starts: &[u64], n: u64| starts.partition_point(|s| *s <= n).saturating_sub(1);
        self.values[place(&self.front, i) * self.back.len() + place(&self.back, j)]
    }

    /// The grid with these starts and the values of `value`; `None` if it has too many intervals.
    fn build(mut front: Vec<u64>, mut back: Vec<u64>, value: impl Fn(u64, u64) -> f64) -> Option<Self> {
        for starts in [&mut front, &mut back] {
            starts.sort_unstable();
            starts.dedup();
        }
        if front.len() > MOST || back.len() > MOST {
            return None;
        }
        let values = front.iter().flat_map(|i| back.iter().map(|j| value(*i, *j)).collect::<Vec<_>>()).collect();
        Some(Self { front, back, values })
    }

    fn combine(&self, other: &Self, compute: impl Fn(f64, f64) -> f64) -> Option<Self> {
        let starts = |a: &[u64], b: &[u64]| a.iter().chain(b).copied().collect();
        Self::build(starts(&self.front, &other.front), starts(&self.back, &other.back), |i, j| {
            compute(self.at(i, j), other.at(i, j))
        })
    }

    /// The value of `d` frames before, or `initial` at the first `d` frames.
    fn past(&self, d: u64, initial: f64) -> Option<Self> {
        let front = std::iter::once(0).chain(self.front.iter().map(|s| s.saturating_add(d))).collect();
        let back = self.back.iter().map(|s| s.saturating_sub(d)).collect();
        Self::build(front, back, |i, j| if i < d { initial } else { self.at(i - d, j.saturating_add(d)) })
    }

    /// The value of `d` frames after, or `initial` at the last `d` frames.
    fn future(&self, d: u64, initial: f64) -> Option<Self> {
        let front = self.front.iter().map(|s| s.saturating_sub(d)).collect();
        let back = std::iter::once(0).chain(self.back.iter().map(|s| s.saturating_add(d))).collect();
        Self::build(front, back, |i, j| if j < d { initial } else { self.at(i.saturating_add(d), j - d) })
    }

    pub(super) fn is_binary(&self) -> bool {
        self.values.iter().all(|v| *v == 0.0 || *v == 1.0)
    }

    /// The range of `i` outside of which everything is 0.
    pub(super) fn front_run(&self) -> Option<(u64, u64)> {
        let any = |k: usize| self.values[k * self.back.len()..(k + 1) * self.back.len()].iter().any(|v| *v != 0.0);
        one_run(&self.front, any)
    }

    /// The range of `j` outside of which everything is 0.
    pub(super) fn back_run(&self) -> Option<(u64, u64)> {
        let any = |k: usize| (0..self.front.len()).any(|i| self.values[i * self.back.len() + k] != 0.0);
        one_run(&self.back, any)
    }

    /// Is a frame marked exactly when both distances lie within these ranges?
    pub(super) fn is_product(&self, from: u64, to: u64, drop: u64, keep: u64) -> bool {
        self.front.iter().all(|i| {
            self.back.iter().all(|j| {
                let inside = (from..to).contains(i) && (drop..keep).contains(j);
                (self.at(*i, *j) != 0.0) == inside
            })
        })
    }
}

/// The range of marked intervals, if they are consecutive.
fn one_run(starts: &[u64], marked: impl Fn(usize) -> bool) -> Option<(u64, u64)> {
    let first = (0..starts.len()).find(|k| marked(*k))?;
    let end = (first..starts.len()).find(|k| !marked(*k)).unwrap_or(starts.len());
    if (end..starts.len()).any(marked) {
        return None;
    }
    Some((starts[first], starts.get(end).copied().unwrap_or(INFINITE)))
}

/// A source with one element as a grid, if it is computed by constants, delays and arithmetic.
pub(super) fn grid(model: &ValidatedModel<'_>, source: Source) -> Option<Grid> {
    let mut known: HashMap<Source, Grid> = HashMap::new();
    let mut stack = vec![(source, false)];
    let mut steps = 0;
    while let Some((source, ready)) = stack.pop() {
        if known.contains_key(&source) {
            continue;
        }
        steps += 1;
        if steps > 4 * MOST {
            return None;
        }
        let Source::Output(f, 0) = source else {
            known.insert(source, Grid::constant(scalar(model, source)?));
            continue;
        };
        if model.loop_of(f).is_some() || !model.type_of(source).shape.iter().all(|d| *d == Dim::Known(1)) {
            return None;
        }
        if ready {
            let made = compute(model, f, &known)?;
            known.insert(source, made);
        } else {
            stack.push((source, true));
            stack.extend(read(model, f)?.iter().map(|s| (*s, false)));
        }
    }
    known.remove(&source)
}

/// The operands whose values a function needs.
fn read<'m>(model: &'m ValidatedModel<'_>, f: FunctionId) -> Option<&'m [Source]> {
    let inputs = model.inputs(f);
    match model.operator(f) {
        Operator::ConstantOp(_) => Some(&[]),
        Operator::ReconcileDynamicAxis => inputs.get(..1),
        Operator::PastValue(_)
        | Operator::FutureValue(_)
        | Operator::Plus
        | Operator::Minus
        | Operator::ElementTimes
        | Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual => inputs.get(..2),
        Operator::NoOp | Operator::Pass | Operator::StopGradient | Operator::Reshape(_) | Operator::Negate => {
            inputs.get(..1)
        }
        _ => None,
    }
}

fn compute(model: &ValidatedModel<'_>, f: FunctionId, known: &HashMap<Source, Grid>) -> Option<Grid> {
    let operand = |i: usize| known.get(model.inputs(f).get(i)?);
    let number = |truth: bool| if truth { 1.0 } else { 0.0 };
    let initial = || match operand(1) {
        Some(Grid { values, .. }) if values.len() == 1 => Some(values[0]),
        _ => None,
    };
    match model.operator(f) {
        Operator::ConstantOp(a) => Some(Grid::constant(a.fill_value)),
        Operator::PastValue(a) => operand(0)?.past(a.offset, initial()?),
        Operator::FutureValue(a) => operand(0)?.future(a.offset, initial()?),
        Operator::Plus => operand(0)?.combine(operand(1)?, |a, b| a + b),
        Operator::Minus => operand(0)?.combine(operand(1)?, |a, b| a - b),
        Operator::ElementTimes => operand(0)?.combine(operand(1)?, |a, b| a * b),
        Operator::Equal => operand(0)?.combine(operand(1)?, |a, b| number(a == b)),
        Operator::NotEqual => operand(0)?.combine(operand(1)?, |a, b| number(a != b)),
        Operator::Less => operand(0)?.combine(operand(1)?, |a, b| number(a < b)),
        Operator::LessEqual => operand(0)?.combine(operand(1)?, |a, b| number(a <= b)),
        Operator::Greater => operand(0)?.combine(operand(1)?, |a, b| number(a > b)),
        Operator::GreaterEqual => operand(0)?.combine(operand(1)?, |a, b| number(a >= b)),
        Operator::Negate => operand(0)?.combine(&Grid::constant(0.0), |a, _| -a),
        _ => operand(0).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::random::Random;

    fn not(grid: &Grid) -> Grid {
        Grid::constant(1.0).combine(grid, |a, b| a - b).expect("small")
    }

    /// The condition that CNTK makes for a slice.
    fn slice(begin: i64, end: i64) -> Grid {
        let zero = Grid::constant(0.0);
        let n = |v: i64| v.unsigned_abs();
        let from = match begin {
            0 => Grid::constant(1.0),
            b if b > 0 => not(&zero.past(n(b), 1.0).expect("small")),
            b => zero.future(n(b), 1.0).expect("small"),
        };
        let to = match end {
            0 => Grid::constant(1.0),
            e if e > 0 => zero.past(n(e), 1.0).expect("small"),
            e => not(&zero.future(n(e), 1.0).expect("small")),
        };
        from.combine(&to, |a, b| a * b).expect("small")
    }

    fn runs(grid: &Grid) -> Option<(u64, u64, u64, u64)> {
        let ((a, b), (c, d)) = (grid.front_run()?, grid.back_run()?);
        grid.is_product(a, b, c, d).then_some((a, b, c, d))
    }

    #[test]
    fn slices_are_runs_from_either_end() {
        assert_eq!(runs(&slice(0, 0)), Some((0, INFINITE, 0, INFINITE)));
        assert_eq!(runs(&slice(1, 0)), Some((1, INFINITE, 0, INFINITE)));
        assert_eq!(runs(&slice(0, -2)), Some((0, INFINITE, 2, INFINITE)));
        assert_eq!(runs(&slice(1, -1)), Some((1, INFINITE, 1, INFINITE)));
        assert_eq!(runs(&slice(0, 1)), Some((0, 1, 0, INFINITE)));
        assert_eq!(runs(&slice(2, 5)), Some((2, 5, 0, INFINITE)));
        assert_eq!(runs(&slice(-1, 0)), Some((0, INFINITE, 0, 1)));
        assert_eq!(runs(&slice(-3, -1)), Some((0, INFINITE, 1, 3)));
    }

    #[test]
    fn a_frame_is_marked_by_its_distances_from_the_ends() {
        let grid = slice(-3, 2);
        // The frames that have at most two after them and at most one before them: none of five, the first two of
        // three.
        for (n, marked) in [(5_u64, vec![]), (4, vec![1]), (3, vec![0, 1]), (2, vec![0, 1]), (1, vec![0])] {
            let found: Vec<u64> = (0..n).filter(|i| grid.at(*i, n - 1 - i) != 0.0).collect();
            assert_eq!(found, marked, "{n} frames");
        }
    }

    #[test]
    fn delays_compose() {
        let second = Grid::constant(0.0).past(1, 1.0).and_then(|g| g.past(1, 0.0)).expect("small");
        assert_eq!(runs(&second), Some((1, 2, 0, INFINITE)));
        let last_but_one = Grid::constant(0.0).future(1, 1.0).and_then(|g| g.future(1, 0.0)).expect("small");
        assert_eq!(runs(&last_but_one), Some((0, INFINITE, 1, 2)));
    }

    /// A random expression of delays, arithmetic and constants, as a grid and evaluated on sequences of up to eight
    /// frames.
    fn random_value(random: &mut Random, depth: usize) -> (Grid, Vec<Vec<f64>>) {
        const LONGEST: usize = 8;
        if depth == 0 || random.between(0, 4) == 0 {
            let v = random.between(0, 1) as f64;
            return (Grid::constant(v), (0..=LONGEST).map(|n| vec![v; n]).collect());
        }
        let (grid, frames) = random_value(random, depth - 1);
        let (d, initial) = (random.size(1, 3), random.between(0, 1) as f64);
        let delayed = |frame: &dyn Fn(usize) -> Option<usize>| -> Vec<Vec<f64>> {
            let at = |values: &Vec<f64>, i: usize| frame(i).and_then(|i| values.get(i)).copied().unwrap_or(initial);
            frames.iter().map(|values| (0..values.len()).map(|i| at(values, i)).collect()).collect()
        };
        let d_frames = d as usize;
        match random.between(0, 3) {
            0 => (grid.past(d, initial).expect("small"), delayed(&|i| i.checked_sub(d_frames))),
            1 => (grid.future(d, initial).expect("small"), delayed(&|i| Some(i + d_frames))),
            which => {
                let compute: fn(f64, f64) -> f64 = if which == 2 { |a, b| a * b } else { |a, b| a - b };
                let (other, others) = random_value(random, depth - 1);
                let pairs = frames.iter().zip(&others);
                let made = pairs.map(|(a, b)| a.iter().zip(b).map(|(a, b)| compute(*a, *b)).collect()).collect();
                (grid.combine(&other, compute).expect("small"), made)
            }
        }
    }

    #[test]
    fn a_grid_has_the_values_of_every_sequence() {
        let random = &mut Random(1);
        let mut single_runs = 0;
        for _ in 0..2000 {
            let (grid, sequences) = random_value(random, 4);
            for values in &sequences {
                let n = values.len() as u64;
                let found: Vec<f64> = (0..n).map(|i| grid.at(i, n - 1 - i)).collect();
                assert_eq!(&found, values, "{grid:?}");
            }
            if let Some((from, to, drop, keep)) = runs(&grid) {
                single_runs += 1;
                for values in &sequences {
                    let n = values.len() as u64;
                    let inside = |i: u64| (from..to).contains(&i) && (drop..keep).contains(&(n - 1 - i));
                    assert!((0..n).all(|i| (values[i as usize] != 0.0) == inside(i)), "{grid:?}");
                }
            }
        }
        assert!(single_runs > 100, "{single_runs}");
    }

    #[test]
    fn a_grid_has_a_bounded_number_of_steps() {
        let steps = |n: u64| Grid::build((0..n).collect(), vec![0], |i, _| i as f64);
        assert!(steps(64).is_some() && steps(65).is_none());
        let steps = |n: u64| Grid::build(vec![0], (0..n).collect(), |_, j| j as f64);
        assert!(steps(64).is_some() && steps(65).is_none());
    }
}

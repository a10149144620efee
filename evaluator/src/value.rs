//! Values: the frames of a minibatch, one after another, without padding.

use crate::fault::{Fault, fault};
use ndarray::{ArcArray, ArrayD, Axis, IxDyn};
use std::sync::Arc;

/// Numbers in double precision. Results of a narrower type are rounded to it after each operator.
pub(crate) type Tensor = ArcArray<f64, IxDyn>;

/// The frames of a value (spec 4.3): its dynamic axes with their sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frames {
    /// No dynamic axes: one frame, the same for all samples.
    One,
    /// A batch axis: one frame for each of this many samples.
    Samples(usize),
    /// A batch axis and a sequence axis: the number of frames of each sample. The frames of a sample are consecutive,
    /// in order.
    Steps(Arc<[usize]>),
}

impl Frames {
    /// The number of frames.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::One => 1,
            Self::Samples(n) => *n,
            Self::Steps(lengths) => lengths.iter().sum(),
        }
    }

    /// The number of samples.
    pub(crate) fn samples(&self) -> usize {
        match self {
            Self::One => 1,
            Self::Samples(n) => *n,
            Self::Steps(lengths) => lengths.len(),
        }
    }

    /// The range of frames of each sample.
    pub(crate) fn ranges(&self) -> Vec<std::ops::Range<usize>> {
        match self {
            Self::One => std::iter::once(0..1).collect(),
            Self::Samples(n) => (0..*n).map(|i| i..i + 1).collect(),
            Self::Steps(lengths) => lengths
                .iter()
                .scan(0, |start, n| {
                    let range = *start..*start + n;
                    *start = range.end;
                    Some(range)
                })
                .collect(),
        }
    }

    /// The number of steps of the longest sample.
    fn steps(&self) -> usize {
        if let Self::Steps(lengths) = self { longest(lengths) } else { 1 }
    }

    /// The frame in each column of CNTK's minibatch, step by step; `None` in gaps. A sequence stands in the first row that has
    /// room for it behind earlier ones, where the longest sequence says how long rows are.
    pub(crate) fn columns(&self) -> Vec<Option<usize>> {
        let Self::Steps(lengths) = self else { return (0..self.count()).map(Some).collect() };
        let steps = longest(lengths);
        let mut rows: Vec<Vec<usize>> = Vec::new();
        for frames in self.ranges() {
            match rows.iter_mut().find(|row| row.len() + frames.len() <= steps) {
                Some(row) => row.extend(frames),
                None => rows.push(frames.collect()),
            }
        }
        (0..steps).flat_map(|step| rows.iter().map(move |row| row.get(step).copied())).collect()
    }

    /// The frames of the result of an operator that works frame by frame. Operands with dynamic axes must have the same
    /// frames; others are used for every frame (spec 4.3).
    pub(crate) fn common<'v>(values: impl IntoIterator<Item = &'v Value>) -> Result<Self, Fault> {
        let mut all = Self::One;
        for Value { frames, .. } in values {
            all = match (&all, frames) {
                (_, Self::One) => continue,
                (Self::One, _) => frames.clone(),
                (a, b) if a == b => continue,
                (Self::Samples(n), Self::Steps(lengths)) if *n == lengths.len() => frames.clone(),
                (Self::Steps(lengths), Self::Samples(n)) if *n == lengths.len() => continue,
                (a, b) => return fault(format!("its operands have {a} and {b}")),
            };
        }
        Ok(all)
    }
}

impl std::fmt::Display for Frames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One => write!(f, "no dynamic axes"),
            Self::Samples(n) => write!(f, "{n} samples"),
            Self::Steps(lengths) => write!(f, "{} sequences of up to {} steps", lengths.len(), longest(lengths)),
        }
    }
}

/// The number of steps of the longest sequence.
pub(crate) fn longest(lengths: &[usize]) -> usize {
    lengths.iter().copied().max().unwrap_or(0)
}

/// A value: `[frames, *static]`, row-major.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) frames: Frames,
    pub(crate) data: Tensor,
}

impl Value {
    /// A value from its static shape and elements; `None` if the number of elements does not fit.
    pub(crate) fn new(frames: Frames, shape: &[usize], elements: Vec<f64>) -> Option<Self> {
        let mut whole = vec![frames.count()];
        whole.extend(shape);
        Some(Self { data: ArrayD::from_shape_vec(IxDyn(&whole), elements).ok()?.into_shared(), frames })
    }

    /// A value from computed elements; an error if their number does not fit.
    pub(crate) fn of(frames: Frames, shape: &[usize], elements: Vec<f64>) -> Result<Self, Fault> {
        Self::new(frames, shape, elements).map_or_else(|| fault("its result does not have the size that it should"), Ok)
    }

    /// The static shape.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.data.shape()[1..]
    }

    /// The number of static axes.
    pub(crate) fn rank(&self) -> usize {
        self.data.ndim() - 1
    }

    /// The number of elements of one frame.
    pub(crate) fn width(&self) -> usize {
        self.shape().iter().product()
    }

    /// All elements, frame after frame, in row-major order.
    pub(crate) fn elements(&self) -> Vec<f64> {
        self.data.iter().copied().collect()
    }

    /// The elements as a slice, copied if they are not in order.
    pub(crate) fn contiguous(&self) -> std::borrow::Cow<'_, [f64]> {
        self.data.as_slice().map_or_else(|| self.elements().into(), Into::into)
    }

    /// The same elements in another static shape.
    pub(crate) fn reshaped(&self, shape: &[usize]) -> Result<Self, Fault> {
        let mut whole = vec![self.data.shape()[0]];
        whole.extend(shape);
        match self.data.to_shape(IxDyn(&whole)) {
            Ok(data) => Ok(Self { frames: self.frames.clone(), data: data.into_owned().into_shared() }),
            Err(_) => fault(format!("the shape {:?} does not have the elements of {:?}", shape, self.shape())),
        }
    }

    /// The frames at these indices.
    pub(crate) fn select(&self, frames: Frames, places: &[usize]) -> Self {
        Self { frames, data: self.data.select(Axis(0), places).into_shared() }
    }

    /// The value repeated for each of `frames`: without dynamic axes for all of them, with a batch axis for all steps
    /// of a sample. Sequences of a single step are like samples.
    pub(crate) fn spread(&self, frames: &Frames) -> Result<Self, Fault> {
        let places: Vec<usize> = match (&self.frames, frames) {
            (a, b) if a == b => return Ok(self.clone()),
            (Frames::One, _) => vec![0; frames.count()],
            (own, Frames::Steps(lengths)) if own.samples() == lengths.len() && own.steps() == 1 => {
                lengths.iter().enumerate().flat_map(|(i, steps)| std::iter::repeat_n(i, *steps)).collect()
            }
            (a, b) => return fault(format!("a value with {a} does not go with {b}")),
        };
        Ok(self.select(frames.clone(), &places))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(lengths: &[usize]) -> Frames {
        Frames::Steps(lengths.into())
    }

    #[test]
    fn a_value_per_sample_is_the_same_at_all_its_steps() {
        let value = Value::new(Frames::Samples(2), &[1], vec![7.0, 8.0]).unwrap();
        let spread = value.spread(&steps(&[1, 3])).unwrap();
        assert_eq!(spread.elements(), [7.0, 8.0, 8.0, 8.0]);
        assert_eq!(spread.frames.ranges(), [0..1, 1..4]);
        assert!(value.spread(&steps(&[1, 3, 1])).is_err());
    }

    #[test]
    fn short_sequences_share_a_row_of_the_minibatch() {
        assert_eq!(steps(&[2, 3, 1]).columns(), [0, 2, 1, 3, 5, 4].map(Some));
        assert_eq!(steps(&[2, 3]).columns(), [Some(0), Some(2), Some(1), Some(3), None, Some(4)]);
        assert_eq!(Frames::Samples(2).columns(), [Some(0), Some(1)]);
    }

    #[test]
    fn frames_of_a_result() {
        let value = |frames: Frames| Value::new(frames.clone(), &[], vec![0.0; frames.count()]).unwrap();
        let common = |list: &[Frames]| Frames::common(&list.iter().cloned().map(value).collect::<Vec<_>>()).ok();
        assert_eq!(common(&[Frames::One, Frames::Samples(2)]), Some(Frames::Samples(2)));
        assert_eq!(common(&[Frames::Samples(2), steps(&[1, 2]), Frames::One]), Some(steps(&[1, 2])));
        assert_eq!(common(&[steps(&[2, 1]), steps(&[1, 2])]), None);
        assert_eq!(common(&[Frames::Samples(3), steps(&[1, 2])]), None);
    }
}

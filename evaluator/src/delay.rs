//! PastValue and FutureValue (spec 4.10): `y[t] = x[t - d]` and `y[t] = x[t + d]`, or the initial state if there is no
//! such step.

use crate::fault::{Fault, fault};
use crate::value::{Frames, Value};
use ndarray::ArrayViewD;
use std::ops::Range;

/// A delay by `offset` steps.
#[derive(Clone, Copy)]
pub(crate) struct Delay {
    pub(crate) offset: usize,
    /// Is it a FutureValue?
    pub(crate) future: bool,
}

impl Delay {
    /// The step that step `t` of a sequence of `length` steps reads, if there is one.
    pub(crate) fn reads(&self, t: usize, length: usize) -> Option<usize> {
        if self.future { t.checked_add(self.offset).filter(|t| *t < length) } else { t.checked_sub(self.offset) }
    }

    /// The frame of the initial state for step `t` of a sample. If the initial state is a sequence, a PastValue reads
    /// its last frames and a FutureValue its first, in order. It needs at least as many frames as the delay has steps,
    /// or exactly one, which is used for all steps.
    pub(crate) fn initial(&self, state: &Value, sample: usize, t: usize, length: usize) -> Result<usize, Fault> {
        let Frames::Steps(lengths) = &state.frames else {
            return Ok(if state.frames == Frames::One { 0 } else { sample });
        };
        let given = lengths.get(sample).copied().unwrap_or(0);
        let step = match self.future {
            _ if given == 1 => Some(0),
            _ if given < self.offset => None,
            true => (t + self.offset).checked_sub(length),
            false => (given + t).checked_sub(self.offset),
        };
        let frames: Range<usize> = state.frames.ranges()[sample].clone();
        match step.map(|step| frames.start + step).filter(|i| frames.contains(i)) {
            Some(frame) => Ok(frame),
            None => fault(format!("an initial state of {given} steps for a delay of {}", self.offset)),
        }
    }
}

/// The delayed frames in order, each from `x` or from the initial state.
pub(crate) struct Shift<'s> {
    pub(crate) delay: Delay,
    pub(crate) state: &'s Value,
    /// The static shape of the operand.
    pub(crate) from: &'s [usize],
    /// The static shape of the result, to which operand and state are broadcast.
    pub(crate) shape: &'s [usize],
}

impl Shift<'_> {
    /// The elements of the result at step `t` of a sample. `row` returns the elements of `x` at a frame of the sample.
    pub(crate) fn frame<'x>(
        &self,
        row: impl Fn(usize) -> Option<&'x [f64]>,
        [sample, t, length]: [usize; 3],
    ) -> Result<Vec<f64>, Fault> {
        match self.delay.reads(t, length) {
            Some(step) => match row(step).and_then(|x| ArrayViewD::from_shape(self.from, x).ok()) {
                Some(x) => self.broadcast(&x),
                None => fault("a loop reads a step that is not computed yet"),
            },
            None => {
                let frame = self.delay.initial(self.state, sample, t, length)?;
                self.broadcast(&self.state.data.index_axis(ndarray::Axis(0), frame))
            }
        }
    }

    fn broadcast(&self, row: &ArrayViewD<'_, f64>) -> Result<Vec<f64>, Fault> {
        match row.broadcast(self.shape) {
            Some(row) => Ok(row.iter().copied().collect()),
            None => fault("its operand and its initial state are of different sizes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_as_initial_state_gives_its_nearest_frames() {
        let state = Value::new(Frames::Steps([3, 2].into()), &[], vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let past = Delay { offset: 2, future: false };
        assert_eq!([0, 1].map(|t| past.initial(&state, 0, t, 4).unwrap()), [1, 2]);
        assert_eq!([0, 1].map(|t| past.initial(&state, 1, t, 4).unwrap()), [3, 4]);
        let future = Delay { offset: 2, future: true };
        assert_eq!([2, 3].map(|t| future.initial(&state, 0, t, 4).unwrap()), [0, 1]);
        assert!(Delay { offset: 3, ..past }.initial(&state, 1, 0, 4).is_err());
        let one = Value::new(Frames::Steps([1, 1].into()), &[], vec![1.0, 2.0]).unwrap();
        assert_eq!([0, 1].map(|t| past.initial(&one, 1, t, 4).unwrap()), [1, 1]);
    }
}

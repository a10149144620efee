//! The steps of a loop that are computed so far, and the one being computed.

use crate::fault::{Fault, fault};
use crate::limits::Meter;
use crate::value::{Frames, Value};
use cntk_parser::model::{FunctionId, Source};
use std::collections::HashMap;

/// The state of a loop.
pub(crate) struct Ring<'r> {
    pub(crate) members: &'r [FunctionId],
    pub(crate) backward: bool,
    pub(crate) lengths: Vec<usize>,
    /// The first frame of each sample.
    pub(crate) starts: Vec<usize>,
    /// The steps of every member computed so far.
    pub(crate) history: HashMap<Source, History>,
    /// The step that is being computed.
    pub(crate) current: HashMap<Source, Value>,
}

/// The frames of a value that is being computed step by step.
pub(crate) struct History {
    pub(crate) shape: Vec<usize>,
    pub(crate) elements: Vec<f64>,
}

/// One step: the samples that have it, and the index of the step in each.
pub(crate) struct Step {
    pub(crate) samples: Vec<usize>,
    pub(crate) steps: Vec<usize>,
    pub(crate) frames: Vec<usize>,
}

impl<'r> Ring<'r> {
    pub(crate) fn new(members: &'r [FunctionId], backward: bool, lengths: Vec<usize>) -> Self {
        let starts = Frames::Steps(lengths.clone().into()).ranges().iter().map(|r| r.start).collect();
        Self { members, backward, lengths, starts, history: HashMap::new(), current: HashMap::new() }
    }

    pub(crate) fn longest(&self) -> usize {
        self.lengths.iter().copied().max().unwrap_or(0)
    }

    /// The `n`-th step to compute. Backward loops begin at the end of each sequence.
    pub(crate) fn at(&self, n: usize) -> Step {
        let samples: Vec<usize> = (0..self.lengths.len()).filter(|i| n < self.lengths[*i]).collect();
        let step = |i: &usize| if self.backward { self.lengths[*i] - 1 - n } else { n };
        let steps: Vec<usize> = samples.iter().map(step).collect();
        let frames = samples.iter().zip(&steps).map(|(i, t)| self.starts[*i] + t).collect();
        Step { samples, steps, frames }
    }

    pub(crate) fn record(&mut self, source: Source, value: &Value, at: &Step, meter: &mut Meter) -> Result<(), Fault> {
        let width = value.width();
        if !self.history.contains_key(&source) {
            let frames = self.lengths.iter().sum::<usize>();
            meter.room(&[frames, width])?;
            meter.hold(frames * width);
            let history = History { shape: value.shape().to_vec(), elements: vec![0.0; frames * width] };
            self.history.insert(source, history);
        }
        if let Some(history) = self.history.get_mut(&source) {
            for (row, frame) in value.contiguous().chunks(width.max(1)).zip(&at.frames) {
                match history.elements.get_mut(frame * width..(frame + 1) * width) {
                    Some(to) => to.copy_from_slice(row),
                    None => return fault("its result changes its size from step to step"),
                }
            }
        }
        Ok(())
    }
}

impl Step {
    /// The frames at this step of a value from outside of the loop.
    pub(crate) fn of(&self, value: &Value) -> Result<Value, Fault> {
        let frames = Frames::Samples(self.samples.len());
        match &value.frames {
            Frames::One => Ok(value.clone()),
            Frames::Samples(_) => Ok(value.select(frames, &self.samples)),
            Frames::Steps(_) => Ok(value.select(frames, &self.frames)),
        }
    }
}

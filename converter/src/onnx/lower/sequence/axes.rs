//! The lengths of the sequences of each axis, and masks of valid frames.

use super::super::{Lowering, Val};
use super::pick::Picks;
use crate::layout::Lead;
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Dim, ElemType, ValueId};
use crate::resolve::frames::Frames;
use cntk_parser::model::{FunctionId, SequenceAxisId, Source};
use std::collections::HashMap;

/// Lengths and masks of sequence axes, which are added on demand and once per axis.
#[derive(Default)]
pub(crate) struct Sequences {
    /// Lengths: int64 [batch].
    lengths: HashMap<SequenceAxisId, ValueId>,
    /// Lengths as int32 [batch], which recurrent operators need.
    short_lengths: HashMap<SequenceAxisId, ValueId>,
    /// Masks of valid frames: bool [batch, sequence].
    masks: HashMap<SequenceAxisId, ValueId>,
    /// `0, 1, …` as int64, for each dimension.
    steps: HashMap<Dim, ValueId>,
    /// Flags with axes of size 1 appended, by the flags and the number of axes.
    flags: HashMap<(ValueId, usize), ValueId>,
    /// For axes that the model derives: may the sequences differ in length?
    ragged: HashMap<SequenceAxisId, bool>,
    /// The frames that each Where selected.
    pub(super) picks: HashMap<FunctionId, Picks>,
    /// Single frames of sequences that a recurrent operator gave besides the sequence: which frame, and its value.
    pub(crate) finals: HashMap<Source, (Frames, Val)>,
}

impl Lowering<'_, '_, '_> {
    /// The dimension of a sequence axis.
    pub(crate) fn time(&mut self, axis: SequenceAxisId) -> Dim {
        self.lead_dims(Lead { batch: None, sequence: Some(axis) })[0]
    }

    /// The dimension of the batch whose samples are the sequences of an axis.
    pub(crate) fn batch(&mut self, axis: SequenceAxisId) -> Dim {
        self.lead_dims(self.layout.per_sequence(axis))[0]
    }

    /// May the sequences of this axis differ in length?
    pub(crate) fn is_ragged(&self, axis: SequenceAxisId) -> bool {
        self.sequences.ragged.get(&axis).copied().unwrap_or(!self.options.equal_lengths)
    }

    /// Defines a derived axis, unless it is defined already. Without `lengths`, every sequence is as long as the
    /// dimension.
    pub(super) fn define_axis(&mut self, axis: SequenceAxisId, dim: Dim, lengths: Option<ValueId>, ragged: bool) {
        self.sequence_dims.entry(axis).or_insert(dim);
        if self.sequences.lengths.contains_key(&axis) {
            return;
        }
        self.sequences.ragged.insert(axis, ragged);
        if let Some(lengths) = lengths {
            self.sequences.lengths.insert(axis, lengths);
        }
    }

    /// The lengths of a sequence axis: int64 [batch]. The first call adds a graph input or, if all sequences have the
    /// same length, repeats the sequence dimension.
    pub(crate) fn lengths(&mut self, axis: SequenceAxisId) -> Measured<ValueId> {
        if let Some(id) = self.sequences.lengths.get(&axis) {
            return Ok(*id);
        }
        let batch = self.lead_dims(self.layout.per_sequence(axis));
        let id = if self.is_ragged(axis) {
            let first = self.first_argument(axis).map(|i| self.graph.arguments[i].name.as_str());
            let name = format!("{}_lengths", first.unwrap_or("sequence"));
            let name = self.unique(name.clone().into(), name.into());
            self.b.input(name, ElemType::Int64, batch)
        } else {
            let time = self.time(axis);
            let n = self.b.dim_value(time)?;
            self.b.in_main(|b| b.expand(n, &batch))?
        };
        self.sequences.lengths.insert(axis, id);
        Ok(id)
    }

    /// The lengths as recurrent operators need them: int32 [batch].
    pub(crate) fn short_lengths(&mut self, axis: SequenceAxisId) -> Measured<ValueId> {
        if let Some(id) = self.sequences.short_lengths.get(&axis) {
            return Ok(*id);
        }
        let lengths = self.lengths(axis)?;
        let id = self.b.in_main(|b| b.cast(lengths, ElemType::Int32));
        self.sequences.short_lengths.insert(axis, id);
        Ok(id)
    }

    /// The index of the first argument, in file order, that has this axis.
    fn first_argument(&self, axis: SequenceAxisId) -> Option<usize> {
        let has = |v| self.graph.model.type_of(Source::Variable(v)).axes.sequence == Some(axis);
        self.graph.arguments.iter().position(|a| has(a.variable))
    }

    /// Does an input of the converted model have this axis?
    pub(crate) fn is_argument_axis(&self, axis: SequenceAxisId) -> bool {
        self.first_argument(axis).is_some()
    }

    /// Sorts the inputs that are lengths by the inputs after which they are named.
    pub(in crate::onnx::lower) fn sort_lengths(&mut self) {
        let mut places = HashMap::new();
        for (axis, id) in &self.sequences.lengths {
            places.insert(*id, self.first_argument(*axis));
        }
        self.b.sort_inputs(self.graph.arguments.len(), |id| places.get(&id).copied().flatten().unwrap_or(usize::MAX));
    }

    /// The mask of valid frames: bool [batch, sequence].
    pub(crate) fn mask(&mut self, axis: SequenceAxisId) -> Measured<ValueId> {
        if let Some(id) = self.sequences.masks.get(&axis) {
            return Ok(*id);
        }
        let id = self.before(axis, 0)?;
        self.sequences.masks.insert(axis, id);
        Ok(id)
    }

    /// The mask of frames with at least `d` valid ones after them: bool [batch, sequence].
    pub(super) fn before(&mut self, axis: SequenceAxisId, d: i64) -> Measured<ValueId> {
        let lengths = self.lengths(axis)?;
        let time = self.time(axis);
        let steps = self.steps(time)?;
        Ok(self.b.in_main(|b| {
            let column = b.unsqueeze(lengths, &[1]);
            let end = if d == 0 {
                column
            } else {
                let d = b.ints(&[d]);
                b.sub(column, d)
            };
            b.compare("Less", steps, end)
        }))
    }

    /// `v` with everything beyond each sequence's length replaced by `fill`, even NaN.
    pub(crate) fn mask_fill(&mut self, v: &Val, fill: f64) -> Measured<Val> {
        let Some(axis) = v.lead.sequence.filter(|axis| self.is_ragged(*axis)) else { return Ok(*v) };
        let mask = self.mask(axis)?;
        let mask = self.frame_flags(mask, v);
        let fill = self.b.scalar_like(v.id, fill);
        Ok(Val { id: self.b.choose(mask, v.id, fill), lead: v.lead })
    }

    /// The indices of frames: `0, 1, … n-1` as int64.
    pub(in crate::onnx::lower) fn steps(&mut self, n: Dim) -> Measured<ValueId> {
        if let Some(id) = self.sequences.steps.get(&n) {
            return Ok(*id);
        }
        let id = self.b.in_main(|b| b.range(n))?;
        self.sequences.steps.insert(n, id);
        Ok(id)
    }

    /// Flags [batch, sequence] with axes of size 1 for the static axes of `v`.
    pub(super) fn frame_flags(&mut self, flags: ValueId, v: &Val) -> ValueId {
        let rank = self.static_rank(v);
        if let Some(id) = self.sequences.flags.get(&(flags, rank)) {
            return *id;
        }
        let ones: Vec<usize> = (0..rank).map(|i| v.lead.rank() + i).collect();
        let id = self.b.unsqueeze(flags, &ones);
        if !self.b.is_inside(id) {
            self.sequences.flags.insert((flags, rank), id);
        }
        id
    }
}

//! Builds the node of an LSTM, GRU or RNN, without inputs and attributes that have their defaults.

use super::super::{Lowering, Val};
use crate::layout::Lead;
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Attribute, Dim, Dims, ElemType, ValueId};
use cntk_parser::model::SequenceAxisId;
use smallvec::{SmallVec, smallvec};

/// A node under construction. Weights are in ONNX's layout.
pub(super) struct Operator {
    pub(super) op: &'static str,
    /// [sequence, batch, input].
    pub(super) x: ValueId,
    /// [directions, gates * hidden, input].
    pub(super) w: ValueId,
    /// [directions, gates * hidden, hidden].
    pub(super) r: ValueId,
    /// [directions, 2 * gates * hidden].
    pub(super) b: Option<ValueId>,
    /// Initial states, [directions, batch, hidden] each.
    pub(super) initial_h: Option<ValueId>,
    pub(super) initial_c: Option<ValueId>,
    /// [directions, 3 * hidden].
    pub(super) peepholes: Option<ValueId>,
    pub(super) hidden: u64,
    /// ONNX's `direction`: forward, reverse or bidirectional.
    pub(super) direction: &'static str,
    /// Activations, unless they are the default.
    pub(super) activations: Option<Vec<&'static str>>,
    pub(super) linear_before_reset: bool,
    /// Does a result depend on where each sequence ends?
    pub(super) reads_ends: bool,
    /// How many of the results are wanted: the sequence, its final frame, the final state.
    pub(super) results: usize,
}

impl Operator {
    /// Adds the node.
    pub(super) fn emit(self, cx: &mut Lowering<'_, '_, '_>, axis: SequenceAxisId) -> Measured<SmallVec<[ValueId; 2]>> {
        let lengths = (self.reads_ends && cx.is_ragged(axis)).then(|| cx.short_lengths(axis)).transpose()?;
        let mut inputs: SmallVec<[Option<ValueId>; 4]> = smallvec![Some(self.x), Some(self.w), Some(self.r), self.b];
        inputs.extend([lengths, self.initial_h]);
        if self.op == "LSTM" {
            inputs.extend([self.initial_c, self.peepholes]);
        }
        while inputs.last() == Some(&None) {
            inputs.pop();
        }
        let mut attributes = Vec::new();
        if let Some(names) = &self.activations {
            let list = names.iter().map(|s| (*s).to_owned()).collect();
            attributes.push(("activations", Attribute::Strings(list)));
        }
        if self.direction != "forward" {
            attributes.push(("direction", Attribute::String(self.direction.to_owned())));
        }
        attributes.push(("hidden_size", Attribute::Int(self.hidden as i64)));
        if self.linear_before_reset {
            attributes.push(("linear_before_reset", Attribute::Int(1)));
        }
        let directions = Dim::Known(if self.direction == "bidirectional" { 2 } else { 1 });
        let (time, batch, hidden) = (cx.time(axis), cx.batch(axis), Dim::Known(self.hidden));
        let elem = cx.b.elem(self.x);
        let all: (ElemType, Dims) = (elem, smallvec![time, directions, batch, hidden]);
        let last: (ElemType, Dims) = (elem, smallvec![directions, batch, hidden]);
        let outputs = [all, last.clone(), last];
        Ok(cx.b.emit_all(self.op, inputs, attributes, &outputs[..self.results]))
    }
}

impl Lowering<'_, '_, '_> {
    /// A sequence of vectors with the sequence axis first, as recurrent operators need it.
    pub(super) fn time_major(&mut self, v: &Val) -> Measured<ValueId> {
        let flat = self.flatten_static(v)?;
        if let Some(id) = self.recurrences.time_major.get(&flat) {
            return Ok(*id);
        }
        let id = self.b.transpose(flat, &[1, 0, 2]);
        self.recurrences.time_major.insert(flat, id);
        Ok(id)
    }

    /// [sequence, batch, hidden] as a sequence of the model.
    pub(super) fn batch_major(&mut self, id: ValueId, axis: SequenceAxisId) -> Val {
        let turned = self.b.transpose(id, &[1, 0, 2]);
        self.recurrences.time_major.insert(turned, id);
        Val { id: turned, lead: Lead { sequence: Some(axis), ..self.layout.per_sequence(axis) } }
    }
}

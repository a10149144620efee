//! Sequence axes: lengths, masks, and the operators that read them.

use super::{Lowered, Lowering, Node, Val};
use crate::onnx::graph::{ElemType, ValueId};
use crate::report::Reason;
use cntk_parser::model::{SequenceAxisId, Source};

impl Lowering<'_, '_, '_> {
    /// The lengths of a sequence axis: int64 [batch]. The first request makes the graph input, or, where all sequences
    /// have equal lengths, repeats the sequence dimension.
    pub(crate) fn lengths(&mut self, axis: SequenceAxisId) -> ValueId {
        if let Some(id) = self.sequences.lengths.get(&axis) {
            return *id;
        }
        let batch = self.lead_dims(crate::layout::Lead { batch: true, sequence: None });
        let id = if self.options.equal_lengths {
            let time = self.lead_dims(crate::layout::Lead { batch: false, sequence: Some(axis) })[0];
            let n = self.b.dim_value(time);
            self.b.in_main(|b| b.expand(n, &batch))
        } else {
            let name = self.first_argument(axis);
            let name = format!("{name}_lengths");
            let name = self.unique(&name, &name);
            self.b.input(name, ElemType::Int64, batch)
        };
        self.sequences.lengths.insert(axis, id);
        id
    }

    /// The name of the first argument, in file order, that has this axis.
    fn first_argument(&self, axis: SequenceAxisId) -> String {
        let has = |v| self.graph.model.type_of(Source::Variable(v)).axes.sequence == Some(axis);
        self.graph.arguments.iter().find(|a| has(a.variable)).map_or_else(|| "sequence".to_owned(), |a| a.name.clone())
    }

    /// Which frames are valid: bool [batch, sequence].
    pub(crate) fn mask(&mut self, axis: SequenceAxisId) -> ValueId {
        if let Some(id) = self.sequences.masks.get(&axis) {
            return *id;
        }
        let lengths = self.lengths(axis);
        let time = self.lead_dims(crate::layout::Lead { batch: false, sequence: Some(axis) })[0];
        let id = self.b.in_main(|b| {
            let steps = b.range(time);
            let column = b.unsqueeze(lengths, &[1]);
            b.compare("Less", steps, column)
        });
        self.sequences.masks.insert(axis, id);
        id
    }

    /// `v` with everything beyond each sequence's length replaced by `fill`, NaN included.
    pub(crate) fn mask_fill(&mut self, v: &Val, fill: f64) -> Val {
        let Some(axis) = v.lead.sequence else { return *v };
        if self.options.equal_lengths {
            return *v;
        }
        let mask = self.mask(axis);
        let ones: Vec<usize> = (0..self.static_rank(v)).map(|i| v.lead.rank() + i).collect();
        let mask = self.b.unsqueeze(mask, &ones);
        let fill = self.b.scalar_like(v.id, fill);
        Val { id: self.b.choose(mask, v.id, fill), lead: v.lead }
    }
}

/// Times with `inferInputRankToMap` -2: per sample, `sum_t W_t x_t`.
pub(super) fn times_over_sequence(_cx: &mut Lowering<'_, '_, '_>, _node: &Node<'_, '_>) -> Lowered {
    Err(Reason::new("inferInputRankToMap", "a product over the sequence axis is not converted yet"))
}

/// The operators that read a sequence axis.
pub(super) fn lower(_cx: &mut Lowering<'_, '_, '_>, _node: &Node<'_, '_>) -> Lowered {
    Err(Reason::new("", "sequence operators are not converted yet"))
}

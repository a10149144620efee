//! Expands values without a sequence axis to sequences, and converts between sequence axes (spec 4.12).
//!
//! A value that is the same for all frames or all samples keeps its smaller shape while its consumers are element-wise
//! and broadcast it. [`Lowering::full`] repeats it for operators that read the dynamic axes.

use super::super::{Lowered, Lowering, Node, Val};
use crate::layout::Lead;
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Dim, ElemType, ValueId};
use crate::report::Reason;
use cntk_parser::model::{SequenceAxisId, Source};
use smallvec::smallvec;

/// ReconcileDynamicAxis: the data with the sequence axis of the second operand.
pub(super) fn reconcile(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0];
    let to = cx.lead(node.result());
    match (x.lead.sequence, to.sequence) {
        (Some(from), Some(axis)) if from != axis => Ok(smallvec![cx.relabel(&x, axis)?]),
        (Some(_), None) => Err(Reason::new("", "a sequence cannot be reconciled with a value that is not a sequence")),
        _ => Ok(smallvec![x]),
    }
}

impl Lowering<'_, '_, '_> {
    /// The value of `source` with every dynamic axis that this has in this scope.
    pub(in crate::onnx::lower) fn full(&mut self, v: Val, source: Source) -> Measured<Val> {
        let lead = self.lead(source);
        if v.lead == lead || v.lead.union(lead) != lead {
            return Ok(v);
        }
        let dims = self.tail(&v);
        self.broadcast_to(&v, lead, &dims)
    }

    /// A sequence of one axis as a sequence of another axis with the same lengths.
    pub(in crate::onnx::lower) fn relabel(&mut self, v: &Val, axis: SequenceAxisId) -> Measured<Val> {
        let id = self.resize(v.id, v.lead.per_sample().rank(), axis)?;
        Ok(Val { id, lead: Lead { sequence: Some(axis), ..v.lead } })
    }

    /// `x` with as many frames along `at` as the sequence axis has. The last frame is repeated if there are too few.
    pub(super) fn resize(&mut self, x: ValueId, at: usize, axis: SequenceAxisId) -> Measured<ValueId> {
        let (from, to) = (self.b.dims(x)[at], self.time(axis));
        if from == to {
            return Ok(x);
        }
        let last = match from {
            Dim::Known(n) => self.b.scalar(ElemType::Int64, n.saturating_sub(1) as f64),
            Dim::Symbol(_) => {
                let n = self.b.dim_value(from)?;
                let one = self.b.ints(&[1]);
                self.b.sub(n, one)
            }
        };
        let steps = self.steps(to)?;
        let index = self.b.binary("Min", steps, last);
        Ok(self.b.gather(x, index, at))
    }
}

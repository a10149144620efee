//! Operands: tensors whose leading dimensions are dynamic axes.

use super::{Lowered, Lowering};
use crate::layout::Lead;
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Dim, Dims, ElemType, ValueId};
use cntk_parser::model::{Source, ValueType};
use smallvec::smallvec;

/// A CNTK value in the ONNX graph: `[batch, sequence, *static]`, where `lead` tells which of the first two it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Val {
    /// The tensor.
    pub(crate) id: ValueId,
    /// Its dynamic axes.
    pub(crate) lead: Lead,
}

impl Lowering<'_, '_, '_> {
    /// The static dimensions of a value.
    pub(crate) fn tail(&self, v: &Val) -> Dims {
        self.b.dims(v.id)[v.lead.rank()..].into()
    }

    /// The sizes of a value's static shape, where they are known.
    pub(crate) fn known_tail(&self, v: &Val) -> Vec<Option<u64>> {
        self.tail(v).iter().map(|d| if let Dim::Known(n) = d { Some(*n) } else { None }).collect()
    }

    /// The rank of a value's static shape.
    pub(crate) fn static_rank(&self, v: &Val) -> usize {
        self.b.rank(v.id) - v.lead.rank()
    }

    /// A result with the same dynamic axes as `like`.
    pub(crate) fn with(&self, id: ValueId, like: &Val) -> Val {
        Val { id, lead: like.lead }
    }

    /// Prepares operands for NumPy broadcasting: each gets the dynamic axes of all in front, axes of size 1 between
    /// them and its static axes if its rank is lower, and the common element type.
    pub(crate) fn align(&mut self, operands: &[Val]) -> (Vec<ValueId>, Lead) {
        let unified = self.unify(operands);
        self.place_all(&unified)
    }

    /// Casts operands to one element type: that of the first operand that is not a constant, else that of the first
    /// (spec 4.3).
    pub(crate) fn unify(&mut self, operands: &[Val]) -> Vec<Val> {
        let elem = self.common_elem(operands);
        operands.iter().map(|v| Val { id: elem.map_or(v.id, |e| self.b.cast(v.id, e)), lead: v.lead }).collect()
    }

    /// [`Self::align`] without the element types.
    pub(crate) fn place_all(&mut self, operands: &[Val]) -> (Vec<ValueId>, Lead) {
        let lead = operands.iter().fold(Lead::default(), |l, v| l.union(v.lead));
        let rank = operands.iter().map(|v| self.static_rank(v)).max().unwrap_or(0);
        (operands.iter().map(|v| self.place(v, lead, rank)).collect(), lead)
    }

    fn common_elem(&self, operands: &[Val]) -> Option<ElemType> {
        let first = operands.iter().find(|v| self.b.constant(v.id).is_none()).or(operands.first())?;
        Some(self.b.elem(first.id))
    }

    /// `v` with axes of size 1 for those of `lead` and `rank` that it lacks, as far as broadcasting needs them.
    pub(crate) fn place(&mut self, v: &Val, lead: Lead, rank: usize) -> ValueId {
        if v.lead.rank() == 0 {
            return v.id;
        }
        let own = self.static_rank(v);
        let mut axes = Vec::new();
        if lead.batch.is_some() && v.lead.batch.is_none() {
            axes.push(0);
        }
        if lead.sequence.is_some() && v.lead.sequence.is_none() {
            axes.push(lead.per_sample().rank());
        }
        axes.extend((0..rank.saturating_sub(own)).map(|i| lead.rank() + i));
        self.b.unsqueeze(v.id, &axes)
    }

    /// The value with exactly one dimension before the static ones: batch and sequence merged, or 1 if it has neither.
    pub(crate) fn as_batch(&mut self, v: &Val) -> Measured<ValueId> {
        match v.lead.rank() {
            1 => Ok(v.id),
            0 => Ok(self.b.unsqueeze(v.id, &[0])),
            n => {
                let dims = self.b.dims(v.id).clone();
                let mut to = Dims::new();
                to.push(self.b.product(&dims[..n]));
                to.extend(dims[n..].iter().copied());
                self.b.reshape(v.id, &to)
            }
        }
    }

    /// Undoes [`Self::as_batch`] for `id`, which has one dimension before its static ones.
    pub(crate) fn unbatch(&mut self, id: ValueId, lead: Lead) -> Measured<Val> {
        let id = match lead.rank() {
            1 => id,
            0 => self.b.squeeze(id, &[0]),
            _ => {
                let mut to = self.lead_dims(lead);
                to.extend(self.b.dims(id)[1..].iter().copied());
                self.b.reshape(id, &to)?
            }
        };
        Ok(Val { id, lead })
    }

    /// Broadcasts `v` to all dimensions of `lead` and the static `dims`.
    pub(crate) fn broadcast_to(&mut self, v: &Val, lead: Lead, dims: &[Dim]) -> Measured<Val> {
        let id = self.place(v, lead, dims.len());
        let mut to = self.lead_dims(lead);
        to.extend(dims.iter().copied());
        Ok(Val { id: self.b.expand(id, &to)?, lead })
    }

    /// Flattens the static axes into one; dynamic axes stay.
    pub(crate) fn flatten_static(&mut self, v: &Val) -> Measured<ValueId> {
        let n = v.lead.rank();
        let dims = self.b.dims(v.id).clone();
        if dims.len() == n + 1 {
            return Ok(v.id);
        }
        let mut to: Dims = dims[..n].into();
        to.push(self.b.product(&dims[n..]));
        self.b.reshape(v.id, &to)
    }

    /// Reshapes the static dimensions of `id` to `dims`; its dynamic dimensions are those of `lead`.
    pub(crate) fn with_static(&mut self, id: ValueId, lead: Lead, dims: &[Dim]) -> Measured<Val> {
        let mut to: Dims = self.b.dims(id)[..lead.rank()].into();
        to.extend(dims.iter().copied());
        Ok(Val { id: self.b.reshape(id, &to)?, lead })
    }

    /// A result that may lack axes of size 1 which its type has. It keeps its own dimensions if it has all of them,
    /// because those of the type may be sizes that only this result gives.
    pub(crate) fn with_rank(&mut self, v: Val, ty: &ValueType) -> Lowered {
        if self.static_rank(&v) == ty.shape.len() {
            return Ok(smallvec![v]);
        }
        let dims = self.static_dims(ty);
        Ok(smallvec![self.with_static(v.id, v.lead, &dims)?])
    }

    /// The elements of a small constant, row-major.
    pub(crate) fn literal(&mut self, source: Source) -> Option<Vec<f64>> {
        let v = self.value(source).ok()??;
        self.b.literal(v.id).map(<[f64]>::to_vec)
    }
}

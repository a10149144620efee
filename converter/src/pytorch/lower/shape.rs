//! Alignment of operands, and reshapes in the shortest form that PyTorch has.

use super::{Lower, Val};
use crate::layout::Lead;
use crate::pytorch::python::expr::{Expr, Subscript, ValueId, args, of, shape};
use crate::report::Reason;
use cntk_parser::model::{Dim, Dims, Source};

/// The product of known sizes.
pub(crate) fn product(dims: &[Dim]) -> Option<u64> {
    dims.iter().try_fold(1u64, |n, d| n.checked_mul(d.known()?))
}

/// The shape that two shapes broadcast to.
pub(crate) fn broadcast(a: &[Dim], b: &[Dim]) -> Dims {
    let rank = a.len().max(b.len());
    let at = |d: &[Dim], i: usize| (i + d.len()).checked_sub(rank).map_or(Dim::Known(1), |i| d[i]);
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (Dim::Known(1), d) | (d, Dim::Known(1)) => d,
            (Dim::Known(n), _) | (_, Dim::Known(n)) => Dim::Known(n),
            (free, _) => free,
        })
        .collect()
}

impl Lower<'_, '_, '_> {
    /// Inserts axes of size 1. `axes` are their indices in the result.
    pub(crate) fn unsqueeze(&mut self, id: ValueId, axes: &[usize], rank: usize) -> ValueId {
        let Some(last) = axes.iter().max() else { return id };
        if *last >= rank + axes.len() {
            return id;
        }
        let entry = |i| if axes.contains(&i) { Subscript::New } else { Subscript::ALL };
        self.compute(of(id).index((0..=*last).map(entry).collect()))
    }

    /// Brings operands into one element type and, as far as broadcasting needs it, one shape.
    pub(crate) fn align(&mut self, operands: &[Val], sources: &[Source]) -> (Vec<ValueId>, Val) {
        let unified = self.unify(operands, sources);
        self.place_all(&unified)
    }

    /// [`Self::align`] without the element types. The second result has the shape of an operation on the operands.
    pub(crate) fn place_all(&mut self, operands: &[Val]) -> (Vec<ValueId>, Val) {
        let lead = operands.iter().fold(Lead::default(), |l, v| l.union(v.lead));
        let shown = || operands.iter().filter(|v| v.literal.is_none());
        let rank = shown().map(Val::rank).max().unwrap_or(0);
        let dims = shown().fold(Dims::new(), |d, v| broadcast(&d, &v.dims));
        let ids: Vec<ValueId> = operands.iter().map(|v| self.place(v, lead, rank)).collect();
        let elem = operands.first().map_or(super::Elem::Float, |v| v.elem);
        let first = ids.first().copied().unwrap_or(ValueId(0));
        (ids, Val { id: first, lead, dims, elem, literal: None })
    }

    /// `v` with axes of size 1 for those of `lead` and `rank` that it lacks.
    pub(crate) fn place(&mut self, v: &Val, lead: Lead, rank: usize) -> ValueId {
        if v.lead.rank() == 0 || v.literal.is_some() {
            return v.id;
        }
        let mut axes = Vec::new();
        if lead.batch.is_some() && v.lead.batch.is_none() {
            axes.push(0);
        }
        if lead.sequence.is_some() && v.lead.sequence.is_none() {
            axes.push(lead.per_sample().rank());
        }
        axes.extend((0..rank.saturating_sub(v.rank())).map(|i| lead.rank() + i));
        self.unsqueeze(v.id, &axes, v.lead.rank() + v.rank())
    }

    /// Reshapes the static axes of a value, keeping the order of elements.
    pub(crate) fn reshape(&mut self, v: &Val, dims: &[Dim]) -> Result<Val, Reason> {
        let v = &self.tensor(v);
        if v.dims.as_slice() == dims {
            return Ok(v.clone());
        }
        let origin = self.views.get(&v.id).filter(|o| o.lead == v.lead).cloned();
        let made = match &origin {
            Some(origin) if origin.dims.as_slice() == dims => return Ok(Val { elem: v.elem, ..origin.clone() }),
            // The intermediate shape may be needed for sizes that are only known at run time.
            Some(origin) if dims.iter().all(|d| d.known().is_some()) => self.reshaped(origin, dims)?,
            _ => self.reshaped(v, dims)?,
        };
        self.views.insert(made.id, origin.unwrap_or_else(|| v.clone()));
        Ok(Val { elem: v.elem, ..made })
    }

    fn reshaped(&mut self, v: &Val, dims: &[Dim]) -> Result<Val, Reason> {
        let result = |id| Val { dims: dims.into(), ..v.with(id) };
        let lead = v.lead.rank();
        if let Some(kept) = self.kept.get(&v.id)
            && v.dims.iter().enumerate().filter(|(i, _)| !kept.axes.contains(i)).map(|(_, d)| d).eq(dims)
        {
            let without = kept.without.clone();
            return Ok(result(self.compute(without)));
        }
        if let Some((i, j)) = merged(&v.dims, dims) {
            let id = if i == j {
                self.unsqueeze(v.id, &[lead + i], lead + v.rank())
            } else if j == v.rank() {
                self.compute(of(v.id).method("flatten", args![lead + i]))
            } else {
                self.compute(of(v.id).method("flatten", args![lead + i, lead + j - 1]))
            };
            return Ok(result(id));
        }
        if let Some(axes) = inserted(&v.dims, dims) {
            let axes: Vec<usize> = axes.iter().map(|a| a + lead).collect();
            return Ok(result(self.unsqueeze(v.id, &axes, lead + v.rank())));
        }
        if let Some([axis]) = inserted(dims, &v.dims).as_deref() {
            return Ok(result(self.compute(of(v.id).method("squeeze", args![lead + axis]))));
        }
        let unknown = dims.iter().filter(|d| d.known().is_none()).count();
        let mut inferred = false;
        let mut sizes: Vec<Expr> = Vec::new();
        for i in 0..lead {
            if unknown == 0 && i == lead - 1 && !inferred {
                inferred = true;
                sizes.push(Expr::Int(-1));
            } else {
                sizes.push(of(v.id).size(i));
            }
        }
        for d in dims {
            sizes.push(match d {
                Dim::Known(n) => (*n).into(),
                Dim::Free(_) => match v.dims.iter().position(|x| x == d) {
                    Some(i) => of(v.id).size(lead + i),
                    None if !inferred => {
                        inferred = true;
                        Expr::Int(-1)
                    }
                    None => self.size(*d)?,
                },
            });
        }
        Ok(result(self.compute(of(v.id).method("reshape", shape(sizes)))))
    }

    /// Flattens the static axes into one.
    pub(crate) fn flatten(&mut self, v: &Val) -> Result<Val, Reason> {
        let n = match product(&v.dims) {
            Some(n) => Dim::Known(n),
            None if v.rank() == 1 => return Ok(v.clone()),
            None => {
                let v = self.tensor(v);
                let id = self.compute(of(v.id).method("flatten", args![v.lead.rank()]));
                return Ok(Val { dims: [self.fresh()].as_slice().into(), ..v.with(id) });
            }
        };
        self.reshape(v, &[n])
    }

    /// The static axes `from` up to `to` in one, which is new and of size 1 where there are none.
    pub(crate) fn in_one(&mut self, v: &Val, from: usize, to: usize) -> Result<Val, Reason> {
        if to == from + 1 {
            return Ok(v.clone());
        }
        let with =
            |n| -> Dims { v.dims[..from].iter().copied().chain([n]).chain(v.dims[to..].iter().copied()).collect() };
        if let Some(n) = product(&v.dims[from..to]) {
            return self.reshape(v, &with(Dim::Known(n)));
        }
        let (v, lead) = (self.tensor(v), v.lead.rank());
        let dims = with(self.fresh());
        let id = self.compute(of(v.id).method("flatten", args![lead + from, lead + to - 1]));
        Ok(Val { dims, ..v.with(id) })
    }

    /// A new free size, known at run time.
    pub(crate) fn fresh(&mut self) -> Dim {
        Dim::Free(0x4000_0000 + self.body.values.len() as u32)
    }

    /// The value with exactly one dimension before the static ones: batch and sequence merged, or 1 if it has neither.
    pub(crate) fn as_batch(&mut self, v: &Val) -> ValueId {
        let v = self.tensor(v);
        match v.lead.rank() {
            1 => v.id,
            0 => self.compute(of(v.id).index(vec![Subscript::New])),
            _ => self.compute(of(v.id).method("flatten", args![0, 1])),
        }
    }

    /// Undoes [`Self::as_batch`] for `id`, which was computed from `like` and has the static shape `dims`.
    pub(crate) fn spread_batch(&mut self, id: ValueId, like: &Val, dims: Dims) -> Val {
        let made = match like.lead.rank() {
            1 => id,
            0 => self.compute(of(id).method("squeeze", args![0])),
            _ => {
                let leading = Subscript::Range(None, Some(2.into()), None);
                let others = Subscript::Range(Some(1.into()), None, None);
                let shape = |id, range| Expr::Value(id).attribute("shape").index(vec![range]);
                let sizes = shape(like.id, leading) + shape(id, others);
                self.compute(of(id).method("reshape", args![sizes]))
            }
        };
        Val { dims, ..like.with(made) }
    }

    /// Broadcasts `v` to all dimensions of `lead` and the static `dims`.
    pub(crate) fn expand(&mut self, v: &Val, lead: Lead, dims: &[Dim]) -> Result<Val, Reason> {
        let v = self.tensor(v);
        let placed = self.place(&v, lead, dims.len());
        let same = Expr::Int(-1);
        let mut sizes = Vec::new();
        if let Some(batch) = lead.batch {
            sizes.push(if v.lead.batch.is_some() { same.clone() } else { self.batch(batch)? });
        }
        if let Some(axis) = lead.sequence {
            sizes.push(if v.lead.sequence.is_some() { same.clone() } else { of(self.timed(axis)?).size(1) });
        }
        let missing = dims.len().saturating_sub(v.rank());
        for (i, d) in dims.iter().enumerate() {
            let own = i.checked_sub(missing).map(|i| v.dims[i]);
            // Two free sizes that broadcast are taken for equal.
            if own == Some(*d) || own.is_some_and(|o| o.known().is_none() && d.known().is_none()) {
                sizes.push(same.clone());
            } else {
                sizes.push(self.size(*d)?);
            }
        }
        // `expand` cannot keep the size (-1) of a new axis.
        if v.lead.rank() == 0 && lead.rank() == 0 && missing == 0 && sizes.iter().all(|s| *s == same) {
            return Ok(v);
        }
        if sizes.iter().all(|s| *s == same) {
            return Ok(Val { lead, dims: dims.into(), ..v.with(placed) });
        }
        let id = self.compute(of(placed).method("expand", sizes.into_iter().map(Into::into).collect()));
        Ok(Val { lead, dims: dims.into(), ..v.with(id) })
    }
}

/// The range of axes of `from` that are merged in `to`, if that is the only difference.
fn merged(from: &[Dim], to: &[Dim]) -> Option<(usize, usize)> {
    let same = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    // Of all possible ranges, take the last one.
    for i in (0..to.len().min(same + 1)).rev() {
        let tail = to.len() - i - 1;
        if from.len() < i + tail {
            continue;
        }
        let j = from.len() - tail;
        if from[..i] != to[..i] || from[j..] != to[i + 1..] {
            continue;
        }
        let n = product(&from[i..j])?;
        if to[i] == Dim::Known(n) && (j - i > 1 || j == i) {
            return Some((i, j));
        }
    }
    None
}

/// The axes of size 1 that `to` has and `from` lacks, if that is the only difference.
fn inserted(from: &[Dim], to: &[Dim]) -> Option<Vec<usize>> {
    let mut axes = Vec::new();
    let mut rest = from.iter().peekable();
    for (i, d) in to.iter().enumerate() {
        if rest.peek() == Some(&d) && from.len() - rest.len() + (to.len() - i) > from.len() - 1 {
            rest.next();
        } else if *d == Dim::Known(1) {
            axes.push(i);
        } else if rest.next() != Some(d) {
            return None;
        }
    }
    (rest.next().is_none() && !axes.is_empty()).then_some(axes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dims(sizes: &[u64]) -> Vec<Dim> {
        sizes.iter().map(|n| Dim::Known(*n)).collect()
    }

    #[test]
    fn shortest_reshapes() {
        assert_eq!(merged(&dims(&[2, 3, 4]), &dims(&[24])), Some((0, 3)));
        assert_eq!(merged(&dims(&[2, 3, 4]), &dims(&[2, 12])), Some((1, 3)));
        assert_eq!(merged(&dims(&[2, 3, 4]), &dims(&[6, 4])), Some((0, 2)));
        assert_eq!(merged(&dims(&[2, 3]), &dims(&[3, 2])), None);
        assert_eq!(inserted(&dims(&[3, 4]), &dims(&[3, 1, 4])), Some(vec![1]));
        assert_eq!(inserted(&dims(&[]), &dims(&[1, 1])), Some(vec![0, 1]));
        assert_eq!(inserted(&dims(&[3]), &dims(&[4])), None);
    }
}

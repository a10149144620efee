//! Matrix products, reductions, and other tensor operators with shape rules of their own.

use super::super::graph::{Attribute, Dim, Dims, ElemType, ValueId};
use super::Builder;
use super::Measured;

impl Builder {
    /// MatMul, with NumPy's broadcasting of the leading dimensions.
    pub(crate) fn matmul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        let (da, db) = (self.dims(a).clone(), self.dims(b).clone());
        let lead = self.broadcast(&da[..da.len().saturating_sub(2)], &db[..db.len().saturating_sub(2)]);
        let mut dims = lead;
        if da.len() >= 2 {
            dims.push(da[da.len() - 2]);
        }
        if db.len() >= 2 {
            dims.push(db[db.len() - 1]);
        }
        let elem = self.elem(a);
        self.emit("MatMul", &[a, b], vec![], elem, dims)
    }

    /// A Reduce* operator over `axes`, which become 1 if `keep` is set and are removed otherwise.
    pub(crate) fn reduce(&mut self, op: &'static str, x: ValueId, axes: &[usize], keep: bool) -> ValueId {
        let dims = reduced(self.dims(x), axes, keep);
        let elem = self.elem(x);
        let list: Vec<i64> = axes.iter().map(|a| *a as i64).collect();
        // ReduceSum takes its axes as an input since opset 13, the others since opset 18.
        if op == "ReduceSum" || self.opset() >= 18 {
            let axes = self.ints(&list);
            let attributes = if keep { vec![] } else { vec![("keepdims", Attribute::Int(0))] };
            self.emit(op, &[x, axes], attributes, elem, dims)
        } else {
            let mut attributes = vec![("axes", Attribute::Ints(list))];
            if !keep {
                attributes.push(("keepdims", Attribute::Int(0)));
            }
            self.emit(op, &[x], attributes, elem, dims)
        }
    }

    /// ArgMax or ArgMin over one axis: the int64 index of the first extreme element.
    pub(crate) fn arg_reduce(&mut self, op: &'static str, x: ValueId, axis: usize, keep: bool) -> ValueId {
        let dims = reduced(self.dims(x), &[axis], keep);
        let attributes = vec![("axis", Attribute::Int(axis as i64)), ("keepdims", Attribute::Int(i64::from(keep)))];
        self.emit(op, &[x], attributes, ElemType::Int64, dims)
    }

    /// Softmax, LogSoftmax or Hardmax over one axis.
    pub(crate) fn softmax(&mut self, op: &'static str, x: ValueId, axis: usize) -> ValueId {
        let (elem, dims) = (self.elem(x), self.dims(x).clone());
        let attributes = if axis + 1 == dims.len() { vec![] } else { vec![("axis", Attribute::Int(axis as i64))] };
        self.emit(op, &[x], attributes, elem, dims)
    }

    /// Concat along `axis`.
    pub(crate) fn concat(&mut self, parts: &[ValueId], axis: usize) -> ValueId {
        if let [one] = parts {
            return *one;
        }
        let mut dims = self.dims(parts[0]).clone();
        let sizes: Option<u64> = parts
            .iter()
            .map(|p| match self.dims(*p)[axis] {
                Dim::Known(n) => Some(n),
                Dim::Symbol(_) => None,
            })
            .sum();
        dims[axis] = match sizes {
            Some(n) => Dim::Known(n),
            None => self.fresh_dim(),
        };
        let elem = self.elem(parts[0]);
        self.emit("Concat", parts, vec![("axis", Attribute::Int(axis as i64))], elem, dims)
    }

    /// Gather along `axis`: that dimension is replaced by the indices' shape.
    pub(crate) fn gather(&mut self, x: ValueId, indices: ValueId, axis: usize) -> ValueId {
        let (dx, di) = (self.dims(x).clone(), self.dims(indices).clone());
        let mut dims: Dims = dx[..axis].into();
        dims.extend(di);
        dims.extend(dx[axis + 1..].iter().copied());
        let elem = self.elem(x);
        let attributes = if axis == 0 { vec![] } else { vec![("axis", Attribute::Int(axis as i64))] };
        self.emit("Gather", &[x, indices], attributes, elem, dims)
    }

    /// Clamps int64 indices to `0..rows`. Does not use Clip, because importers compute it in float.
    pub(crate) fn clamp_index(&mut self, index: ValueId, rows: u64) -> ValueId {
        let (first, last) = (self.scalar(ElemType::Int64, 0.0), self.scalar(ElemType::Int64, rows as f64 - 1.0));
        let index = self.binary("Min", index, last);
        self.binary("Max", index, first)
    }

    /// GatherElements along `axis`; the result has the indices' shape.
    pub(crate) fn gather_elements(&mut self, x: ValueId, indices: ValueId, axis: usize) -> ValueId {
        let (elem, dims) = (self.elem(x), self.dims(indices).clone());
        self.emit("GatherElements", &[x, indices], vec![("axis", Attribute::Int(axis as i64))], elem, dims)
    }

    /// Selects rows of a table per sample: `x` is [batch, n, …], `indices` int64 [batch] or [batch, m]. Each index of
    /// the GatherND contains the sample, since importers do not support `batch_dims`.
    pub(crate) fn gather_rows(&mut self, x: ValueId, indices: ValueId) -> Measured<ValueId> {
        let to = self.dims(indices).clone();
        let samples = self.range(to[0])?;
        let after: Vec<usize> = (1..to.len()).collect();
        let samples = self.unsqueeze(samples, &after);
        let samples = self.expand(samples, &to)?;
        let pairs = [samples, indices].map(|part| self.unsqueeze(part, &[to.len()]));
        let pairs = self.concat(&pairs, to.len());
        let mut dims = to;
        dims.extend(self.dims(x)[2..].iter().copied());
        let elem = self.elem(x);
        Ok(self.emit("GatherND", &[x, pairs], vec![], elem, dims))
    }

    /// The `k` smallest along `axis`, ascending; `k` is int64 [1], known at run time, and gives the dimension `size`.
    pub(crate) fn smallest(&mut self, x: ValueId, k: ValueId, size: Dim, axis: usize) -> ValueId {
        let mut dims = self.dims(x).clone();
        dims[axis] = size;
        let elem = self.elem(x);
        let attributes = vec![("axis", Attribute::Int(axis as i64)), ("largest", Attribute::Int(0))];
        let outputs = [(elem, dims.clone()), (ElemType::Int64, dims)];
        self.emit_all("TopK", smallvec::smallvec![Some(x), Some(k)], attributes, &outputs)[0]
    }

    /// The `k` largest along `axis`, descending: values and int64 indices.
    pub(crate) fn top_k(&mut self, x: ValueId, k: u64, axis: usize) -> (ValueId, ValueId) {
        let mut dims = self.dims(x).clone();
        dims[axis] = Dim::Known(k);
        let k = self.ints(&[k as i64]);
        let elem = self.elem(x);
        let attributes = vec![("axis", Attribute::Int(axis as i64))];
        let made = self.emit_all(
            "TopK",
            smallvec::smallvec![Some(x), Some(k)],
            attributes,
            &[(elem, dims.clone()), (ElemType::Int64, dims)],
        );
        (made[0], made[1])
    }

    /// CumSum along `axis`. The default direction is written explicitly because an importer assumes the other one.
    pub(crate) fn cum_sum(&mut self, x: ValueId, axis: usize) -> ValueId {
        let (elem, dims) = (self.elem(x), self.dims(x).clone());
        let axis = self.scalar(ElemType::Int64, axis as f64);
        self.emit("CumSum", &[x, axis], vec![("reverse", Attribute::Int(0))], elem, dims)
    }
}

fn reduced(dims: &[Dim], axes: &[usize], keep: bool) -> Dims {
    let mut out = Dims::new();
    for (i, d) in dims.iter().enumerate() {
        match (axes.contains(&i), keep) {
            (false, _) => out.push(*d),
            (true, true) => out.push(Dim::Known(1)),
            (true, false) => {}
        }
    }
    out
}

//! Operators that move data without computing on it, and run-time dimensions.

use super::super::graph::{Attribute, Dim, Dims, ElemType, ValueId, View};
use super::Builder;
use super::constants::Constant;
use super::{Measured, Unmeasured};
use crate::weights::row_major;
use smallvec::SmallVec;

impl Builder {
    /// The sizes of a value, if all its dimensions are known.
    pub(crate) fn sizes(&self, x: ValueId) -> Option<SmallVec<[u64; 4]>> {
        self.dims(x)
            .iter()
            .map(|d| match d {
                Dim::Known(n) => Some(*n),
                Dim::Symbol(_) => None,
            })
            .collect()
    }

    /// The run-time value of a dimension as int64 [1]. Fails if no value has the dimension yet.
    pub(crate) fn dim_value(&mut self, dim: Dim) -> Measured<ValueId> {
        let symbol = match dim {
            Dim::Known(n) => return Ok(self.ints(&[n as i64])),
            Dim::Symbol(s) => s,
        };
        if let Some(v) = self.read_dims.get(&symbol) {
            return Ok(*v);
        }
        let home = self.homes[symbol as usize].ok_or(Unmeasured)?;
        if !home.main {
            return Ok(self.dim_of(home.value, home.axis));
        }
        let read = self.in_main(|b| b.dim_of(home.value, home.axis));
        self.read_dims.insert(symbol, read);
        Ok(read)
    }

    /// Sets the run-time value of a symbolic dimension: an int64 [1] of the main graph.
    pub(crate) fn measure(&mut self, dim: Dim, value: ValueId) {
        if let Dim::Symbol(symbol) = dim {
            self.read_dims.insert(symbol, value);
        }
    }

    /// Is the size known, or can it be read from an existing value?
    pub(crate) fn is_measured(&self, dim: Dim) -> bool {
        match dim {
            Dim::Known(_) => true,
            Dim::Symbol(s) => self.read_dims.contains_key(&s) || self.homes[s as usize].is_some(),
        }
    }

    /// Dimension `axis` of `x`, read at run time: int64, shape [1].
    pub(crate) fn dim_of(&mut self, x: ValueId, axis: usize) -> ValueId {
        if self.opset() >= 15 {
            let attributes = vec![("end", Attribute::Int(axis as i64 + 1)), ("start", Attribute::Int(axis as i64))];
            return self.emit("Shape", &[x], attributes, ElemType::Int64, [Dim::Known(1)].as_slice());
        }
        let rank = Dim::Known(self.rank(x) as u64);
        let shape = self.emit("Shape", &[x], vec![], ElemType::Int64, [rank].as_slice());
        let index = self.ints(&[axis as i64]);
        self.gather(shape, index, 0)
    }

    /// A shape tensor for `dims`. Known sizes are literals, others are read at run time.
    pub(crate) fn shape_value(&mut self, dims: &[Dim]) -> Measured<ValueId> {
        self.shape_value_inferring(dims, None)
    }

    /// The shape tensor of a Reshape that infers the dimension at one index.
    fn shape_value_inferring(&mut self, dims: &[Dim], inferred: Option<usize>) -> Measured<ValueId> {
        let known: Option<Vec<i64>> =
            dims.iter().map(|d| if let Dim::Known(n) = d { Some(*n as i64) } else { None }).collect();
        if let Some(known) = known {
            return Ok(self.ints(&known));
        }
        let mut parts: Vec<ValueId> = Vec::new();
        let mut run: Vec<i64> = Vec::new();
        for (i, d) in dims.iter().enumerate() {
            match d {
                Dim::Known(n) => run.push(*n as i64),
                Dim::Symbol(_) if inferred == Some(i) => run.push(-1),
                Dim::Symbol(_) => {
                    if !run.is_empty() {
                        parts.push(self.ints(&run));
                        run.clear();
                    }
                    parts.push(self.dim_value(*d)?);
                }
            }
        }
        if !run.is_empty() {
            parts.push(self.ints(&run));
        }
        Ok(self.concat(&parts, 0))
    }

    /// Reshape to `to`. Dimensions that equal the input's at the same index are copied, one other unknown is inferred
    /// by ONNX, and further ones are read at run time. A weight becomes another view.
    pub(crate) fn reshape(&mut self, x: ValueId, to: &[Dim]) -> Measured<ValueId> {
        let from = self.dims(x).clone();
        if from.as_slice() == to {
            return Ok(x);
        }
        if let Some(folded) = self.fold_reshape(x, to) {
            return Ok(folded);
        }
        let mut spare = true;
        let mut entries: Option<Vec<i64>> = Some(Vec::with_capacity(to.len()));
        for (i, d) in to.iter().enumerate() {
            let entry = match d {
                Dim::Known(0) => None,
                Dim::Known(n) => Some(*n as i64),
                Dim::Symbol(_) if from.get(i) == Some(d) => Some(0),
                Dim::Symbol(_) if spare => {
                    spare = false;
                    Some(-1)
                }
                Dim::Symbol(_) => None,
            };
            entries = match (entries, entry) {
                (Some(mut list), Some(e)) => {
                    list.push(e);
                    Some(list)
                }
                _ => None,
            };
        }
        let shape = match entries {
            Some(entries) => self.ints(&entries),
            // A size that no value has yet cannot be read, such as the batch times its steps.
            None => {
                let inferred = to.iter().position(|d| !self.is_measured(*d)).filter(|_| !to.contains(&Dim::Known(0)));
                self.shape_value_inferring(to, inferred)?
            }
        };
        let elem = self.elem(x);
        let shape_dims: Dims = to.into();
        Ok(self.emit("Reshape", &[x, shape], vec![], elem, shape_dims))
    }

    fn fold_reshape(&mut self, x: ValueId, to: &[Dim]) -> Option<ValueId> {
        let sizes: SmallVec<[u64; 4]> =
            to.iter().map(|d| if let Dim::Known(n) = d { Some(*n) } else { None }).collect::<Option<_>>()?;
        match self.constant(x)?.clone() {
            Constant::Literal(values) => {
                let elem = self.elem(x);
                Some(self.tensor(elem, &sizes, &values))
            }
            Constant::View(view) if view.is_contiguous() => {
                let elem = self.elem(x);
                Some(self.derive_view(x, elem, View { strides: row_major(&sizes), dims: sizes, ..view }))
            }
            Constant::View(_) => None,
        }
    }

    /// Inserts axes of size 1. `axes` are their indices in the **result**, ascending.
    pub(crate) fn unsqueeze(&mut self, x: ValueId, axes: &[usize]) -> ValueId {
        if axes.is_empty() {
            return x;
        }
        let mut to = self.dims(x).clone();
        for a in axes {
            to.insert(*a, Dim::Known(1));
        }
        if let Some(folded) = self.fold_reshape(x, &to) {
            return folded;
        }
        let list: Vec<i64> = axes.iter().map(|a| *a as i64).collect();
        let axes = self.ints(&list);
        let elem = self.elem(x);
        self.emit("Unsqueeze", &[x, axes], vec![], elem, to)
    }

    /// Removes axes of size 1. `axes` are their indices in the input, ascending.
    pub(crate) fn squeeze(&mut self, x: ValueId, axes: &[usize]) -> ValueId {
        if axes.is_empty() {
            return x;
        }
        let to: Dims = self.dims(x).iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, d)| *d).collect();
        if let Some(folded) = self.fold_reshape(x, &to) {
            return folded;
        }
        let list: Vec<i64> = axes.iter().map(|a| *a as i64).collect();
        let axes = self.ints(&list);
        let elem = self.elem(x);
        self.emit("Squeeze", &[x, axes], vec![], elem, to)
    }

    /// Output axis `i` is input axis `permutation[i]`. A weight becomes another view of its bytes.
    pub(crate) fn transpose(&mut self, x: ValueId, permutation: &[usize]) -> ValueId {
        if permutation.iter().enumerate().all(|(i, p)| i == *p) {
            return x;
        }
        let dims = self.dims(x).clone();
        let to: Dims = permutation.iter().map(|p| dims[*p]).collect();
        if let Some(view) = self.stored_view(x).cloned() {
            let elem = self.elem(x);
            let turned = View {
                dims: permutation.iter().map(|p| view.dims[*p]).collect(),
                strides: permutation.iter().map(|p| view.strides[*p]).collect(),
                ..view
            };
            return self.derive_view(x, elem, turned);
        }
        let elem = self.elem(x);
        let list = permutation.iter().map(|p| *p as i64).collect();
        self.emit("Transpose", &[x], vec![("perm", Attribute::Ints(list))], elem, to)
    }

    /// Broadcasts `x` to `to`.
    pub(crate) fn expand(&mut self, x: ValueId, to: &[Dim]) -> Measured<ValueId> {
        if self.dims(x).as_slice() == to {
            return Ok(x);
        }
        let shape = self.shape_value(to)?;
        let elem = self.elem(x);
        let to: Dims = to.into();
        Ok(self.emit("Expand", &[x, shape], vec![], elem, to))
    }

    /// Slice of one axis with literal bounds as in ONNX (`i64::MAX`: to the end); `size` is the resulting dimension.
    pub(crate) fn slice(&mut self, x: ValueId, axis: usize, start: i64, end: i64, step: i64, size: Dim) -> ValueId {
        self.slice_all(x, &[(axis, start, end, step, size)])
    }

    /// Slice of several axes: (axis, start, end, step, resulting dimension).
    pub(crate) fn slice_all(&mut self, x: ValueId, ranges: &[(usize, i64, i64, i64, Dim)]) -> ValueId {
        let mut dims = self.dims(x).clone();
        for (axis, _, _, _, size) in ranges {
            dims[*axis] = *size;
        }
        let elem = self.elem(x);
        let starts = self.ints(&ranges.iter().map(|r| r.1).collect::<Vec<_>>());
        let ends = self.ints(&ranges.iter().map(|r| r.2).collect::<Vec<_>>());
        let axes = self.ints(&ranges.iter().map(|r| r.0 as i64).collect::<Vec<_>>());
        let mut inputs = vec![x, starts, ends, axes];
        if ranges.iter().any(|r| r.3 != 1) {
            inputs.push(self.ints(&ranges.iter().map(|r| r.3).collect::<Vec<_>>()));
        }
        self.emit("Slice", &inputs, vec![], elem, dims)
    }

    /// Slice of one axis with bounds known at run time: int64 [1] each.
    pub(crate) fn slice_dynamic(
        &mut self,
        x: ValueId,
        axis: usize,
        start: ValueId,
        end: ValueId,
        size: Dim,
    ) -> ValueId {
        let mut dims = self.dims(x).clone();
        dims[axis] = size;
        let elem = self.elem(x);
        let axes = self.ints(&[axis as i64]);
        self.emit("Slice", &[x, start, end, axes], vec![], elem, dims)
    }

    /// Pad with literal, non-negative amounts per axis.
    pub(crate) fn pad(&mut self, x: ValueId, before: &[u64], after: &[u64], mode: &str, fill: f64) -> ValueId {
        if before.iter().chain(after).all(|n| *n == 0) {
            return x;
        }
        let dims: SmallVec<[Option<u64>; 4]> = self
            .dims(x)
            .iter()
            .zip(before.iter().zip(after))
            .map(|(d, (lo, hi))| if let Dim::Known(n) = d { Some(n + lo + hi) } else { None })
            .collect();
        let old = self.dims(x).clone();
        let dims: Dims = dims
            .iter()
            .enumerate()
            .map(|(i, n)| match n {
                Some(n) => Dim::Known(*n),
                None if before[i] + after[i] == 0 => old[i],
                None => self.fresh_dim(),
            })
            .collect();
        let amounts: Vec<i64> = before.iter().chain(after).map(|n| *n as i64).collect();
        let pads = self.ints(&amounts);
        self.pad_dynamic(x, pads, mode, fill, dims)
    }

    /// Pad with amounts known at run time: int64 [2 * rank], those before each axis, then those after.
    pub(crate) fn pad_dynamic(
        &mut self,
        x: ValueId,
        pads: ValueId,
        mode: &str,
        fill: f64,
        dims: impl Into<Dims>,
    ) -> ValueId {
        let elem = self.elem(x);
        let mut inputs = vec![x, pads];
        if mode == "constant" {
            if fill != 0.0 {
                inputs.push(self.scalar(elem, fill));
            }
            self.emit("Pad", &inputs, vec![], elem, dims)
        } else {
            self.emit("Pad", &inputs, vec![("mode", Attribute::String(mode.to_owned()))], elem, dims)
        }
    }

    /// The product of several dimensions: a size, or a symbol that equal products share.
    pub(crate) fn product(&mut self, dims: &[Dim]) -> Dim {
        let known: Option<u64> = dims.iter().map(|d| if let Dim::Known(n) = d { Some(*n) } else { None }).product();
        if let Some(n) = known {
            return Dim::Known(n);
        }
        let rest: SmallVec<[Dim; 4]> = dims.iter().copied().filter(|d| *d != Dim::Known(1)).collect();
        if let [one] = rest.as_slice() {
            return *one;
        }
        if let Some(s) = self.products.get(&rest) {
            return Dim::Symbol(*s);
        }
        let dim = self.fresh_dim();
        if let Dim::Symbol(s) = dim {
            self.products.insert(rest, s);
        }
        dim
    }

    /// A tensor filled with one value.
    pub(crate) fn filled(&mut self, elem: ElemType, dims: &[Dim], fill: f64) -> Measured<ValueId> {
        let v = self.scalar(elem, fill);
        self.expand(v, dims)
    }

    /// `0, 1, … n-1` as int64, shape `[n]`.
    pub(crate) fn range(&mut self, n: Dim) -> Measured<ValueId> {
        let count = self.dim_value(n)?;
        let count = self.squeeze(count, &[0]);
        let zero = self.scalar(ElemType::Int64, 0.0);
        let one = self.scalar(ElemType::Int64, 1.0);
        Ok(self.emit("Range", &[zero, count, one], vec![], ElemType::Int64, [n].as_slice()))
    }
}

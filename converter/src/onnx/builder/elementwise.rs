//! Element-wise operators with NumPy broadcasting.

use super::super::graph::{Attribute, Dim, Dims, ElemType, ValueId};
use super::Builder;

impl Builder {
    /// The shape that two shapes broadcast to. A symbol and a size other than 1 give the size.
    pub(crate) fn broadcast(&mut self, a: &[Dim], b: &[Dim]) -> Dims {
        let rank = a.len().max(b.len());
        let at = |d: &[Dim], i: usize| (i + d.len()).checked_sub(rank).map_or(Dim::Known(1), |i| d[i]);
        (0..rank)
            .map(|i| match (at(a, i), at(b, i)) {
                (Dim::Known(1), d) | (d, Dim::Known(1)) => d,
                (Dim::Known(n), _) | (_, Dim::Known(n)) => Dim::Known(n),
                (Dim::Symbol(x), Dim::Symbol(y)) if x == y => Dim::Symbol(x),
                // Either one of them is 1 or they are equal, which is only known at run time.
                (Dim::Symbol(_), Dim::Symbol(_)) => self.fresh_dim(),
            })
            .collect()
    }

    /// An operator of one tensor that keeps shape and type.
    pub(crate) fn unary(&mut self, op: &'static str, x: ValueId) -> ValueId {
        let compute: Option<fn(f64) -> f64> = match op {
            "Neg" => Some(|v| -v),
            "Abs" => Some(f64::abs),
            "Reciprocal" => Some(f64::recip),
            "Sqrt" => Some(f64::sqrt),
            "Exp" => Some(f64::exp),
            _ => None,
        };
        if let (Some(compute), Some(values), Some(sizes)) = (compute, self.literal(x), self.sizes(x)) {
            let values: Vec<f64> = values.iter().map(|v| compute(*v)).collect();
            let elem = self.elem(x);
            return self.tensor(elem, &sizes, &values);
        }
        self.unary_with(op, x, vec![])
    }

    /// [`Self::unary`] with attributes.
    pub(crate) fn unary_with(&mut self, op: &'static str, x: ValueId, attributes: super::Attributes) -> ValueId {
        let (elem, dims) = (self.elem(x), self.dims(x).clone());
        self.emit(op, &[x], attributes, elem, dims)
    }

    /// An operator of two tensors with broadcasting that keeps the type.
    pub(crate) fn binary(&mut self, op: &'static str, a: ValueId, b: ValueId) -> ValueId {
        if let Some(folded) = self.fold_binary(op, a, b) {
            return folded;
        }
        let dims = self.broadcast_of(&[a, b]);
        let elem = self.elem(a);
        self.emit(op, &[a, b], vec![], elem, dims)
    }

    /// Computes arithmetic on two literals of the same shape, or on a literal and a scalar.
    fn fold_binary(&mut self, op: &'static str, a: ValueId, b: ValueId) -> Option<ValueId> {
        let compute: fn(f64, f64) -> f64 = match op {
            "Add" => |a, b| a + b,
            "Sub" => |a, b| a - b,
            "Mul" => |a, b| a * b,
            _ => return None,
        };
        let (elem, x, y) = (self.elem(a), self.literal(a)?, self.literal(b)?);
        let (da, db) = (self.sizes(a)?, self.sizes(b)?);
        if !elem.is_float()
            || !(da == db || x.len() == 1 && da.len() <= db.len() || y.len() == 1 && db.len() <= da.len())
        {
            return None;
        }
        let n = x.len().max(y.len());
        let at = |v: &[f64], i: usize| v[if v.len() == 1 { 0 } else { i }];
        let values: Vec<f64> = (0..n).map(|i| compute(at(x, i), at(y, i))).collect();
        let sizes = if da.len() > db.len() || (da.len() == db.len() && x.len() >= y.len()) { da } else { db };
        Some(self.tensor(elem, &sizes, &values))
    }

    /// A comparison, with a bool result.
    pub(crate) fn compare(&mut self, op: &'static str, a: ValueId, b: ValueId) -> ValueId {
        let dims = self.broadcast_of(&[a, b]);
        self.emit(op, &[a, b], vec![], ElemType::Bool, dims)
    }

    fn broadcast_of(&mut self, values: &[ValueId]) -> Dims {
        let mut dims = Dims::new();
        for v in values {
            let d = self.dims(*v).clone();
            dims = self.broadcast(&dims, &d);
        }
        dims
    }

    pub(crate) fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary("Add", a, b)
    }

    pub(crate) fn sub(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary("Sub", a, b)
    }

    pub(crate) fn mul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary("Mul", a, b)
    }

    pub(crate) fn div(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary("Div", a, b)
    }

    /// `condition ? then : otherwise`, with broadcasting.
    pub(crate) fn choose(&mut self, condition: ValueId, then: ValueId, otherwise: ValueId) -> ValueId {
        let dims = self.broadcast_of(&[condition, then, otherwise]);
        let elem = self.elem(then);
        self.emit("Where", &[condition, then, otherwise], vec![], elem, dims)
    }

    /// A literal scalar of `x`'s type.
    pub(crate) fn scalar_like(&mut self, x: ValueId, v: f64) -> ValueId {
        let elem = self.elem(x);
        self.scalar(elem, v)
    }

    /// Cast, unless the type is right already. A weight is converted when it is written.
    pub(crate) fn cast(&mut self, x: ValueId, to: ElemType) -> ValueId {
        let from = self.elem(x);
        if from == to {
            return x;
        }
        if to.is_float() {
            if let Some(view) = self.stored_view(x).cloned() {
                return self.derive_view(x, to, view);
            }
            if let Some(values) = self.literal(x).map(<[f64]>::to_vec)
                && let Some(sizes) = self.sizes(x)
            {
                return self.tensor(to, &sizes, &values);
            }
        }
        let dims = self.dims(x).clone();
        let made = self.emit("Cast", &[x], vec![("to", Attribute::Int(to as i64))], to, dims);
        if from == ElemType::Bool {
            self.truths.insert(made, x);
        }
        made
    }

    /// A bool tensor of the elements that are not 0 (NaN included). If `x` was cast from a bool tensor, that one is
    /// used.
    pub(crate) fn truth(&mut self, x: ValueId) -> ValueId {
        match self.truths.get(&x) {
            Some(truth) => *truth,
            None => self.cast(x, ElemType::Bool),
        }
    }
}

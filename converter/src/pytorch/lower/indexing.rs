//! Lowers operators that select elements by index (spec 4.12): OneHot, Gather, TopK, EyeLike.

use super::shape::product;
use super::{Elem, Lower, Lowered, Node, Val};
use crate::pytorch::python::expr::{Argument, Binary, Expr, ValueId, args, keyword, of, torch};
use crate::report::Reason;
use cntk_parser::model::{Dim, Dims, Source, VariableId};
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::{OneHot, TopK};
use smallvec::smallvec;

/// A new axis of `numClass` at `onehotAxis`; an index out of range gives zeros.
pub(super) fn one_hot(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &OneHot<'_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let axis = a.axis.row(x.rank() + 1).ok_or_else(|| Reason::new("onehotAxis", "out of range"))?;
    // Compare, because F.one_hot accepts no index out of range. Anything below 0 has no class.
    let index = cx.compute(of(x.id).method("floor", args![]));
    let index = cx.unsqueeze(index, &[axis + x.lead.rank()], x.lead.rank() + x.rank());
    let after = x.rank() - axis;
    let mut classes = torch("arange", args![a.num_class, of(x.id).device()]);
    if after > 0 {
        let sizes = std::iter::once(-1).chain(std::iter::repeat_n(1, after));
        classes = classes.method("reshape", sizes.map(Argument::from).collect());
    }
    let truth = cx.compute(Expr::binary(Binary::Equal, index, classes));
    let id = cx.numeric(of(truth), &x);
    cx.truths.insert(id, truth);
    Ok(smallvec![Val { dims: node.types[0].shape.clone(), ..x.with(id) }])
}

impl Lower<'_, '_, '_> {
    /// Declares an argument of indices, and the one-hot rows that it stands for, if something needs them.
    pub(super) fn declare_ids(&mut self, variable: VariableId, id: ValueId, elem: Elem, classes: u64) {
        let source = Source::Variable(variable);
        let ty = self.graph.model.type_of(source);
        let lead = self.layout.lead(source, ty.axes);
        let outer = ty.shape.len().saturating_sub(1);
        let ids = Val { id, lead, dims: ty.shape[..outer].into(), elem, literal: None };
        self.remember(&ids);
        let index = self.compute(of(id).method("unsqueeze", args![-1]));
        let truth = self.compute(Expr::binary(Binary::Equal, index, torch("arange", args![classes, of(id).device()])));
        let rows = self.compute(of(truth).method(if elem.is_double() { "double" } else { "float" }, args![]));
        if !elem.is_double() {
            self.hot.push((rows, truth));
        }
        self.truths.insert(rows, truth);
        self.bind(source, Val { id: rows, dims: ty.shape.clone(), ..ids.clone() });
        self.ids.insert(variable, (ids, classes));
    }

    /// The indices of one-hot rows, if a value is an argument that is given as indices.
    pub(super) fn ids_of(&self, mut source: Source) -> Option<Val> {
        loop {
            match source {
                Source::Variable(v) => return self.ids.get(&v).map(|(ids, _)| ids.clone()),
                Source::Output(f, _) => match self.graph.model.operator(f) {
                    Operator::Pass | Operator::NoOp | Operator::StopGradient => source = self.graph.model.inputs(f)[0],
                    _ => return None,
                },
            }
        }
    }
}

/// `table[indices]` along the table's first axis.
pub(super) fn gather(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (indices, table) = (cx.tensor(&node.inputs[0]), cx.tensor(&node.inputs[1]));
    // Padding may hold anything; an index out of range is undefined in CNTK.
    let index = match (indices.lead.sequence.is_some(), table.dims.first().and_then(|d| d.known())) {
        (true, Some(rows)) => {
            let finite = of(indices.id).method("nan_to_num", args![]).method("long", args![]);
            cx.compute(finite.method("clamp", args![0, rows.max(1) - 1]))
        }
        _ => cx.compute(of(indices.id).method("long", args![])),
    };
    let out = node.types[0].shape.clone();
    if table.lead.rank() == 0 {
        let id = cx.compute(of(table.id).at(index));
        return Ok(smallvec![Val { lead: indices.lead, dims: out, ..table.with(id) }]);
    }
    // A table per sample: pick rows within each.
    let lead = indices.lead.union(table.lead);
    let axis = lead.rank();
    let n = product(&indices.dims).ok_or_else(|| Reason::new("", "the number of indices is only known at run time"))?;
    let Some((rows, row)) = table.dims.split_first() else {
        return Err(Reason::new("", "the table has no axis"));
    };
    let width = product(row).ok_or_else(|| Reason::new("", "rows of free size"))?;
    let index = cx.reshape(&indices.with(index), &[Dim::Known(n), Dim::Known(1)])?;
    let index = cx.expand(&index, lead, &[Dim::Known(n), Dim::Known(width)])?;
    let wide = [*rows, Dim::Known(width)];
    let table = cx.reshape(&table, &wide)?;
    let table = cx.expand(&table, lead, &wide)?;
    let id = cx.compute(of(table.id).method("gather", args![axis, index.id]));
    let picked = Val { lead, dims: [Dim::Known(n), Dim::Known(width)].as_slice().into(), ..table.with(id) };
    Ok(smallvec![cx.reshape(&picked, &out)?])
}

/// The k largest along the innermost axis, and their indices as numbers.
pub(super) fn top_k(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &TopK<'_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let axis = a.axis.row(x.rank()).ok_or_else(|| Reason::new("axis", "out of range"))? + x.lead.rank();
    let made = cx.body.unpack(2, of(x.id).method("topk", args![a.num_items, axis]));
    let dims: Dims = node.types[0].shape.clone();
    let indices = cx.numeric(of(made[1]), &x);
    Ok(smallvec![Val { dims: dims.clone(), ..x.with(made[0]) }, Val { dims, ..x.with(indices) }])
}

/// The identity pattern over (batch, n).
pub(super) fn eye_like(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    if x.lead.rank() + x.rank() != 2 {
        return Err(Reason::new("", "an identity pattern needs two axes"));
    }
    let v = || of(x.id);
    let sizes = args![v().size(0), v().size(1), keyword("dtype", v().attribute("dtype")), v().device()];
    let id = cx.compute(torch("eye", sizes));
    Ok(smallvec![x.with(id)])
}

//! Lowers operators that select elements by index (spec 4.12): OneHot, Gather, TopK, EyeLike.

use super::{Lowered, Lowering, Node, Val};
use crate::layout::Lead;
use crate::onnx::graph::{Dim, ElemType, ValueId};
use crate::report::Reason;
use cntk_parser::model::{Source, VariableId};
use cntk_parser::ops::attributes::{OneHot, TopK};
use smallvec::smallvec;

/// What an input of indices stands for: rows with a 1 each, zeros for an index that is out of range.
pub(super) fn rows_of(cx: &mut Lowering<'_, '_, '_>, variable: VariableId) -> Result<Val, Reason> {
    let (ids, classes) = cx.ids[&variable];
    let data = cx.graph.model.type_of(Source::Variable(variable)).data_type;
    let elem = super::elem_type(data).ok_or_else(|| Reason::new("data_type", "is not known"))?;
    let classes = cx.b.range_literal(classes)?;
    let id = cx.b.in_main(|b| {
        let index = b.unsqueeze(ids.id, &[b.rank(ids.id)]);
        let hit = b.compare("Equal", index, classes);
        b.cast(hit, elem)
    });
    Ok(Val { id, lead: ids.lead })
}

/// A new axis of `numClass` at `onehotAxis`; an index out of range gives zeros.
pub(super) fn one_hot(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &OneHot<'_>) -> Lowered {
    let x = node.inputs[0];
    let rank = cx.static_rank(&x) + 1;
    let axis = a.axis.row(rank).ok_or_else(|| Reason::new("onehotAxis", "out of range"))? + x.lead.rank();
    let elem = cx.b.elem(x.id);
    // Compare instead of using OneHot, in which negative indices count from the end and which importers lack.
    let index = class_index(cx, x.id);
    let index = cx.b.unsqueeze(index, &[axis]);
    let after = cx.b.rank(index) - axis - 1;
    let classes = cx.b.range_literal(a.num_class)?;
    let ones: Vec<usize> = (1..=after).collect();
    let classes = cx.b.unsqueeze(classes, &ones);
    let hit = cx.b.compare("Equal", index, classes);
    Ok(smallvec![Val { id: cx.b.cast(hit, elem), lead: x.lead }])
}

/// Class numbers as int64. They are rounded down, so that -0.5 does not become class 0.
pub(super) fn class_index(cx: &mut Lowering<'_, '_, '_>, x: ValueId) -> ValueId {
    let whole = cx.b.unary("Floor", x);
    cx.b.cast(whole, ElemType::Int64)
}

/// Rows of a table, zeros for an index that is out of range.
pub(super) fn look_up(cx: &mut Lowering<'_, '_, '_>, table: ValueId, index: ValueId, lead: Lead, classes: u64) -> Val {
    let within = cx.b.clamp_index(index, classes);
    let rows = cx.b.gather(table, within, 0);
    let valid = cx.b.compare("Equal", index, within);
    let ones: Vec<usize> = (cx.b.rank(valid)..cx.b.rank(rows)).collect();
    let valid = cx.b.unsqueeze(valid, &ones);
    let zero = cx.b.scalar(cx.b.elem(table), 0.0);
    Val { id: cx.b.choose(valid, rows, zero), lead }
}

/// `table[indices]` along the table's first axis.
pub(super) fn gather(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (indices, table) = (node.inputs[0], node.inputs[1]);
    let mut index = cx.b.cast(indices.id, ElemType::Int64);
    if cx.graph.model.type_of(node.sources[0]).axes.sequence.is_some()
        && let Dim::Known(rows) = cx.b.dims(table.id)[table.lead.rank()]
    {
        // Padding frames may hold anything, even NaN, so indices are clamped to the table.
        index = cx.b.clamp_index(index, rows);
    }
    if table.lead.rank() == 0 {
        let id = cx.b.gather(table.id, index, 0);
        return Ok(smallvec![Val { id, lead: indices.lead }]);
    }
    // A table per sample: select rows within each.
    let lead = indices.lead.union(table.lead);
    let (ti, ii) = (cx.tail(&table), cx.tail(&indices));
    let n = cx.b.product(&ii);
    let width = cx.b.product(&ti[1..]);
    let flat_index = cx.with_static(index, indices.lead, &[n, Dim::Known(1)])?;
    let flat_index = cx.broadcast_to(&flat_index, lead, &[n, width])?;
    let flat_table = cx.with_static(table.id, table.lead, &[ti[0], width])?;
    let flat_table = cx.broadcast_to(&flat_table, lead, &[ti[0], width])?;
    let id = cx.b.gather_elements(flat_table.id, flat_index.id, lead.rank());
    let mut out = ii;
    out.extend(ti[1..].iter().copied());
    Ok(smallvec![cx.with_static(id, lead, &out)?])
}

/// The k largest along the innermost axis, and their indices as numbers.
pub(super) fn top_k(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &TopK<'_>) -> Lowered {
    let x = node.inputs[0];
    let rank = cx.static_rank(&x);
    let axis = a.axis.row(rank).ok_or_else(|| Reason::new("axis", "out of range"))? + x.lead.rank();
    let (values, indices) = cx.b.top_k(x.id, a.num_items, axis);
    let elem = cx.b.elem(x.id);
    let indices = cx.b.cast(indices, elem);
    Ok(smallvec![cx.with(values, &x), cx.with(indices, &x)])
}

/// The identity pattern over (batch, n).
pub(super) fn eye_like(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0];
    if cx.b.rank(x.id) != 2 {
        return Err(Reason::new("", "an identity pattern needs two axes, the batch among them"));
    }
    let id = cx.b.unary("EyeLike", x.id);
    Ok(smallvec![cx.with(id, &x)])
}

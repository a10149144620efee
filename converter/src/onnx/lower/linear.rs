//! Lowers Times and TransposeTimes (spec 4.6).

use super::{Lowered, Lowering, Node, Val};
use crate::layout::Lead;
use crate::onnx::graph::{Dim, Dims, ValueId};
use crate::report::Reason;
use cntk_parser::model::Source;
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::{Times, TransposeTimes};
use smallvec::smallvec;

/// `y = tensordot(x, W)` over W's first axes: W is `(reduced..., output...)`, x is `(m..., reduced...)`.
pub(super) fn times(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Times) -> Lowered {
    if a.reduces_sequence() {
        return super::sequence::product::over_sequence(cx, node);
    }
    if let Some(rows) = embedding(cx, node, a)? {
        return Ok(smallvec![rows]);
    }
    let (w, x) = operands(cx, node);
    let wd = cx.tail(&w);
    let outputs = usize::try_from(a.output_rank).unwrap_or(usize::MAX);
    let reduced = wd
        .len()
        .checked_sub(outputs)
        .ok_or_else(|| Reason::new("outputRank", "larger than the rank of the left operand"))?;
    let k = cx.b.product(&wd[..reduced]);
    let o = cx.b.product(&wd[reduced..]);
    let w2 = cx.with_static(w.id, w.lead, &[k, o])?;
    if let Some(v) = super::sparse::product(cx, node.sources[1], &x, &w2) {
        return Ok(smallvec![cx.with_static(v.id, v.lead, &wd[reduced..])?]);
    }
    product(cx, &w2, &x, reduced, &wd[reduced..])
}

/// A product of a weight with the result of a OneHot, or with an input of indices, lowered as a look-up of rows, with zeros
/// for an index out of range.
fn embedding(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &Times) -> Result<Option<Val>, Reason> {
    let w = node.inputs[0];
    let one_axis = u64::try_from(cx.static_rank(&w)).ok() == a.output_rank.checked_add(1);
    if !one_axis || w.lead.rank() > 0 {
        return Ok(None);
    }
    let Some((index, lead, classes)) = indices(cx, node)? else { return Ok(None) };
    let table = cx.b.cast(w.id, cx.b.elem(node.inputs[1].id));
    Ok(Some(super::indexing::look_up(cx, table, index, lead, classes)))
}

/// The indices that the right operand is one-hot rows of, int64, and how many classes there are.
fn indices(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Result<Option<(ValueId, Lead, u64)>, Reason> {
    let model = cx.graph.model;
    let mut source = node.sources[1];
    loop {
        match source {
            Source::Variable(v) => return Ok(cx.ids.get(&v).map(|(ids, classes)| (ids.id, ids.lead, *classes))),
            Source::Output(f, _) => match model.operator(f) {
                Operator::Pass | Operator::NoOp | Operator::StopGradient => source = model.inputs(f)[0],
                Operator::OneHot(hot) => {
                    let rank = cx.static_rank(&node.inputs[1]);
                    if hot.axis.row(rank) != Some(rank - 1) {
                        return Ok(None);
                    }
                    let Some(v) = cx.value(model.inputs(f)[0])? else { return Ok(None) };
                    return Ok(Some((super::indexing::class_index(cx, v.id), v.lead, hot.num_class)));
                }
                _ => return Ok(None),
            },
        }
    }
}

/// `y = x · Wᵀ`: W is `(o, r)` or, of rank 1, a column `(r)`.
pub(super) fn transpose_times(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &TransposeTimes) -> Lowered {
    if let (2, 0, Some((index, lead, classes))) =
        (cx.static_rank(&node.inputs[0]), node.inputs[0].lead.rank(), indices(cx, node)?)
    {
        let turned = cx.b.transpose(node.inputs[0].id, &[1, 0]);
        let table = cx.b.cast(turned, cx.b.elem(node.inputs[1].id));
        return Ok(smallvec![super::indexing::look_up(cx, table, index, lead, classes)]);
    }
    let (w, x) = operands(cx, node);
    let wd = cx.tail(&w);
    let lead = w.lead.rank();
    let w2 = match wd.len() {
        1 => cx.with_static(w.id, w.lead, &[wd[0], Dim::Known(1)])?,
        2 => {
            let mut order: Vec<usize> = (0..lead).collect();
            order.extend([lead + 1, lead]);
            Val { id: cx.b.transpose(w.id, &order), lead: w.lead }
        }
        n => {
            return Err(Reason::new(
                "outputRank",
                format!("a left operand of rank {n} (outputRank {}) is not defined by CNTK", a.output_rank),
            ));
        }
    };
    let out: Dims = if wd.len() == 1 { [Dim::Known(1)].as_slice().into() } else { [wd[0]].as_slice().into() };
    product(cx, &w2, &x, 1, &out)
}

fn operands(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> (Val, Val) {
    // The element type is that of x unless only x is a constant.
    let unified = cx.unify(&[node.inputs[1], node.inputs[0]]);
    (unified[1], unified[0])
}

/// `x (lead, m..., reduced...) · w (lead, K, O)`, the result's static shape being `(m..., output...)`.
fn product(cx: &mut Lowering<'_, '_, '_>, w: &Val, x: &Val, reduced: usize, output: &[Dim]) -> Lowered {
    let xd = cx.tail(x);
    let kept =
        xd.len().checked_sub(reduced).ok_or_else(|| Reason::new("outputRank", "the right operand has too few axes"))?;
    let k = cx.b.dims(w.id)[w.lead.rank()];
    let mut shape: Dims = xd[..kept].into();
    shape.extend(output.iter().copied());
    let o = cx.b.product(output);
    let lead = x.lead.union(w.lead);
    if w.lead.rank() == 0 {
        // A plain matrix: all axes of x before the reduced ones become rows.
        let mut rows: Dims = xd[..kept].into();
        rows.push(k);
        let flat = cx.with_static(x.id, x.lead, &rows)?;
        let id = cx.b.matmul(flat.id, w.id);
        return Ok(smallvec![cx.with_static(id, lead, &shape)?]);
    }
    // A matrix per sample: (lead, M, K) · (lead, K, O).
    let m = cx.b.product(&xd[..kept]);
    let rows = cx.with_static(x.id, x.lead, &[m, k])?;
    let (a, b) = (pad_lead(cx, &rows, lead), pad_lead(cx, w, lead));
    let id = cx.b.matmul(a, b);
    debug_assert_eq!(cx.b.dims(id).last(), Some(&o));
    Ok(smallvec![cx.with_static(id, lead, &shape)?])
}

/// `v` with axes of size 1 for the dynamic axes that it lacks.
fn pad_lead(cx: &mut Lowering<'_, '_, '_>, v: &Val, lead: Lead) -> ValueId {
    if v.lead.rank() == 0 { v.id } else { cx.place(v, lead, cx.static_rank(v)) }
}

//! Lowers ReduceElements (spec 4.11) and the softmax family (4.5).

use super::{Kept, Lower, Lowered, Node, Val};
use crate::layout::Lead;
use crate::pytorch::python::expr::{Argument, Expr, ValueId, args, dimensions, functional, helper, keyword, of, shape};
use crate::report::Reason;
use crate::resolve::reduction::{self, Fold, Reduce};
use crate::resolve::softmax::{self, Along, Softmax};
use cntk_parser::model::{Dim, Dims, SequenceAxisId};
use cntk_parser::ops::attributes::ReduceElements;
use smallvec::smallvec;

pub(super) fn reduce(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &ReduceElements<'_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let operand = cx.graph.model.type_of(node.sources[0]);
    // The operand may lack dynamic axes of its type, over which it does not vary.
    let lead = if cx.lead(node.result()).rank() == 0 { Lead::default() } else { x.lead };
    let dims = node.types[0].shape.clone();
    let (id, shaped) = match Reduce::new(a, operand, x.lead, &node.types[0]).map_err(|why| Reason::new("axis", why))? {
        Reduce::Same => return Ok(smallvec![cx.reshape(&x, &dims)?]),
        Reduce::Fold { fold, dims, keep, padding } => {
            let x = filled(cx, &x, padding)?;
            // One of the kept axes of size 1 may be the batch's.
            (apply(cx, fold, &x, &dims, keep)?, lead == x.lead || !keep)
        }
        Reduce::Index { largest, along, padding } => {
            let x = filled(cx, &x, padding)?;
            let method = if largest { "argmax" } else { "argmin" };
            let index = match along {
                reduction::Along::Dim { dim, keep } => of(x.id).method(method, over(dim.into(), keep)),
                reduction::Along::All => of(x.id).method(method, args![]),
                reduction::Along::Batch => of(cx.as_batch(&x)).method(method, args![0]),
                reduction::Along::Sample => {
                    let row = cx.flatten(&x)?;
                    let row = if row.rank() == 0 { cx.reshape(&row, &[Dim::Known(1)])? } else { row };
                    let id = cx.numeric(of(row.id).method(method, args![lead.rank()]), &x);
                    let made = Val { lead, dims: Dims::new(), ..x.with(id) };
                    return Ok(smallvec![cx.reshape(&made, &dims)?]);
                }
            };
            (cx.numeric(index, &x), matches!(along, reduction::Along::Dim { .. }) || dims.is_empty())
        }
    };
    let id = if shaped { id } else { cx.compute(of(id).method("reshape", static_shape(&dims))) };
    Ok(smallvec![Val { lead, dims, ..x.with(id) }])
}

/// A value with its padding filled, if that is needed.
fn filled(cx: &mut Lower<'_, '_, '_>, x: &Val, padding: Option<f64>) -> Result<Val, Reason> {
    padding.map_or_else(|| Ok(x.clone()), |fill| cx.mask_fill(x, fill))
}

/// The arguments of a reduction.
fn over(along: Expr, keep: bool) -> Vec<Argument> {
    let mut all = args![along];
    all.extend(keep.then(|| keyword("keepdim", true)));
    all
}

/// One of the reductions over the given dimensions.
fn apply(cx: &mut Lower<'_, '_, '_>, fold: Fold, x: &Val, axes: &[usize], keep: bool) -> Result<ValueId, Reason> {
    let method = match fold {
        Fold::Mean { frames: None, half: false } => "mean",
        Fold::Sum | Fold::Mean { .. } => "sum",
        Fold::Max => "amax",
        Fold::Min => "amin",
        Fold::LogSum => "logsumexp",
        Fold::Prod => {
            // One axis at a time, from the last.
            return Ok(axes
                .iter()
                .rev()
                .fold(x.id, |id, a| cx.compute(of(id).method("prod", over((*a).into(), keep)))));
        }
    };
    let id = cx.compute(of(x.id).method(method, over(dimensions(axes), keep)));
    if let Fold::Mean { frames, half } = fold
        && method == "sum"
    {
        let sum = if half { helper("half_sum", args![id]) } else { of(id) };
        let count = count(cx, frames, x, axes)?;
        return Ok(cx.compute(sum / count));
    }
    let rank = x.lead.rank();
    if keep && axes.iter().all(|a| *a >= rank) {
        let without = of(x.id).method(method, args![dimensions(axes)]);
        cx.kept.insert(id, Kept { axes: axes.iter().map(|a| a - rank).collect(), without });
    }
    Ok(id)
}

/// The number of elements over these dimensions; of frames, only those within the sequences.
fn count(cx: &mut Lower<'_, '_, '_>, frames: Option<SequenceAxisId>, x: &Val, axes: &[usize]) -> Result<Expr, Reason> {
    let valid = match frames {
        Some(axis) => Some(of(cx.lengths(axis)?).method("sum", args![])),
        None => None,
    };
    let lead = x.lead.rank();
    let mut sizes = Vec::new();
    for a in axes.iter().skip(if valid.is_some() { lead } else { 0 }) {
        sizes.push(if *a < lead { of(x.id).size(*a) } else { cx.size(x.dims[*a - lead])? });
    }
    let all = valid.into_iter().chain(sizes.into_iter().filter(|n| *n != Expr::from(1)));
    Ok(all.reduce(|n, m| n * m).unwrap_or(Expr::from(1)))
}

/// A shape as arguments, with at most one unknown size.
fn static_shape(dims: &[Dim]) -> Vec<Argument> {
    shape(dims.iter().map(|d| d.known().map_or(Expr::Int(-1), Expr::from)).collect())
}

/// The primitives Softmax, LogSoftmax and Hardmax.
pub(super) fn softmax(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, softmax: Softmax) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let (rows, axis) = match softmax::along(x.rank(), x.lead, &node.types[0]) {
        Along::Number => (cx.reshape(&x, &[Dim::Known(1)])?, 0),
        Along::Last => (x.clone(), x.rank() - 1),
        Along::Sample => (cx.flatten(&x)?, 0),
    };
    let v = softmax_along(cx, softmax, &rows, axis);
    Ok(smallvec![cx.reshape(&v, &x.dims)?])
}

/// One of the softmax family along a static axis.
pub(super) fn softmax_along(cx: &mut Lower<'_, '_, '_>, softmax: Softmax, x: &Val, axis: usize) -> Val {
    let arguments = args![x.id, axis + x.lead.rank()];
    let id = cx.compute(match softmax {
        Softmax::Plain => functional("softmax", arguments),
        Softmax::Log => functional("log_softmax", arguments),
        Softmax::Hard => helper("hardmax", arguments),
    });
    x.with(id)
}

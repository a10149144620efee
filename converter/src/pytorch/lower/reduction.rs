//! Lowers ReduceElements (spec 4.11) and the softmax family (4.5).

use super::{Kept, Lower, Lowered, Node, Val};
use crate::layout::Lead;
use crate::pytorch::python::expr::{Argument, Expr, ValueId, args, dimensions, functional, helper, keyword, of, shape};
use crate::report::Reason;
use crate::resolve::reduction::{Along, Fold, Reduce};
use cntk_parser::model::{Dim, DynamicAxes, SequenceAxisId, Source};
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::{ReduceElements, Reduction};
use smallvec::smallvec;

pub(super) fn reduce(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &ReduceElements<'_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let (operand, lead) = (cx.graph.model.type_of(node.sources[0]), cx.lead(node.result()));
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
                Along::Dim { dim, keep } => of(x.id).method(method, over(dim.into(), keep)),
                Along::All => of(x.id).method(method, args![]),
                Along::Batch => of(cx.as_batch(&x)).method(method, args![0]),
                Along::Sample => {
                    let row = cx.flatten(&x)?;
                    let row = if row.rank() == 0 { cx.reshape(&row, &[Dim::Known(1)])? } else { row };
                    let id = cx.numeric(of(row.id).method(method, args![lead.rank()]), &x);
                    let made = Val { lead, dims: smallvec![], ..x.with(id) };
                    return Ok(smallvec![cx.reshape(&made, &dims)?]);
                }
            };
            (cx.numeric(index, &x), matches!(along, Along::Dim { .. }) || dims.is_empty())
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

/// The members of the softmax family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Softmax {
    Plain,
    Log,
    Hard,
}

impl Softmax {
    /// The function along one dimension.
    fn along(self, x: ValueId, axis: usize) -> Expr {
        match self {
            Self::Plain => functional("softmax", args![x, axis]),
            Self::Log => functional("log_softmax", args![x, axis]),
            Self::Hard => helper("hardmax", args![x, axis]),
        }
    }
}

/// The primitives Softmax, LogSoftmax and Hardmax, over all static axes together; along the last one only if the value
/// has no dynamic axes.
pub(super) fn softmax(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, function: Softmax) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let alone = x.rank() > 0 && x.lead == Lead::default() && node.types[0].axes == DynamicAxes::default();
    let flat = match x.rank() {
        0 => cx.reshape(&x, &[Dim::Known(1)])?,
        _ if alone => x.clone(),
        _ => cx.flatten(&x)?,
    };
    let axis = if alone { x.rank() - 1 } else { x.lead.rank() };
    let id = cx.compute(function.along(flat.id, axis));
    Ok(smallvec![cx.reshape(&flat.with(id), &x.dims)?])
}

/// `exp(x - logsum(x))` or, without `exp`, the logarithm of it: softmax along the axes of the sum. `f` is the outermost.
pub(super) fn softmax_of(cx: &mut Lower<'_, '_, '_>, minus: Source, function: Softmax) -> Option<Val> {
    let model = cx.graph.model;
    let Source::Output(f, 0) = minus else { return None };
    let [x, Source::Output(sum, 0)] = model.inputs(f) else { return None };
    let (Operator::Minus, Operator::ReduceElements(a)) = (model.operator(f), model.operator(*sum)) else { return None };
    if a.reduction != Reduction::LogSum || !a.keep_dimensions || model.inputs(*sum)[0] != *x {
        return None;
    }
    let [axis] = a.axes.as_slice() else { return None };
    let v = cx.value(*x).ok()??;
    let axis = axis.row(v.rank())? + v.lead.rank();
    if model.loop_of(f) != model.loop_of(*sum)
        || v.literal.is_some()
        || model.output_types(*sum)[0].shape.len() != v.rank()
    {
        return None;
    }
    let id = cx.compute(function.along(v.id, axis));
    Some(v.with(id))
}

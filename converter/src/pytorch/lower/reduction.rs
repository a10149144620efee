//! Lowers ReduceElements (spec 4.11) and the softmax family (4.5).

use super::{Kept, Lower, Lowered, Node, Val};
use crate::layout::Lead;
use crate::pytorch::python::expr::{Argument, Expr, ValueId, args, dimensions, functional, helper, keyword, of, shape};
use crate::report::Reason;
use crate::resolve::reduction::{Reduced, neutral};
use cntk_parser::model::{Dim, DynamicAxes, Source};
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::{ReduceElements, Reduction};
use smallvec::smallvec;

pub(super) fn reduce(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &ReduceElements<'_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let rank = x.rank();
    let over = Reduced::of(a, rank).map_err(|why| Reason::new("axis", why))?;
    // For AllStaticAxes and AllAxes, the static rank that CNTK infers for the result tells whether dimensions are kept.
    let keep = node.types[0].shape.len() == rank && (a.keep_dimensions || rank == 0);
    if matches!(a.reduction, Reduction::Argmax | Reduction::Argmin) {
        return arg_reduce(cx, node, &over, a.reduction, keep);
    }
    if over.batch {
        return over_batch(cx, node, &over, a.reduction, keep);
    }
    let axes: Vec<usize> = over.axes.iter().map(|a| a + x.lead.rank()).collect();
    let dims = &node.types[0].shape;
    if axes.is_empty() {
        return Ok(smallvec![cx.reshape(&x, dims)?]);
    }
    let id = apply(cx, a.reduction, &x, &axes, keep)?;
    Ok(smallvec![Val { dims: dims.clone(), ..x.with(id) }])
}

/// A reduction over the batch, that is over all valid frames of all sequences, and over the given static axes.
fn over_batch(
    cx: &mut Lower<'_, '_, '_>,
    node: &Node<'_, '_>,
    over: &Reduced,
    reduction: Reduction,
    keep: bool,
) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let lead = x.lead.rank();
    let dims = &node.types[0].shape;
    let axes: Vec<usize> = (0..lead).chain(over.axes.iter().map(|a| a + lead)).collect();
    if axes.is_empty() {
        return Ok(smallvec![x]);
    }
    let id = if let (Reduction::Mean, Some(axis)) = (reduction, x.lead.sequence) {
        // The mean is the sum over the valid frames, divided by their number.
        let zeroed = cx.mask_fill(&x, 0.0)?;
        let sum = apply(cx, Reduction::Sum, &zeroed, &axes, keep)?;
        let lengths = cx.lengths(axis)?;
        let mut count = of(lengths).method("sum", args![]);
        for a in over.axes.iter().filter(|a| x.dims[**a] != Dim::Known(1)) {
            count = count * cx.size(x.dims[*a])?;
        }
        cx.compute(of(sum) / count)
    } else {
        let masked = cx.mask_fill(&x, neutral(reduction))?;
        apply(cx, reduction, &masked, &axes, keep)?
    };
    // One of the kept axes of size 1 is the batch's; the result has CNTK's shape.
    let made = Val { lead: Lead::default(), dims: dims.clone(), ..x.with(id) };
    if keep && lead > 0 {
        let id = cx.compute(of(id).method("reshape", static_shape(dims)));
        return Ok(smallvec![made.with(id)]);
    }
    Ok(smallvec![made])
}

/// One of the reductions over the given dimensions.
fn apply(
    cx: &mut Lower<'_, '_, '_>,
    reduction: Reduction,
    x: &Val,
    axes: &[usize],
    keep: bool,
) -> Result<ValueId, Reason> {
    let over = |along: Expr| {
        let mut all = args![along];
        all.extend(keep.then(|| keyword("keepdim", true)));
        all
    };
    let method = match reduction {
        Reduction::Sum => "sum",
        Reduction::Mean => "mean",
        Reduction::Max => "amax",
        Reduction::Min => "amin",
        Reduction::LogSum => "logsumexp",
        Reduction::Prod => {
            // One axis at a time, from the last.
            let mut id = x.id;
            for a in axes.iter().rev() {
                id = cx.compute(of(id).method("prod", over((*a).into())));
            }
            return Ok(id);
        }
        Reduction::Argmax | Reduction::Argmin => return Err(Reason::new("reductionOpName", "needs one axis")),
    };
    let id = cx.compute(of(x.id).method(method, over(dimensions(axes))));
    let rank = x.lead.rank();
    if keep && axes.iter().all(|a| *a >= rank) {
        let without = of(x.id).method(method, args![dimensions(axes)]);
        cx.kept.insert(id, Kept { axes: axes.iter().map(|a| a - rank).collect(), without });
    }
    Ok(id)
}

/// The index of the first largest or smallest element, as a number of the operand's type.
fn arg_reduce(
    cx: &mut Lower<'_, '_, '_>,
    node: &Node<'_, '_>,
    over: &Reduced,
    reduction: Reduction,
    keep: bool,
) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let lead = x.lead.rank();
    let method = if reduction == Reduction::Argmax { "argmax" } else { "argmin" };
    let dims = node.types[0].shape.clone();
    let out_lead = cx.lead(node.result());
    let index = if over.batch {
        let masked = cx.mask_fill(&x, neutral(reduction))?;
        if over.flat {
            of(masked.id).method(method, args![])
        } else {
            let rows = cx.as_batch(&masked);
            of(rows).method(method, args![0])
        }
    } else if over.flat || over.axes.len() != 1 {
        let row = cx.flatten(&x)?;
        let row = if row.rank() == 0 { cx.reshape(&row, &[Dim::Known(1)])? } else { row };
        let id = cx.numeric(of(row.id).method(method, args![lead]), &x);
        let made = Val { lead: out_lead, dims: smallvec![], ..x.with(id) };
        return Ok(smallvec![cx.reshape(&made, &dims)?]);
    } else {
        let mut all = args![over.axes[0] + lead];
        all.extend(keep.then(|| keyword("keepdim", true)));
        of(x.id).method(method, all)
    };
    let id = cx.numeric(index, &x);
    let made = Val { lead: out_lead, dims: dims.clone(), ..x.with(id) };
    if over.batch && !dims.is_empty() {
        let id = cx.compute(of(id).method("reshape", static_shape(&dims)));
        return Ok(smallvec![made.with(id)]);
    }
    Ok(smallvec![made])
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

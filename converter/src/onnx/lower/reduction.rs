//! Lowers ReduceElements (spec 4.11) and the softmax family (4.5).

use super::{Lowered, Lowering, Node, Val};
use crate::layout::Lead;
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Dim, Dims, ElemType, ValueId};
use crate::report::Reason;
use crate::resolve::reduction::{Reduced, neutral};
use cntk_parser::model::DynamicAxes;
use cntk_parser::ops::attributes::{ReduceElements, Reduction};
use smallvec::smallvec;

pub(super) fn reduce(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &ReduceElements<'_>) -> Lowered {
    let x = node.inputs[0];
    let rank = cx.static_rank(&x);
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
    let id = if axes.is_empty() { x.id } else { apply(cx, a.reduction, x.id, &axes, keep)? };
    let dims = cx.static_dims(&node.types[0]);
    Ok(smallvec![cx.with_static(id, x.lead, &dims)?])
}

/// A reduction over the batch, that is over all valid frames of all sequences, and over the given static axes.
fn over_batch(
    cx: &mut Lowering<'_, '_, '_>,
    node: &Node<'_, '_>,
    over: &Reduced,
    reduction: Reduction,
    keep: bool,
) -> Lowered {
    let x = node.inputs[0];
    let lead = x.lead.rank();
    let dims = cx.static_dims(&node.types[0]);
    let axes: Vec<usize> = (0..lead).chain(over.axes.iter().map(|a| a + lead)).collect();
    if axes.is_empty() {
        return Ok(smallvec![x]);
    }
    let id = if let (Reduction::Mean, Some(axis)) = (reduction, x.lead.sequence)
        && cx.is_ragged(axis)
    {
        // The mean is the sum over the valid frames, divided by their number.
        let zeroed = cx.mask_fill(&x, 0.0)?;
        let sum = cx.b.reduce("ReduceSum", zeroed.id, &axes, keep);
        let lengths = cx.lengths(axis)?;
        let frames = cx.b.reduce("ReduceSum", lengths, &[0], false);
        let elem = cx.b.elem(x.id);
        let frames = cx.b.cast(frames, elem);
        let mut count = frames;
        for a in &over.axes {
            let n = cx.b.dims(x.id)[a + lead];
            let n = cx.b.dim_value(n)?;
            let n = cx.b.squeeze(n, &[0]);
            let n = cx.b.cast(n, elem);
            count = cx.b.mul(count, n);
        }
        cx.b.div(sum, count)
    } else {
        let masked = if x.lead.sequence.is_some() { cx.mask_fill(&x, neutral(reduction))?.id } else { x.id };
        apply(cx, reduction, masked, &axes, keep)?
    };
    let id = cx.b.reshape(id, &dims)?;
    Ok(smallvec![Val { id, lead: Lead::default() }])
}

/// One of the reductions over ONNX axes.
fn apply(
    cx: &mut Lowering<'_, '_, '_>,
    reduction: Reduction,
    x: ValueId,
    axes: &[usize],
    keep: bool,
) -> Result<ValueId, Reason> {
    if reduction == Reduction::Mean && cx.b.elem(x) == ElemType::Float16 {
        return Ok(mean_of_half(cx, x, axes, keep)?);
    }
    let op = match reduction {
        Reduction::Sum => "ReduceSum",
        Reduction::Mean => "ReduceMean",
        Reduction::Max => "ReduceMax",
        Reduction::Min => "ReduceMin",
        Reduction::Prod => "ReduceProd",
        Reduction::LogSum => "ReduceLogSumExp",
        Reduction::Argmax | Reduction::Argmin => return Err(Reason::new("reductionOpName", "needs one axis")),
    };
    Ok(cx.b.reduce(op, x, axes, keep))
}

/// The smallest magnitude that rounds to infinity in half precision.
const HALF_OVERFLOW: f64 = 65520.0;

/// CNTK's mean in half precision, in which the sum is a half before it is divided, and may overflow. The overflow is
/// computed in float, because runtimes that compute halves in float remove a Cast to half and back.
fn mean_of_half(cx: &mut Lowering<'_, '_, '_>, x: ValueId, axes: &[usize], keep: bool) -> Measured<ValueId> {
    let wide = cx.b.cast(x, ElemType::Float);
    let sum = cx.b.reduce("ReduceSum", wide, axes, keep);
    let size = cx.b.unary("Abs", sum);
    let limit = cx.b.scalar(ElemType::Float, HALF_OVERFLOW);
    let fits = cx.b.compare("Less", size, limit);
    let divisor = cx.b.cast(fits, ElemType::Float);
    // Divide by 1, or by 0 where the sum overflows.
    let sum = cx.b.div(sum, divisor);
    let mut count: Option<ValueId> = None;
    for a in axes {
        let n = cx.b.dims(x)[*a];
        let n = cx.b.dim_value(n)?;
        let n = cx.b.squeeze(n, &[0]);
        let n = cx.b.cast(n, ElemType::Float);
        count = Some(count.map_or(n, |c| cx.b.mul(c, n)));
    }
    let mean = count.map_or(sum, |c| cx.b.div(sum, c));
    Ok(cx.b.cast(mean, ElemType::Float16))
}

/// The index of the first largest or smallest element, as a number of the operand's type.
fn arg_reduce(
    cx: &mut Lowering<'_, '_, '_>,
    node: &Node<'_, '_>,
    over: &Reduced,
    reduction: Reduction,
    keep: bool,
) -> Lowered {
    let x = node.inputs[0];
    let lead = x.lead.rank();
    let elem = cx.b.elem(x.id);
    let op = if reduction == Reduction::Argmax { "ArgMax" } else { "ArgMin" };
    let dims = cx.static_dims(&node.types[0]);
    let out_lead = cx.lead(node.result());
    let index = if over.batch {
        let masked = if x.lead.sequence.is_some() { cx.mask_fill(&x, neutral(reduction))? } else { x };
        if over.flat {
            let all = cx.b.dims(masked.id).clone();
            let n = cx.b.product(&all);
            let row = cx.b.reshape(masked.id, &[n])?;
            cx.b.arg_reduce(op, row, 0, true)
        } else {
            let rows = cx.as_batch(&masked)?;
            cx.b.arg_reduce(op, rows, 0, true)
        }
    } else if over.flat || over.axes.len() != 1 {
        let row = cx.flatten_static(&x)?;
        cx.b.arg_reduce(op, row, lead, true)
    } else {
        cx.b.arg_reduce(op, x.id, over.axes[0] + lead, keep)
    };
    let number = cx.b.cast(index, elem);
    Ok(smallvec![cx.with_static(number, out_lead, &dims)?])
}

/// The primitives Softmax, LogSoftmax and Hardmax, over all static axes together. For a value without dynamic axes they
/// work along the last axis only, because CNTK takes the first for the rows of a matrix.
pub(super) fn softmax(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, op: &'static str) -> Lowered {
    let x = node.inputs[0];
    let tail: Dims = cx.tail(&x);
    if tail.is_empty() {
        let row = cx.with_static(x.id, x.lead, &[Dim::Known(1)])?;
        let id = cx.b.softmax(op, row.id, x.lead.rank());
        return Ok(smallvec![cx.with_static(id, x.lead, &[])?]);
    }
    if x.lead == Lead::default() && node.types[0].axes == DynamicAxes::default() {
        let id = cx.b.softmax(op, x.id, tail.len() - 1);
        return Ok(smallvec![cx.with(id, &x)]);
    }
    let flat = cx.flatten_static(&x)?;
    let id = cx.b.softmax(op, flat, x.lead.rank());
    Ok(smallvec![cx.with_static(id, x.lead, &tail)?])
}

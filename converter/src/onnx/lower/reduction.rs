//! Lowers ReduceElements (spec 4.11) and the softmax family (4.5).

use super::{Lowered, Lowering, Node, Val};
use crate::layout::Lead;
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Dim, Dims, ElemType, ValueId};
use crate::report::Reason;
use crate::resolve::reduction::{self, Fold, HALF_OVERFLOW, Reduce};
use crate::resolve::softmax::{self, Along, Softmax};
use cntk_parser::model::SequenceAxisId;
use cntk_parser::ops::attributes::ReduceElements;
use smallvec::smallvec;

pub(super) fn reduce(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &ReduceElements<'_>) -> Lowered {
    let x = node.inputs[0];
    let operand = cx.graph.model.type_of(node.sources[0]);
    let resolved = Reduce::new(a, operand, x.lead, &node.types[0]).map_err(|why| Reason::new("axis", why))?;
    let id = match resolved {
        Reduce::Same => x.id,
        Reduce::Fold { fold, dims, keep, padding } => {
            let x = filled(cx, &x, padding)?;
            apply(cx, fold, &x, &dims, keep)?
        }
        Reduce::Index { largest, along, padding } => {
            let x = filled(cx, &x, padding)?;
            let index = arg_reduce(cx, &x, if largest { "ArgMax" } else { "ArgMin" }, along)?;
            let elem = cx.b.elem(x.id);
            cx.b.cast(index, elem)
        }
    };
    // The operand may lack dynamic axes of its type, over which it does not vary.
    let lead = if cx.lead(node.result()).rank() == 0 { Lead::default() } else { x.lead };
    let dims = cx.static_dims(&node.types[0]);
    Ok(smallvec![cx.with_static(id, lead, &dims)?])
}

/// A value with its padding filled, if that is needed.
fn filled(cx: &mut Lowering<'_, '_, '_>, x: &Val, padding: Option<f64>) -> Measured<Val> {
    padding.map_or(Ok(*x), |fill| cx.mask_fill(x, fill))
}

/// One of the reductions over ONNX axes.
fn apply(cx: &mut Lowering<'_, '_, '_>, fold: Fold, x: &Val, axes: &[usize], keep: bool) -> Measured<ValueId> {
    let op = match fold {
        Fold::Sum => "ReduceSum",
        Fold::Mean { frames: Some(axis), .. } if cx.is_ragged(axis) => return mean_of_frames(cx, axis, x, axes, keep),
        Fold::Mean { half: true, .. } => return mean_of_half(cx, x.id, axes, keep),
        Fold::Mean { .. } => "ReduceMean",
        Fold::Max => "ReduceMax",
        Fold::Min => "ReduceMin",
        Fold::Prod => "ReduceProd",
        Fold::LogSum => "ReduceLogSumExp",
    };
    Ok(cx.b.reduce(op, x.id, axes, keep))
}

/// The sum, divided by the number of valid frames and the sizes of the reduced static axes.
fn mean_of_frames(
    cx: &mut Lowering<'_, '_, '_>,
    axis: SequenceAxisId,
    x: &Val,
    axes: &[usize],
    keep: bool,
) -> Measured<ValueId> {
    let sum = cx.b.reduce("ReduceSum", x.id, axes, keep);
    let lengths = cx.lengths(axis)?;
    let frames = cx.b.reduce("ReduceSum", lengths, &[0], false);
    let elem = cx.b.elem(x.id);
    let frames = cx.b.cast(frames, elem);
    let count = times_sizes(cx, Some(frames), x.id, &axes[x.lead.rank()..], elem)?;
    Ok(count.map_or(sum, |count| cx.b.div(sum, count)))
}

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
    let count = times_sizes(cx, None, x, axes, ElemType::Float)?;
    let mean = count.map_or(sum, |count| cx.b.div(sum, count));
    Ok(cx.b.cast(mean, ElemType::Float16))
}

/// `count` times the sizes of these dimensions of `x`.
fn times_sizes(
    cx: &mut Lowering<'_, '_, '_>,
    mut count: Option<ValueId>,
    x: ValueId,
    axes: &[usize],
    elem: ElemType,
) -> Measured<Option<ValueId>> {
    for a in axes {
        let n = cx.b.dims(x)[*a];
        let n = cx.b.dim_value(n)?;
        let n = cx.b.squeeze(n, &[0]);
        let n = cx.b.cast(n, elem);
        count = Some(count.map_or(n, |c| cx.b.mul(c, n)));
    }
    Ok(count)
}

fn arg_reduce(cx: &mut Lowering<'_, '_, '_>, x: &Val, op: &'static str, along: reduction::Along) -> Measured<ValueId> {
    let (row, axis, keep) = match along {
        reduction::Along::Dim { dim, keep } => (x.id, dim, keep),
        reduction::Along::Sample => (cx.flatten_static(x)?, x.lead.rank(), true),
        reduction::Along::Batch => (cx.as_batch(x)?, 0, true),
        reduction::Along::All => {
            let all = cx.b.dims(x.id).clone();
            let n = cx.b.product(&all);
            (cx.b.reshape(x.id, &[n])?, 0, true)
        }
    };
    Ok(cx.b.arg_reduce(op, row, axis, keep))
}

/// The primitives Softmax, LogSoftmax and Hardmax.
pub(super) fn softmax(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, softmax: Softmax) -> Lowered {
    let x = node.inputs[0];
    let tail: Dims = cx.tail(&x);
    let (rows, axis) = match softmax::along(tail.len(), x.lead, &node.types[0]) {
        Along::Number => (cx.with_static(x.id, x.lead, &[Dim::Known(1)])?.id, 0),
        Along::Last => (x.id, tail.len() - 1),
        Along::Sample => (cx.flatten_static(&x)?, 0),
    };
    let rows = softmax_along(cx, softmax, &cx.with(rows, &x), axis);
    Ok(smallvec![cx.with_static(rows.id, x.lead, &tail)?])
}

/// One of the softmax family along a static axis.
fn softmax_along(cx: &mut Lowering<'_, '_, '_>, softmax: Softmax, x: &Val, axis: usize) -> Val {
    let op = match softmax {
        Softmax::Plain => "Softmax",
        Softmax::Log => "LogSoftmax",
        Softmax::Hard => "Hardmax",
    };
    let id = cx.b.softmax(op, x.id, x.lead.rank() + axis);
    cx.with(id, x)
}

/// The softmax that a function completes.
pub(super) fn composed(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Option<Val> {
    let found = softmax::composed(cx.graph.model, node.id)?;
    let x = cx.value(found.x).ok()??;
    let same = cx.static_rank(&x) == node.types[0].shape.len();
    same.then(|| softmax_along(cx, found.softmax, &x, found.axis))
}

//! ReduceElements (spec 4.11) and the softmax family (4.5).

use super::shape::Holes;
use super::{Lower, Lowered, Node, Val};
use crate::layout::Lead;
use crate::layout::reduction::{Reduced, neutral};
use crate::pytorch::python::expr::{ValueId, number, tuple};
use crate::report::Reason;
use cntk_parser::model::{Dim, DynamicAxes, Source};
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::{ReduceElements, Reduction};
use smallvec::smallvec;

pub(super) fn reduce(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &ReduceElements<'_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let rank = x.rank();
    let over = Reduced::of(a, rank).map_err(|why| Reason::new("axis", why))?;
    // The result's static rank as CNTK infers it decides what "keep" means for AllStaticAxes and AllAxes.
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

/// A reduction over the batch: over every valid frame of every sequence, and the static axes named with it.
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
        // The mean of the valid frames: their sum by their number.
        let zeroed = cx.mask_fill(&x, "0.0")?;
        let sum = apply(cx, Reduction::Sum, &zeroed, &axes, keep)?;
        let lengths = cx.lengths(axis)?;
        let mut holes = Holes::default();
        let (sum, mut count) = (holes.of(sum), format!("{}.sum()", holes.of(lengths)));
        for a in &over.axes {
            let (text, id) = cx.size(x.dims[*a], 9)?;
            let text = match id {
                Some(id) => text.replace("$9", &holes.of(id)),
                None => text,
            };
            count = if text == "1" { count } else { format!("{count} * {text}") };
        }
        let count = if count.contains(" * ") { format!("({count})") } else { count };
        cx.py(&format!("{sum} / {count}"), &holes.0)
    } else {
        let masked = cx.mask_fill(&x, &number(neutral(reduction), false))?;
        apply(cx, reduction, &masked, &axes, keep)?
    };
    // Kept axes of size 1 stand for the batch too; the result has CNTK's shape.
    let made = Val { lead: Lead::default(), dims: dims.clone(), ..x.with(id) };
    if keep && lead > 0 {
        let sizes: Vec<String> = dims.iter().map(|d| d.known().map_or("-1".to_owned(), |n| n.to_string())).collect();
        let shape = if sizes.is_empty() { "()".to_owned() } else { sizes.join(", ") };
        let id = cx.py(&format!("$0.reshape({shape})"), &[id]);
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
    let list = if let [one] = axes { one.to_string() } else { tuple(axes) };
    let kept = if keep { ", keepdim=True" } else { "" };
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
                id = cx.py(&format!("$0.prod({a}{kept})"), &[id]);
            }
            return Ok(id);
        }
        Reduction::All | Reduction::Any => {
            let truth = cx.truth(x);
            let number = cx.py(&format!("$0.{}", x.elem.method()), &[truth]);
            let method = if reduction == Reduction::All { "amin" } else { "amax" };
            return Ok(cx.py(&format!("$0.{method}({list}{kept})"), &[number]));
        }
        Reduction::Argmax | Reduction::Argmin => return Err(Reason::new("reductionOpName", "needs one axis")),
    };
    let id = cx.py(&format!("$0.{method}({list}{kept})"), &[x.id]);
    let rank = x.lead.rank();
    if keep && axes.iter().all(|a| *a >= rank) {
        let axes = axes.iter().map(|a| a - rank).collect();
        cx.kept.insert(id, (x.id, axes, format!("$0.{method}({list})")));
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
    let out_lead = cx.lead(&node.types[0]);
    let cast = x.elem.method();
    let id = if over.batch {
        let masked = cx.mask_fill(&x, &number(neutral(reduction), false))?;
        if over.flat {
            cx.py(&format!("$0.{method}().{cast}"), &[masked.id])
        } else {
            let rows = cx.as_batch(&masked);
            cx.py(&format!("$0.{method}(0).{cast}"), &[rows])
        }
    } else if over.flat || over.axes.len() != 1 {
        let row = cx.flatten(&x)?;
        let row = if row.rank() == 0 { cx.reshape(&row, &[Dim::Known(1)])? } else { row };
        let id = cx.py(&format!("$0.{method}({lead}).{cast}"), &[row.id]);
        let made = Val { lead: out_lead, dims: smallvec![], ..x.with(id) };
        return Ok(smallvec![cx.reshape(&made, &dims)?]);
    } else {
        let kept = if keep { ", keepdim=True" } else { "" };
        cx.py(&format!("$0.{method}({}{kept}).{cast}", over.axes[0] + lead), &[x.id])
    };
    let made = Val { lead: out_lead, dims: dims.clone(), ..x.with(id) };
    if over.batch && !dims.is_empty() {
        let sizes: Vec<String> = dims.iter().map(|d| d.known().map_or("-1".to_owned(), |n| n.to_string())).collect();
        let id = cx.py(&format!("$0.reshape({})", sizes.join(", ")), &[id]);
        return Ok(smallvec![made.with(id)]);
    }
    Ok(smallvec![made])
}

/// Softmax, LogSoftmax, Hardmax as primitives: over all static axes together; of what has no dynamic axes, along the last.
pub(super) fn softmax(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, function: &str) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    let alone = x.rank() > 0 && x.lead == Lead::default() && node.types[0].axes == DynamicAxes::default();
    let flat = match x.rank() {
        0 => cx.reshape(&x, &[Dim::Known(1)])?,
        _ if alone => x.clone(),
        _ => cx.flatten(&x)?,
    };
    let axis = if alone { x.rank() - 1 } else { x.lead.rank() };
    let id = if function == "hardmax" {
        cx.py(&format!("hardmax($0, {axis})"), &[flat.id])
    } else {
        cx.py(&format!("F.{function}($0, {axis})"), &[flat.id])
    };
    Ok(smallvec![cx.reshape(&flat.with(id), &x.dims)?])
}

/// `exp(x - logsum(x))` or, without `exp`, the logarithm of it: softmax along the axes of the sum. `f` is the outermost.
pub(super) fn softmax_of(cx: &mut Lower<'_, '_, '_>, minus: Source, function: &str) -> Option<Val> {
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
    let id = cx.py(&format!("F.{function}($0, {axis})"), &[v.id]);
    Some(v.with(id))
}

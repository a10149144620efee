//! Lowers training criteria and metrics (spec 4.14). As primitives, most give one number for the whole minibatch.

use super::convolution::pads;
use super::elementwise::least;
use super::shape::product;
use super::{Lower, Lowered, Node, Val};
use crate::layout::Lead;
use crate::pytorch::python::expr::{
    Binary, Expr, Subscript, ValueId, args, dimensions, functional, helper, keyword, list, of, torch,
};
use crate::report::Reason;
use cntk_parser::model::{Dims, SequenceAxisId};
use smallvec::smallvec;

/// The most negative samples; each takes a line of Python.
const MOST_SAMPLES: u64 = 256;

/// The sum over all valid elements, in the shape of CNTK's result.
fn total(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, v: &Val) -> Lowered {
    let id = grand_total(cx, v)?;
    let made = Val { lead: Lead::default(), dims: Dims::new(), ..v.with(id) };
    Ok(smallvec![cx.reshape(&made, &node.types[0].shape)?])
}

fn grand_total(cx: &mut Lower<'_, '_, '_>, v: &Val) -> Result<ValueId, Reason> {
    let v = cx.mask_fill(v, 0.0)?;
    Ok(cx.compute(of(v.id).method("sum", args![])))
}

/// The sum over the static axes of each sample.
fn per_sample(cx: &mut Lower<'_, '_, '_>, v: &Val) -> Val {
    let n = v.lead.rank();
    let axes: Vec<usize> = (n..n + v.rank()).collect();
    let id = match axes.as_slice() {
        [] => v.id,
        all => cx.compute(of(v.id).method("sum", args![dimensions(all)])),
    };
    Val { dims: Dims::new(), ..v.with(id) }
}

fn aligned(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, operands: &[Val]) -> (Val, Val) {
    let (ids, like) = cx.align(operands, &node.sources[..2]);
    (like.with(ids[0]), like.with(ids[1]))
}

/// Both operands as tensors of one shape. CNTK compares samples as vectors: operands with the same number of elements in different shapes
/// become vectors, and no broadcasting applies to them.
fn vectors(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Result<(Val, Val), Reason> {
    let (a, b) = (cx.tensor(&node.inputs[0]), cx.tensor(&node.inputs[1]));
    let same = product(&a.dims).is_some_and(|n| product(&b.dims) == Some(n));
    if !same || a.dims == b.dims {
        return Ok(aligned(cx, node, &[a, b]));
    }
    let flat = [cx.flatten(&a)?, cx.flatten(&b)?];
    Ok(aligned(cx, node, &flat))
}

pub(super) fn sum_all(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    total(cx, node, &x)
}

/// The sum of squared differences.
pub(super) fn squared_error(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (a, b) = vectors(cx, node)?;
    let id = cx.compute((of(a.id) - b.id).method("square", args![]));
    total(cx, node, &a.with(id))
}

/// The sum over samples of `logsumexp(z) * sum(label) - label . z`.
pub(super) fn cross_entropy(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (z, label) = vectors(cx, node)?;
    let (z, label) = (cx.flatten(&z)?, cx.flatten(&label)?);
    let axis = z.lead.rank();
    let product = of(label.id) * functional("log_softmax", args![z.id, axis]);
    let id = cx.compute(-product.method("sum", args![axis]));
    total(cx, node, &Val { dims: Dims::new(), ..z.with(id) })
}

/// The number of samples whose label is not among the N largest predictions.
pub(super) fn classification_error(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let n = match node.inputs.get(2) {
        None => 1,
        Some(v) => match v.literal {
            Some(n) if n >= 1.0 => n as u64,
            _ => return Err(Reason::new("topN", "is not a constant of at least 1")),
        },
    };
    // Each operand is a vector by itself: the largest of one may be beyond the end of the other.
    let (p, label) = (cx.tensor(&node.inputs[0]), cx.tensor(&node.inputs[1]));
    let flat = [cx.flatten(&p)?, cx.flatten(&label)?];
    let classes = flat[0].dims.first().and_then(|d| d.known());
    let (p, label) = aligned(cx, node, &flat);
    let axis = p.lead.rank();
    let wrong = if n == 1 {
        let best = |v: &Val| of(v.id).method("argmax", args![axis]);
        Expr::binary(Binary::NotEqual, best(&p), best(&label))
    } else {
        if classes.is_some_and(|classes| n > classes) {
            return Err(Reason::new("topN", "is larger than the number of classes"));
        }
        let best = cx.compute(of(p.id).method("topk", args![n, axis]).at(1));
        let wanted = cx.compute(of(label.id).method("argmax", args![axis, keyword("keepdim", true)]));
        Expr::binary(Binary::NotEqual, best, wanted).method("all", args![axis])
    };
    let id = cx.numeric(wrong, &p);
    total(cx, node, &Val { dims: Dims::new(), ..p.with(id) })
}

/// The sum of `-ln(1 - t - p + 2tp)`, where weights are scaled to a mean of 1.
pub(super) fn logistic(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (p, t) = vectors(cx, node)?;
    let inner = cx.compute(Expr::from(2) * t.id * p.id - t.id - p.id + 1);
    let loss = cx.compute(-of(inner).method("clamp", args![least()]).method("log", args![]));
    let loss = p.with(loss);
    let Some(weight) = node.inputs.get(2) else { return total(cx, node, &loss) };
    let weight = cx.tensor(weight);
    let (ids, like) = cx.place_all(&[loss, weight.clone()]);
    let product = cx.compute(of(ids[0]) * ids[1]);
    let ones = cx.compute(torch("ones_like", args![weight.id]));
    let (numerator, count, norm) =
        (grand_total(cx, &like.with(product))?, grand_total(cx, &weight.with(ones))?, grand_total(cx, &weight)?);
    let id = cx.compute(of(numerator) * count / norm);
    let made = Val { lead: Lead::default(), dims: Dims::new(), ..like.with(id) };
    Ok(smallvec![cx.reshape(&made, &node.types[0].shape)?])
}

/// The cosine of two samples over all static axes; 0 if one is zero.
pub(super) fn cos_distance(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (a, b) = vectors(cx, node)?;
    let id = cosine(cx, &a, &b);
    let made = Val { dims: Dims::new(), ..a.with(id) };
    Ok(smallvec![cx.reshape(&made, &node.types[0].shape)?])
}

fn cosine(cx: &mut Lower<'_, '_, '_>, a: &Val, b: &Val) -> ValueId {
    let dot = |cx: &mut Lower<'_, '_, '_>, x: &Val, y: &Val| {
        let id = cx.compute(if x.id == y.id { of(x.id).method("square", args![]) } else { of(x.id) * y.id });
        per_sample(cx, &x.with(id)).id
    };
    let (ab, aa, bb) = (dot(cx, a, b), dot(cx, a, a), dot(cx, b, b));
    // A root of each, because the product of the squares leaves the range of the type much earlier.
    let norm = cx.compute(of(aa).method("sqrt", args![]) * of(bb).method("sqrt", args![]));
    cx.compute(of(ab) * helper("reciprocal", args![norm]))
}

/// cos(x_i, y_i), then cos(x_i, y_(i+shift+k)) for k below `number`. Indices are modulo the minibatch, in CNTK's order:
/// time step by time step.
pub(super) fn cos_distance_with_negative_samples(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let whole = |v: &Val| v.literal.filter(|n| *n >= 0.0).map(|n| n as u64);
    let shift = whole(&node.inputs[2]).ok_or_else(|| Reason::new("shift", "is not a constant"))?;
    let number = whole(&node.inputs[3]).ok_or_else(|| Reason::new("numberOfNegativeSamples", "is not a constant"))?;
    if number > MOST_SAMPLES {
        return Err(Reason::new("numberOfNegativeSamples", format!("{number} lines would be written")));
    }
    let (x, y) = vectors(cx, node)?;
    if x.lead.batch.is_none() {
        return Err(Reason::new("", "negative samples come from the batch, which the operands do not have"));
    }
    let like = x.clone();
    let (x, y) = (columns(cx, x)?, columns(cx, y)?);
    let ragged = like.lead.sequence.map(|axis| later(cx, axis, &y, shift, number)).transpose()?;
    let mut parts = Vec::new();
    for k in 0..=number {
        let id = match (k, ragged) {
            (0, _) => y.id,
            (k, None) => cx.compute(of(y.id).method("roll", args![-((shift + k - 1).cast_signed()), 0])),
            (k, Some((all, later))) => {
                let row = of(later).index(vec![Subscript::At((k - 1).into())]);
                cx.compute(of(all).index(vec![Subscript::At(row)]))
            }
        };
        let other = y.with(id);
        parts.push(cosine(cx, &x, &other));
    }
    let mut id = cx.compute(torch("stack", args![list(&parts), 1]));
    if like.lead.sequence.is_some() {
        let sizes = args![of(like.id).size(1), of(like.id).size(0), parts.len()];
        id = cx.compute(of(id).method("reshape", sizes).method("transpose", args![0, 1]));
    }
    Ok(smallvec![Val { dims: node.types[0].shape.clone(), ..like.with(id) }])
}

/// Samples with one of zeros behind them, and the indices in these of the negative samples: int64 [number, samples].
fn later(
    cx: &mut Lower<'_, '_, '_>,
    axis: SequenceAxisId,
    y: &Val,
    shift: u64,
    number: u64,
) -> Result<(ValueId, ValueId), Reason> {
    let (lengths, timed) = (cx.lengths(axis)?, cx.timed(axis)?);
    let later = cx.compute(helper("later_columns", args![lengths, of(timed).size(1), shift, number]));
    let mut sides = vec![(0, 0); y.rank() + 1];
    sides[0] = (0, 1);
    let all = cx.compute(functional("pad", args![y.id, pads(&sides)]));
    Ok((all, later))
}

/// The steps of sequences as one batch, time step by time step, with zeros as padding.
fn columns(cx: &mut Lower<'_, '_, '_>, v: Val) -> Result<Val, Reason> {
    if v.lead.sequence.is_none() {
        return Ok(v);
    }
    let v = cx.mask_fill(&v, 0.0)?;
    let id = cx.compute(of(v.id).method("transpose", args![0, 1]).method("flatten", args![0, 1]));
    Ok(Val { lead: v.lead.per_sample(), ..v.with(id) })
}

//! Training criteria and metrics (spec 4.14). As primitives, most give one number for the whole minibatch.

use super::elementwise::LEAST;
use super::{Lower, Lowered, Node, Val};
use crate::layout::Lead;
use crate::pytorch::python::expr::{ValueId, tuple};
use crate::report::Reason;
use cntk_parser::model::Dims;
use smallvec::smallvec;

/// The most negative samples, each of which takes a line.
const MOST_SAMPLES: u64 = 256;

/// The sum over everything that is valid, in the shape that CNTK gives the result.
fn total(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, v: &Val) -> Lowered {
    let id = grand_total(cx, v)?;
    let made = Val { lead: Lead::default(), dims: Dims::new(), ..v.with(id) };
    Ok(smallvec![cx.reshape(&made, &node.types[0].shape)?])
}

fn grand_total(cx: &mut Lower<'_, '_, '_>, v: &Val) -> Result<ValueId, Reason> {
    let v = cx.mask_fill(v, "0.0")?;
    Ok(cx.py("$0.sum()", &[v.id]))
}

/// The sum over the static axes of each sample.
fn per_sample(cx: &mut Lower<'_, '_, '_>, v: &Val) -> Val {
    let n = v.lead.rank();
    let axes: Vec<usize> = (n..n + v.rank()).collect();
    let id = match axes.as_slice() {
        [] => v.id,
        [one] => cx.py(&format!("$0.sum({one})"), &[v.id]),
        all => cx.py(&format!("$0.sum({})", tuple(all)), &[v.id]),
    };
    Val { dims: Dims::new(), ..v.with(id) }
}

/// Both operands as tensors of one shape.
fn pair(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Result<(Val, Val), Reason> {
    let inputs = [cx.tensor(&node.inputs[0]), cx.tensor(&node.inputs[1])];
    let (ids, like) = cx.align(&inputs, &node.sources[..2]);
    Ok((like.with(ids[0]), like.with(ids[1])))
}

pub(super) fn sum_all(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = cx.tensor(&node.inputs[0]);
    total(cx, node, &x)
}

/// The sum of squared differences.
pub(super) fn squared_error(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (a, b) = pair(cx, node)?;
    let id = cx.py("($0 - $1).square()", &[a.id, b.id]);
    total(cx, node, &a.with(id))
}

/// The sum over samples of `logsumexp(z) * sum(label) - label . z`.
pub(super) fn cross_entropy(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (z, label) = pair(cx, node)?;
    let (z, label) = (cx.flatten(&z)?, cx.flatten(&label)?);
    let axis = z.lead.rank();
    let id = cx.py(&format!("-($0 * F.log_softmax($1, {axis})).sum({axis})"), &[label.id, z.id]);
    total(cx, node, &Val { dims: Dims::new(), ..z.with(id) })
}

/// How many samples' labels are not among the N largest predictions.
pub(super) fn classification_error(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let n = match node.inputs.get(2) {
        None => 1,
        Some(v) => match v.literal {
            Some(n) if n >= 1.0 => n as u64,
            _ => return Err(Reason::new("topN", "is not a constant of at least 1")),
        },
    };
    let (p, label) = pair(cx, node)?;
    let (p, label) = (cx.flatten(&p)?, cx.flatten(&label)?);
    let axis = p.lead.rank();
    let method = p.elem.method();
    let id = if n == 1 {
        cx.py(&format!("($0.argmax({axis}) != $1.argmax({axis})).{method}"), &[p.id, label.id])
    } else {
        if p.dims.first().and_then(|d| d.known()).is_some_and(|classes| n > classes) {
            return Err(Reason::new("topN", "is larger than the number of classes"));
        }
        let best = cx.py(&format!("$0.topk({n}, {axis})[1]"), &[p.id]);
        let wanted = cx.py(&format!("$0.argmax({axis}, keepdim=True)"), &[label.id]);
        cx.py(&format!("($0 != $1).all({axis}).{method}"), &[best, wanted])
    };
    total(cx, node, &Val { dims: Dims::new(), ..p.with(id) })
}

/// The sum of `-ln(1 - t - p + 2tp)`; weights are scaled to a mean of 1.
pub(super) fn logistic(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (p, t) = pair(cx, node)?;
    let inner = cx.py("2 * $0 * $1 - $0 - $1 + 1", &[t.id, p.id]);
    let loss = cx.py(&format!("-$0.clamp(min={LEAST}).log()"), &[inner]);
    let loss = p.with(loss);
    let Some(weight) = node.inputs.get(2) else { return total(cx, node, &loss) };
    let weight = cx.tensor(weight);
    let (ids, like) = cx.place_all(&[loss, weight.clone()]);
    let product = cx.py("$0 * $1", &ids);
    let ones = cx.py("torch.ones_like($0)", &[weight.id]);
    let (numerator, count, norm) =
        (grand_total(cx, &like.with(product))?, grand_total(cx, &weight.with(ones))?, grand_total(cx, &weight)?);
    let id = cx.py("$0 * $1 / $2", &[numerator, count, norm]);
    let made = Val { lead: Lead::default(), dims: Dims::new(), ..like.with(id) };
    Ok(smallvec![cx.reshape(&made, &node.types[0].shape)?])
}

/// The cosine of two samples, all static axes together; 0 for a zero vector.
pub(super) fn cos_distance(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let (a, b) = pair(cx, node)?;
    let id = cosine(cx, &a, &b);
    let made = Val { dims: Dims::new(), ..a.with(id) };
    Ok(smallvec![cx.reshape(&made, &node.types[0].shape)?])
}

fn cosine(cx: &mut Lower<'_, '_, '_>, a: &Val, b: &Val) -> ValueId {
    let dot = |cx: &mut Lower<'_, '_, '_>, x: &Val, y: &Val| {
        let id = if x.id == y.id { cx.py("$0.square()", &[x.id]) } else { cx.py("$0 * $1", &[x.id, y.id]) };
        per_sample(cx, &x.with(id)).id
    };
    let (ab, aa, bb) = (dot(cx, a, b), dot(cx, a, a), dot(cx, b, b));
    let norm = cx.py("($0 * $1).sqrt()", &[aa, bb]);
    cx.py("$0 * reciprocal($1)", &[ab, norm])
}

/// cos(x_i, y_i), then cos(x_i, y_(i+shift+k)) for k below `number`, indices modulo the minibatch, through which CNTK counts
/// time step by time step.
pub(super) fn cos_distance_with_negative_samples(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let whole = |v: &Val| v.literal.filter(|n| *n >= 0.0).map(|n| n as u64);
    let shift = whole(&node.inputs[2]).ok_or_else(|| Reason::new("shift", "is not a constant"))?;
    let number = whole(&node.inputs[3]).ok_or_else(|| Reason::new("numberOfNegativeSamples", "is not a constant"))?;
    if number > MOST_SAMPLES {
        return Err(Reason::new("numberOfNegativeSamples", format!("{number} lines would be written")));
    }
    let (x, y) = pair(cx, node)?;
    if !x.lead.batch {
        return Err(Reason::new("", "negative samples come from the batch, which the operands do not have"));
    }
    let like = x.clone();
    let (x, y) = (columns(cx, x)?, columns(cx, y)?);
    let mut parts = Vec::new();
    for k in 0..=number {
        let other = match k {
            0 => y.clone(),
            k => {
                let id = cx.py(&format!("$0.roll({}, 0)", -((shift + k - 1).cast_signed())), &[y.id]);
                y.with(id)
            }
        };
        parts.push(cosine(cx, &x, &other));
    }
    let holes: Vec<String> = (0..parts.len()).map(|i| format!("${i}")).collect();
    let mut id = cx.py(&format!("torch.stack([{}], 1)", holes.join(", ")), &parts);
    if like.lead.sequence.is_some() {
        let text = format!("$0.reshape($1.shape[1], $1.shape[0], {}).transpose(0, 1)", parts.len());
        id = cx.py(&text, &[id, like.id]);
    }
    Ok(smallvec![Val { dims: node.types[0].shape.clone(), ..like.with(id) }])
}

/// The steps of sequences as one batch, time step by time step, padding being zeros.
fn columns(cx: &mut Lower<'_, '_, '_>, v: Val) -> Result<Val, Reason> {
    if v.lead.sequence.is_none() {
        return Ok(v);
    }
    let v = cx.mask_fill(&v, "0.0")?;
    let id = cx.py("$0.transpose(0, 1).flatten(0, 1)", &[v.id]);
    Ok(Val { lead: Lead { batch: true, sequence: None }, ..v.with(id) })
}

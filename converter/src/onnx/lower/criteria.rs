//! Lowers training criteria and metrics (spec 4.14). As primitives, most give one number for the whole minibatch.

use super::elementwise::LOG_OF_ZERO;
use super::sequence::minibatch::Minibatch;
use super::{Lowered, Lowering, Node, Val};
use crate::layout::Lead;
use crate::onnx::builder::Measured;
use crate::onnx::graph::{Dim, Dims, ElemType, ValueId};
use crate::report::Reason;
use cntk_parser::model::SequenceAxisId;
use smallvec::smallvec;

/// The most negative samples. Each becomes several nodes, and a number in a file must not cause gigabytes of output.
const MOST_NEGATIVE_SAMPLES: u64 = 1000;

/// The sum over all valid elements, in the shape of CNTK's result.
fn total(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, v: &Val) -> Lowered {
    let v = cx.mask_fill(v, 0.0)?;
    let axes: Vec<usize> = (0..cx.b.rank(v.id)).collect();
    let sum = if axes.is_empty() { v.id } else { cx.b.reduce("ReduceSum", v.id, &axes, false) };
    let dims = cx.static_dims(&node.types[0]);
    Ok(smallvec![Val { id: cx.b.reshape(sum, &dims)?, lead: Lead::default() }])
}

/// The sum over the static axes of each sample.
fn per_sample(cx: &mut Lowering<'_, '_, '_>, v: &Val) -> Val {
    let n = v.lead.rank();
    let axes: Vec<usize> = (n..cx.b.rank(v.id)).collect();
    if axes.is_empty() { *v } else { Val { id: cx.b.reduce("ReduceSum", v.id, &axes, false), lead: v.lead } }
}

pub(super) fn sum_all(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let x = node.inputs[0];
    total(cx, node, &x)
}

/// Two operands, expanded to the dynamic axes of both and to one static shape. Needed where they are reduced or
/// flattened, which would happen before any broadcasting.
fn samples(cx: &mut Lowering<'_, '_, '_>, operands: &[Val]) -> Measured<(Val, Val)> {
    let unified = cx.unify(operands);
    let (a, b) = (unified[0], unified[1]);
    let lead = a.lead.union(b.lead);
    let (mut dims, other) = (cx.tail(&a), cx.tail(&b));
    while dims.len() < other.len() {
        dims.insert(0, Dim::Known(1));
    }
    let missing = dims.len() - other.len();
    for (d, o) in dims[missing..].iter_mut().zip(&other) {
        if *d == Dim::Known(1) {
            *d = *o;
        }
    }
    let mut full = |v: Val| {
        if v.lead == lead && cx.tail(&v) == dims { Ok(v) } else { cx.broadcast_to(&v, lead, &dims) }
    };
    Ok((full(a)?, full(b)?))
}

/// CNTK compares samples as vectors. Operands with the same number of elements in different shapes become vectors; no
/// broadcasting applies to them.
fn vectors(cx: &mut Lowering<'_, '_, '_>, operands: &[Val]) -> Measured<[Val; 2]> {
    let (a, b) = (operands[0], operands[1]);
    let (x, y) = (cx.tail(&a), cx.tail(&b));
    if x == y || cx.b.product(&x) != cx.b.product(&y) {
        return Ok([a, b]);
    }
    Ok([flat(cx, &a)?, flat(cx, &b)?])
}

fn flat(cx: &mut Lowering<'_, '_, '_>, v: &Val) -> Measured<Val> {
    Ok(Val { id: cx.flatten_static(v)?, lead: v.lead })
}

/// The sum of squared differences.
pub(super) fn squared_error(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let operands = vectors(cx, &node.inputs)?;
    let (ids, lead) = cx.align(&operands);
    let difference = cx.b.sub(ids[0], ids[1]);
    let square = cx.b.mul(difference, difference);
    total(cx, node, &Val { id: square, lead })
}

/// The sum over samples of `logsumexp(z) * sum(label) - label . z`.
pub(super) fn cross_entropy(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let operands = vectors(cx, &node.inputs)?;
    let (z, label) = samples(cx, &operands)?;
    let lead = z.lead;
    let flat = Val { id: cx.flatten_static(&z)?, lead };
    let normaliser = cx.b.reduce("ReduceLogSumExp", flat.id, &[lead.rank()], false);
    let weight = per_sample(cx, &label);
    let product = cx.b.mul(label.id, z.id);
    let hit = per_sample(cx, &Val { id: product, lead });
    let all = cx.b.mul(normaliser, weight.id);
    let loss = cx.b.sub(all, hit.id);
    total(cx, node, &Val { id: loss, lead })
}

/// The number of samples whose label is not among the N largest predictions.
pub(super) fn classification_error(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let n = match node.inputs.get(2) {
        None => 1,
        Some(v) => match cx.b.literal(v.id) {
            Some([n]) if *n >= 1.0 => *n as u64,
            _ => return Err(Reason::new("topN", "is not a constant of at least 1")),
        },
    };
    // Each operand is a vector by itself: the largest of one may be beyond the end of the other.
    let flat = [flat(cx, &node.inputs[0])?, flat(cx, &node.inputs[1])?];
    let (ids, lead) = cx.align(&flat);
    let (prediction, label, axis) = (ids[0], ids[1], lead.rank());
    let wanted = cx.b.arg_reduce("ArgMax", label, axis, true);
    let elem = cx.b.elem(prediction);
    let wrong = if n == 1 {
        let got = cx.b.arg_reduce("ArgMax", prediction, axis, true);
        let same = cx.b.compare("Equal", got, wanted);
        let differs = cx.b.unary("Not", same);
        cx.b.cast(differs, elem)
    } else {
        if let Dim::Known(classes) = cx.b.dims(prediction)[axis]
            && n > classes
        {
            return Err(Reason::new("topN", "is larger than the number of classes"));
        }
        let (_, best) = cx.b.top_k(prediction, n, axis);
        let same = cx.b.compare("Equal", best, wanted);
        let hits = cx.b.cast(same, elem);
        let hit = cx.b.reduce("ReduceMax", hits, &[axis], true);
        let one = cx.b.scalar(elem, 1.0);
        cx.b.sub(one, hit)
    };
    total(cx, node, &Val { id: wrong, lead })
}

/// The sum of `-ln(1 - t - p + 2tp)`, where weights are scaled to a mean of 1.
pub(super) fn logistic(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let operands = vectors(cx, &node.inputs)?;
    let (ids, lead) = cx.align(&operands);
    let (p, t) = (ids[0], ids[1]);
    let (one, two) = (cx.b.scalar_like(p, 1.0), cx.b.scalar_like(p, 2.0));
    let both = cx.b.mul(t, p);
    let both = cx.b.mul(both, two);
    let sum = cx.b.add(t, p);
    let rest = cx.b.sub(one, sum);
    let inner = cx.b.add(rest, both);
    let least = cx.b.scalar_like(p, LOG_OF_ZERO.exp());
    let inner = cx.b.binary("Max", inner, least);
    let log = cx.b.unary("Log", inner);
    let loss = Val { id: cx.b.unary("Neg", log), lead };
    let Some(weight) = node.inputs.get(2) else { return total(cx, node, &loss) };
    let (ids, lead) = cx.align(&[loss, *weight]);
    let weighted = Val { id: cx.b.mul(ids[0], ids[1]), lead };
    let one_each = cx.b.scalar_like(weight.id, 1.0);
    let dims = cx.b.dims(weight.id).clone();
    let ones = Val { id: cx.b.expand(one_each, &dims)?, lead: weight.lead };
    let (numerator, count, norm) = (grand_total(cx, &weighted)?, grand_total(cx, &ones)?, grand_total(cx, weight)?);
    let scaled = cx.b.mul(numerator, count);
    let id = cx.b.div(scaled, norm);
    let dims = cx.static_dims(&node.types[0]);
    Ok(smallvec![Val { id: cx.b.reshape(id, &dims)?, lead: Lead::default() }])
}

fn grand_total(cx: &mut Lowering<'_, '_, '_>, v: &Val) -> Measured<ValueId> {
    let v = cx.mask_fill(v, 0.0)?;
    let axes: Vec<usize> = (0..cx.b.rank(v.id)).collect();
    if axes.is_empty() { Ok(v.id) } else { Ok(cx.b.reduce("ReduceSum", v.id, &axes, false)) }
}

/// The cosine of two samples over all static axes; 0 if one is zero.
pub(super) fn cos_distance(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let operands = vectors(cx, &node.inputs)?;
    let (a, b) = samples(cx, &operands)?;
    let lead = a.lead;
    let id = cosine(cx, &a, &b);
    let dims = cx.static_dims(&node.types[0]);
    Ok(smallvec![cx.with_static(id, lead, &dims)?])
}

fn cosine(cx: &mut Lowering<'_, '_, '_>, a: &Val, b: &Val) -> ValueId {
    let dot = |cx: &mut Lowering<'_, '_, '_>, x: &Val, y: &Val| {
        let product = cx.b.mul(x.id, y.id);
        per_sample(cx, &Val { id: product, lead: x.lead }).id
    };
    let (ab, aa, bb) = (dot(cx, a, b), dot(cx, a, a), dot(cx, b, b));
    // A root of each, because the product of the squares leaves the range of the type much earlier.
    let (a, b) = (cx.b.unary("Sqrt", aa), cx.b.unary("Sqrt", bb));
    let norm = cx.b.mul(a, b);
    let ratio = cx.b.div(ab, norm);
    super::elementwise::zero_where_zero(cx, norm, ratio)
}

/// cos(x_i, y_i), then cos(x_i, y_(i+shift+k)) for k below `number`, indices modulo CNTK's minibatch.
pub(super) fn cos_distance_with_negative_samples(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    let whole = |cx: &Lowering<'_, '_, '_>, v: &Val| match cx.b.literal(v.id) {
        Some([n]) if *n >= 0.0 => Some(*n as u64),
        _ => None,
    };
    let shift = whole(cx, &node.inputs[2]).ok_or_else(|| Reason::new("shift", "is not a constant"))?;
    let number =
        whole(cx, &node.inputs[3]).ok_or_else(|| Reason::new("numberOfNegativeSamples", "is not a constant"))?;
    if number > MOST_NEGATIVE_SAMPLES {
        return Err(Reason::new("numberOfNegativeSamples", "more than a thousand negative samples are not supported"));
    }
    let operands = vectors(cx, &node.inputs)?;
    let (x, y) = samples(cx, &operands)?;
    let lead = x.lead;
    if lead.batch.is_none() {
        return Err(Reason::new("", "negative samples come from the batch, which the operands do not have"));
    }
    let (x, y) = (columns(cx, x.id, lead)?, columns(cx, y.id, lead)?);
    let others = Others::new(cx, &y, lead.sequence.filter(|axis| cx.is_ragged(*axis)))?;
    let mut parts = Vec::new();
    for k in 0..=number {
        let other = if k == 0 { y } else { others.after(cx, shift + k - 1) };
        let id = cosine(cx, &x, &other);
        parts.push(cx.b.unsqueeze(id, &[1]));
    }
    let mut id = cx.b.concat(&parts, 1);
    if lead.sequence.is_some() {
        let parts = cx.b.dims(id)[1];
        let dims = cx.lead_dims(lead);
        id = cx.b.reshape(id, &[dims[1], dims[0], parts])?;
        id = cx.b.transpose(id, &[1, 0, 2]);
    }
    let dims: Dims = cx.static_dims(&node.types[0]);
    Ok(smallvec![cx.with_static(id, lead, &dims)?])
}

/// The samples that negative samples are taken from.
struct Others {
    samples: Val,
    /// The column of each sample in the minibatch, and the number of columns: int64.
    column: ValueId,
    count: ValueId,
    /// The sample in each column, unless these are counted alike.
    sample: Option<ValueId>,
}

impl Others {
    fn new(cx: &mut Lowering<'_, '_, '_>, y: &Val, ragged: Option<SequenceAxisId>) -> Measured<Self> {
        let Some(axis) = ragged else {
            let batch = cx.b.dims(y.id)[0];
            return Ok(Self { samples: *y, column: cx.b.range(batch)?, count: cx.b.dim_value(batch)?, sample: None });
        };
        let Minibatch { column, frame, count } = Minibatch::new(cx, axis)?;
        let rank = cx.b.rank(y.id);
        let mut after = vec![0; rank];
        after[0] = 1;
        // A gap is a sample of zeros behind all others.
        let id = cx.b.pad(y.id, &vec![0; rank], &after, "constant", 0.0);
        Ok(Self { samples: Val { id, lead: y.lead }, column, count, sample: Some(frame) })
    }

    /// For each sample, the one so many columns later.
    fn after(&self, cx: &mut Lowering<'_, '_, '_>, columns: u64) -> Val {
        let step = cx.b.scalar(ElemType::Int64, columns as f64);
        let moved = cx.b.add(self.column, step);
        let column = cx.b.binary("Mod", moved, self.count);
        let index = self.sample.map_or(column, |sample| cx.b.gather(sample, column, 0));
        Val { id: cx.b.gather(self.samples.id, index, 0), lead: self.samples.lead }
    }
}

/// The samples of the minibatch in CNTK's order, time step by time step.
fn columns(cx: &mut Lowering<'_, '_, '_>, id: ValueId, lead: Lead) -> Measured<Val> {
    let v = cx.mask_fill(&Val { id, lead }, 0.0)?;
    if lead.sequence.is_none() {
        return Ok(v);
    }
    let order: Vec<usize> = [1, 0].into_iter().chain(2..cx.b.rank(v.id)).collect();
    let turned = cx.b.transpose(v.id, &order);
    let mut dims = cx.b.dims(turned).clone();
    let all = cx.b.product(&dims[..2]);
    dims.remove(0);
    dims[0] = all;
    Ok(Val { id: cx.b.reshape(turned, &dims)?, lead: lead.per_sample() })
}

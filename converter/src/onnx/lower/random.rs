//! Lowers random operators (spec 4.13) to ONNX's, whose numbers differ from those of CNTK's generator.

use super::{Lowered, Lowering, Node, Val};
use crate::graph::sampling;
use crate::layout::Lead;
use crate::onnx::graph::{Attribute, Dim, Dims, ElemType, ValueId};
use crate::report::Reason;
use cntk_parser::ops::attributes::{Distribution, RandomDistribution, RandomSample};
use smallvec::smallvec;

/// Random numbers, in a fixed shape or in that of the operand.
pub(super) fn distribution(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &RandomDistribution) -> Lowered {
    warn(cx, node);
    let argument =
        |i: usize| a.arguments.get(i).copied().ok_or_else(|| Reason::new("randomDistributionArgs", "too few"));
    let like = node.inputs.first().copied();
    let (elem, dims, lead) = match like {
        Some(v) => (cx.b.elem(v.id), cx.b.dims(v.id).clone(), v.lead),
        None => {
            let elem = super::elem_type(node.types[0].data_type)
                .ok_or_else(|| Reason::new("newDataType", "not a floating-point type"))?;
            (elem, cx.static_dims(&node.types[0]), Lead::default())
        }
    };
    let id = match a.distribution {
        Distribution::Uniform => uniform(cx, elem, &dims, like, argument(0)?, argument(1)?)?,
        Distribution::Normal => {
            let attributes = vec![("mean", float(argument(0)?)), ("scale", float(argument(1)?))];
            draw(cx, ["RandomNormal", "RandomNormalLike"], attributes, elem, &dims, like)?
        }
        Distribution::Gumbel => {
            let noise = gumbel(cx, elem, &dims, like)?;
            let scale = cx.b.scalar(elem, argument(1)?);
            let scaled = cx.b.mul(noise, scale);
            let location = cx.b.scalar(elem, argument(0)?);
            cx.b.add(scaled, location)
        }
        Distribution::Bernoulli => {
            let u = uniform(cx, elem, &dims, like, 0.0, 1.0)?;
            let mean = cx.b.scalar(elem, argument(0)?);
            let hit = cx.b.compare("Less", u, mean);
            cx.b.cast(hit, elem)
        }
    };
    Ok(smallvec![Val { id, lead }])
}

fn warn(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) {
    let uid = cx.graph.model.function(node.id).uid;
    cx.warnings.push(format!("{} {uid} draws its own random numbers: they differ from CNTK's", node.op.name()));
}

#[expect(clippy::cast_possible_truncation, reason = "ONNX attributes are floats")]
fn float(v: f64) -> Attribute {
    Attribute::Float(v as f32)
}

fn uniform(
    cx: &mut Lowering<'_, '_, '_>,
    elem: ElemType,
    dims: &Dims,
    like: Option<Val>,
    low: f64,
    high: f64,
) -> Result<ValueId, Reason> {
    draw(cx, ["RandomUniform", "RandomUniformLike"], vec![("high", float(high)), ("low", float(low))], elem, dims, like)
}

fn draw(
    cx: &mut Lowering<'_, '_, '_>,
    [fixed, like_op]: [&'static str; 2],
    mut attributes: Vec<(&'static str, Attribute)>,
    elem: ElemType,
    dims: &Dims,
    like: Option<Val>,
) -> Result<ValueId, Reason> {
    if let Some(v) = like {
        return Ok(cx.b.emit(like_op, &[v.id], attributes, elem, dims.clone()));
    }
    let shape: Option<Vec<i64>> =
        dims.iter().map(|d| if let Dim::Known(n) = d { i64::try_from(*n).ok() } else { None }).collect();
    attributes.push(("dtype", Attribute::Int(elem as i64)));
    attributes.push(("shape", Attribute::Ints(shape.ok_or_else(|| Reason::new("newShape", "is not fully known"))?)));
    Ok(cx.b.emit(fixed, &[], attributes, elem, dims.clone()))
}

/// Standard Gumbel noise: -ln(-ln u).
fn gumbel(cx: &mut Lowering<'_, '_, '_>, elem: ElemType, dims: &Dims, like: Option<Val>) -> Result<ValueId, Reason> {
    let u = uniform(cx, elem, dims, like, 1e-7, 1.0)?;
    let log = cx.b.unary("Log", u);
    let negative = cx.b.unary("Neg", log);
    let least = cx.b.scalar(elem, 1e-30);
    let positive = cx.b.binary("Max", negative, least);
    let log = cx.b.unary("Log", positive);
    Ok(cx.b.unary("Neg", log))
}

/// `numSamples` one-hot rows drawn by weight: those with the largest sum of log-weight and Gumbel noise.
pub(super) fn sample(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &RandomSample) -> Lowered {
    warn(cx, node);
    let weights = node.inputs[0];
    if weights.lead.rank() > 0 {
        return Err(Reason::new("weights", "differ from sample to sample"));
    }
    let flat = cx.flatten_static(&weights)?;
    let elem = cx.b.elem(flat);
    let classes = cx.b.dims(flat)[0];
    let log = cx.b.unary("Log", flat);
    let index = if a.allow_duplicates {
        let noise = gumbel(cx, elem, &[Dim::Known(a.num_samples), classes].as_slice().into(), None)?;
        let score = cx.b.add(noise, log);
        cx.b.arg_reduce("ArgMax", score, 1, false)
    } else {
        if let Dim::Known(n) = classes
            && a.num_samples > n
        {
            return Err(Reason::new("numSamples", "more than there are classes, and no duplicates allowed"));
        }
        let noise = gumbel(cx, elem, &[classes].as_slice().into(), None)?;
        let score = cx.b.add(noise, log);
        cx.b.top_k(score, a.num_samples, 0).1
    };
    let column = cx.b.unsqueeze(index, &[1]);
    let all = cx.b.range(classes)?;
    let hit = cx.b.compare("Equal", column, all);
    Ok(smallvec![Val { id: cx.b.cast(hit, elem), lead: Lead::default() }])
}

/// The expected number of times that each class is in a sample.
pub(super) fn inclusion_frequency(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>, a: &RandomSample) -> Lowered {
    let weights = node.inputs[0];
    let elem = cx.b.elem(weights.id);
    let axes: Vec<usize> = (weights.lead.rank()..cx.b.rank(weights.id)).collect();
    let sum = cx.b.reduce("ReduceSum", weights.id, &axes, true);
    let share = cx.b.div(weights.id, sum);
    let id = if a.allow_duplicates {
        let n = cx.b.scalar(elem, a.num_samples as f64);
        cx.b.mul(share, n)
    } else {
        let values = cx
            .literal(node.sources[0])
            .ok_or_else(|| Reason::new("allowDuplicates", "without duplicates the weights must be a small constant"))?;
        let tries = sampling::expected_tries(&values, a.num_samples as f64)
            .ok_or_else(|| Reason::new("numSamples", "more than there are classes with weight"))?;
        // 1 - (1 - p)^tries is the probability to be drawn at least once.
        let one = cx.b.scalar(elem, 1.0);
        let miss = cx.b.sub(one, share);
        let tries = cx.b.scalar(elem, tries);
        let never = cx.b.binary("Pow", miss, tries);
        cx.warnings.push(format!(
            "{} estimates inclusion without duplicates by its expectation; CNTK simulates it",
            node.op.name()
        ));
        cx.b.sub(one, never)
    };
    let dims = cx.static_dims(&node.types[0]);
    Ok(smallvec![cx.with_static(id, weights.lead, &dims)?])
}

//! Lowers random operators (spec 4.13) to PyTorch's, whose numbers differ from those of CNTK's generator.

use super::{Elem, Lower, Lowered, Node, Val};
use crate::graph::{literal, sampling};
use crate::layout::Lead;
use crate::pytorch::python::expr::{Argument, Binary, Expr, args, functional, of, shape, torch};
use crate::report::Reason;
use cntk_parser::ops::attributes::{Distribution, RandomDistribution, RandomSample};
use smallvec::smallvec;

/// The most weights that are examined.
const MOST_WEIGHTS: u64 = 1 << 16;

/// Random numbers, in a fixed shape or in that of the operand.
pub(super) fn distribution(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &RandomDistribution) -> Lowered {
    warn(cx, node);
    let argument = |i: usize| {
        let value = a.arguments.get(i).copied().ok_or_else(|| Reason::new("randomDistributionArgs", "too few"))?;
        Ok::<_, Reason>(Expr::number(value, false))
    };
    let like = node.inputs.first().map(|v| cx.tensor(v));
    let (empty, made) = match &like {
        Some(v) => (torch("empty_like", args![v.id]), v.clone()),
        None => {
            let elem = Elem::new(node.types[0].data_type)
                .ok_or_else(|| Reason::new("newDataType", "not a floating-point type"))?;
            let dims = &node.types[0].shape;
            let sizes: Option<Vec<Expr>> = dims.iter().map(|d| Some(d.known()?.into())).collect();
            let mut sizes = shape(sizes.ok_or_else(|| Reason::new("newShape", "is not fully known"))?);
            let like = cx.like(elem);
            if like.is_none() {
                sizes.extend(elem.dtype());
            }
            let id = cx.compute(Expr::Tuple(Vec::new()));
            let made = Val { id, lead: Lead::default(), dims: dims.clone(), elem, literal: None };
            let empty = match like {
                Some(like) => of(like).method("new_empty", sizes),
                None => torch("empty", sizes),
            };
            (empty, made)
        }
    };
    let drawn = match a.distribution {
        Distribution::Uniform => empty.method("uniform_", args![argument(0)?, argument(1)?]),
        Distribution::Normal => empty.method("normal_", args![argument(0)?, argument(1)?]),
        Distribution::Gumbel => {
            let exponential = empty.method("exponential_", args![]).method("log", args![]);
            argument(0)? - argument(1)? * exponential
        }
        Distribution::Bernoulli => empty.method("bernoulli_", args![argument(0)?]),
    };
    let id = cx.compute(drawn);
    Ok(smallvec![made.with(id)])
}

fn warn(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>) {
    let uid = cx.graph.model.function(node.id).uid;
    cx.warnings.push(format!("{} {uid} draws its own random numbers: they differ from CNTK's", node.op.name()));
}

/// `numSamples` one-hot rows drawn by weight.
pub(super) fn sample(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &RandomSample) -> Lowered {
    warn(cx, node);
    let weights = cx.tensor(&node.inputs[0]);
    if weights.lead.rank() > 0 {
        return Err(Reason::new("weights", "differ from sample to sample"));
    }
    let flat = cx.flatten(&weights)?;
    if !a.allow_duplicates && flat.dims.first().and_then(|d| d.known()).is_some_and(|n| a.num_samples > n) {
        return Err(Reason::new("numSamples", "more than there are classes, and no duplicates allowed"));
    }
    let mut arguments = args![flat.id, a.num_samples];
    arguments.extend(a.allow_duplicates.then(|| Argument::from(true)));
    let index = cx.compute(torch("multinomial", arguments));
    let id = cx.numeric(functional("one_hot", args![index, of(flat.id).size(0)]), &flat);
    Ok(smallvec![Val { dims: node.types[0].shape.clone(), ..flat.with(id) }])
}

/// The expected number of times that each class is in a sample.
pub(super) fn inclusion_frequency(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &RandomSample) -> Lowered {
    let weights = cx.tensor(&node.inputs[0]);
    let id = if a.allow_duplicates {
        cx.compute(of(weights.id) * (Expr::from(a.num_samples) / of(weights.id).method("sum", args![])))
    } else {
        let values = literal::small(cx.graph.model, node.sources[0], MOST_WEIGHTS)
            .ok_or_else(|| Reason::new("allowDuplicates", "without duplicates the weights must be a small constant"))?;
        let tries = sampling::expected_tries(&values, a.num_samples as f64)
            .ok_or_else(|| Reason::new("numSamples", "more than there are classes with weight"))?;
        let uid = cx.graph.model.function(node.id).uid;
        cx.warnings.push(format!(
            "{} {uid} estimates inclusion without duplicates by its expectation; CNTK simulates it",
            node.op.name()
        ));
        // The probability to be drawn at least once.
        let share = of(weights.id) / of(weights.id).method("sum", args![]);
        let never = Expr::binary(Binary::Power, Expr::from(1) - share, Expr::number(tries, true));
        cx.compute(Expr::from(1) - never)
    };
    Ok(smallvec![weights.with(id)])
}

//! Random operators (spec 4.13): PyTorch's own, with other numbers than CNTK's generator would give.

use super::{Elem, Lower, Lowered, Node, Val};
use crate::graph::{literal, sampling};
use crate::layout::Lead;
use crate::pytorch::python::expr::number;
use crate::report::Reason;
use cntk_parser::ops::attributes::{Distribution, RandomDistribution, RandomSample};
use smallvec::smallvec;

/// The most weights that are looked at here.
const MOST_WEIGHTS: u64 = 1 << 16;

/// Numbers of a distribution, in a fixed shape or in that of the operand.
pub(super) fn distribution(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &RandomDistribution) -> Lowered {
    warn(cx, node);
    let argument = |i: usize| {
        let value = a.arguments.get(i).copied().ok_or_else(|| Reason::new("randomDistributionArgs", "too few"))?;
        Ok::<_, Reason>(number(value, false))
    };
    let like = node.inputs.first().map(|v| cx.tensor(v));
    let (empty, ids, made) = match &like {
        Some(v) => ("torch.empty_like($0)".to_owned(), vec![v.id], v.clone()),
        None => {
            let elem = Elem::new(node.types[0].data_type)
                .ok_or_else(|| Reason::new("newDataType", "not a floating-point type"))?;
            let dims = &node.types[0].shape;
            let sizes: Option<Vec<String>> = dims.iter().map(|d| Some(d.known()?.to_string())).collect();
            let sizes = sizes.ok_or_else(|| Reason::new("newShape", "is not fully known"))?;
            let sizes = if sizes.is_empty() { "()".to_owned() } else { sizes.join(", ") };
            let id = cx.py("()", &[]);
            let made = Val { id, lead: Lead::default(), dims: dims.clone(), elem, literal: None };
            (format!("torch.empty({sizes}{})", elem.dtype()), vec![], made)
        }
    };
    let text = match a.distribution {
        Distribution::Uniform => format!("{empty}.uniform_({}, {})", argument(0)?, argument(1)?),
        Distribution::Normal => format!("{empty}.normal_({}, {})", argument(0)?, argument(1)?),
        Distribution::Gumbel => {
            format!("{} - {} * {empty}.exponential_().log()", argument(0)?, argument(1)?)
        }
        Distribution::Bernoulli => format!("{empty}.bernoulli_({})", argument(0)?),
    };
    let id = cx.py(&text, &ids);
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
    let replace = if a.allow_duplicates { ", True" } else { "" };
    let index = cx.py(&format!("torch.multinomial($0, {}{replace})", a.num_samples), &[flat.id]);
    let id = cx.py(&format!("F.one_hot($0, $1.shape[0]).{}", flat.elem.method()), &[index, flat.id]);
    Ok(smallvec![Val { dims: node.types[0].shape.clone(), ..flat.with(id) }])
}

/// How often each class is expected in a sample.
pub(super) fn inclusion_frequency(cx: &mut Lower<'_, '_, '_>, node: &Node<'_, '_>, a: &RandomSample) -> Lowered {
    let weights = cx.tensor(&node.inputs[0]);
    let id = if a.allow_duplicates {
        cx.py(&format!("$0 * ({} / $0.sum())", a.num_samples), &[weights.id])
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
        // In at least one of so many tries.
        cx.py(&format!("1 - (1 - $0 / $0.sum()) ** {}", number(tries, true)), &[weights.id])
    };
    Ok(smallvec![weights.with(id)])
}

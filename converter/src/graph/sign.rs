//! Derives the sign of a value from the graph alone. Where a value cannot be zero, CNTK's guards against zero are left
//! out.

use super::literal;
use cntk_parser::model::{FunctionId, Source, ValidatedModel};
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::Reduction;
use cntk_parser::ops::facts::Values;

/// The most elements of a constant that is examined.
const MOST: u64 = 16;

/// Is every element above zero by more than rounding could hide? Examines at most `depth` functions back.
pub fn is_positive(model: &ValidatedModel<'_>, source: Source, depth: u32) -> bool {
    let Some((f, depth)) = step(model, source, depth) else {
        return literal::small(model, source, MOST).is_some_and(|v| v.iter().all(|v| *v > 0.0));
    };
    let inputs = model.inputs(f);
    match model.operator(f) {
        Operator::Plus => {
            (is_positive(model, inputs[0], depth) && is_non_negative(model, inputs[1], depth))
                || (is_positive(model, inputs[1], depth) && is_non_negative(model, inputs[0], depth))
        }
        Operator::ElementTimes => same(inputs) && is_positive(model, inputs[0], depth),
        Operator::Sqrt => is_positive(model, inputs[0], depth),
        Operator::ReduceElements(r) => {
            matches!(r.reduction, Reduction::Sum | Reduction::Mean | Reduction::Max | Reduction::Min)
                && is_positive(model, inputs[0], depth)
        }
        op => match op.facts().values {
            Values::Positive => true,
            Values::OfFirst => is_positive(model, inputs[0], depth),
            _ => false,
        },
    }
}

/// Is no element below zero? Examines at most `depth` functions back.
pub fn is_non_negative(model: &ValidatedModel<'_>, source: Source, depth: u32) -> bool {
    let Some((f, depth)) = step(model, source, depth) else {
        return literal::small(model, source, MOST).is_some_and(|v| v.iter().all(|v| *v >= 0.0));
    };
    let inputs = model.inputs(f);
    match model.operator(f) {
        Operator::ElementTimes if same(inputs) => true,
        Operator::Plus | Operator::ElementTimes => inputs.iter().all(|i| is_non_negative(model, *i, depth)),
        Operator::Reciprocal => is_non_negative(model, inputs[0], depth),
        Operator::ReduceElements(r) => {
            matches!(r.reduction, Reduction::Sum | Reduction::Mean | Reduction::Max | Reduction::Min | Reduction::Prod)
                && is_non_negative(model, inputs[0], depth)
        }
        op => match op.facts().values {
            Values::ZeroOrOne | Values::NonNegative | Values::Positive => true,
            Values::OfFirst => is_non_negative(model, inputs[0], depth),
            Values::Any => false,
        },
    }
}

fn step(model: &ValidatedModel<'_>, source: Source, depth: u32) -> Option<(FunctionId, u32)> {
    match source {
        Source::Output(f, 0) if model.loop_of(f).is_none() => Some((f, depth.checked_sub(1)?)),
        _ => None,
    }
}

fn same(inputs: &[Source]) -> bool {
    inputs.len() == 2 && inputs[0] == inputs[1]
}

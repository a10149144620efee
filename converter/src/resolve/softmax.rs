//! Softmax (spec 4.5): what the primitives work along, and compositions that are a softmax along one axis.

use super::reduction::Reduced;
use super::{either, made};
use crate::layout::Lead;
use cntk_parser::model::{DynamicAxes, FunctionId, Source, ValidatedModel, ValueType};
use cntk_parser::ops::Operator;
use cntk_parser::ops::attributes::Reduction;

/// The members of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Softmax {
    /// Softmax.
    Plain,
    /// Its logarithm.
    Log,
    /// 1 for the largest element, 0 for the others.
    Hard,
}

/// What a primitive works along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// A single number, as if it had an axis of size 1.
    Number,
    /// The last static axis.
    Last,
    /// All static axes together.
    Sample,
}

/// What a primitive works along: for a value without dynamic axes the last axis only, because CNTK takes the first for the
/// rows of a matrix.
pub fn along(rank: usize, lead: Lead, result: &ValueType) -> Along {
    match rank {
        0 => Along::Number,
        _ if lead == Lead::default() && result.axes == DynamicAxes::default() => Along::Last,
        _ => Along::Sample,
    }
}

/// A composition that is a softmax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Composed {
    /// Which.
    pub softmax: Softmax,
    /// The operand.
    pub x: Source,
    /// The static axis that it works along.
    pub axis: usize,
}

/// The softmax that a function completes: `x - logsum(x)`, `exp` of that, or `exp(x - max(x)) / sum(exp(x - max(x)))`.
pub fn composed(model: &ValidatedModel<'_>, f: FunctionId) -> Option<Composed> {
    let made = |softmax, (x, axis)| Composed { softmax, x, axis };
    match model.operator(f) {
        Operator::Minus => Some(made(Softmax::Log, less(model, f, Reduction::LogSum)?)),
        Operator::Exp => Some(made(Softmax::Plain, exponential(model, f, Reduction::LogSum)?)),
        Operator::ElementTimes => {
            let found = either(model.inputs(f)).find_map(|(above, inverse)| quotient(model, f, above, inverse))?;
            Some(made(Softmax::Plain, found))
        }
        _ => None,
    }
}

/// `x` and the axis of `x - reduction(x)`.
fn less(model: &ValidatedModel<'_>, minus: FunctionId, reduction: Reduction) -> Option<(Source, usize)> {
    let [x, reduced] = model.inputs(minus) else { return None };
    let (of, axis) = along_one(model, minus, *reduced, reduction)?;
    (of == *x).then_some((of, axis))
}

/// `x` and the axis of `exp(x - reduction(x))`.
fn exponential(model: &ValidatedModel<'_>, exp: FunctionId, reduction: Reduction) -> Option<(Source, usize)> {
    let (minus, Operator::Minus) = made(model, exp, *model.inputs(exp).first()?)? else { return None };
    less(model, minus, reduction)
}

fn quotient(model: &ValidatedModel<'_>, f: FunctionId, above: Source, inverse: Source) -> Option<(Source, usize)> {
    let (exp, Operator::Exp) = made(model, f, above)? else { return None };
    let (inverse, Operator::Reciprocal) = made(model, f, inverse)? else { return None };
    let found = exponential(model, exp, Reduction::Max)?;
    (along_one(model, f, *model.inputs(inverse).first()?, Reduction::Sum)? == (above, found.1)).then_some(found)
}

/// The operand and the axis of a reduction along one static axis, which stays with size 1.
fn along_one(
    model: &ValidatedModel<'_>,
    reader: FunctionId,
    reduced: Source,
    reduction: Reduction,
) -> Option<(Source, usize)> {
    let (f, Operator::ReduceElements(a)) = made(model, reader, reduced)? else { return None };
    let x = *model.inputs(f).first()?;
    let rank = model.type_of(x).shape.len();
    let over = Reduced::of(a, rank).ok()?;
    let ([axis], false) = (over.axes.as_slice(), over.batch) else { return None };
    let kept = a.keep_dimensions && model.type_of(reduced).shape.len() == rank;
    (kept && a.reduction == reduction).then_some((x, *axis))
}

//! Recognises Droppo's self-stabilizer: a learned factor of a value, kept positive by a softplus.

use crate::graph::literal::scalar;
use cntk_parser::model::{FunctionId, Source, ValidatedModel, VariableId, VariableKind};
use cntk_parser::ops::Operator;

/// A factor `log(1 + exp(steepness * alpha)) / steepness`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stabilizer {
    /// The parameter or constant, which has one element.
    pub alpha: VariableId,
    /// A number above zero.
    pub steepness: f64,
}

/// The stabilizer of which a value is the factor.
pub fn stabilizer(model: &ValidatedModel<'_>, factor: Source) -> Option<Stabilizer> {
    let (f, Operator::ElementTimes) = maker(model, factor)? else { return None };
    either(model, f).into_iter().find_map(|(softplus, divisor)| {
        let inverse = match maker(model, divisor) {
            Some((f, Operator::Reciprocal)) => constant(model, *model.inputs(f).first()?)?.recip(),
            _ => constant(model, divisor)?,
        };
        let (f, Operator::LogPlus) = maker(model, softplus)? else { return None };
        let (steep, _) = either(model, f).into_iter().find(|(_, zero)| constant(model, *zero) == Some(0.0))?;
        let (f, Operator::ElementTimes) = maker(model, steep)? else { return None };
        either(model, f).into_iter().find_map(|(alpha, steepness)| {
            let steepness = constant(model, steepness).filter(|s| *s > 0.0)?;
            let Source::Variable(alpha) = alpha else { return None };
            let one = model.type_of(Source::Variable(alpha)).shape.iter().all(|d| d.known() == Some(1));
            let stored = model.variable(alpha).value.is_some();
            let agree = (inverse * steepness - 1.0).abs() < 1e-6;
            (one && stored && agree).then_some(Stabilizer { alpha, steepness })
        })
    })
}

/// The value of a constant with one element.
fn constant(model: &ValidatedModel<'_>, source: Source) -> Option<f64> {
    let Source::Variable(v) = source else { return None };
    (model.variable(v).kind == VariableKind::Constant).then(|| scalar(model, source))?
}

fn maker<'m, 'a>(model: &'m ValidatedModel<'a>, source: Source) -> Option<(FunctionId, &'m Operator<'a>)> {
    match source {
        Source::Output(f, 0) => Some((f, model.operator(f))),
        _ => None,
    }
}

/// The operands of a commutative function, in both orders.
fn either(model: &ValidatedModel<'_>, f: FunctionId) -> Vec<(Source, Source)> {
    match model.inputs(f) {
        [a, b] => vec![(*a, *b), (*b, *a)],
        _ => Vec::new(),
    }
}

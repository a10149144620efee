//! What functions of the CNTK graph compute where that takes more than their row in the op table: decided here once, so
//! that both back ends only spell it. Knows neither ONNX nor PyTorch.

pub mod crop;
pub mod frames;
pub mod gelu;
pub mod normalization;
pub mod pooling;
pub mod reduction;
pub mod response;
pub mod softmax;
pub mod window;

#[cfg(test)]
mod random;

use cntk_parser::model::{FunctionId, Source, ValidatedModel, VariableKind};
use cntk_parser::ops::{Op, Operator};

/// The function that computes a value, if it belongs to the same loop as `reader`, or like it to none.
fn made<'m, 'a>(
    model: &'m ValidatedModel<'a>,
    reader: FunctionId,
    source: Source,
) -> Option<(FunctionId, &'m Operator<'a>)> {
    match source {
        Source::Output(f, 0) if model.loop_of(f) == model.loop_of(reader) => Some((f, model.operator(f))),
        _ => None,
    }
}

/// The operands of a commutative function, in both orders.
pub fn either(sources: &[Source]) -> impl Iterator<Item = (Source, Source)> + use<> {
    let pair = if let [a, b] = sources { Some((*a, *b)) } else { None };
    pair.into_iter().flat_map(|(a, b)| [(a, b), (b, a)])
}

/// The operands, in both orders, of the commutative function of this kind that computes a value, as [`made`] has it.
fn operands(
    model: &ValidatedModel<'_>,
    reader: FunctionId,
    source: Source,
    op: Op,
) -> Option<impl Iterator<Item = (Source, Source)> + use<>> {
    let (f, operator) = made(model, reader, source)?;
    (operator.op() == Some(op)).then(|| either(model.inputs(f)))
}

/// The number of a constant with one element.
pub fn number(model: &ValidatedModel<'_>, source: Source) -> Option<f64> {
    let Source::Variable(v) = source else { return None };
    crate::graph::literal::scalar(model, source).filter(|_| model.variable(v).kind == VariableKind::Constant)
}

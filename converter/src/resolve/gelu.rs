//! Gelu in its tanh form, which CNTK composes of simple functions.

use super::{either, made, number, operands};
use cntk_parser::model::{DataType, FunctionId, Source, ValidatedModel};
use cntk_parser::ops::{Op, Operator};

/// The operand of the Gelu that an ElementTimes completes: `x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))`. Only in
/// float, because the model's constants have the precision of floats.
pub fn gelu(model: &ValidatedModel<'_>, f: FunctionId) -> Option<Source> {
    let Operator::ElementTimes = model.operator(f) else { return None };
    let result = model.output_types(f).first()?;
    let x = either(model.inputs(f)).find_map(|(half, gate)| {
        let x = scaled(model, f, half, 0.5)?;
        let tanh =
            operands(model, f, gate, Op::Plus)?.find_map(|(one, tanh)| (number(model, one)? == 1.0).then_some(tanh))?;
        let (tanh, Operator::Tanh) = made(model, f, tanh)? else { return None };
        let inner = scaled(model, f, *model.inputs(tanh).first()?, (2.0 / std::f64::consts::PI).sqrt())?;
        let cube = operands(model, f, inner, Op::Plus)?.find_map(|(a, cube)| (a == x).then_some(cube))?;
        // ((c x) x) x, with the operands of each product in either order.
        let square = divided(model, f, cube, x)?;
        let line = divided(model, f, square, x)?;
        (scaled(model, f, line, 0.044_715)? == x).then_some(x)
    })?;
    let same = model.type_of(x).shape.len() == result.shape.len();
    (same && result.data_type == DataType::Float).then_some(x)
}

/// The `v` of `source = factor * v`.
fn scaled(model: &ValidatedModel<'_>, reader: FunctionId, source: Source, factor: f64) -> Option<Source> {
    let near = |c: f64| (c - factor).abs() < 1e-6 * factor;
    operands(model, reader, source, Op::ElementTimes)?.find_map(|(c, v)| near(number(model, c)?).then_some(v))
}

/// The `v` of `source = v * x`.
fn divided(model: &ValidatedModel<'_>, reader: FunctionId, source: Source, x: Source) -> Option<Source> {
    operands(model, reader, source, Op::ElementTimes)?.find_map(|(v, other)| (other == x).then_some(v))
}

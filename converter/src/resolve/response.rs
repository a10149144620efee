//! Local response normalization, which CNTK composes of a convolution and simple functions.

use super::window::of_convolution;
use super::{either, made, number, operands};
use crate::graph::literal;
use cntk_parser::model::{DataType, Dim, Dims, FunctionId, Source, ValidatedModel, VariableKind};
use cntk_parser::ops::attributes::Convolution;
use cntk_parser::ops::{Op, Operator};

/// The most neighbours that are looked for.
const MOST: u64 = 16;

/// `x / (bias + alpha / size * s) ^ beta`, with `s` the sum of the squares of `size` neighbouring channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalResponse {
    /// The operand; its channels are the first static axis, and there are more.
    pub x: Source,
    /// The number of neighbours, an odd number.
    pub size: u64,
    /// The factor of the mean of the squares; not negative.
    pub alpha: f64,
    /// The exponent.
    pub beta: f64,
    /// A positive number.
    pub bias: f64,
}

impl LocalResponse {
    /// The normalization that an ElementTimes completes: `x * 1/exp(beta * log(bias + sum))`. Without a guard against 0,
    /// because the sum is positive. None in half precision, in which CNTK's squares overflow.
    pub fn composed(model: &ValidatedModel<'_>, f: FunctionId) -> Option<Self> {
        let Operator::ElementTimes = model.operator(f) else { return None };
        let result = model.output_types(f).first()?;
        let found = either(model.inputs(f)).find_map(|(x, inverse)| Self::of(model, f, x, inverse))?;
        let same = model.type_of(found.x).shape == result.shape;
        (same && result.data_type != DataType::Float16).then_some(found)
    }

    fn of(model: &ValidatedModel<'_>, reader: FunctionId, x: Source, inverse: Source) -> Option<Self> {
        let first = |f| model.inputs(f).first().copied();
        let (f, Operator::Reciprocal) = made(model, reader, inverse)? else { return None };
        let (f, Operator::Exp) = made(model, reader, first(f)?)? else { return None };
        let scaled = |source, op| operands(model, reader, source, op)?.find_map(|(n, v)| Some((number(model, n)?, v)));
        let (beta, log) = scaled(first(f)?, Op::ElementTimes)?;
        let (f, Operator::Log) = made(model, reader, log)? else { return None };
        let (bias, sum) = scaled(first(f)?, Op::Plus)?;
        let (squares, size, factor) = neighbours(model, reader, sum)?;
        let (f, Operator::ElementTimes) = made(model, reader, squares)? else { return None };
        let found = Self { x, size, alpha: factor * size as f64, beta, bias };
        (model.inputs(f) == [x, x] && bias > 0.0 && factor >= 0.0).then_some(found)
    }
}

/// What `sum` adds up over neighbouring channels, over how many, and the factor. The channels are made an axis of space
/// for the convolution, and channels again.
fn neighbours(model: &ValidatedModel<'_>, reader: FunctionId, sum: Source) -> Option<(Source, u64, f64)> {
    let shape = |source| &model.type_of(source).shape;
    let (back, Operator::Reshape(_)) = made(model, reader, sum)? else { return None };
    let convolved = *model.inputs(back).first()?;
    let (f, Operator::Convolution(a)) = made(model, reader, convolved)? else { return None };
    let [Source::Variable(kernel), image] = *model.inputs(f) else { return None };
    let (unfold, Operator::Reshape(_)) = made(model, reader, image)? else { return None };
    let squares = *model.inputs(unfold).first()?;
    let unfolded: Dims = std::iter::once(Dim::Known(1)).chain(shape(squares).iter().copied()).collect();
    let moved = *shape(image) == unfolded && shape(sum) == shape(squares) && shape(squares).len() > 1;
    if !moved || model.variable(kernel).kind != VariableKind::Constant {
        return None;
    }
    let kernel = Source::Variable(kernel);
    let taps: Vec<u64> = shape(kernel).iter().map(|d| d.known()).collect::<Option<_>>()?;
    // A kernel without an axis for its outputs has one.
    let extra = taps.len().checked_sub(unfolded.len())?;
    let (ones, taps) = taps.split_at_checked(extra + 1)?;
    let (size, others) = taps.split_first()?;
    let factors = literal::small(model, kernel, MOST)?;
    let factor = *factors.first()?;
    let flat = extra < 2 && ones.iter().chain(others).all(|n| *n == 1) && factors.iter().all(|v| *v == factor);
    (flat && size % 2 == 1 && is_centred(a, taps, &unfolded)).then_some((squares, *size, factor))
}

/// Does each window, one per element, have its element in the middle?
fn is_centred(a: &Convolution, taps: &[u64], operand: &[Dim]) -> bool {
    let sizes: Vec<Option<u64>> = operand.iter().map(|d| d.known()).collect();
    let mut windows = of_convolution(a, taps, &sizes).into_iter();
    let plain = !a.transpose && a.groups <= 1 && a.sharing.iter().all(|s| *s);
    plain && windows.all(|w| w.is_centred())
}

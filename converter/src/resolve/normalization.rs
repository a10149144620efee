//! Normalization (spec 4.9), and compositions that are a layer normalization.

use super::reduction::Reduced;
use super::{either, made, number, operands};
use cntk_parser::model::{DataType, FunctionId, Source, ValidatedModel, VariableId};
use cntk_parser::ops::attributes::{BatchNormalization, Reduction};
use cntk_parser::ops::{Op, Operator};

/// Is each element of an operand of this rank a channel of its own? Otherwise, the outermost static axis has the channels.
pub fn is_per_element(a: &BatchNormalization, rank: usize) -> bool {
    !a.spatial || rank == 0
}

/// `scale * (x - mean) / deviation + bias`, with mean and deviation over the last axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNorm {
    /// The operand.
    pub x: Source,
    /// A parameter or constant.
    pub scale: VariableId,
    /// A parameter or constant.
    pub bias: VariableId,
    /// The first of the normalized static axes.
    pub axis: usize,
    /// A small positive number.
    pub epsilon: f64,
    /// Where it is added: to the variance, or to its root, as in CNTK's own layer.
    pub to_variance: bool,
}

impl LayerNorm {
    /// The layer normalization that a Plus completes. None in half precision, in which CNTK's means overflow.
    pub fn composed(model: &ValidatedModel<'_>, f: FunctionId) -> Option<Self> {
        let Operator::Plus = model.operator(f) else { return None };
        let result = model.output_types(f).first()?;
        let found = either(model.inputs(f)).find_map(|(scaled, bias)| {
            let Source::Variable(bias) = bias else { return None };
            Self::without_bias(model, f, scaled).map(|found| Self { bias, ..found })
        })?;
        let same = model.type_of(found.x).shape.len() == result.shape.len();
        (same && result.data_type != DataType::Float16).then_some(found)
    }

    fn without_bias(model: &ValidatedModel<'_>, reader: FunctionId, scaled: Source) -> Option<Self> {
        let product = |s| operands(model, reader, s, Op::ElementTimes);
        product(scaled)?.find_map(|(quotient, scale)| {
            let Source::Variable(scale) = scale else { return None };
            product(quotient)?.find_map(|(centred, inverse)| {
                let (f, Operator::Minus) = made(model, reader, centred)? else { return None };
                let [x, subtracted] = model.inputs(f) else { return None };
                let (of, axis) = mean(model, reader, *subtracted)?;
                let (f, Operator::Reciprocal) = made(model, reader, inverse)? else { return None };
                let (squares, epsilon, to_variance) = deviation(model, reader, *model.inputs(f).first()?)?;
                let (f, Operator::ElementTimes) = made(model, reader, squares.0)? else { return None };
                let same = of == *x && squares.1 == axis && model.inputs(f) == [centred, centred];
                (same && epsilon > 0.0).then_some(Self { x: of, scale, bias: scale, axis, epsilon, to_variance })
            })
        })
    }
}

/// What a deviation is the root of the mean of, with the first axis of that mean; the epsilon, and whether it is added to
/// the mean.
fn deviation(model: &ValidatedModel<'_>, reader: FunctionId, divisor: Source) -> Option<((Source, usize), f64, bool)> {
    let plus = |s| operands(model, reader, s, Op::Plus)?.find_map(|(v, epsilon)| Some((v, number(model, epsilon)?)));
    let root = |s| match made(model, reader, s)? {
        (f, Operator::Sqrt) => model.inputs(f).first().copied(),
        _ => None,
    };
    if let Some(sum) = root(divisor) {
        let (variance, epsilon) = plus(sum)?;
        return Some((mean(model, reader, variance)?, epsilon, true));
    }
    let (deviation, epsilon) = plus(divisor)?;
    Some((mean(model, reader, root(deviation)?)?, epsilon, false))
}

/// The operand of a mean over the last static axes, and the first of these.
fn mean(model: &ValidatedModel<'_>, reader: FunctionId, source: Source) -> Option<(Source, usize)> {
    let (f, Operator::ReduceElements(a)) = made(model, reader, source)? else { return None };
    let x = *model.inputs(f).first()?;
    let rank = model.type_of(x).shape.len();
    let over = Reduced::of(a, rank).ok()?;
    let axis = *over.axes.first()?;
    let last = over.axes.len() == rank - axis && !over.batch;
    let kept = axis == 0 || model.type_of(source).shape.len() == rank;
    (a.reduction == Reduction::Mean && last && kept).then_some((x, axis))
}

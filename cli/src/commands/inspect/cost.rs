//! What one evaluation costs, in multiply-adds.

use crate::json::Json;
use cntk_parser::{
    model::{Dims, FunctionId, ValidatedModel},
    ops::Operator,
};

/// Multiply-adds of the matrix products and convolutions for one sample, or for one step of a sequence.
pub struct Cost {
    multiply_adds: u64,
    /// Functions whose sizes are known only at run time.
    unknown: u64,
}

impl Cost {
    pub fn of(model: &ValidatedModel<'_>) -> Self {
        let mut cost = Self { multiply_adds: 0, unknown: 0 };
        for id in model.order() {
            match function(model, *id) {
                Some(n) => cost.multiply_adds = cost.multiply_adds.saturating_add(n),
                None => cost.unknown += 1,
            }
        }
        cost
    }

    pub fn text(&self) -> String {
        let known = format!("{} multiply-adds per sample (per step in a sequence)", self.multiply_adds);
        match self.unknown {
            0 => known,
            n => format!("{known}, and {n} functions whose sizes are free"),
        }
    }

    pub fn json(&self) -> Json {
        Json::Object(vec![
            ("multiply_adds", Json::Number(self.multiply_adds)),
            ("functions_of_free_size", Json::Number(self.unknown)),
        ])
    }
}

/// Zero for what does no products; `None` where a size is free.
fn function(model: &ValidatedModel<'_>, id: FunctionId) -> Option<u64> {
    let shape = |input: usize| model.inputs(id).get(input).map(|source| &model.type_of(*source).shape);
    let output = || elements(&model.output_types(id).first()?.shape);
    match model.operator(id) {
        // Each element of the output is a sum over what the left operand shares with the right one.
        Operator::Times(times) => {
            let right = elements(shape(0)?)?;
            let kept = last(shape(0)?, times.output_rank)?;
            output()?.checked_mul(right.checked_div(kept)?)
        }
        Operator::TransposeTimes(times) => {
            let left = elements(shape(0)?)?;
            let kept = first(shape(0)?, times.output_rank)?;
            output()?.checked_mul(left.checked_div(kept)?)
        }
        // The kernel is [outputs, inputs per group, window…]; a transposed one is applied to each input element.
        Operator::Convolution(convolution) => {
            let per_output = elements(shape(0)?)?.checked_div(shape(0)?.first()?.known()?)?;
            let places = if convolution.transpose { elements(shape(1)?)? } else { output()? };
            places.checked_mul(per_output)
        }
        _ => Some(0),
    }
}

fn elements(shape: &Dims) -> Option<u64> {
    shape.iter().try_fold(1u64, |n, d| n.checked_mul(d.known()?))
}

fn last(shape: &Dims, count: u64) -> Option<u64> {
    let skip = shape.len().saturating_sub(usize::try_from(count).ok()?);
    shape.iter().skip(skip).try_fold(1u64, |n, d| n.checked_mul(d.known()?))
}

fn first(shape: &Dims, count: u64) -> Option<u64> {
    shape.iter().take(usize::try_from(count).ok()?).try_fold(1u64, |n, d| n.checked_mul(d.known()?))
}

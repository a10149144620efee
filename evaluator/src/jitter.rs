//! What another implementation may compute in CNTK's place: every number off by a rounding error, and CNTK's own way with what
//! mathematics leaves open left out.

use crate::value::Value;
use cntk_parser::model::DataType;
use cntk_parser::ops::{Operator, attributes};
use fastrand::Rng;

/// A rounding error of a type, relative to the number.
fn error(data_type: DataType) -> f64 {
    match data_type {
        DataType::Double => 2f64.powi(-52),
        DataType::Float16 => 2f64.powi(-10),
        _ => 2f64.powi(-23),
    }
}

/// The results of an operator, every number moved. Whole numbers, which may be indices, stay.
pub(crate) fn jittered(value: &Value, operator: &Operator<'_>, data_type: DataType, random: &mut Rng) -> Value {
    let error = error(data_type);
    // Runtimes approximate these with an error that is relative to the range, not to the number. Their kernels are in single
    // precision for doubles, too.
    let range = if approximates(operator) { error.max(2f64.powi(-23)) } else { 0.0 };
    // Some compute doubles in single precision, which large numbers leave.
    let mut moved = |x: &f64| match (x.fract() == 0.0, random.bool()) {
        _ if x.abs() > f64::from(f32::MAX) => x * f64::INFINITY,
        (true, _) if range == 0.0 => *x,
        (_, true) => x * (1.0 + error) + range,
        (_, false) => x * (1.0 - error) - range,
    };
    Value { frames: value.frames.clone(), data: value.data.map(&mut moved).into_shared() }
}

/// Is its error relative to 1, about which its numbers are small differences?
fn approximates(operator: &Operator<'_>) -> bool {
    use Operator as Op;
    matches!(
        operator,
        Op::Sigmoid
            | Op::StableSigmoid
            | Op::Tanh
            | Op::ELU
            | Op::Sin
            | Op::Cos
            | Op::LogSoftmax
            | Op::LogPlus
            | Op::CosDistance
            | Op::CrossEntropyWithSoftmax
    )
}

/// The operands of an operator where equal numbers compete: the tie is broken at random.
pub(crate) fn untied(
    operator: &Operator<'_>,
    inputs: &[Value],
    types: DataType,
    random: &mut Rng,
) -> Option<Vec<Value>> {
    let Operator::TopK(_) = operator else { return None };
    let error = error(types);
    let mut moved = |x: &f64| {
        let up = if random.bool() { 1.0 } else { -1.0 };
        x * (1.0 + up * error) + up * f64::from(f32::MIN_POSITIVE)
    };
    Some(
        inputs.iter().map(|x| Value { frames: x.frames.clone(), data: x.data.map(&mut moved).into_shared() }).collect(),
    )
}

/// Does a NaN meet a maximum, where CNTK passes over it and others do as they like?
pub(crate) fn nan_decides(operator: &Operator<'_>, inputs: &[Value]) -> bool {
    use Operator as Op;
    let compares = match operator {
        Op::Hardmax | Op::Softmax | Op::LogSoftmax | Op::TopK(_) | Op::Unpooling(_) | Op::Clip => true,
        Op::Pooling(a) => a.kind == attributes::PoolingType::Max,
        Op::ReduceElements(a) => {
            use attributes::Reduction::{Argmax, Argmin, LogSum, Max, Min};
            matches!(a.reduction, Max | Min | LogSum | Argmax | Argmin)
        }
        _ => false,
    };
    compares && inputs.iter().any(|x| x.data.iter().any(|x| x.is_nan()))
}

/// No number at all, in the shape of a result.
pub(crate) fn unknown(value: &Value) -> Value {
    Value { frames: value.frames.clone(), data: value.data.map(|_| f64::NAN).into_shared() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Frames;

    fn value(numbers: &[f64]) -> Value {
        let Ok(value) = Value::of(Frames::One, &[numbers.len()], numbers.to_vec()) else { panic!("no value") };
        value
    }

    #[test]
    fn whole_numbers_stay_where_they_are_exact() {
        let mut random = Rng::with_seed(1);
        let x = value(&[1.0, 0.5]);
        let moved = jittered(&x, &Operator::Plus, DataType::Float, &mut random);
        assert_eq!(moved.data[[0, 0]], 1.0);
        assert_ne!(moved.data[[0, 1]], 0.5);
        let moved = jittered(&x, &Operator::Cos, DataType::Float, &mut random);
        assert_ne!(moved.data[[0, 0]], 1.0);
    }

    #[test]
    fn a_nan_decides_where_numbers_are_compared() {
        assert!(nan_decides(&Operator::Hardmax, &[value(&[f64::NAN, 1.0])]));
        assert!(!nan_decides(&Operator::Hardmax, &[value(&[2.0, 1.0])]));
        assert!(!nan_decides(&Operator::Plus, &[value(&[f64::NAN, 1.0])]));
    }
}

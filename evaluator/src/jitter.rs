//! What another implementation may compute in CNTK's place: every number off by a rounding error, and CNTK's own way with what
//! mathematics leaves open left out.

use crate::precision::round;
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
pub(crate) fn jittered(
    value: &Value,
    operator: &Operator<'_>,
    inputs: &[Value],
    data_type: DataType,
    random: &mut Rng,
) -> Value {
    let single = is_single(operator, data_type);
    let error = error(if single { DataType::Float } else { data_type });
    // The rounding errors of a sum add up like a random walk.
    let summands = inputs.iter().map(|x| x.data.len()).max().unwrap_or(1) as f64 / value.data.len().max(1) as f64;
    let error = if matches!(operator, Operator::SumAll) { error * summands.max(1.0).sqrt() } else { error };
    // Runtimes approximate these with an error that is relative to the range, not to the number. Their kernels are in single
    // precision for doubles, too.
    let range = if approximates(operator) { error.max(2f64.powi(-23)) } else { 0.0 };
    let mut moved = |x: &f64| {
        // Some compute doubles in single precision, which large numbers leave.
        if x.abs() > f64::from(f32::MAX) {
            return x * f64::INFINITY;
        }
        if x.fract() == 0.0 && range == 0.0 {
            return *x;
        }
        let up = share(random);
        let moved = x + up * (x.abs() * error + range);
        // A small difference of numbers about 1 has the digits that they have.
        let moved = if range > 0.0 && random.bool() { (moved * NEAR_ONE).round() / NEAR_ONE } else { moved };
        round(moved, if single { DataType::Float } else { data_type })
    };
    Value { frames: value.frames.clone(), data: value.data.map(&mut moved).into_shared() }
}

/// Which part of the largest error is made: often all of it or nothing, else any.
fn share(random: &mut Rng) -> f64 {
    match random.u8(0..4) {
        0 => 1.0,
        1 => -1.0,
        2 => 0.0,
        _ => random.f64() * 2.0 - 1.0,
    }
}

/// One divided by the distance of single-precision numbers just below 1.
const NEAR_ONE: f64 = 16_777_216.0;

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

/// Is it computed in single precision in a double model, because ONNX Runtime has no other kernel?
fn is_single(operator: &Operator<'_>, data_type: DataType) -> bool {
    use Operator as Op;
    let narrow = matches!(
        operator,
        Op::ELU
            | Op::Hardmax
            | Op::Sinh
            | Op::Cosh
            | Op::Tan
            | Op::Cos
            | Op::Asin
            | Op::Acos
            | Op::Atan
            | Op::Asinh
            | Op::Atanh
            | Op::Convolution(_)
            | Op::Pooling(_)
            | Op::Unpooling(_)
            | Op::ROIPooling(_)
    );
    narrow && data_type == DataType::Double
}

/// The operands of an operator as another implementation may see them: where equal numbers compete, the tie is broken, at
/// random or by a random order; a NaN in a comparison may be beyond all numbers, at either end; and what is computed in single
/// precision reads single precision.
pub(crate) fn as_read(
    operator: &Operator<'_>,
    inputs: &[Value],
    types: DataType,
    random: &mut Rng,
) -> Option<Vec<Value>> {
    let map = |x: &Value, f: &mut dyn FnMut(f64) -> f64| Value {
        frames: x.frames.clone(),
        data: x.data.map(|x| f(*x)).into_shared(),
    };
    let mut read = inputs.to_vec();
    let orders = nan_decides(operator, inputs) && !matches!(operator, Operator::Sqrt) && random.bool();
    if orders {
        let end = if random.bool() { f64::INFINITY } else { f64::NEG_INFINITY };
        read = read.iter().map(|x| map(x, &mut |x| if x.is_nan() { end } else { x })).collect();
    }
    match operator {
        Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual => compared(inputs, error(types), random),
        Operator::TopK(a) => Some(read.iter().map(|x| untied(x, a, error(types), random)).collect()),
        _ if is_single(operator, types) => {
            Some(read.iter().map(|x| map(x, &mut |x| round(x, DataType::Float))).collect())
        }
        _ => orders.then_some(read),
    }
}

/// The operands of a comparison, where numbers that differ by a few rounding errors may be equal. They may be small differences
/// of numbers about 1, whose errors these have.
fn compared(inputs: &[Value], error: f64, random: &mut Rng) -> Option<Vec<Value>> {
    let [a, b] = inputs else { return None };
    if a.frames != b.frames || a.shape() != b.shape() {
        return None;
    }
    let near = |a: f64, b: f64| a != b && (a - b).abs() <= 4.0 * error * a.abs().max(1.0);
    let (left, right) = (a.contiguous(), b.contiguous());
    let joined = left.iter().zip(right.iter()).map(|(a, b)| if near(*a, *b) && random.bool() { *b } else { *a });
    let joined = Value::of(a.frames.clone(), a.shape(), joined.collect()).ok()?;
    Some(vec![joined, b.clone()])
}

/// The operand of TopK without ties.
fn untied(x: &Value, a: &attributes::TopK<'_>, error: f64, random: &mut Rng) -> Value {
    let Some(row) = a.axis.row(x.rank()) else { return x.clone() };
    let (n, inner) = (x.shape()[row], x.shape()[row + 1..].iter().product::<usize>());
    let order: Option<Vec<f64>> = random.bool().then(|| (0..n).map(|_| random.f64() * 2.0 - 1.0).collect());
    let numbers = x.contiguous();
    let moved = numbers.iter().enumerate().map(|(i, x)| {
        let up = order.as_ref().map_or_else(|| f64::from(random.i8(-1..=1)), |order| order[i / inner % n]);
        x * (1.0 + up * error) + up * f64::from(f32::MIN_POSITIVE)
    });
    Value::of(x.frames.clone(), x.shape(), moved.collect()).unwrap_or_else(|_| x.clone())
}

/// Does a NaN meet a maximum, where CNTK passes over it and others do as they like, or a square root, which is 0 in CNTK? Or do
/// the squares of a cosine overflow?
pub(crate) fn nan_decides(operator: &Operator<'_>, inputs: &[Value]) -> bool {
    use Operator as Op;
    let compares = match operator {
        Op::Sqrt | Op::Hardmax | Op::Softmax | Op::LogSoftmax | Op::TopK(_) | Op::Unpooling(_) | Op::Clip => true,
        Op::Pooling(a) => a.kind == attributes::PoolingType::Max,
        Op::ReduceElements(a) => {
            use attributes::Reduction::{Argmax, Argmin, LogSum, Max, Min};
            matches!(a.reduction, Max | Min | LogSum | Argmax | Argmin)
        }
        _ => false,
    };
    compares && inputs.iter().any(|x| x.data.iter().any(|x| x.is_nan())) || squares_leave_range(operator, inputs)
}

/// Is it a cosine of vectors whose squared norms leave single precision? CNTK scales them.
fn squares_leave_range(operator: &Operator<'_>, inputs: &[Value]) -> bool {
    let leaves = |row: &[f64]| {
        let square: f64 = row.iter().map(|x| x * x).sum();
        square > f64::from(f32::MAX) || square > 0.0 && square < f64::from(f32::MIN_POSITIVE)
    };
    matches!(operator, Operator::CosDistance)
        && inputs.iter().any(|x| x.contiguous().chunks(x.width().max(1)).any(leaves))
}

/// No number at all, in the shape of a result; or, as ONNX Runtime has it, nothing selected by a Hardmax, and a LogSoftmax as if the sum
/// were 1e-20.
pub(crate) fn unknown(value: &Value, operator: &Operator<'_>, random: &mut Rng) -> Value {
    let number = match operator {
        Operator::Hardmax if random.bool() => 0.0,
        Operator::LogSoftmax if random.bool() => -1e-20f64.ln(),
        _ => f64::NAN,
    };
    Value { frames: value.frames.clone(), data: value.data.map(|_| number).into_shared() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Frames;
    use cntk_parser::model::Axis;

    fn value(numbers: &[f64]) -> Value {
        let Ok(value) = Value::of(Frames::One, &[numbers.len()], numbers.to_vec()) else { panic!("no value") };
        value
    }

    #[test]
    fn whole_numbers_stay_where_they_are_exact() {
        let mut random = Rng::with_seed(1);
        let x = value(&[1.0, 0.5]);
        let moved = jittered(&x, &Operator::Plus, &[], DataType::Float, &mut random);
        assert_eq!(moved.data[[0, 0]], 1.0);
        assert!(moved.data.iter().all(|x| round(*x, DataType::Float) == *x));
        let moved = jittered(&value(&[1.0; 64]), &Operator::Cos, &[], DataType::Float, &mut random);
        assert!(moved.data.iter().any(|x| *x != 1.0));
    }

    #[test]
    fn an_error_of_the_range_moves_away_from_the_number() {
        let mut random = Rng::with_seed(1);
        let x = value(&[-1.0; 64]);
        let moved = jittered(&x, &Operator::CosDistance, &[], DataType::Float, &mut random);
        assert!(moved.data.iter().filter(|x| **x < -1.0).count() > 16);
    }

    #[test]
    fn single_precision_within_a_double_model() {
        let mut random = Rng::with_seed(1);
        let x = value(&[0.1, 1e-9]);
        let moved = |operator: &Operator<'_>, random: &mut Rng| {
            let read = as_read(operator, std::slice::from_ref(&x), DataType::Double, random);
            (read.map(|list| list[0].data[[0, 0]]), jittered(&x, operator, &[], DataType::Double, random).data[[0, 1]])
        };
        let (read, made) = moved(&Operator::Tan, &mut random);
        assert_eq!((read, made), (Some(f64::from(0.1f32)), round(made, DataType::Float)));
        let (read, made) = moved(&Operator::Exp, &mut random);
        assert!(read.is_none() && (made - 1e-9).abs() < 1e-24);
    }

    #[test]
    fn ties_are_broken_in_any_order() {
        let mut random = Rng::with_seed(1);
        let a = attributes::TopK { axis: Axis { index: 0, name: "", ordered: false }, num_items: 1 };
        let x = value(&[0.0, 0.0, 0.0]);
        let first = |random: &mut Rng| {
            let moved = untied(&x, &a, error(DataType::Float), random).elements();
            moved.iter().all(|x| *x <= moved[0])
        };
        let firsts = (0..100).filter(|_| first(&mut random)).count();
        assert!((20..80).contains(&firsts), "{firsts}");
    }

    #[test]
    fn nearly_equal_numbers_may_be_equal() {
        let mut random = Rng::with_seed(1);
        let (a, b) = (value(&[0.3, 1.0, 2.0]), value(&[0.3 + 2e-7, 1.0, 2.1]));
        let mut read = || compared(&[a.clone(), b.clone()], error(DataType::Float), &mut random).unwrap()[0].elements();
        let tries: Vec<Vec<f64>> = (0..32).map(|_| read()).collect();
        assert!(tries.iter().any(|x| x[0] == 0.3 + 2e-7) && tries.iter().any(|x| x[0] == 0.3));
        assert!(tries.iter().all(|x| x[1..] == [1.0, 2.0]));
    }

    #[test]
    fn a_nan_decides_where_numbers_are_compared() {
        assert!(nan_decides(&Operator::Hardmax, &[value(&[f64::NAN, 1.0])]));
        assert!(!nan_decides(&Operator::Hardmax, &[value(&[2.0, 1.0])]));
        assert!(nan_decides(&Operator::CosDistance, &[value(&[1e20])]));
        assert!(!nan_decides(&Operator::CosDistance, &[value(&[1e10])]));
        assert!(!nan_decides(&Operator::Plus, &[value(&[f64::NAN, 1.0])]));
    }

    #[test]
    fn a_softmax_of_nan_may_be_what_onnx_runtime_makes_of_it() {
        let mut random = Rng::with_seed(1);
        let mut made = |operator: &Operator<'_>| -> Vec<f64> {
            (0..32).map(|_| unknown(&value(&[1.0]), operator, &mut random).elements()[0]).collect()
        };
        let selected = made(&Operator::Hardmax);
        assert!(selected.contains(&0.0) && selected.iter().any(|x| x.is_nan()));
        assert!(made(&Operator::LogSoftmax).iter().any(|x| *x > 46.0));
        assert!(made(&Operator::Softmax).iter().all(|x| x.is_nan()));
    }
}

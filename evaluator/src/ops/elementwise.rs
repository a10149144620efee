//! Element-wise operators (spec 4.4), with CNTK's results in special cases.

use super::broadcast::{expand, map, zip, zip3};
use super::{Call, Out};
use crate::precision::round;
use cntk_parser::model::DataType;

/// The smallest number of which CNTK computes the logarithm.
const LEAST_IN_LOG: f64 = 1e-37;
/// CNTK's result for smaller numbers.
const LOG_OF_ZERO: f64 = -85.1;

/// A unary operator that is a function of each element.
pub(super) fn unary(call: &mut Call<'_>, f: impl Fn(f64) -> f64) -> Out {
    Ok(vec![map(call, f)?])
}

/// A binary operator that is a function of each pair of elements.
pub(super) fn binary(call: &mut Call<'_>, f: impl Fn(f64, f64) -> f64) -> Out {
    Ok(vec![zip(call, [call.input(0), call.input(1)], f)?])
}

/// A comparison, whose result is 1 or 0. Only NotEqual holds for a NaN.
pub(super) fn compare(call: &mut Call<'_>, holds: impl Fn(&f64, &f64) -> bool) -> Out {
    binary(call, |a, b| f64::from(u8::from(holds(&a, &b))))
}

/// Sigmoid, StableSigmoid: 1 / (1 + e^-x).
pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// ReLU, which CNTK computes as a product, so that ReLU(-inf) is NaN.
pub(super) fn relu(x: f64) -> f64 {
    if x > 0.0 { x } else { x * 0.0 + 0.0 }
}

/// ELU: x for x >= 0, else e^x - 1.
pub(super) fn elu(x: f64) -> f64 {
    if x >= 0.0 { x } else { x.exp() - 1.0 }
}

/// StraightThrough: 1 above 0, else -1.
pub(super) fn straight_through(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { -1.0 }
}

/// Log: -85.1 for everything below 1e-37; NaN stays NaN.
pub(super) fn log(x: f64) -> f64 {
    if x < LEAST_IN_LOG { LOG_OF_ZERO } else { x.ln() }
}

/// Sqrt: 0 for negative numbers and NaN.
pub(super) fn sqrt(x: f64) -> f64 {
    if x > 0.0 { x.sqrt() } else { 0.0 }
}

/// Reciprocal: 1/0 is 0.
pub(super) fn reciprocal(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { 1.0 / x }
}

/// Pow: 0 to a negative power is 0.
pub(super) fn pow(base: f64, exponent: f64) -> f64 {
    if base == 0.0 && exponent < 0.0 { 0.0 } else { base.powf(exponent) }
}

/// LogPlus: ln(e^a + e^b), computed stably; NaN if both are -inf.
pub(super) fn log_plus(a: f64, b: f64) -> f64 {
    let (larger, smaller) = if a < b { (b, a) } else { (a, b) };
    larger + (smaller - larger).exp().ln_1p()
}

/// Clip: the lower bound if x is below it, else the upper bound if x is above it, else x; NaN stays NaN.
pub(super) fn clip(call: &mut Call<'_>) -> Out {
    let f = |x, low, high| {
        if x < low {
            low
        } else if x > high {
            high
        } else {
            x
        }
    };
    Ok(vec![zip3(call, f)?])
}

/// Select: the second operand where the first is not 0 (NaN counts as not 0), else the third.
pub(super) fn select(call: &mut Call<'_>) -> Out {
    Ok(vec![zip3(call, |condition, then, otherwise| if condition != 0.0 { then } else { otherwise })?])
}

/// Pass, NoOp, StopGradient, LabelsToGraph, Dropout at inference.
pub(super) fn identity(call: &mut Call<'_>) -> Out {
    Ok(vec![call.input(0).clone()])
}

/// Assign: the assigned value, in the shape of the target.
pub(super) fn assign(call: &mut Call<'_>) -> Out {
    let (target, value) = (call.input(0), call.input(1));
    Ok(vec![expand(call, value, &value.frames, target.shape())?])
}

/// Cast: rounds to the new type. Nothing else is to do, since values are held in double precision.
pub(super) fn cast(call: &mut Call<'_>, to: DataType) -> Out {
    unary(call, |x| round(x, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges() {
        assert_eq!([log(0.0), log(-1.0), log(1e-38)], [LOG_OF_ZERO; 3]);
        assert_eq!([sqrt(-4.0), sqrt(f64::NAN), reciprocal(-0.0), pow(0.0, -1.0)], [0.0; 4]);
        assert_eq!(pow(0.0, 0.0), 1.0);
        assert!(relu(f64::NEG_INFINITY).is_nan() && log(f64::NAN).is_nan());
        assert!(relu(-2.0).is_sign_positive());
        assert_eq!([straight_through(f64::NAN), straight_through(0.0)], [-1.0; 2]);
        assert_eq!(log_plus(f64::NEG_INFINITY, 3.0), 3.0);
        assert!(log_plus(f64::NEG_INFINITY, f64::NEG_INFINITY).is_nan());
        assert!((log_plus(2.0, 2.0) - (2.0 + 2f64.ln())).abs() < 1e-12);
    }
}

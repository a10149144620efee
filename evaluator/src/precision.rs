//! Rounds every result to the type in which CNTK computes it.

use crate::value::Value;
use cntk_parser::model::DataType;

/// Rounds a number to this type.
#[expect(clippy::cast_possible_truncation, reason = "rounding is what this is for")]
#[inline]
pub(crate) fn round(x: f64, data_type: DataType) -> f64 {
    match data_type {
        DataType::Float => f64::from(x as f32),
        // CNTK's halves go through single precision, too.
        DataType::Float16 => half::f16::from_f32(x as f32).to_f64(),
        _ => x,
    }
}

/// Rounds a value to this type.
pub(crate) fn rounded(value: Value, data_type: DataType) -> Value {
    match data_type {
        DataType::Float => changed(value, |x| round(x, DataType::Float)),
        DataType::Float16 => changed(value, |x| round(x, DataType::Float16)),
        _ => value,
    }
}

/// The value with every number rounded. Nothing is copied where all of them are round already.
fn changed(mut value: Value, round: impl Fn(f64) -> f64) -> Value {
    let changes = |x: &f64| round(*x) != *x;
    let any = match value.data.as_slice_memory_order() {
        Some(numbers) => numbers.iter().any(changes),
        None => value.data.iter().any(changes),
    };
    if any {
        value.data.mapv_inplace(round);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_types_overflow_and_lose_digits() {
        assert_eq!(round(1e39, DataType::Float), f64::INFINITY);
        assert_eq!(round(65520.0, DataType::Float16), f64::INFINITY);
        assert_eq!(round(0.1, DataType::Float), f64::from(0.1f32));
        assert_eq!(round(2049.0, DataType::Float16), 2048.0);
        assert_eq!(round(0.1, DataType::Double), 0.1);
    }
}

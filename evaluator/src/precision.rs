//! Rounds every result to the type in which CNTK computes it.

use crate::value::Value;
use cntk_parser::model::DataType;

/// Rounds a number to this type.
#[expect(clippy::cast_possible_truncation, reason = "rounding is what this is for")]
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
    let changes = |x: &f64| round(*x, data_type).to_bits() != x.to_bits() && !x.is_nan();
    if !value.data.iter().any(changes) {
        return value;
    }
    let Value { frames, data } = value;
    let data = match data.try_into_owned_nocopy() {
        Ok(mut own) => {
            own.mapv_inplace(|x| round(x, data_type));
            own
        }
        Err(shared) => shared.mapv(|x| round(x, data_type)),
    };
    Value { frames, data: data.into_shared() }
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

//! Conversion to IEEE half precision, rounding to nearest, ties to even.

/// `value` as the bits of a half.
pub(super) fn from_f32(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16) & 0x8000;
    let magnitude = bits & 0x7fff_ffff;
    let half = if magnitude >= 0x7f80_0000 {
        // Infinity, or a NaN: the quiet bit keeps it one if its payload does not fit.
        0x7c00 | if magnitude > 0x7f80_0000 { 0x0200 | ((magnitude >> 13) & 0x3ff) } else { 0 }
    } else if magnitude >= 0x477f_f000 {
        0x7c00
    } else if magnitude >= 0x3880_0000 {
        // Normal: rebias the exponent by 127 - 15 and round off 13 bits. A carry into the exponent gives the right
        // number.
        let odd = (magnitude >> 13) & 1;
        (magnitude - 0x3800_0000 + 0xfff + odd) >> 13
    } else if magnitude > 0x3300_0000 {
        // Subnormal: the significand with its leading one, shifted to units of 2^-24.
        let shift = 126 - (magnitude >> 23);
        let significand = (magnitude & 0x7f_ffff) | 0x80_0000;
        let odd = (significand >> shift) & 1;
        (significand + (1 << (shift - 1)) - 1 + odd) >> shift
    } else {
        0
    };
    (sign | half) as u16
}

/// `value` as the bits of a half, rounded once.
pub(super) fn from_f64(value: f64) -> u16 {
    from_f32(round_to_odd(value))
}

/// Rounds towards zero and sets the last bit if the result is inexact, so that a second rounding is correct.
fn round_to_odd(value: f64) -> f32 {
    let near = value as f32;
    if value.is_nan() || f64::from(near) == value || near.is_infinite() {
        return near;
    }
    let bits = near.to_bits();
    let down = if f64::from(near).abs() > value.abs() { bits - 1 } else { bits };
    f32::from_bits(down | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of a finite half.
    fn value(half: u16) -> f64 {
        let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
        let (exponent, fraction) = (i32::from(half >> 10 & 31), f64::from(half & 0x3ff));
        if exponent == 0 {
            sign * fraction * 2f64.powi(-24)
        } else {
            sign * (1024.0 + fraction) * 2f64.powi(exponent - 25)
        }
    }

    #[test]
    fn every_finite_half_comes_back() {
        for half in (0..=u16::MAX).filter(|h| h & 0x7c00 != 0x7c00) {
            assert_eq!(from_f32(value(half) as f32), half, "{half:#x}");
            assert_eq!(from_f64(value(half)), half, "{half:#x}");
        }
    }

    #[test]
    fn halfway_goes_to_even_and_beyond_it_to_the_nearer() {
        for half in 0..0x7bffu16 {
            let (low, high) = (value(half), value(half + 1));
            let middle = (low + high) / 2.0;
            let even = if half & 1 == 0 { half } else { half + 1 };
            assert_eq!(from_f32(middle as f32), even, "{half:#x}");
            assert_eq!(from_f64(middle), even);
            assert_eq!(from_f32((middle as f32).next_up()), half + 1);
            assert_eq!(from_f64(middle.next_up()), half + 1);
            assert_eq!(from_f64(middle.next_down()), half);
        }
    }

    #[test]
    fn the_ends() {
        assert_eq!(from_f32(f32::INFINITY), 0x7c00);
        assert_eq!(from_f32(f32::NEG_INFINITY), 0xfc00);
        assert_eq!(from_f32(65504.0), 0x7bff);
        assert_eq!(from_f32(65519.996), 0x7bff);
        assert_eq!(from_f32(65520.0), 0x7c00);
        assert_eq!(from_f32(-0.0), 0x8000);
        assert_eq!(from_f32(1e-30), 0);
        assert_eq!(from_f64(1e300), 0x7c00);
        assert_eq!(from_f64(-1e-300), 0x8000);
        assert!(from_f32(f32::NAN) & 0x3ff != 0 && from_f32(f32::NAN) & 0x7c00 == 0x7c00);
        assert!(from_f64(f64::NAN) & 0x3ff != 0);
    }
}

//! Scans single precision with four comparisons of bits per element, which the compiler turns into vector instructions.

use super::Counts;

/// Magnitude bits of +infinity.
const INFINITY: i32 = 0x7f80_0000;
/// Magnitude bits of the smallest normal number.
const NORMAL: i32 = 0x0080_0000;
/// Magnitude bits of 1e18, whose square nearly overflows.
const EXTREME: i32 = 0x5d5e_0b6b;
/// Elements per run: few enough that 32-bit sums do not overflow and a second pass finds them in the cache.
const RUN: usize = 8192;

/// Counts the elements of `bytes`, little-endian.
pub(super) fn count(bytes: &[u8]) -> Counts {
    let (elements, _) = bytes.as_chunks::<4>();
    let mut counts = Counts { elements: elements.len() as u64, ..Counts::default() };
    for run in elements.chunks(RUN) {
        let (mut large, mut infinite, mut tiny, mut zero) = (0i32, 0i32, 0i32, 0i32);
        for element in run {
            let magnitude = i32::from_le_bytes(*element) & i32::MAX;
            large = large.wrapping_add(i32::from(magnitude >= EXTREME));
            infinite = infinite.wrapping_add(i32::from(magnitude >= INFINITY));
            tiny = tiny.wrapping_add(i32::from(magnitude < NORMAL));
            zero = zero.wrapping_add(i32::from(magnitude == 0));
        }
        let nan = if infinite == 0 { 0 } else { nans(run) };
        let number = |n: i32| u64::from(n.unsigned_abs());
        counts.add(Counts {
            elements: 0,
            nan,
            infinite: number(infinite).saturating_sub(nan),
            denormal: number(tiny.wrapping_sub(zero)),
            extreme: number(large.wrapping_sub(infinite)),
            unrepresentable: 0,
        });
    }
    counts
}

#[cold]
fn nans(run: &[[u8; 4]]) -> u64 {
    run.iter().filter(|element| f32::from_le_bytes(**element).is_nan()).count() as u64
}

/// Counts elements that are stored widened from half precision.
pub(super) fn count_half(bytes: &[u8]) -> Counts {
    let mut counts = count(bytes);
    let elements = bytes.as_chunks::<4>().0;
    counts.unrepresentable = elements.iter().filter(|element| !is_half(f32::from_le_bytes(**element))).count() as u64;
    counts
}

/// Can half precision represent this number?
fn is_half(x: f32) -> bool {
    /// The largest half.
    const LARGEST: f32 = 65504.0;
    /// The smallest normal half.
    const NORMAL: f32 = 6.103_515_6e-5;
    /// 2^24, the inverse of the smallest denormal half.
    const DENORMALS: f32 = 16_777_216.0;
    let magnitude = x.abs();
    if !magnitude.is_finite() {
        true
    } else if magnitude < NORMAL {
        (magnitude * DENORMALS).fract() == 0.0
    } else {
        magnitude <= LARGEST && magnitude.to_bits() & 0x1fff == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_counted() {
        let mut values = vec![1.0f32; 20_000];
        values[3] = f32::NAN;
        values[9000] = f32::NEG_INFINITY;
        values[10_000] = -1e-40;
        values[11_000] = 0.0;
        values[19_999] = -1e20;
        let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let expected = Counts { elements: 20_000, nan: 1, infinite: 1, denormal: 1, extreme: 1, unrepresentable: 0 };
        assert_eq!(count(&bytes), expected);
        assert_eq!(count(&bytes[..8]), Counts { elements: 2, ..Counts::default() });
        assert_eq!(f32::from_bits(EXTREME as u32), 1e18);
    }

    #[test]
    fn halves() {
        for x in [0.0, 1.0, -65504.0, 6.103_515_6e-5, 5.960_464_5e-8, 0.1f32.to_bits() as f32 * 0.0, f32::INFINITY] {
            assert!(is_half(x), "{x}");
        }
        for x in [0.1, 65520.0, 1e-9, 1.000_1, 2f32.powi(-25), 3.0 * 2f32.powi(-25)] {
            assert!(!is_half(x), "{x}");
        }
    }
}

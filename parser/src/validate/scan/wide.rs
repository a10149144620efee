//! Scans double precision, comparing the upper half of each element's bits.

use super::Counts;

/// Upper magnitude bits of +infinity.
const INFINITY: i32 = 0x7ff0_0000;
/// Upper magnitude bits of the smallest normal number.
const NORMAL: i32 = 0x0010_0000;
/// Upper magnitude bits of about 1e150, whose square nearly overflows.
const EXTREME: i32 = 0x5f13_8d35;
/// Elements per run, as in single precision.
const RUN: usize = 8192;

/// Counts the elements of `bytes`, little-endian.
pub(super) fn count(bytes: &[u8]) -> Counts {
    let (elements, _) = bytes.as_chunks::<8>();
    let mut counts = Counts { elements: elements.len() as u64, ..Counts::default() };
    for run in elements.chunks(RUN) {
        let (mut large, mut infinite, mut tiny) = (0i32, 0i32, 0i32);
        for [_, _, _, _, upper @ ..] in run {
            let magnitude = i32::from_le_bytes(*upper) & i32::MAX;
            large = large.wrapping_add(i32::from(magnitude >= EXTREME));
            infinite = infinite.wrapping_add(i32::from(magnitude >= INFINITY));
            tiny = tiny.wrapping_add(i32::from(magnitude < NORMAL));
        }
        let number = |n: i32| u64::from(n.unsigned_abs());
        // The upper half cannot tell zero from a denormal, nor NaN from infinity: count again with all bits.
        let denormal = if tiny == 0 { 0 } else { exactly(run, f64::is_subnormal) };
        let nan = if infinite == 0 { 0 } else { exactly(run, f64::is_nan) };
        counts.add(Counts {
            elements: 0,
            nan,
            infinite: number(infinite).saturating_sub(nan),
            denormal,
            extreme: number(large.wrapping_sub(infinite)),
            unrepresentable: 0,
        });
    }
    counts
}

fn exactly(run: &[[u8; 8]], is: impl Fn(f64) -> bool) -> u64 {
    run.iter().filter(|element| is(f64::from_le_bytes(**element))).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_counted() {
        let values = [1.0, f64::NAN, f64::INFINITY, -1e-310, -0.0, 1e200, -1e100];
        let bytes: Vec<u8> = values.iter().flat_map(|x: &f64| x.to_le_bytes()).collect();
        let expected = Counts { elements: 7, nan: 1, infinite: 1, denormal: 1, extreme: 1, unrepresentable: 0 };
        assert_eq!(count(&bytes), expected);
        let two = [1e-310f64, -3e-320].map(f64::to_le_bytes).concat();
        assert_eq!(count(&two), Counts { elements: 2, denormal: 2, ..Counts::default() });
    }
}

//! The source of decisions: a seed, or the fuzzer's bytes.

use arbitrary::Unstructured;

/// A source of decisions.
pub trait Choice {
    /// A number below `n`; 0 if `n` is 0.
    fn below(&mut self, n: usize) -> usize;

    /// Any number; small and extreme ones are more likely.
    fn number(&mut self) -> u64 {
        const EDGES: [u64; 16] = [
            0,
            1,
            2,
            3,
            4,
            7,
            255,
            1 << 16,
            (1 << 31) - 1,
            1 << 31,
            u32::MAX as u64,
            1 << 32,
            1 << 63,
            u64::MAX - 2,
            u64::MAX - 1,
            u64::MAX,
        ];
        match self.below(4) {
            0 => EDGES[self.below(EDGES.len())],
            1 => self.below(1 << 16) as u64 * (1 + self.below(1 << 16) as u64),
            _ => self.below(9) as u64,
        }
    }

    /// One in `n`?
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Pseudo-random decisions.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
}

impl Choice for Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) as usize).checked_rem(n).unwrap_or(0)
    }
}

impl Choice for Unstructured<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.int_in_range(0..=n.max(1) - 1).unwrap_or(0)
    }
}

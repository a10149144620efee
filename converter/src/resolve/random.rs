//! Pseudo-random numbers for property tests, the same in every run.

/// A linear congruential generator.
pub struct Random(pub u64);

impl Random {
    /// A number from `least` to `most`, inclusive.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        least + ((self.0 >> 33) % (most - least + 1) as u64) as i64
    }

    /// A number from `least` to `most`, inclusive, neither of which is negative.
    pub fn size(&mut self, least: i64, most: i64) -> u64 {
        self.between(least, most).unsigned_abs()
    }

    /// True with probability one half.
    pub fn flag(&mut self) -> bool {
        self.between(0, 1) == 1
    }
}

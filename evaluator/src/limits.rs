//! Limits on the cost of an evaluation.

use crate::fault::Fault;

/// Bytes of an element: every number is held in double precision.
const ELEMENT: u64 = 8;

/// Limits on one evaluation. The model decides how much is computed, so both are needed for a model that is not
/// trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Multiply-adds. An element that is computed in another way, copied or filled in counts as one.
    pub work: u64,
    /// Bytes of all arrays that exist at one time, including intermediate ones.
    pub memory: u64,
}

impl Default for Limits {
    /// 10^12 multiply-adds (minutes) and 8 GiB.
    fn default() -> Self {
        Self { work: 1_000_000_000_000, memory: 8 << 30 }
    }
}

/// Counts the cost of an evaluation.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
    work: u64,
    held: u64,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, work: 0, held: 0 }
    }

    /// Multiply-adds so far.
    pub(crate) fn work(&self) -> u64 {
        self.work
    }

    /// Spends the product of `factors` in multiply-adds.
    pub(crate) fn spend(&mut self, factors: &[usize]) -> Result<(), Fault> {
        self.work = self.work.saturating_add(product(factors));
        if self.work > self.limits.work { Err(Fault::Work(self.limits.work)) } else { Ok(()) }
    }

    /// Checks that there is memory for an array of this shape before it is allocated, and counts its elements as work.
    pub(crate) fn room(&mut self, shape: &[usize]) -> Result<(), Fault> {
        self.spend(shape)?;
        let bytes = product(shape).saturating_mul(ELEMENT);
        if self.held.saturating_add(bytes) > self.limits.memory {
            return Err(Fault::Memory(self.limits.memory));
        }
        Ok(())
    }

    /// Counts an array with this many elements that is kept.
    pub(crate) fn hold(&mut self, elements: usize) {
        self.held = self.held.saturating_add((elements as u64).saturating_mul(ELEMENT));
    }

    /// Counts an array with this many elements that is freed.
    pub(crate) fn release(&mut self, elements: usize) {
        self.held = self.held.saturating_sub((elements as u64).saturating_mul(ELEMENT));
    }
}

fn product(factors: &[usize]) -> u64 {
    factors.iter().fold(1, |all, n| all.saturating_mul(*n as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_what_may_be_spent() {
        let mut meter = Meter::new(Limits { work: 10, memory: 80 });
        assert!(meter.room(&[5]).is_ok());
        meter.hold(6);
        assert!(matches!(meter.room(&[5]), Err(Fault::Memory(80))));
        assert_eq!(meter.work(), 10);
        meter.release(6);
        assert!(matches!(meter.spend(&[1]), Err(Fault::Work(10))));
        assert!(matches!(Meter::new(Limits::default()).room(&[usize::MAX, 9]), Err(Fault::Work(_))));
    }
}

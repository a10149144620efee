//! Statistics of the numbers of a tensor.

use cntk_parser::model::{Array, DataType, ElementStorage};

/// The number of bars of a histogram.
pub const BINS: usize = 24;
/// The square of a larger number overflows in single precision.
const EXTREME: f64 = 1e19;
/// A number is an outlier if it is this many standard deviations from the mean of at least this many numbers.
const FAR: (f64, u64) = (50.0, 1000);

/// Statistics of the finite numbers, and how many others there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    pub count: u64,
    pub nan: u64,
    pub infinite: u64,
    pub zeros: u64,
    pub least: f64,
    pub most: f64,
    pub mean: f64,
    pub deviation: f64,
    /// The counts of numbers in intervals of equal size between the smallest and the largest.
    pub bins: [u64; BINS],
}

impl Statistics {
    /// Takes two passes over the numbers. `None` if the elements are not stored as plain numbers.
    pub fn of(array: &Array<'_>) -> Option<Self> {
        let mut all = Self { least: f64::INFINITY, most: f64::NEG_INFINITY, ..Self::default() };
        let (mut sum, mut squares) = (0.0, 0.0);
        each(array, |value| {
            all.count += 1;
            if value.is_finite() {
                all.zeros += u64::from(value == 0.0);
                all.least = all.least.min(value);
                all.most = all.most.max(value);
                sum += value;
                squares += value * value;
            } else if value.is_nan() {
                all.nan += 1;
            } else {
                all.infinite += 1;
            }
        })?;
        let finite = all.count - all.nan - all.infinite;
        if finite == 0 {
            (all.least, all.most) = (0.0, 0.0);
            return Some(all);
        }
        all.mean = sum / finite as f64;
        all.deviation = (squares / finite as f64 - all.mean * all.mean).max(0.0).sqrt();
        let (least, width) = (all.least, all.most - all.least);
        if width > 0.0 && width.is_finite() {
            let scale = BINS as f64 / width;
            each(array, |value| {
                if value.is_finite() {
                    all.bins[(((value - least) * scale) as usize).min(BINS - 1)] += 1;
                }
            });
        }
        Some(all)
    }

    /// What deserves a look, in words.
    pub fn flags(&self) -> Vec<String> {
        let mut flags = vec![];
        if self.nan > 0 {
            flags.push(format!("{} NaN", self.nan));
        }
        if self.infinite > 0 {
            flags.push(format!("{} infinite", self.infinite));
        }
        let largest = self.least.abs().max(self.most.abs());
        if largest >= EXTREME {
            flags.push("extreme".to_owned());
        } else if self.count >= FAR.1 && (largest - self.mean.abs()) > FAR.0 * self.deviation && self.deviation > 0.0 {
            flags.push("far out".to_owned());
        }
        if self.count > 1 && self.zeros == self.count {
            flags.push("all zero".to_owned());
        } else if self.count > 1 && self.least == self.most && self.nan + self.infinite == 0 {
            flags.push("all equal".to_owned());
        }
        flags
    }
}

/// Calls `act` for each number.
fn each(array: &Array<'_>, mut act: impl FnMut(f64)) -> Option<()> {
    let mut run = |bytes: &[u8]| match array.data_type {
        // Half-precision numbers are stored in single precision.
        DataType::Float | DataType::Float16 => {
            bytes.as_chunks::<4>().0.iter().for_each(|b| act(f64::from(f32::from_le_bytes(*b))));
        }
        DataType::Double => bytes.as_chunks::<8>().0.iter().for_each(|b| act(f64::from_le_bytes(*b))),
        _ => bytes.iter().for_each(|b| act(f64::from(b.cast_signed()))),
    };
    match (&array.elements, array.data_type) {
        (_, DataType::Int16 | DataType::Unknown) => return None,
        (ElementStorage::Contiguous(bytes), _) => run(bytes),
        (ElementStorage::Pieces(pieces), _) => pieces.iter().for_each(|bytes| run(bytes)),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cntk_parser::model::Shape;

    fn of(values: &[f32]) -> Statistics {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let (shape, elements) = (Shape::default(), ElementStorage::Contiguous(&bytes));
        Statistics::of(&Array { data_type: DataType::Float, shape, elements, at: 0, range: None }).unwrap()
    }

    #[test]
    fn numbers_are_summed_up() {
        let all = of(&[1.0, 2.0, 3.0, f32::NAN, f32::INFINITY]);
        assert_eq!((all.count, all.nan, all.infinite, all.least, all.most, all.mean), (5, 1, 1, 1.0, 3.0, 2.0));
        assert_eq!((all.bins[0], all.bins[BINS / 2], all.bins[BINS - 1]), (1, 1, 1));
        assert_eq!(all.flags(), ["1 NaN", "1 infinite"]);
    }

    #[test]
    fn odd_tensors_are_flagged() {
        assert_eq!(of(&[0.0; 9]).flags(), ["all zero"]);
        assert_eq!(of(&[2.5; 9]).flags(), ["all equal"]);
        assert_eq!(of(&[1.0, 2e19]).flags(), ["extreme"]);
        let mut values: Vec<f32> = (0..40_000u16).map(|i| f32::from(i % 7)).collect();
        assert!(of(&values).flags().is_empty());
        values[5] = 1e4;
        assert_eq!(of(&values).flags(), ["far out"]);
        assert_eq!(of(&[]).flags(), Vec::<String>::new());
    }
}

//! The expected number of draws in sampling without duplicates.

/// The number of draws with replacement after which `wanted` different classes are expected.
pub fn expected_tries(weights: &[f64], wanted: f64) -> Option<f64> {
    let sum: f64 = weights.iter().sum();
    let different = |t: f64| weights.iter().map(|w| 1.0 - (1.0 - w / sum).powf(t)).sum::<f64>();
    let (mut low, mut high) = (0.0, 1.0);
    while different(high) < wanted {
        high *= 2.0;
        if high > 1e12 {
            return None;
        }
    }
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if different(middle) < wanted { low = middle } else { high = middle }
    }
    Some(high)
}

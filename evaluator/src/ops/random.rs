//! Random operators (spec 4.13). The distributions are CNTK's, but the numbers come from the seed of the evaluation.

use super::{Call, Out};
use crate::fault::{Fault, fault};
use crate::value::{Frames, Value};
use cntk_parser::ops::attributes::{Distribution, RandomDistribution, RandomSample};
use fastrand::Rng;

/// RandomDistribution: independent numbers, in the shape given or that of the operand.
pub(super) fn distribution(call: &mut Call<'_>, a: &RandomDistribution) -> Out {
    let (frames, shape): (Frames, Vec<usize>) = match call.inputs.first() {
        Some(like) => (like.frames.clone(), like.shape().to_vec()),
        None => (Frames::One, a.new_shape.iter().flat_map(|s| s.0.iter().rev()).map(|n| *n as usize).collect()),
    };
    call.meter.room(&[&[frames.count()], shape.as_slice()].concat())?;
    let argument = |i: usize| a.arguments.get(i).copied().unwrap_or(0.0);
    let (first, second) = (argument(0), argument(1));
    let random = call.random()?;
    let count = frames.count() * shape.iter().product::<usize>();
    let elements = (0..count).map(|_| match a.distribution {
        Distribution::Uniform => first + random.f64() * (second - first),
        Distribution::Normal => {
            first + second * (-2.0 * open(random).ln()).sqrt() * (std::f64::consts::TAU * random.f64()).cos()
        }
        Distribution::Gumbel => first - second * (-open(random).ln()).ln(),
        Distribution::Bernoulli => f64::from(u8::from(random.f64() < first)),
    });
    let elements = elements.collect();
    Ok(vec![Value::of(frames, &shape, elements)?])
}

/// A number above 0 and below 1.
fn open(random: &mut Rng) -> f64 {
    random.f64().max(f64::MIN_POSITIVE)
}

/// Weights as shares of their sum.
fn shares(weights: &Value) -> Result<Vec<f64>, Fault> {
    let sum = weights.data.sum();
    let sound = sum > 0.0 && weights.data.iter().all(|w| *w >= 0.0);
    if weights.frames != Frames::One || !sound {
        return fault("weights that differ from sample to sample, are below 0, or are all 0");
    }
    Ok(weights.data.iter().map(|w| w / sum).collect())
}

/// A class, drawn by its share.
fn draw(shares: &[f64], random: &mut Rng) -> usize {
    let mut left = random.f64();
    let found = shares.iter().position(|share| {
        left -= share;
        left < 0.0
    });
    found.unwrap_or_else(|| shares.iter().rposition(|s| *s > 0.0).unwrap_or(0))
}

/// Draws classes until there are `count`, each once unless duplicates are allowed. Also returns the number of tries.
fn sample(shares: &[f64], count: usize, duplicates: bool, call: &mut Call<'_>) -> Result<(Vec<usize>, usize), Fault> {
    if !duplicates && count > shares.iter().filter(|s| **s > 0.0).count() {
        return fault(format!("{count} different classes out of fewer with a weight"));
    }
    let (mut classes, mut tries) = (Vec::new(), 0);
    while classes.len() < count {
        call.meter.spend(&[shares.len()])?;
        let class = draw(shares, call.random()?);
        tries += 1;
        if duplicates || !classes.contains(&class) {
            classes.push(class);
        }
    }
    Ok((classes, tries))
}

/// RandomSample: one-hot rows of classes drawn by weight.
pub(super) fn random_sample(call: &mut Call<'_>, a: &RandomSample) -> Out {
    let (shares, count) = (shares(call.input(0))?, a.num_samples as usize);
    call.meter.room(&[count, shares.len()])?;
    let (classes, _) = sample(&shares, count, a.allow_duplicates, call)?;
    let row = |class: &usize| (0..shares.len()).map(|i| f64::from(u8::from(i == *class))).collect::<Vec<_>>();
    Ok(vec![Value::of(Frames::One, &[count, shares.len()], classes.iter().flat_map(row).collect())?])
}

/// How often CNTK draws to estimate the number of tries.
const ESTIMATES: usize = 10;

/// RandomSampleInclusionFrequency: the expected number of times that each class is drawn. Without duplicates, CNTK
/// estimates the number of tries by drawing a few samples, and returns the probability to be drawn in that many tries.
pub(super) fn inclusion_frequency(call: &mut Call<'_>, a: &RandomSample) -> Out {
    let weights = call.input(0);
    let (shares, count) = (shares(weights)?, a.num_samples as usize);
    let elements = if a.allow_duplicates {
        shares.iter().map(|share| share * count as f64).collect()
    } else {
        let mut tries = 0;
        for _ in 0..ESTIMATES {
            tries += sample(&shares, count, false, call)?.1;
        }
        let tries = tries as f64 / ESTIMATES as f64;
        shares.iter().map(|share| 1.0 - (1.0 - share).powf(tries)).collect()
    };
    Ok(vec![Value::of(Frames::One, weights.shape(), elements)?])
}

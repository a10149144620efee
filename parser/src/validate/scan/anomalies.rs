//! Finds weights that look unlike others, each for a reason that can be stated in numbers. None of these is an error:
//! healthy models have such weights now and then.

use super::{pieces, who};
use crate::model::{Array, DataType, Model, Variable, VariableId, VariableKind};
use crate::validate::arena::ids;
use crate::validate::findings::{Findings, Place};
use crate::validate::rules::{self, Rule};
use std::collections::HashMap;
use std::hash::Hasher;

/// The fewest units, and the fewest weights of a unit, that are examined. With fewer, a coincidence is too likely.
const SMALLEST: usize = 8;
/// The factor between the scales of a tensor and of its peers from which on it is reported.
const APART: f64 = 1000.0;
/// The fewest peers to compare a tensor with.
const PEERS: usize = 5;
/// An element is isolated if it is at least this many times the root mean square of the others.
const ISOLATED: f64 = 50.0;
/// A tensor has isolated elements if there are at most this many of them, among a thousand times as many elements.
const FEW: usize = 3;

/// Examines every parameter for dead and duplicated units, an unusual scale, and isolated extreme elements.
pub(super) fn check(model: &Model<'_>, findings: &mut Findings<'_, '_>) {
    let mut scales = vec![];
    for (id, variable) in ids::<VariableId, _>(&model.variables) {
        let value = variable.value.as_ref().filter(|_| variable.kind == VariableKind::Parameter);
        let Some(values) = value.and_then(values) else { continue };
        let mut note = |rule, text: String| {
            findings.add(rule, Place::VariableKey(id, "value"), format!("{}: {text}", who(variable)));
        };
        units(&variable.shape.0, &values, &mut note);
        isolated(&values, &mut note);
        let scale = rms(values.iter().copied());
        if variable.shape.0.len() > 1 && scale > 0.0 && scale.is_finite() {
            scales.push((id, variable, scale));
        }
    }
    apart(scales, findings);
}

/// The elements of a floating-point tensor that the file has in one run.
#[expect(clippy::cast_possible_truncation, reason = "statistics need no double precision")]
fn values(array: &Array<'_>) -> Option<Vec<f32>> {
    let [bytes] = pieces(array) else { return None };
    let values = match array.data_type {
        DataType::Double => {
            bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap_or_default()) as f32).collect()
        }
        _ => bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap_or_default())).collect(),
    };
    Some(values)
}

fn rms(values: impl Iterator<Item = f32>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += f64::from(value) * f64::from(value);
        count += 1.0;
    }
    if count == 0.0 { 0.0 } else { (sum / count).sqrt() }
}

/// Reports dead and duplicated units. Units are the slices along the first file axis (the outputs of a matrix) and
/// along the last (the filters of a convolution). A dead unit is all zero; a duplicate equals another unit bit by bit.
fn units(shape: &[u64], values: &[f32], note: &mut impl FnMut(&'static Rule, String)) {
    let [first, .., last] = shape else { return };
    if values.iter().all(|value| *value == values.first().copied().unwrap_or_default()) {
        return;
    }
    for (count, strided) in [(*first, true), (*last, false)] {
        let Some(count) = usize::try_from(count).ok().filter(|n| *n >= SMALLEST) else { continue };
        let size = values.len().checked_div(count).unwrap_or(0);
        if size < SMALLEST {
            continue;
        }
        let element = |unit: usize, i: usize| {
            let (major, minor, row) = if strided { (i, unit, count) } else { (unit, i, size) };
            values.get(major.saturating_mul(row).saturating_add(minor)).copied().unwrap_or_default()
        };
        let (mut dead, mut twins, mut seen) = (0usize, 0usize, HashMap::new());
        for unit in 0..count {
            if (0..size).all(|i| element(unit, i) == 0.0) {
                dead = dead.saturating_add(1);
                continue;
            }
            let mut hash = std::hash::DefaultHasher::new();
            (0..size).for_each(|i| hash.write_u32(element(unit, i).to_bits()));
            let other = *seen.entry(hash.finish()).or_insert(unit);
            let same = |i: usize| element(other, i).to_bits() == element(unit, i).to_bits();
            twins = twins.saturating_add(usize::from(other != unit && (0..size).all(same)));
        }
        // If most units are dead, the author masked them on purpose. Only a smaller part is reported.
        let few = |n: usize| n > 0 && n.saturating_mul(2) < count;
        if few(dead) {
            note(&rules::DEAD_UNITS, format!("{dead} of {count} units of {size} weights are zero throughout"));
        }
        if few(twins) {
            let text = format!("{twins} of {count} units of {size} weights equal another one bit by bit");
            note(&rules::DUPLICATE_UNITS, text);
        }
    }
}

fn isolated(values: &[f32], note: &mut impl FnMut(&'static Rule, String)) {
    if values.len() < FEW * 1000 {
        return;
    }
    let mut largest: Vec<f32> = vec![];
    for value in values.iter().map(|v| v.abs()) {
        let at = largest.partition_point(|l| *l > value);
        if at <= FEW {
            largest.insert(at, value);
            largest.truncate(FEW + 1);
        }
    }
    let [first, .., last_of_few, _] = &*largest else { return };
    let rest = rms(values.iter().copied().filter(|v| v.abs() < *last_of_few));
    let count = largest.iter().filter(|l| f64::from(**l) > ISOLATED * rest).count();
    if rest > 0.0 && (1..=FEW).contains(&count) {
        let all = values.len();
        let text =
            format!("{count} of {all} elements are far from all others: up to {first:e}, where these are {rest:e}");
        note(&rules::ISOLATED, text);
    }
}

/// Reports parameters whose root mean square is far from the median of all.
fn apart(scales: Vec<(VariableId, &Variable<'_>, f64)>, findings: &mut Findings<'_, '_>) {
    if scales.len() <= PEERS {
        return;
    }
    let mut sorted: Vec<_> = scales.iter().map(|(_, _, scale)| *scale).collect();
    sorted.sort_by(f64::total_cmp);
    let Some(median) = sorted.get(sorted.len() / 2).copied() else { return };
    for (id, variable, scale) in scales {
        if scale > median * APART || scale * APART < median {
            let who = who(variable);
            let text =
                format!("{who}: its scale is {scale:e}, where the median of {} tensors is {median:e}", sorted.len());
            findings.add(&rules::SCALE, Place::VariableKey(id, "value"), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize) -> Vec<f32> {
        let mut state = 1u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    fn told(check: impl Fn(&mut dyn FnMut(&'static Rule, String))) -> Vec<&'static str> {
        let mut rules = vec![];
        check(&mut |rule, _| rules.push(rule.id));
        rules
    }

    #[test]
    fn units_that_are_dead_or_twins_are_told() {
        let of = |values: &[f32]| told(|mut note| units(&[10, 20], values, &mut note));
        let healthy = noise(200);
        assert!(of(&healthy).is_empty());
        let mut dead = healthy.clone();
        (0..20).for_each(|i| dead[i * 10 + 3] = 0.0);
        assert_eq!(of(&dead), ["data.dead-units"]);
        let mut twin = healthy.clone();
        twin.copy_within(50..60, 20);
        assert_eq!(of(&twin), ["data.duplicate-units"]);
        assert!(of(&vec![0.0; 200]).is_empty(), "not trained yet");
    }

    #[test]
    fn an_isolated_element_is_told() {
        let of = |values: &[f32]| told(|mut note| isolated(values, &mut note));
        let mut values = noise(5000);
        assert!(of(&values).is_empty());
        values[77] = 1e3;
        assert_eq!(of(&values), ["data.isolated"]);
        (0..10).for_each(|i| values[i] = 1e3);
        assert!(of(&values).is_empty(), "these are many");
    }
}

//! Checks numbers in attributes that do not affect shapes (F7, F8).

use super::arena::{Id, ids};
use super::findings::{Findings, Place};
use super::operators::Operators;
use super::rules;
use crate::model::{FunctionId, Model};
use crate::ops::Operator;
use crate::ops::attributes::{BatchNormalization, Distribution, RandomDistribution};

/// Checks the attributes of every function.
pub(super) fn check<'a>(model: &Model<'a>, operators: &Operators<'a>, findings: &mut Findings<'_, 'a>) {
    for (id, operator) in operators.iter() {
        match operator {
            Operator::PastValue(delay) | Operator::FutureValue(delay)
                if !(1..=i32::MAX as u64).contains(&delay.offset) =>
            {
                let text = format!("an offset of {}, not between 1 and {}", delay.offset, i32::MAX);
                findings.add(&rules::ATTRIBUTE_RANGE, Place::Attribute(id, "offset"), text);
            }
            Operator::Dropout(dropout) if dropout.rate.is_nan() => {
                number(id, "dropoutRate", dropout.rate, "from 0 up to 1", findings);
            }
            Operator::Dropout(dropout) if !(0.0..1.0).contains(&dropout.rate) => {
                impossible(id, "dropoutRate", dropout.rate, "from 0 up to, but not, 1", findings);
            }
            Operator::BatchNormalization(norm) => batch_normalization(id, norm, findings),
            Operator::ROIPooling(roi) if !(roi.spatial_scale > 0.0 && roi.spatial_scale.is_finite()) => {
                number(id, "spatialScale", roi.spatial_scale, "finite and positive", findings);
            }
            Operator::RandomDistribution(random) => distribution(id, random, findings),
            _ => {}
        }
    }
    for (id, function) in ids::<FunctionId, _>(&model.functions) {
        let Some(op) = operators.get(id).and_then(Operator::op) else { continue };
        if op.spec().since > function.version {
            let text =
                format!("{} appeared in version {}, the record says {}", op.name(), op.spec().since, function.version);
            findings.add(&rules::OLD_VERSION, Place::FunctionKey(FunctionId::of(id.place()), "version"), text);
        }
    }
}

fn batch_normalization(id: FunctionId, norm: &BatchNormalization, findings: &mut Findings<'_, '_>) {
    if !(norm.epsilon >= 0.0 && norm.epsilon.is_finite()) {
        number(id, "epsilon", norm.epsilon, "finite and not negative", findings);
    }
    if norm.blend_time_constant < 0.0 {
        impossible(id, "blendTimeConstant", norm.blend_time_constant, "0 or more", findings);
    }
}

fn distribution(id: FunctionId, random: &RandomDistribution, findings: &mut Findings<'_, '_>) {
    const KEY: &str = "randomDistributionArgs";
    let wanted = match random.distribution {
        Distribution::Uniform | Distribution::Normal | Distribution::Gumbel => 2,
        Distribution::Bernoulli => 1,
    };
    let found = random.arguments.len();
    if found < wanted {
        let text = format!("{found} of {wanted} numbers, where CNTK reads them all");
        findings.add(&rules::ATTRIBUTE_LENGTH, Place::Attribute(id, KEY), text);
    }
    if let (Distribution::Uniform, [low, high, ..]) = (random.distribution, random.arguments.as_slice())
        && low >= high
    {
        let text = format!("no numbers from {low} up to {high}: CNTK looks for one without end");
        findings.add(&rules::ATTRIBUTE_RANGE, Place::Attribute(id, KEY), text);
    }
    for argument in random.arguments.iter().filter(|a| !a.is_finite()) {
        number(id, KEY, *argument, "finite", findings);
    }
}

/// A number with which CNTK does not evaluate.
fn impossible(id: FunctionId, key: &'static str, found: f64, wanted: &str, findings: &mut Findings<'_, '_>) {
    findings.add(&rules::ATTRIBUTE_RANGE, Place::Attribute(id, key), format!("{found} is not {wanted}"));
}

/// A number that is worth a look.
fn number(id: FunctionId, key: &'static str, found: f64, wanted: &str, findings: &mut Findings<'_, '_>) {
    findings.add(&rules::ODD_NUMBER, Place::Attribute(id, key), format!("{found} is not {wanted}"));
}

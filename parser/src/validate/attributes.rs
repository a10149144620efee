//! Checks numbers in attributes that do not affect shapes (F7, F8).

use super::arena::{Id, ids};
use super::findings::{Findings, Place};
use super::operators::Operators;
use super::rules;
use crate::model::{FunctionId, Model};
use crate::ops::Operator;

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
            Operator::Dropout(dropout) if !(0.0..1.0).contains(&dropout.rate) => {
                number(id, "dropoutRate", dropout.rate, "from 0 up to 1", findings);
            }
            Operator::BatchNormalization(norm) if !(norm.epsilon >= 0.0 && norm.epsilon.is_finite()) => {
                number(id, "epsilon", norm.epsilon, "finite and not negative", findings);
            }
            Operator::ROIPooling(roi) if !(roi.spatial_scale > 0.0 && roi.spatial_scale.is_finite()) => {
                number(id, "spatialScale", roi.spatial_scale, "finite and positive", findings);
            }
            Operator::RandomDistribution(random) => {
                for argument in random.arguments.iter().filter(|a| !a.is_finite()) {
                    number(id, "randomDistributionArgs", *argument, "finite", findings);
                }
            }
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

fn number(id: FunctionId, key: &'static str, found: f64, wanted: &str, findings: &mut Findings<'_, '_>) {
    findings.add(&rules::ODD_NUMBER, Place::Attribute(id, key), format!("{found} is not {wanted}"));
}

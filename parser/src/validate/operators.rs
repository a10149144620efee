//! Typed operators, and that each function has as many inputs as its operator takes.

use super::arena::{Id, PerId};
use super::findings::{Findings, Place};
use super::rules;
use crate::error::ErrorKind;
use crate::model::{FunctionId, FunctionKind, Model};
use crate::ops::{Op, Operator};

/// The operator of each function; `None` where its attributes or its inputs are wrong, which was reported.
pub(crate) type Operators<'a> = PerId<FunctionId, Option<Operator<'a>>>;

/// Types every function's attributes.
pub(crate) fn decode<'a>(model: &Model<'a>, findings: &mut Findings<'_, 'a>) -> Operators<'a> {
    let mut operators = Vec::with_capacity(model.functions.len());
    for (i, function) in model.functions.iter().enumerate() {
        let fits = match &function.kind {
            FunctionKind::Primitive(op) => {
                arity(*op, FunctionId::of(i), function.version, function.inputs.len(), findings)
            }
            _ => true,
        };
        let operator = match Operator::decode(function, i) {
            Ok(operator) => fits.then_some(operator),
            Err(errors) => {
                for error in errors {
                    let rule = match error.kind() {
                        ErrorKind::MissingAttribute { .. } => &rules::ATTRIBUTE_MISSING,
                        ErrorKind::AttributeType { .. } => &rules::ATTRIBUTE_TYPE,
                        _ => &rules::ATTRIBUTE_VALUE,
                    };
                    findings.add_error(rule, &error, function.uid);
                }
                None
            }
        };
        operators.push(operator);
    }
    PerId::from(operators)
}

/// Does a function have as many inputs as its operator takes?
fn arity(op: Op, id: FunctionId, version: u64, found: usize, findings: &mut Findings<'_, '_>) -> bool {
    let range = op.spec().arity(version);
    if range.contains(&found) {
        return true;
    }
    let rule = if found < *range.start() { &rules::TOO_FEW_INPUTS } else { &rules::TOO_MANY_INPUTS };
    let wanted = match (*range.start(), *range.end()) {
        (least, most) if least == most => least.to_string(),
        (least, usize::MAX) => format!("at least {least}"),
        (least, most) => format!("{least} to {most}"),
    };
    let text = format!("{} takes {wanted} inputs, {found} are given", op.name());
    findings.add(rule, Place::FunctionKey(id, "inputs"), text);
    false
}

//! Types the operators and checks that each function has as many inputs as its operator takes.

use super::arena::{Id, PerId};
use super::findings::{Findings, Place};
use super::rules;
use crate::error::{Error, ErrorKind};
use crate::model::{FunctionId, FunctionKind, Model};
use crate::ops::{Op, Operator};

/// The operator of each function whose attributes and inputs are valid. Operators without attributes are stored once.
#[derive(Clone, Debug)]
pub(crate) struct Operators<'a> {
    list: Vec<Operator<'a>>,
    /// For each function, the index in the list of operators, or [`NONE`].
    places: PerId<FunctionId, u32>,
}

/// Marks a function with invalid attributes or inputs, which was reported.
const NONE: u32 = u32::MAX;

impl<'a> Operators<'a> {
    /// The operator of a function.
    pub(crate) fn get(&self, id: FunctionId) -> Option<&Operator<'a>> {
        self.list.get(usize::try_from(*self.places.get(id)?).ok()?)
    }

    /// Every function with its operator.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (FunctionId, &Operator<'a>)> {
        self.places.iter().filter_map(|(id, _)| Some((id, self.get(id)?)))
    }
}

/// Types every function's attributes.
pub(crate) fn decode<'a>(model: &Model<'a>, findings: &mut Findings<'_, 'a>) -> Operators<'a> {
    let mut list: Vec<Operator<'a>> = Vec::new();
    let mut places = Vec::with_capacity(model.functions.len());
    let (mut plain, mut user) = ([NONE; Op::ALL.len()], NONE);
    for (i, function) in model.functions.iter().enumerate() {
        let op = match &function.kind {
            FunctionKind::Primitive(op) => Some(*op),
            FunctionKind::Block(_) => Some(Op::Block),
            FunctionKind::User(_) | FunctionKind::Foreign(_) => None,
        };
        let fits = op.is_none_or(|op| arity(op, FunctionId::of(i), function.version, function.inputs.len(), findings));
        let known = match op {
            Some(op) if op.spec().attributes.is_empty() => plain.get_mut(usize::from(op as u8)),
            None if matches!(function.kind, FunctionKind::User(_)) => Some(&mut user),
            _ => None,
        };
        let place = match known.as_deref() {
            Some(&place) if place != NONE => place,
            _ => match Operator::decode(function, i) {
                Ok(operator) => {
                    let place = u32::try_from(list.len()).unwrap_or(NONE);
                    list.push(operator);
                    if let Some(known) = known {
                        *known = place;
                    }
                    place
                }
                Err(errors) => {
                    report(&errors, function.uid, findings);
                    NONE
                }
            },
        };
        places.push(if fits { place } else { NONE });
    }
    list.shrink_to_fit();
    Operators { list, places: PerId::from(places) }
}

fn report(errors: &[Error], uid: &str, findings: &mut Findings<'_, '_>) {
    for error in errors {
        let rule = match error.kind() {
            ErrorKind::MissingAttribute { .. } => &rules::ATTRIBUTE_MISSING,
            ErrorKind::AttributeType { .. } => &rules::ATTRIBUTE_TYPE,
            _ => &rules::ATTRIBUTE_VALUE,
        };
        findings.add_error(rule, error, uid);
    }
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

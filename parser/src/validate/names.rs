//! Checks uids and names for characters that could mislead a reader of a report.

use super::arena::ids;
use super::findings::{Findings, Place};
use super::rules;
use crate::model::{FunctionId, Model, VariableId};

/// The most bytes of a plausible name.
const LONGEST: usize = 4096;

/// Checks uids and names.
pub(super) fn check<'a>(model: &Model<'a>, findings: &mut Findings<'_, 'a>) {
    text(model.name, Place::ModelKey("name"), findings);
    for (id, variable) in ids::<VariableId, _>(&model.variables) {
        text(variable.uid, Place::VariableKey(id, "uid"), findings);
        text(variable.name, Place::VariableKey(id, "name"), findings);
    }
    for (id, function) in ids::<FunctionId, _>(&model.functions) {
        text(function.uid, Place::FunctionKey(id, "uid"), findings);
        text(function.name, Place::FunctionKey(id, "name"), findings);
    }
}

fn text(text: &str, place: Place, findings: &mut Findings<'_, '_>) {
    if text.len() > LONGEST {
        findings.add(&rules::LONG_NAME, place, format!("a text of {} bytes", text.len()));
    }
    // Printable ASCII, the usual case, needs no decoding.
    let plain = text.bytes().all(|b| matches!(b, b' '..=b'~'));
    if !plain && text.chars().any(is_misleading) {
        findings.add(
            &rules::CONTROL_CHARACTERS,
            place,
            "the text holds control or bidirectional characters".to_owned(),
        );
    }
}

/// Control characters and those that change the order in which text is shown.
fn is_misleading(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

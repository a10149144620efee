//! Checks that apply to every error and finding.

use cntk_parser::model::ValidatedModel;
use cntk_parser::{Error, Finding, rules};

/// The longest text that one error or finding may be.
const LONGEST: usize = 4096;

/// Checks that an error's offset is inside the input and its text is one printable line.
pub fn error(error: &Error, end: u64) {
    assert!(error.offset() <= end, "{error}: beyond the end at {end:#x}");
    line(&error.to_string());
    line(error.code());
    line(error.hint().unwrap_or_default());
}

/// Checks a finding in the same way.
pub fn finding(finding: &Finding, end: u64) {
    assert!(finding.offset <= end, "{finding:?}: beyond the end at {end:#x}");
    assert!(rules().iter().any(|rule| rule.id == finding.rule), "{finding:?} is of a rule that the table lacks");
    line(&finding.path);
    line(&finding.message);
}

/// Text that may go to a terminal.
pub fn line(text: &str) {
    assert!(text.len() <= LONGEST, "a line of {} bytes: {text}", text.len());
    let bad = |c: char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
    };
    assert!(!text.contains(bad), "a control character in {text:?}");
}

/// Checks the guarantees of a validated model.
pub fn proof(model: &ValidatedModel<'_>) {
    use cntk_parser::model::Source;
    let mut place = vec![None; model.model().functions.len()];
    for (at, id) in model.order().iter().enumerate() {
        assert!(place[id.index()].replace(at).is_none(), "{id:?} stands twice in the order");
    }
    for id in model.order() {
        assert_eq!(model.inputs(*id).is_empty(), model.function(*id).inputs.is_empty());
        assert!(!model.output_types(*id).is_empty());
        for source in model.inputs(*id) {
            // Looks it up: an unresolved one would panic.
            let _ = model.type_of(*source);
            let Source::Output(from, _) = source else { continue };
            let before = place[from.index()].expect("an input is in the order") < place[id.index()].unwrap_or(0);
            let same_loop = model.loop_of(*id).is_some() && model.loop_of(*id) == model.loop_of(*from);
            assert!(before || same_loop, "{id:?} stands before its input {from:?}");
        }
    }
    for found in model.loops() {
        assert!(!found.members.is_empty());
    }
    for output in model.outputs() {
        let _ = model.type_of(output.source);
        let found = model.find(&output.uid).unwrap_or_else(|| panic!("{} is not found", output.uid));
        assert_eq!(found.source, output.source, "{} is found elsewhere", output.uid);
        if !output.name.is_empty() {
            let found = model.find(&output.name).unwrap_or_else(|| panic!("{:?} is not found", output.name));
            let _ = model.type_of(found.source);
        }
    }
}

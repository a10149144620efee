//! Labelled bad files: what is to be refused is refused at its place, what is sound passes.

use crate::support;
use cntk_parser::{Finding, Limits, ModelFile, Severity, ValidateOptions, parse, validate};

/// Verdict and findings, as a user would see them.
fn verdict(bytes: &[u8]) -> (bool, Vec<Finding>) {
    match parse(&ModelFile::new(bytes), &Limits::default()) {
        Err(error) => {
            let finding = Finding {
                rule: error.code(),
                severity: Severity::Error,
                offset: error.offset(),
                path: error.path().to_owned(),
                message: error.message(),
            };
            (false, vec![finding])
        }
        Ok(model) => {
            let validation = validate(model, &ValidateOptions::default());
            (validation.model.is_some(), validation.findings)
        }
    }
}

fn line(finding: &Finding) -> String {
    format!("at {:#x} in {}: {} [{}]", finding.offset, finding.path, finding.message, finding.rule)
}

#[test]
fn labelled_files_get_their_verdict() {
    let mut wrong = Vec::new();
    for case in support::cases("hostile") {
        let (sound, findings) = verdict(&case.bytes);
        let lines =
            |least: Severity| -> Vec<String> { findings.iter().filter(|f| f.severity >= least).map(line).collect() };
        let (expect, name) = (case.label["expect"].as_str().unwrap(), &case.name);
        if std::env::var_os("SHOW").is_some() {
            println!("{name} ({expect}): {sound}\n    {}", lines(Severity::Note).join("\n    "));
        }
        match expect {
            "reject" if sound => wrong.push(format!("{name} passed: {}", case.label["what"])),
            "reject" if !names_the_place(&case, &lines(Severity::Error).join("\n")) => {
                wrong.push(format!("{name}: elsewhere: {:?}, not {}", lines(Severity::Error), case.label["where"]));
            }
            "accept" | "accept_with_warning" if !sound => {
                wrong.push(format!("{name} was refused: {:?}", lines(Severity::Error)));
            }
            "accept_with_warning" if lines(Severity::Warning).is_empty() => {
                wrong.push(format!("{name}: no warning"));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Does the message name one of the label's places? Cut-off and foreign files need only some offset.
fn names_the_place(case: &support::Case, message: &str) -> bool {
    let place = &case.label["where"];
    let names = place["names"].as_array().unwrap().iter().chain(Some(&place["path"]));
    let offset = place["offset"].as_u64();
    let loose = ["truncated", "length", "foreign", "container"].iter().any(|part| case.name.contains(part));
    let unplaced = place["names"].as_array().unwrap().is_empty() && place["path"].is_null() && offset.is_none();
    unplaced
        || loose
        || names.filter_map(|n| n.as_str()).any(|name| message.contains(name))
        || offset.is_some_and(|o| (o.saturating_sub(2)..o + 12).any(|o| message.contains(&format!("{o:#x}"))))
}

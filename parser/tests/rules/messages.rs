//! `messages.txt` has every finding of every pair, of files with one fault each, and of every hostile file of the corpus:
//! severity, byte, path, text and hint. A change of it is a change that users see. `BLESS=1` writes it.

use super::{Pair, check, faults, pairs};
use cntk_parser::{Limits, ModelFile, parse};
use std::fmt::Write;
use std::path::Path;

/// Findings of one file that are shown.
const SHOWN: usize = 6;

fn messages() -> String {
    let mut out = String::new();
    for Pair { rule, bad, good } in pairs() {
        write!(out, "{rule}\n{}", report(&bad)).unwrap();
        let twin = report(&good);
        if !twin.is_empty() {
            write!(out, "  beside it\n{twin}").unwrap();
        }
    }
    for (what, file) in faults::cases() {
        write!(out, "{what}\n{}", report(&file)).unwrap();
    }
    for case in crate::support::cases("hostile") {
        write!(out, "hostile/{}\n{}", case.name, report(&case.bytes)).unwrap();
    }
    out
}

/// What is said of a file, a line for each finding.
fn report(bytes: &[u8]) -> String {
    let mut out = String::new();
    let (_, findings) = check(bytes);
    for finding in findings.iter().take(SHOWN) {
        let severity = finding.severity;
        let (offset, path) = (finding.offset, &finding.path);
        writeln!(out, "  {severity} {offset:#x} {path}: {} [{}]", finding.message, finding.rule).unwrap();
    }
    if findings.len() > SHOWN {
        writeln!(out, "  and {} more", findings.len() - SHOWN).unwrap();
    }
    if let Some(hint) = parse(&ModelFile::new(bytes), &Limits::default()).err().and_then(|error| error.hint()) {
        writeln!(out, "  hint: {hint}").unwrap();
    }
    out
}

/// Compares with the recorded text of that name, or writes it.
pub fn golden(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules").join(name);
    cntk_testing::golden::check(path, made);
}

#[test]
fn messages_are_as_recorded() {
    golden("messages.txt", &messages());
}

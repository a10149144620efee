//! Validate: every finding has its place, and a model without errors keeps what it says of itself.

use super::{check, digest};
use crate::meter::{Bound, within};
use cntk_parser::{Limits, ModelFile, Severity, ValidateOptions, Validation, parse, validate};

/// Findings, indices and types come on top of the parsed model.
pub const BOUND: Bound = Bound { factor: 64, constant: 1 << 20, nanoseconds: 10_000 };

/// Parses and validates `data`.
pub fn run(data: &[u8]) {
    let choice = digest(data);
    let file = ModelFile::new(data);
    if let Some(found) = validated(&file, choice)
        && choice.is_multiple_of(16)
    {
        let file = ModelFile::new(data);
        let again = validated(&file, choice).expect("equal input, equal output");
        assert_eq!(found.findings, again.findings, "equal input, equal output");
        assert_eq!(found.model.is_some(), again.model.is_some());
    }
}

/// The verdict on `data`, checked; `None` if it cannot be parsed.
pub fn validated<'a>(file: &'a ModelFile<'_>, choice: u64) -> Option<Validation<'a>> {
    let data = file.bytes();
    let mut options = ValidateOptions::default();
    options.allow_udf = choice & 1 << 8 != 0;
    options.scan_weights = choice & 1 << 9 != 0;
    options.findings = if choice & 3 << 10 == 0 { 4 } else { 1000 };
    let model = parse(file, &Limits::default()).ok()?;
    let warnings = model.warnings.len();
    let found = within(BOUND, data, || validate(model, &options));
    let end = data.len() as u64;
    found.findings.iter().for_each(|f| check::finding(f, end));
    assert!(found.findings.len() <= warnings + options.findings as usize);
    let errors = found.findings.iter().filter(|f| f.severity == Severity::Error).count();
    match &found.model {
        Some(model) => {
            assert_eq!(errors, 0, "{:?}", found.findings);
            check::proof(model);
        }
        None => assert!(errors > 0 || found.more_findings > 0, "no model, and no reason for it"),
    }
    Some(found)
}

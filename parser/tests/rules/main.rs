//! Every rule fires on a file that breaks it and not on the same file without the fault.

mod attributes;
mod blocks;
mod code;
mod cost;
mod data;
mod document;
mod faults;
mod graph;
mod limits;
mod messages;
mod models;
mod nodes;
mod operators;
mod reading;
mod shapes;
mod tensors;
mod types;
mod wire;

#[path = "../support/mod.rs"]
mod support;

use cntk_parser::{Finding, Limits, ModelFile, Severity, ValidateOptions, parse, rules, validate};
use cntk_testing::format as build;

/// A file that breaks a rule, and its clean twin.
#[derive(Clone)]
pub struct Pair {
    rule: &'static str,
    bad: Vec<u8>,
    good: Vec<u8>,
}

/// A pair of model records.
pub fn pair(rule: &'static str, bad: build::Record, good: build::Record) -> Pair {
    Pair { rule, bad: bad.file(), good: good.file() }
}

/// Whether the model passes, and its findings.
pub fn check(bytes: &[u8]) -> (bool, Vec<Finding>) {
    check_with(bytes, &ValidateOptions::default())
}

/// The same, with options.
pub fn check_with(bytes: &[u8], options: &ValidateOptions) -> (bool, Vec<Finding>) {
    match parse(&ModelFile::new(bytes), &Limits::default()) {
        Ok(model) => {
            let validation = validate(model, options);
            assert_eq!(validation.model.is_some(), validation.findings.iter().all(|f| f.severity < Severity::Error));
            (validation.model.is_some(), validation.findings)
        }
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
    }
}

fn pairs() -> Vec<Pair> {
    [
        wire::pairs(),
        reading::pairs(),
        graph::pairs(),
        blocks::pairs(),
        attributes::pairs(),
        types::pairs(),
        code::pairs(),
        data::pairs(),
        nodes::pairs(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_rule_fires_and_only_where_it_should() {
    let mut wrong = Vec::new();
    let mut thorough = ValidateOptions::default();
    thorough.scan_weights = true;
    let usual = pairs().into_iter().map(|pair| (pair, ValidateOptions::default()));
    for (Pair { rule, bad, good }, options) in
        usual.chain(data::scanned_pairs().into_iter().map(|pair| (pair, thorough.clone())))
    {
        let (passes, findings) = check_with(&bad, &options);
        let known = rules().iter().find(|r| r.id == rule);
        let found = findings.iter().find(|f| f.rule == rule);
        match (known, found) {
            (None, _) => wrong.push(format!("{rule} is no rule")),
            (_, None) => wrong.push(format!("{rule} does not fire: {findings:?}")),
            (Some(known), Some(found)) => {
                if passes && known.severity == Severity::Error && found.severity == Severity::Error {
                    wrong.push(format!("{rule} does not refuse"));
                }
                if found.offset > bad.len() as u64 || found.message.is_empty() {
                    wrong.push(format!("{rule} is badly placed: {found:?}"));
                }
            }
        }
        let (passes, findings) = check_with(&good, &options);
        if findings.iter().any(|f| f.rule == rule) || !passes {
            wrong.push(format!("{rule} has a twin that is not clean: {findings:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_rule_has_a_pair() {
    // `limit` has a test of its own: a file that passes a default limit is too large to make.
    let all = [pairs(), data::scanned_pairs()].concat();
    let tested: Vec<&str> = all.iter().map(|pair| pair.rule).chain(["limit"]).collect();
    let untested: Vec<&str> = rules().iter().map(|rule| rule.id).filter(|id| !tested.contains(id)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn ids_are_unique() {
    let mut ids: Vec<&str> = rules().iter().map(|rule| rule.id).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

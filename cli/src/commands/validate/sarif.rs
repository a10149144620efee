//! SARIF 2.1.0, for code-scanning services.

use super::File;
use crate::{commands::convert::hash::hex, exit, json::Json};
use cntk_parser::Finding;
use cntk2onnx::rules::advice;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// One run with all results.
pub fn document(files: &[File], exit_code: u8) -> Json {
    let results = files.iter().flat_map(|file| file.findings.iter().map(|f| result(file, f)));
    let run = Json::Object(vec![
        ("tool", Json::Object(vec![("driver", driver(files))])),
        ("invocations", Json::List(vec![invocation(files, exit_code)])),
        ("results", Json::List(results.collect())),
    ]);
    Json::Object(vec![
        ("$schema", Json::from("https://json.schemastore.org/sarif-2.1.0.json")),
        ("version", Json::from("2.1.0")),
        ("runs", Json::List(vec![run])),
    ])
}

/// The tool, with the rules of the validator and the codes of the reader's errors.
fn driver(files: &[File]) -> Json {
    let mut rules: BTreeMap<&str, (&str, &str)> =
        cntk_parser::rules().iter().map(|rule| (rule.id, (rule.summary, rule.severity.as_str()))).collect();
    for finding in files.iter().flat_map(|f| &f.findings) {
        rules.entry(finding.rule).or_insert((finding.rule, finding.severity.as_str()));
    }
    let rule = |(id, (summary, level)): (&str, (&str, &str))| {
        let full = format!("In a sound file {summary}. {}", advice(id));
        Json::Object(vec![
            ("id", Json::from(id)),
            ("shortDescription", message(summary)),
            ("fullDescription", message(&full)),
            ("help", message(&format!("{full} `cntk2onnx explain {id}` says the same."))),
            ("helpUri", Json::from(concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules.md"))),
            ("defaultConfiguration", Json::Object(vec![("level", Json::from(level))])),
        ])
    };
    Json::Object(vec![
        ("name", Json::from("cntk2onnx")),
        ("semanticVersion", Json::from(env!("CARGO_PKG_VERSION"))),
        ("informationUri", Json::from(env!("CARGO_PKG_REPOSITORY"))),
        ("rules", Json::list(rules, rule)),
    ])
}

fn invocation(files: &[File], exit_code: u8) -> Json {
    let unreadable = files.iter().filter(|f| f.verdict == "unreadable");
    let notification = |file: &File| {
        Json::Object(vec![
            ("level", Json::from("error")),
            ("message", message("cannot be read")),
            ("locations", Json::List(vec![Json::Object(vec![("physicalLocation", physical(file, None))])])),
        ])
    };
    Json::Object(vec![
        ("executionSuccessful", Json::from(exit_code < exit::IO)),
        ("exitCode", Json::Number(exit_code.into())),
        ("toolExecutionNotifications", Json::list(unreadable, notification)),
    ])
}

fn result(file: &File, finding: &Finding) -> Json {
    let mut location = vec![("physicalLocation", physical(file, Some(finding.offset)))];
    if !finding.path.is_empty() {
        let logical = Json::Object(vec![("fullyQualifiedName", Json::text(&finding.path))]);
        location.push(("logicalLocations", Json::List(vec![logical])));
    }
    Json::Object(vec![
        ("ruleId", Json::from(finding.rule)),
        ("level", Json::from(finding.severity.as_str())),
        ("message", message(&finding.message)),
        ("locations", Json::List(vec![Json::Object(location)])),
        ("partialFingerprints", Json::Object(vec![("primaryLocationLineHash", Json::Text(fingerprint(finding)))])),
    ])
}

/// Identifies a result, also in later versions of the file. Therefore it does not contain the offset.
fn fingerprint(finding: &Finding) -> String {
    let mut state = Sha256::new();
    for part in [finding.rule, &finding.path, &finding.message] {
        state.update(part.as_bytes());
        state.update([0]);
    }
    let sum = state.finalize();
    hex(&sum[..8]) + ":1"
}

fn physical(file: &File, offset: Option<u64>) -> Json {
    let mut entries = vec![("artifactLocation", Json::Object(vec![("uri", Json::Text(uri(&file.name)))]))];
    if let Some(offset) = offset {
        // A binary file has no lines, but some services require one in a region.
        let region = vec![("startLine", Json::Number(1)), ("byteOffset", Json::Number(offset))];
        entries.push(("region", Json::Object(region)));
    }
    Json::Object(entries)
}

fn message(text: &str) -> Json {
    Json::Object(vec![("text", Json::from(text))])
}

/// A path as a relative or `file:` reference, percent-encoded.
fn uri(path: &str) -> String {
    let mut text = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => text.push(byte.into()),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("a b/é.model"), "a%20b/%C3%A9.model");
        assert_eq!(uri("/tmp/x.model"), "file:///tmp/x.model");
    }
}

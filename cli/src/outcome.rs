//! The outcome of a command: the exit code and, with `--format json`, a document on stdout (`docs/json.md`).

use crate::{exit, json::Json};
use cntk_parser::Finding;
use cntk2onnx::{Reason, Refusal};

/// The version of the documents' schema. It is raised when an entry changes its meaning or is removed.
pub const SCHEMA: u64 = 1;

/// An exit code and the entries of the JSON document.
pub struct Outcome {
    pub code: u8,
    pub entries: Vec<(&'static str, Json)>,
}

impl Outcome {
    pub fn done(entries: Vec<(&'static str, Json)>) -> Self {
        Self { code: exit::DONE, entries }
    }

    /// The outcome for an invalid model.
    pub fn rejected(input: &str, findings: &[Finding], more: u64) -> Self {
        let entries = vec![
            ("input", Json::text(input)),
            ("findings", Json::list(findings, finding)),
            ("more_findings", Json::Number(more)),
        ];
        Self { code: exit::REJECTED, entries }
    }

    /// The outcome for a valid model that cannot be converted as asked.
    pub fn refused(input: &str, refusal: &Refusal) -> Self {
        let entries = vec![("input", Json::text(input)), ("reasons", Json::list(&refusal.reasons, reason))];
        Self { code: exit::REFUSED, entries }
    }

    /// An outcome with one message, for example for a file that cannot be read or a result that cannot be written.
    pub fn failed(code: u8, message: &str) -> Self {
        Self { code, entries: vec![("error", Json::text(message))] }
    }

    /// The document of a command.
    pub fn document(self, command: &str) -> Json {
        let status = match self.code {
            exit::DONE => "done",
            exit::REJECTED => "rejected",
            exit::REFUSED => "refused",
            _ => "failed",
        };
        let tool = vec![("name", Json::from("cntk2onnx")), ("version", Json::from(env!("CARGO_PKG_VERSION")))];
        let mut entries = vec![
            ("schema", Json::Number(SCHEMA)),
            ("tool", Json::Object(tool)),
            ("command", Json::text(command)),
            ("status", Json::from(status)),
            ("exit_code", Json::Number(self.code.into())),
        ];
        entries.extend(self.entries);
        Json::Object(entries)
    }
}

/// The outcome of a command without entries.
impl From<u8> for Outcome {
    fn from(code: u8) -> Self {
        Self { code, entries: vec![] }
    }
}

pub fn finding(finding: &Finding) -> Json {
    Json::Object(vec![
        ("rule", Json::from(finding.rule)),
        ("severity", Json::from(finding.severity.as_str())),
        ("offset", Json::Number(finding.offset)),
        ("path", Json::text(&finding.path)),
        ("message", Json::text(&finding.message)),
    ])
}

fn reason(reason: &Reason) -> Json {
    Json::Object(vec![
        ("op", Json::text(&reason.op)),
        ("uid", Json::text(&reason.uid)),
        ("name", Json::text(&reason.name)),
        ("attribute", Json::text(&*reason.attribute)),
        ("reason", Json::text(&*reason.reason)),
    ])
}

/// A dimension: a size as a number, a symbol as text.
pub fn dimension(dimension: &str) -> Json {
    dimension.parse().map_or_else(|_| Json::text(dimension), Json::Number)
}

//! What validation says, as Python objects.

use cntk_parser::FileKind;
use cntk2onnx::Rejection;
use pyo3::prelude::*;

/// One finding in a file.
#[pyclass(module = "cntk2onnx", frozen, eq, hash, get_all)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Finding {
    /// Stable id of the rule, such as ``type.shape``.
    pub rule: String,
    /// ``"error"``, ``"warning"`` or ``"note"``.
    pub severity: String,
    /// One sentence; text from the file is escaped in it.
    pub message: String,
    /// Byte of the file.
    pub offset: u64,
    /// Record, such as ``primitive_functions[12].attributes.strides``; escaped.
    pub path: String,
}

#[pymethods]
impl Finding {
    /// For pickle.
    #[new]
    fn new(rule: String, severity: String, message: String, offset: u64, path: String) -> Self {
        Self { rule, severity, message, offset, path }
    }

    fn __getnewargs__(&self) -> (&str, &str, &str, u64, &str) {
        (&self.rule, &self.severity, &self.message, self.offset, &self.path)
    }

    fn __repr__(&self) -> String {
        format!("<Finding {}: {self}>", self.severity)
    }

    fn __str__(&self) -> String {
        self.to_string()
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let inside = if self.path.is_empty() { String::new() } else { format!(" in {}", self.path) };
        write!(f, "at {:#x}{inside}: {} [{}]", self.offset, self.message, self.rule)
    }
}

impl From<&cntk_parser::Finding> for Finding {
    fn from(finding: &cntk_parser::Finding) -> Self {
        Self {
            rule: finding.rule.to_owned(),
            severity: finding.severity.to_string(),
            message: finding.message.clone(),
            offset: finding.offset,
            path: finding.path.clone(),
        }
    }
}

/// What :func:`cntk2onnx.validate` found.
#[pyclass(module = "cntk2onnx", frozen, get_all)]
pub struct Report {
    /// May the model be used? True exactly where ``cntk2onnx validate`` exits with 0.
    pub ok: bool,
    /// All findings, in the order of the file where it has one.
    pub findings: Vec<Finding>,
    /// Further findings that were only counted.
    pub more_findings: u64,
    /// What the file is, as in the program's JSON: ``"cntk-v2"``, ``"cntk-v1"``, ``"checkpoint"``, ``"empty"``, or what it is
    /// instead of a model (``"onnx"``, ``"gzip"``, ...).
    pub kind: &'static str,
    /// What to do about a file that is no model; may be ``None``.
    pub hint: Option<&'static str>,
}

impl Report {
    /// The report on a file that could be read as a model.
    pub fn checked(kind: FileKind, ok: bool, findings: Vec<Finding>, more_findings: u64) -> Self {
        Self { ok, findings, more_findings, kind: kind.as_str(), hint: None }
    }

    /// The report on a file that must not be used.
    pub fn refused(why: &Rejection) -> Self {
        let findings = why.findings.iter().map(Finding::from).collect();
        Self { ok: false, findings, more_findings: why.more_findings, kind: why.kind.as_str(), hint: why.hint }
    }
}

#[pymethods]
impl Report {
    fn __repr__(&self) -> String {
        let verdict = if self.ok { "ok" } else { "not ok" };
        format!("<Report {verdict}, {}: {} findings>", self.kind, self.findings.len())
    }

    fn __bool__(&self) -> bool {
        self.ok
    }
}

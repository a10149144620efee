//! Findings: what is worth saying about a file. Nothing here prints.

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Suspicious, or not as CNTK writes it; the model can be used.
    Warning,
    /// The model must not be used.
    Error,
}

/// One finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Stable id of the rule.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Byte of the file.
    pub offset: u64,
    /// Record, such as `primitive_functions[12].attributes.strides`; escaped.
    pub path: String,
    /// One lower-case sentence; text from the file is escaped in it.
    pub message: String,
}

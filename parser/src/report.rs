//! Findings, the things to report about a file. Nothing here prints.

use crate::error::Error;
use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Information; nothing is wrong.
    Note,
    /// Suspicious, or not what CNTK would write. The model can be used.
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
    /// Byte offset in the file.
    pub offset: u64,
    /// Path of the record, such as `primitive_functions[12].attributes.strides`, escaped.
    pub path: String,
    /// One sentence in lower case, in which text from the file is escaped.
    pub message: String,
}

impl Severity {
    /// `note`, `warning` or `error`, which are also SARIF's words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One line: `at 0x1a2f in primitive_functions[12]: message [rule]`. The caller adds the severity and the file.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {:#x}", self.offset)?;
        if !self.path.is_empty() {
            write!(f, " in {}", self.path)?;
        }
        write!(f, ": {} [{}]", self.message, self.rule)
    }
}

/// The error that stopped the reader, as a finding.
impl From<&Error> for Finding {
    fn from(error: &Error) -> Self {
        Self {
            rule: error.code(),
            severity: Severity::Error,
            offset: error.offset(),
            path: error.path().to_owned(),
            message: error.message(),
        }
    }
}

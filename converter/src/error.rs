//! The errors of [`Converter`](crate::Converter).

use crate::{report::Refusal, weights::WriteError};
use cntk_parser::{FileKind, Finding, Severity};
use std::{error, fmt};

/// Why a model was not converted.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The file is not a CNTK model, is malformed or unsafe, or exceeds a limit.
    Invalid(Rejection),
    /// The model is valid, but cannot be converted as asked.
    Unsupported(Refusal),
    /// The result could not be written, or the progress callback asked to stop.
    Write(WriteError),
}

impl Error {
    /// A stable code, for programs: the rule of the first finding that is an error (`wire.truncated`,
    /// `code.user-function`…), `unsupported`, or one of `write.sink`, `write.source`, `write.cancelled`,
    /// `write.too-large` and `write.inconsistent`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(rejection) => rejection.first().map_or("invalid", |f| f.rule),
            Self::Unsupported(_) => "unsupported",
            Self::Write(error) => error.code(),
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Invalid(rejection) => rejection.hint,
            _ => None,
        }
    }
}

/// The findings in a file that must not be used.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rejection {
    /// The kind of file.
    pub kind: FileKind,
    /// The findings, of which at least one is an error.
    pub findings: Vec<Finding>,
    /// The number of findings beyond the limit, which were not kept.
    pub more_findings: u64,
    /// What the user can do about it.
    pub hint: Option<&'static str>,
}

impl Rejection {
    /// The rejection of bytes that could not be read as a model.
    pub fn unreadable(bytes: &[u8], error: &cntk_parser::Error) -> Self {
        let kind = FileKind::of(bytes, Some(error));
        Self { kind, findings: vec![error.into()], more_findings: 0, hint: error.hint() }
    }

    fn first(&self) -> Option<&Finding> {
        self.errors().next()
    }

    fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.severity == Severity::Error)
    }
}

/// One line for each error of the file.
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.errors().enumerate() {
            write!(f, "{}{finding}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(rejection) => rejection.fmt(f),
            Self::Unsupported(refusal) => refusal.fmt(f),
            Self::Write(error) => error.fmt(f),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Invalid(_) => None,
            Self::Unsupported(refusal) => Some(refusal),
            Self::Write(error) => Some(error),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Unsupported(refusal)
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

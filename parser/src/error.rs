//! The error of the reader: what is wrong, at which byte, in which record.

use crate::escape::Escaped;
use std::fmt;

mod foreign;
mod kind;

pub use foreign::Foreign;
pub use kind::ErrorKind;

/// A path of more bytes than this is shown without its middle.
const LONGEST_PATH: usize = 240;

/// Why a file was refused.
///
/// `Display` is one line: `at 0x1a2f in primitive_functions[12].attributes.strides: message`. It escapes and shortens
/// text from the file, so the line can be printed on a terminal. [`Error::hint`] says what the user can do.
#[derive(Clone, PartialEq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq)]
struct Inner {
    kind: ErrorKind,
    offset: u64,
    path: String,
}

impl Error {
    /// An error at a byte of the file, not yet in any record.
    #[cold]
    pub(crate) fn new(kind: ErrorKind, offset: u64) -> Self {
        Self(Box::new(Inner { kind, offset, path: String::new() }))
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// A stable code, for programs: `wire.truncated`, `record.missing-key`…
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// The byte of the file at which the error was found.
    pub fn offset(&self) -> u64 {
        self.0.offset
    }

    /// The record in which the error was found, such as `primitive_functions[12].attributes.strides`; empty at the top.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The message without the place.
    pub fn message(&self) -> String {
        self.0.kind.to_string()
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        self.0.kind.hint()
    }

    /// The same error, seen from the dictionary that holds it under `key`.
    #[cold]
    #[must_use]
    pub(crate) fn in_key(self, key: &str) -> Self {
        self.inside(Escaped(key).to_string())
    }

    /// The same error, seen from the list that holds it at `index`.
    #[cold]
    #[must_use]
    pub(crate) fn in_index(self, index: usize) -> Self {
        self.inside(format!("[{index}]"))
    }

    /// The same error, seen from the record of that path.
    #[cold]
    #[must_use]
    pub(crate) fn in_record(self, path: String) -> Self {
        self.inside(path)
    }

    /// Puts a step in front of the path. The middle of a very long path is left out.
    fn inside(mut self, mut step: String) -> Self {
        let path = &mut self.0.path;
        if path.len() > LONGEST_PATH {
            let skipped = path.chars().count().saturating_sub(LONGEST_PATH / 3);
            *path = std::iter::once('…').chain(path.chars().skip(skipped)).collect();
        }
        if !path.is_empty() && !path.starts_with(['[', '…']) {
            step.push('.');
        }
        path.insert_str(0, &step);
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {:#x}", self.0.offset)?;
        if !self.0.path.is_empty() {
            write!(f, " in {}", self.0.path)?;
        }
        write!(f, ": {}", self.0.kind)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self, self.code())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_grows_from_the_inside_out() {
        let error = Error::new(ErrorKind::FieldNumberZero, 0x1a2f)
            .in_key("strides")
            .in_key("attributes")
            .in_index(12)
            .in_key("primitive_functions");
        assert_eq!(
            error.to_string(),
            "at 0x1a2f in primitive_functions[12].attributes.strides: field number 0 is illegal"
        );
    }

    #[test]
    fn of_a_long_path_the_middle_is_left_out() {
        let within = |length: usize| {
            Error::new(ErrorKind::FieldNumberZero, 0).inside("é".repeat(length / 2)).in_index(7).path().to_owned()
        };
        assert_eq!(within(LONGEST_PATH), format!("[7].{}", "é".repeat(LONGEST_PATH / 2)));
        assert_eq!(within(LONGEST_PATH + 2), format!("[7]…{}", "é".repeat(LONGEST_PATH / 3)));
        let error = Error::new(ErrorKind::FieldNumberZero, 0).inside("k".repeat(LONGEST_PATH + 1)).in_key("a");
        assert_eq!(error.in_key("b").path(), format!("b.a…{}", "k".repeat(LONGEST_PATH / 3)));
    }
}

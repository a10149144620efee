//! What is said of an operator on the op page.

/// Is an operator converted?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Yes, within the restrictions.
    Converted,
    /// No: it holds code or reads files that the model does not contain, or has no sensible graph.
    Refused,
    /// It is structure, not computation.
    Structure,
}

impl Status {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converted => "converted",
            Self::Refused => "refused",
            Self::Structure => "structure",
        }
    }
}

/// A row of the op page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The ONNX operators it becomes.
    pub onnx: &'static str,
    /// What is not converted, or not to the last digit; empty for nothing.
    pub restrictions: &'static str,
    /// Is it converted?
    pub status: Status,
}

pub(super) const fn plain(onnx: &'static str) -> Entry {
    Entry { onnx, restrictions: "", status: Status::Converted }
}

pub(super) const fn but(onnx: &'static str, restrictions: &'static str) -> Entry {
    Entry { onnx, restrictions, status: Status::Converted }
}

pub(super) const fn refused(why: &'static str) -> Entry {
    Entry { onnx: "", restrictions: why, status: Status::Refused }
}

pub(super) const fn structure(onnx: &'static str) -> Entry {
    Entry { onnx, restrictions: "", status: Status::Structure }
}

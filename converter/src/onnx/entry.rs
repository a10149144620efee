//! The row of an operator on the op page, `docs/ops.md`.

/// Is an operator converted?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is converted, within the restrictions.
    Converted,
    /// It is not: it runs code or reads files that the model does not contain, or has no sensible ONNX form.
    Refused,
    /// It structures the graph and computes nothing.
    Structure,
}

impl Status {
    /// The status in one word.
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
    /// The cases that are not converted or not exact; empty if there are none.
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

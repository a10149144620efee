//! Errors of bundles, keys and certificates.

use std::fmt;

/// Why a bundle is not accepted or could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The bundle does not follow model signing v1.0, for this reason.
    Bundle(String),
    /// The key or certificate file cannot be used, for this reason.
    Key(String),
    /// The signature is not by the given key or certificate, for this reason.
    Untrusted(String),
    /// A part of the format that is not supported.
    Unsupported(&'static str),
}

impl Error {
    pub(crate) fn bundle(what: impl Into<String>) -> Self {
        Self::Bundle(what.into())
    }

    pub(crate) fn key(what: impl Into<String>) -> Self {
        Self::Key(what.into())
    }

    pub(crate) fn untrusted(what: impl Into<String>) -> Self {
        Self::Untrusted(what.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundle(what) => write!(f, "not a model signing bundle: {what}"),
            Self::Key(what) => f.write_str(what),
            Self::Untrusted(what) => write!(f, "the signature is not to be trusted: {what}"),
            Self::Unsupported(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {}

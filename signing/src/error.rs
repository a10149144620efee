//! What can be wrong with a bundle, a key or a certificate.

use std::fmt;

/// Why a bundle is not accepted, or could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The bundle is not one of model signing v1.0: what is wrong with it.
    Bundle(String),
    /// The key or certificate file cannot be used: why.
    Key(String),
    /// The signature is not by the key or certificate that was given: how that shows.
    Untrusted(String),
    /// Part of the format, and not supported here.
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

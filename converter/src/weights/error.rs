//! Errors of writing a model.

use std::{error, fmt, io};

/// Why a model could not be written.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// The sink refused the bytes.
    Sink(io::Error),
    /// The source could not be read, or it became shorter.
    Source(io::Error),
    /// The progress callback asked to stop.
    Cancelled,
    /// The structure alone, without weights, exceeds the size limit of a protobuf message.
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// The description of a tensor contradicts itself or the source. This is a bug of the lowering, not a fault of the
    /// file.
    Inconsistent {
        /// The tensor's name.
        tensor: String,
        /// What does not fit.
        what: &'static str,
    },
}

impl WriteError {
    /// A stable code, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sink(_) => "write.sink",
            Self::Source(_) => "write.source",
            Self::Cancelled => "write.cancelled",
            Self::TooLarge { .. } => "write.too-large",
            Self::Inconsistent { .. } => "write.inconsistent",
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sink(e) => write!(f, "cannot write: {e}"),
            Self::Source(e) => write!(f, "cannot read the model's weights: {e}"),
            Self::Cancelled => write!(f, "cancelled"),
            Self::TooLarge { bytes } => {
                write!(f, "the graph alone takes {bytes} bytes, more than the 2 GiB of a protobuf message")
            }
            Self::Inconsistent { tensor, what } => write!(f, "tensor {tensor:?}: {what}"),
        }
    }
}

impl error::Error for WriteError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Sink(e) | Self::Source(e) => Some(e),
            _ => None,
        }
    }
}

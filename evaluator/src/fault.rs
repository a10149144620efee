//! The errors of an evaluation.

use cntk_parser::Escaped;
use std::fmt;

/// Why one operator cannot be evaluated.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A reason in words.
    Why(String),
    /// The limit on work is reached.
    Work(u64),
    /// The limit on memory is reached.
    Memory(u64),
}

/// A reason in words.
pub(crate) fn fault<T>(why: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Why(why.into()))
}

/// Why an evaluation failed. The text is one printable line, whatever the model contains.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvaluationError {
    /// No array was given for an input that a wanted output needs.
    Missing {
        /// CNTK's name of the input, or its uid if it has no name.
        input: String,
        /// The shape and type that it takes, in words.
        takes: String,
    },
    /// An array does not fit its input.
    Input {
        /// CNTK's name of the input, or its uid if it has no name.
        input: String,
        /// What is wrong.
        why: String,
    },
    /// An operator cannot be evaluated: CNTK does not compute it on these operands, or it is random and no seed was
    /// given.
    Operator {
        /// The function's uid.
        uid: String,
        /// CNTK's name of the operator.
        op: &'static str,
        /// The offset of its record in the file.
        at: u64,
        /// What is wrong.
        why: String,
    },
    /// More multiply-adds than [`crate::Limits::work`] allows.
    Work {
        /// The limit.
        limit: u64,
    },
    /// More bytes than [`crate::Limits::memory`] allows.
    Memory {
        /// The limit.
        limit: u64,
    },
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { input, takes } => write!(f, "no array for the input {}: {takes}", Escaped(input)),
            Self::Input { input, why } => write!(f, "the array for the input {}: {}", Escaped(input), Escaped(why)),
            Self::Operator { uid, op, at, why } => {
                write!(f, "at {at:#x} in {} ({op}): {}", Escaped(uid), Escaped(why))
            }
            Self::Work { limit } => write!(f, "the evaluation takes more than {limit} multiply-adds, the limit"),
            Self::Memory { limit } => write!(f, "the evaluation takes more than {limit} bytes, the limit"),
        }
    }
}

impl std::error::Error for EvaluationError {}

//! Reads, checks and types CNTK v2 model files, trusting none of their bytes.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::panic
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::panic,
        reason = "tests know their data"
    )
)]

pub mod dictionary;
mod container;
mod error;
mod escape;
mod limits;
pub mod model;
pub mod ops;
mod report;
mod triage;
pub mod validate;
mod wire;

pub use container::parse;
pub use error::{Error, ErrorKind};
pub use escape::Escaped;
pub use limits::Limits;
pub use report::{Finding, Severity};
pub use validate::{Rule, ValidateOptions, Validation, rules, validate};

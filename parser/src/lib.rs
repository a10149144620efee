//! Reads, checks and types model files of CNTK 1 and 2, trusting none of their bytes.
//!
//! ```
//! use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus/zoo/inception_v1.model");
//! let bytes = std::fs::read(path)?;
//! let file = ModelFile::new(&bytes);
//! let model = parse(&file, &Limits::default())?;
//! println!("{}: {} functions", model.uid, model.functions.len());
//!
//! let validation = validate(model, &ValidateOptions::default());
//! for finding in &validation.findings {
//!     println!("at {:#x} in {}: {}", finding.offset, finding.path, finding.message);
//! }
//! let Some(model) = validation.model else { panic!("not to be used") };
//! # assert!(!model.outputs().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The promise
//!
//! - Any bytes give a [`model::Model`] or one [`Error`], which names the byte and the record. No panic, no overflow, no
//!   `unsafe`, no recursion deeper than 100 messages (the reference's own limit).
//! - Time is linear in the input. Memory is at most about 8 times the file's structure plus a constant (32 times for
//!   files of CNTK 1, whose records are shorter than what they become). Memory is never reserved from a count alone
//!   that the file claims. Tensors are ranges of the input and are not touched.
//! - No file, library or code that a model names is ever opened, loaded or run.
//! - A tensor's bytes are those that its record holds or, in the layout for models over 2 GB, those at its position in
//!   the tail. A count that does not fit is an error; it never changes where the bytes come from.
//!
//! [`parse`] checks only what it needs for reading. [`validate()`] checks the rest, collects all findings, and is the
//! only way to get a [`model::ValidatedModel`].
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

mod components;
mod container;
mod context;
pub mod dictionary;
mod error;
mod escape;
mod file;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod limits;
pub mod model;
pub mod ops;
mod report;
mod triage;
mod v1;
pub mod validate;
mod wire;

pub use container::parse;
pub use error::{Error, ErrorKind, Foreign};
pub use escape::Escaped;
pub use file::ModelFile;
pub use limits::Limits;
pub use report::{Finding, Severity};
pub use triage::FileKind;
pub use validate::{PlaceholderDims, PlaceholderType, Rule, ValidateOptions, Validation, rules, validate};

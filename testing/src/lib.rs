//! Code that the tests of this repository share. [`mod@format`] writes models, [`models`] generates models that are too
//! large for the corpus, [`golden`] compares with recorded texts, [`clock`] measures the processor time of a test, and
//! [`python`] runs Python programs that check results.
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "in tests, names say it")]

pub mod clock;
pub mod format;
pub mod golden;
pub mod models;
pub mod python;

//! What the tests of this repository share. Nothing here reads a model: [`mod@format`] writes them, [`models`] holds those that
//! no corpus should, [`golden`] compares with recorded texts, and [`clock`] says how much processor time a test took.
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "in tests, names say it")]

pub mod clock;
pub mod format;
pub mod golden;
pub mod models;

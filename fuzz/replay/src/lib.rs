//! This crate has only tests: `tests/replay.rs` runs every fuzz target over its stored corpus, the regressions, and the
//! labelled models.

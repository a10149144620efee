//! Nothing but a test: `tests/replay.rs` runs every fuzz target over its stored corpus, over the regressions, and over
//! the labelled models.

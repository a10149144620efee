//! Turns attribute dictionaries into typed attributes. Every decoder reads all its keys before it gives up, so that all
//! errors are reported at once.

mod attributes;
mod indexing;
mod misc;
mod sequence;
mod spatial;

pub(super) use attributes::{Attributes, Decode};

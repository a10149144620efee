//! Attribute dictionaries to typed attributes. Every decoder asks for all its keys before it gives up, so that all
//! that is wrong is reported at once.

mod attributes;
mod indexing;
mod misc;
mod sequence;
mod spatial;

pub(super) use attributes::{Attributes, Decode};

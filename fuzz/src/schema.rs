//! The format's messages for prost: the encoder and the second decoder. Shares nothing with the parser but its tests.
#![allow(missing_docs, reason = "the names are the schema's")]

#[path = "../../parser/tests/support/proto.rs"]
mod proto;

pub use proto::*;

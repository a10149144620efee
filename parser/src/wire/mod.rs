//! The protobuf wire format: varints, tags and lengths, without knowledge of any message. All offsets are those in the
//! file.

mod reader;
mod varint;

pub(crate) use reader::{Field, Payload, Reader};
pub(crate) use varint::{Fault, varint};

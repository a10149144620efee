//! Protobuf on the wire: varints, tags, lengths. Every position is an absolute offset in the file. Knows no message.

mod reader;
mod varint;

pub(crate) use reader::{Field, Payload, Reader};
pub(crate) use varint::{Fault, varint};

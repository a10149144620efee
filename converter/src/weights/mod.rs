//! Weights that are described, not held: where the bytes of a tensor are in the CNTK file or how they were made, and the
//! way from there to a file. Both back ends write through this module, which knows the format of neither.

mod data;
mod element;
mod error;
mod gather;
mod half;
mod output;
mod plain;
mod sink;
mod view;

pub use data::Data;
pub use element::ElemType;
pub use error::WriteError;
pub use output::Progress;
pub use plain::{Plain, write_plain};
pub use sink::{IoSink, Passing, Sink};
pub use view::{Stored, View};

pub(crate) use output::Output;
pub(crate) use view::row_major;

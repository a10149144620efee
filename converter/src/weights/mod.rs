//! Weights are described, not held in memory: where in the CNTK file the bytes of a tensor are, and how to write them
//! elsewhere. Both back ends write through this module, which knows the format of neither.

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

//! The ONNX back end: graph, lowering, writer.

pub(crate) mod builder;
mod entry;
pub mod graph;
pub(crate) mod lower;
pub(crate) mod simplify;
pub(crate) mod summary;
#[cfg(feature = "evaluator")]
pub(crate) mod test_data;
pub mod write;

/// The ONNX form, restrictions and status of each operator, as `cntk2onnx ops` and `docs/ops.md` print them.
pub mod catalogue {
    pub use super::entry::{Entry, Status};
    pub use super::lower::entry;
}

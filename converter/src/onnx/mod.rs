//! The ONNX back end: graph, lowering, writer.

pub(crate) mod builder;
pub mod catalogue;
pub mod graph;
pub(crate) mod lower;
pub(crate) mod simplify;
pub(crate) mod summary;
pub mod write;

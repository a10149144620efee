//! The ONNX back end: graph, lowering, writer.

pub mod graph;
pub mod write;

//! Turns CNTK v2 models into ONNX that gives the same numbers, without CNTK.
//!
//! ```text
//! ValidatedModel ─ graph (pruned) ─ layout (dynamic axes) ─ onnx::lower ─ OnnxModel ─ onnx::write ─ bytes
//! ```
#![forbid(unsafe_code)]

pub mod cells;
pub mod graph;
pub mod layout;
pub mod onnx;
pub mod options;
pub mod provenance;
pub mod pytorch;
pub mod report;
pub mod weights;

use cntk_parser::model::ValidatedModel;
use graph::Graph;
use layout::Layout;
use onnx::graph::OnnxModel;
use options::Options;
use report::{Reason, Refusal, Summary};

/// A converted model, weights still described rather than held.
#[derive(Clone, Debug)]
pub struct Conversion {
    /// The ONNX model.
    pub onnx: OnnxModel,
    /// What was done.
    pub summary: Summary,
}

/// Converts the wanted outputs of a model to ONNX.
///
/// # Errors
///
/// A [`Refusal`] that lists every node which cannot be converted as asked.
pub fn convert(model: &ValidatedModel<'_>, options: &Options) -> Result<Conversion, Refusal> {
    if !Options::OPSETS.contains(&options.opset) {
        return Err(Refusal {
            reasons: vec![Reason::new("opset", format!("{} is not among 13 to 21", options.opset))],
        });
    }
    let graph = Graph::new(model, options)?;
    let layout = Layout::new(&graph, options);
    let mut done = onnx::lower::lower(&graph, &layout, options)?;
    onnx::simplify::simplify(&mut done.model, graph.arguments.len());
    let summary = onnx::summary::summarise(&graph, &done.model, done.warnings);
    Ok(Conversion { onnx: done.model, summary })
}

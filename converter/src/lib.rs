//! Turns CNTK models into ONNX and PyTorch that give the same numbers, without CNTK.
//!
//! ```
//! use cntk2onnx::Converter;
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus/zoo/resnet_bottleneck.model");
//! let onnx = Converter::default().to_onnx(&std::fs::read(path)?)?;
//! # assert!(onnx.len() > 10_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Options`] select outputs, opset and more. A result that is too large for memory can be written to a [`Sink`], and
//! a model that is used more than once can be kept as an [`OwnedModel`]. A model that is malformed, unsafe, or cannot
//! be converted as asked gives an [`Error`] with all reasons. Nothing here opens a file, prints, or runs what a model
//! names.
//!
//! ```text
//! bytes - cntk_parser -> ValidatedModel - graph (pruned) - layout (dynamic axes) -+- onnx    -> ONNX model
//!                                                                                 +- pytorch -> module and weights
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(not(feature = "evaluator"), allow(dead_code, reason = "arrays are written for the evaluator alone"))]

mod cells;
mod converter;
mod cost;
mod error;
#[cfg(feature = "evaluator")]
mod evaluation;
#[cfg(feature = "evaluator")]
mod evidence;
mod graph;
mod json;
mod layout;
mod onnx;
mod options;
mod owned;
pub mod page;
pub mod picture;
mod provenance;
pub mod pytorch;
mod ranges;
mod record;
mod report;
mod resolve;
pub mod rules;
pub mod symbols;
mod weights;

#[cfg(feature = "evaluator")]
pub use cntk_evaluator as evaluator;
pub use cntk_parser as parser;
pub use converter::{Converter, Source};
pub use cost::{Amount, Cost};
pub use error::{Error, Rejection};
#[cfg(feature = "evaluator")]
pub use evaluation::{EvaluateError, Evaluated, Evaluation, evaluate};
pub use graph::paths::Paths;
#[cfg(feature = "evaluator")]
pub use onnx::test_data::{TestFile, test_data};
pub use onnx::{
    catalogue,
    write::{MODEL_LIMIT, Weights, Writer},
};
pub use options::{InputShape, Options, Outputs};
pub use owned::OwnedModel;
pub use provenance::SOURCE_SHA256;
pub use record::{Record, RecordError};
pub use report::{Port, Reason, Refusal, Summary};
pub use symbols::Symbols;
pub use weights::{ElemType, IoSink, Passing, Progress, Sink, WriteError};

use cntk_parser::model::ValidatedModel;
use graph::Graph;
use layout::Layout;
use onnx::graph::OnnxModel;

/// The stages between a validated model and the back ends, for the tests and fuzz targets of this repository. Not part
/// of the API.
#[doc(hidden)]
pub mod internals {
    pub use crate::provenance::structure_digest;

    #[cfg(feature = "evaluator")]
    pub mod evidence {
        pub use crate::evidence::{Arrays, Lack, Sample, Sampled, WORK, make, sample, within_budget};
        pub use crate::record::Array;
    }
    pub mod cells {
        pub use crate::cells::*;
    }
    pub mod graph {
        pub use crate::graph::*;
    }
    pub mod layout {
        pub use crate::layout::*;
    }
    pub mod onnx {
        pub use crate::onnx::graph::*;
    }
    pub mod resolve {
        pub use crate::resolve::*;
    }
    pub mod weights {
        pub use crate::weights::*;
    }
}

/// A model converted to ONNX, with descriptions of its weights.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Conversion {
    #[doc(hidden)]
    pub onnx: OnnxModel,
    /// The summary of the conversion.
    pub summary: Summary,
}

impl Conversion {
    /// Decides where the weights are stored and computes all lengths. `source` is the file from which the model was
    /// read.
    ///
    /// # Errors
    ///
    /// The structure alone exceeds the size limit of a protobuf message.
    pub fn writer<'c>(&'c self, source: &'c [u8], weights: Weights<'c>) -> Result<Writer<'c>, WriteError> {
        Writer::new(&self.onnx, source, weights)
    }
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
    provenance::stamp(&mut done.model, model.model(), options);
    let summary = onnx::summary::summarise(&graph, &done.model, done.warnings);
    Ok(Conversion { onnx: done.model, summary })
}

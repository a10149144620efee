//! An executable specification of what a CNTK model computes: it evaluates a [`ValidatedModel`] on arrays.
//!
//! Conversions are checked against this crate. It shares only the parser of the file format with the converter, and
//! prefers being obviously correct to being fast. Each operator is a short function that names the paragraph of the
//! format description that it implements.
//!
//! ```
//! use cntk_evaluator::{Array, Options, evaluate};
//! use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus/ops/ops_unittest__test_op_reshape__0.model");
//! # let Ok(bytes) = std::fs::read(path) else { return Ok(()) };
//! let file = ModelFile::new(&bytes);
//! let validation = validate(parse(&file, &Limits::default())?, &ValidateOptions::default());
//! let Some(model) = validation.model else { panic!("not a sound model") };
//! let wanted = model.outputs().to_vec();
//! for input in cntk_evaluator::inputs(&model, &wanted) {
//!     println!("{} takes {:?}", model.variable(input).uid, model.variable(input).shape);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How values are held
//!
//! A value consists of the frames of a minibatch, one after another: the steps of the first sample, then those of the
//! second, and so on, without padding. An operator that works frame by frame is one loop over rows, and one that works
//! along sequences processes each sequence on its own.
//!
//! All numbers are held in double precision. A result that CNTK computes in single or half precision is rounded to it
//! after each operator; within an operator, sums are computed in double precision. A mean is an exception: its sum is
//! rounded before the division, because CNTK's sum may overflow there.
#![forbid(unsafe_code)]

mod delay;
mod fault;
mod feed;
mod jitter;
mod limits;
mod ops;
mod precision;
mod ring;
mod stored;
mod value;
mod walk;

pub use fault::EvaluationError;
pub use feed::{Array, inputs};
pub use limits::Limits;

use cntk_parser::model::{DataType, Output, Source, ValidatedModel};
use std::collections::HashMap;
use walk::Walk;

/// How to evaluate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Limits on the cost.
    pub limits: Limits,
    /// The seed of random operators. Without one, they are refused.
    pub seed: Option<u64>,
    /// Computes what another implementation may: moves every computed number by a rounding error of its type, up or down at
    /// random from this seed, breaks ties of TopK at random, and knows no result where CNTK's maxima pass over a NaN. Evaluations
    /// with different seeds that differ by much say that a rounding decides: at a tie, a step, or where numbers cancel.
    pub jitter: Option<u64>,
}

/// The value of an output.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// CNTK's uid.
    pub uid: String,
    /// CNTK's name, which may be empty.
    pub name: String,
    /// The type in which CNTK computes it. The numbers are exact in that type.
    pub data_type: DataType,
    /// `[batch, sequence, *static]`, with each of the first two only if the value has that axis; 0 beyond a sequence's
    /// length.
    pub array: Array,
}

/// The results of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The outputs, in the order of `wanted`.
    pub outputs: Vec<Evaluated>,
    /// The cost, in the unit of [`Limits::work`].
    pub work: u64,
}

/// Evaluates outputs of a model, from [`ValidatedModel::outputs`] or [`ValidatedModel::find`]. `feeds` has an array for
/// each of [`inputs`], by CNTK's name or uid.
///
/// # Errors
///
/// An input is missing or does not fit, CNTK does not compute an operator on its operands, or a limit is reached.
pub fn evaluate(
    model: &ValidatedModel<'_>,
    feeds: &HashMap<String, Array>,
    wanted: &[Output<'_>],
    options: &Options,
) -> Result<Evaluation, EvaluationError> {
    let mut walk = Walk::new(model, options);
    for (id, value) in feed::values(model, feeds, &inputs(model, wanted))? {
        walk.give(Source::Variable(id), value);
    }
    let sources: Vec<Source> = wanted.iter().map(|output| output.source).collect();
    let values = walk.run(&sources)?;
    let outputs = wanted.iter().zip(values).map(|(output, value)| Evaluated {
        uid: output.uid.to_string(),
        name: output.name.to_string(),
        data_type: model.type_of(output.source).data_type,
        array: feed::padded(&value),
    });
    Ok(Evaluation { outputs: outputs.collect(), work: walk.meter.work() })
}

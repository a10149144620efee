//! What a CNTK model computes, as an executable specification: a [`ValidatedModel`] and arrays in, arrays out.
//!
//! This crate is what conversions are judged by. It shares nothing with the converter but the reader of the file format; it favours
//! being obviously right over being fast. Each operator is a short function of its own, named after the paragraph of the format
//! description that it puts into practice.
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
//! A value is the frames of a minibatch, one after the other: sample after sample, of each its steps, and no padding anywhere. So
//! an operator that works frame by frame is one loop over rows, and one that works along a sequence sees that sequence alone.
//!
//! All numbers are held in double precision. What CNTK computes in single or half precision is rounded to it after each operator;
//! within an operator, sums are taken in double. A mean is the exception: its sum is rounded before it is divided, because CNTK's
//! sums overflow there.
#![forbid(unsafe_code)]

mod delay;
mod fault;
mod feed;
mod limits;
mod ops;
mod precision;
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
    /// What it may cost.
    pub limits: Limits,
    /// Where random operators take their numbers from. Without one, they are refused.
    pub seed: Option<u64>,
    /// Moves every computed number by a rounding error of its type, up or down at random from this seed. Evaluations with
    /// different seeds that differ by much say that a rounding decides: at a tie, a step, or where numbers cancel.
    pub jitter: Option<u64>,
}

/// The value of an output.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// CNTK's uid.
    pub uid: String,
    /// CNTK's name; may be empty.
    pub name: String,
    /// The type that CNTK computes it in. The numbers are exact in that type.
    pub data_type: DataType,
    /// `[batch, sequence, *static]`, each of the first two only where the value has that axis; beyond a sequence's length, 0.
    pub array: Array,
}

/// The results of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// In the order in which they were wanted.
    pub outputs: Vec<Evaluated>,
    /// What it cost, in the unit of [`Limits::work`].
    pub work: u64,
}

/// Evaluates outputs of a model: those of [`ValidatedModel::outputs`], or any that [`ValidatedModel::find`] gives. `feeds` holds an
/// array for each of [`inputs`], by CNTK's name or uid.
///
/// # Errors
///
/// An input is missing or does not suit, an operator is none that CNTK computes on its operands, or a limit is reached.
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

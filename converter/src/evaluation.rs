//! Evaluates a model on recorded inputs, in the names and layout of `--record`.

use crate::evidence::elem;
use crate::graph::Interface;
use crate::options::Outputs;
use crate::record::{Array, Record, RecordError, npz, wrong};
use crate::report::{Reason, Refusal};
use crate::weights::ElemType;
use cntk_evaluator::{EvaluationError, Options, evaluate as evaluate_model};
use cntk_parser::model::{Output, Source, ValidatedModel};
use std::collections::{HashMap, HashSet};
use std::{fmt, io};

/// An output and its value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evaluated {
    /// CNTK's name, or the uid if the name is not unique.
    pub name: String,
    /// Its type.
    pub elem: ElemType,
    /// `[batch, sequence, *static]`, with each of the first two only if the value has it.
    pub shape: Vec<usize>,
    /// The elements in row-major order, exact in the type.
    pub values: Vec<f64>,
    /// The number of valid steps of each sample, if the value has sequences.
    pub lengths: Option<Vec<usize>>,
}

/// The result of evaluating a model on recorded inputs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evaluation {
    /// The wanted outputs.
    pub outputs: Vec<Evaluated>,
    /// Names of arrays in the record that are not inputs.
    pub unread: Vec<String>,
    /// The cost in multiply-adds.
    pub work: u64,
}

/// Why a model could not be evaluated.
#[derive(Debug)]
#[non_exhaustive]
pub enum EvaluateError {
    /// An output that the model does not have.
    Outputs(Refusal),
    /// The record is damaged, or an array in it does not fit its input.
    Record(RecordError),
    /// The evaluator cannot compute the model.
    Evaluation(EvaluationError),
}

impl fmt::Display for EvaluateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outputs(refusal) => refusal.fmt(f),
            Self::Record(error) => error.fmt(f),
            Self::Evaluation(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EvaluateError {}

impl From<RecordError> for EvaluateError {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

/// Evaluates the wanted outputs on the inputs in `record`. Each array has the CNTK name or uid of its input;
/// `NAME_lengths` is present if sequences have several lengths.
///
/// # Errors
///
/// See [`EvaluateError`].
pub fn evaluate(
    model: &ValidatedModel<'_>,
    outputs: &Outputs,
    record: &mut Record<'_>,
    options: &Options,
) -> Result<Evaluation, EvaluateError> {
    let interface = Interface::new(model, outputs).map_err(EvaluateError::Outputs)?;
    let wanted: Vec<Output<'_>> = interface.outputs.iter().filter_map(|o| model.find(&o.uid)).collect();
    if wanted.len() != interface.outputs.len() {
        let reasons = vec![Reason::new("outputs", "an output is not found by its uid")];
        return Err(EvaluateError::Outputs(Refusal { reasons }));
    }
    let feeds = feeds(model, &interface, &wanted, record)?;
    let evaluated = evaluate_model(model, &feeds, &wanted, options).map_err(EvaluateError::Evaluation)?;
    let named = interface.outputs.iter().zip(evaluated.outputs).map(|(wanted, output)| Evaluated {
        name: wanted.name.clone(),
        elem: elem(output.data_type),
        shape: output.array.shape,
        values: output.array.values,
        lengths: output.array.lengths,
    });
    Ok(Evaluation { outputs: named.collect(), unread: record.unread(), work: evaluated.work })
}

/// The arrays of the inputs that are needed, by uid.
fn feeds(
    model: &ValidatedModel<'_>,
    interface: &Interface,
    wanted: &[Output<'_>],
    record: &mut Record<'_>,
) -> Result<HashMap<String, cntk_evaluator::Array>, RecordError> {
    let needed = cntk_evaluator::inputs(model, wanted);
    let uid = |i: &crate::graph::Argument| model.variable(i.variable).uid.to_owned();
    let arguments = interface.arguments.iter().flat_map(|a| [a.name.clone(), uid(a)]);
    let taken: HashSet<String> =
        arguments.chain(interface.outputs.iter().flat_map(|o| [o.name.clone(), o.uid.clone()])).collect();
    let mut feeds = HashMap::new();
    for argument in &interface.arguments {
        let uid = uid(argument);
        let Some((_, array)) = record.array(&[&argument.name, &uid])? else { continue };
        let names = [format!("{}_lengths", argument.name), format!("{uid}_lengths")];
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| !taken.contains(*name)).collect();
        let lengths = match record.array(&names)? {
            Some((name, lengths)) => Some(counts(&name, &lengths)?),
            None => None,
        };
        if !needed.contains(&argument.variable) {
            continue;
        }
        let has_steps = model.type_of(Source::Variable(argument.variable)).axes.sequence.is_some();
        let shape = array.dims.iter().map(|n| usize::try_from(*n).unwrap_or(usize::MAX)).collect();
        let lengths = lengths.filter(|_| has_steps);
        feeds.insert(uid, cntk_evaluator::Array { shape, values: array.numbers(), lengths });
    }
    Ok(feeds)
}

/// The number of valid steps of each sample.
fn counts(name: &str, array: &Array) -> Result<Vec<usize>, RecordError> {
    if !matches!(array.elem, ElemType::Int64 | ElemType::Int32) || array.dims.len() != 1 {
        return Err(wrong(format!("{name}: lengths are int64 or int32, one for each sample")));
    }
    let count = |n: f64| if n >= 1.0 { Ok(n as usize) } else { Err(wrong(format!("{name}: a length below 1"))) };
    array.numbers().into_iter().map(count).collect()
}

impl Evaluated {
    fn array(&self) -> Array {
        let mut bytes = Vec::with_capacity(self.values.len() * self.elem.size());
        self.values.iter().for_each(|x| self.elem.encode(*x, &mut bytes));
        Array { elem: self.elem, dims: self.shape.iter().map(|n| *n as u64).collect(), bytes }
    }
}

impl Evaluation {
    /// All outputs as a `.npz` file, with `NAME_lengths` if sequences have several lengths.
    ///
    /// # Errors
    ///
    /// A name that an archive cannot hold.
    pub fn to_npz(&self) -> io::Result<Vec<u8>> {
        let mut arrays = Vec::new();
        for output in &self.outputs {
            arrays.push((output.name.clone(), output.array()));
            let Some(lengths) = &output.lengths else { continue };
            if lengths.iter().any(|n| n != &lengths[0]) {
                let bytes = lengths.iter().flat_map(|n| (*n as i64).to_le_bytes()).collect();
                let array = Array { elem: ElemType::Int64, dims: vec![lengths.len() as u64], bytes };
                arrays.push((format!("{}_lengths", output.name), array));
            }
        }
        npz::write(&arrays)
    }
}

//! The PyTorch back end: a module that a person would maintain, its weights, a test, and a report.
//!
//! ```text
//! ValidatedModel ─ graph (pruned) ─ layout ─ lower ─ body + state ─ emit ─ model.py, safetensors header, report.json
//! ```
//!
//! Like the ONNX back end, it uses the graph, the layout, the recognised cells and the descriptions of weights. It uses
//! nothing of the ONNX back end itself.

mod emission;
mod emit;
mod gradient;
mod guard;
mod helpers;
mod interface;
mod lower;
mod momentum;
mod python;
mod recorded;
mod reference;
mod report;
pub mod safetensors;
mod state;
mod structure;
mod testing;
mod weights;

#[cfg(feature = "evaluator")]
use crate::evidence;
use crate::graph::Graph;
use crate::layout::Layout;
use crate::options::Options;
use crate::record::{Record, RecordError};
use crate::report::{Reason, Refusal};
use cntk_parser::model::{ValidatedModel, VariableKind};
use interface::Interface;
use safetensors::Tensor;
use std::collections::HashSet;

/// The options of the PyTorch back end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PyTorchOptions {
    /// The name after which the class is named: usually that of the file without its suffix.
    pub name: String,
    /// Call a method that the user has to write where something cannot be expressed.
    pub stub: bool,
    /// Write a check of the inputs into the module: type, shape, finite numbers, indices in range, no more steps than
    /// `max_steps`. `check_inputs=False` turns it off.
    pub check_inputs: bool,
    /// The SHA-256 of the whole source, for the report and the metadata of the weights.
    pub source_sha256: Option<[u8; 32]>,
}

impl PyTorchOptions {
    /// Sets [`Self::name`].
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Sets [`Self::source_sha256`].
    #[must_use]
    pub fn source_sha256(self, source_sha256: Option<[u8; 32]>) -> Self {
        Self { source_sha256, ..self }
    }

    /// Sets [`Self::check_inputs`].
    #[must_use]
    pub fn check_inputs(self, check_inputs: bool) -> Self {
        Self { check_inputs, ..self }
    }

    /// Sets [`Self::stub`].
    #[must_use]
    pub fn stub(self, stub: bool) -> Self {
        Self { stub, ..self }
    }
}

/// The files of a converted model: text files as text, files of weights as descriptions.
#[derive(Clone, Debug)]
pub struct PyTorchConversion {
    /// `model.py`.
    pub module: String,
    /// `test_model.py`.
    pub test: String,
    /// `report.json`.
    pub report: String,
    /// `__init__.py`, which makes the directory a package.
    pub package: String,
    /// `model.safetensors`.
    pub weights: Vec<Tensor>,
    /// The metadata of `model.safetensors` about its source.
    pub metadata: Vec<(String, String)>,
    /// `reference.safetensors`: inputs to try the module with, until [`Self::compare_with`] or `compare_with_evaluator`
    /// adds expected numbers.
    pub reference: Vec<Tensor>,
    /// Warnings for the user.
    pub warnings: Vec<String>,
    /// The outputs that were left out by default, each with the reason.
    pub dropped: Vec<String>,
    interface: Interface,
}

impl PyTorchConversion {
    /// Makes the reference from generated inputs and the evaluator's outputs for them. If that is not possible, the
    /// reference stays as it is, and a warning gives the reason.
    #[cfg(feature = "evaluator")]
    pub fn compare_with_evaluator(&mut self, model: &ValidatedModel<'_>, options: &Options) {
        let evidence = evidence::make(model, options, !options.equal_lengths);
        let made = evidence.and_then(|arrays| {
            recorded::tensors(&self.interface, &mut Record::held(arrays)).map_err(|error| error.to_string())
        });
        match made {
            Ok((reference, _)) => self.reference = reference,
            Err(why) => self.warnings.push(format!("the module's test compares no numbers: {why}")),
        }
    }

    /// The files of text, with their names.
    pub fn texts(&self) -> [(&'static str, &str); 4] {
        [
            ("model.py", &self.module),
            ("test_model.py", &self.test),
            ("report.json", &self.report),
            ("__init__.py", &self.package),
        ]
    }

    /// The number of outputs with expected numbers in the reference.
    pub fn expected(&self) -> usize {
        let named = |i: &usize| self.reference.iter().any(|t| t.name.strip_prefix("output.") == Some(&*i.to_string()));
        (0..self.interface.outputs.len()).filter(named).count()
    }

    /// Makes the reference from inputs and outputs recorded from CNTK. Arrays in the record have the CNTK names or uids
    /// of inputs and outputs; `NAME_lengths` are valid steps. Adds warnings for the user.
    ///
    /// # Errors
    ///
    /// The record lacks an input or all outputs, or an array in it has another type or shape than in the model.
    pub fn compare_with(&mut self, record: &mut Record<'_>) -> Result<(), RecordError> {
        let (reference, warnings) = recorded::tensors(&self.interface, record)?;
        self.reference = reference;
        self.warnings.extend(warnings);
        Ok(())
    }
}

/// Converts the wanted outputs of a model to PyTorch.
///
/// # Errors
///
/// A [`Refusal`] with every node that cannot be expressed.
pub fn convert_pytorch(
    model: &ValidatedModel<'_>,
    options: &Options,
    own: &PyTorchOptions,
) -> Result<PyTorchConversion, Refusal> {
    let graph = Graph::new(model, options)?;
    // PyTorch's layers accept any number of leading axes, so nothing is folded.
    let layout = Layout::new(&graph, &Options { keep_sequence_axis: true, ..options.clone() });
    let mut lower = lower::Lower::new(&graph, &layout, options.equal_lengths, own.stub);
    let outputs = lower.run();
    lower.place_weights(&outputs);
    lower.widen_halves(&outputs);
    if !lower.reasons.is_empty() {
        return Err(Refusal { reasons: lower.reasons });
    }
    if outputs.len() != graph.outputs.len() {
        return Err(Refusal { reasons: vec![Reason::new("outputs", "an output could not be computed")] });
    }
    Ok(emit::emit(lower, &outputs, own))
}

/// All parameters and constants by name, row-major, for rebuilding a model by hand.
///
/// # Errors
///
/// A [`Refusal`] with every parameter without a value.
pub fn convert_safetensors(model: &ValidatedModel<'_>) -> Result<Vec<Tensor>, Refusal> {
    let mut reasons = Vec::new();
    let mut tensors = Vec::new();
    let is_weight = |kind| matches!(kind, VariableKind::Parameter | VariableKind::Constant);
    let all = || model.model().variables.iter().filter(|v| is_weight(v.kind));
    let mut once = HashSet::new();
    let mut twice = HashSet::new();
    for v in all() {
        if !once.insert(v.name) {
            twice.insert(v.name);
        }
    }
    let uids: HashSet<&str> = all().map(|v| v.uid).collect();
    for v in all() {
        let named = !v.name.is_empty() && !twice.contains(v.name) && (v.name == v.uid || !uids.contains(v.name));
        let name = if named { v.name } else { v.uid };
        match weights::Weight::exact(v) {
            Some((elem, dims, data)) => tensors.push(Tensor { name: name.to_owned(), elem, dims, data }),
            None => reasons.push(Reason { uid: v.uid.to_owned(), ..Reason::new(v.uid, "the parameter has no value") }),
        }
    }
    if reasons.is_empty() { Ok(tensors) } else { Err(Refusal { reasons }) }
}

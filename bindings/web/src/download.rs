//! The downloads, written piece by piece.

use cntk_parser::model::ValidatedModel;
use cntk2onnx::{
    Converter, Options, Passing, Sink, WriteError,
    pytorch::{
        PyTorchOptions, convert_pytorch, convert_safetensors,
        safetensors::{self, Tensor},
    },
};
use std::{io, ops::ControlFlow, ops::Range};

/// What can be downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An ONNX model with its weights in it.
    Onnx,
    /// The files of a Python package.
    PyTorch,
    /// The weights by name.
    Safetensors,
}

impl Target {
    /// The target of this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "onnx" => Some(Self::Onnx),
            "pytorch" => Some(Self::PyTorch),
            "safetensors" => Some(Self::Safetensors),
            _ => None,
        }
    }
}

/// Receives the files of a download, one after another.
pub trait Parts {
    /// Begins a file of this name.
    fn file(&mut self, name: &str);

    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// There is no room.
    fn write(&mut self, bytes: &[u8]) -> Result<(), String>;

    /// Appends `length` bytes of the model's file from `offset` on.
    ///
    /// # Errors
    ///
    /// They cannot be read, or there is no room.
    fn copy(&mut self, offset: u64, length: u64) -> Result<(), String>;
}

/// Writes the files of a download of the model that was read from the file `name`. Gives its warnings, and what was left out.
pub(crate) fn write(
    model: &ValidatedModel<'_>,
    options: &Options,
    name: &str,
    target: Target,
    parts: &mut dyn Parts,
) -> Result<String, String> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    match target {
        Target::Onnx => {
            parts.file("model.onnx");
            let done = Converter::new(options.clone()).write_onnx(model, &mut To(parts));
            let summary = done.map_err(|error| error.to_string())?;
            Ok(notes(&summary.warnings, &summary.dropped))
        }
        Target::PyTorch => {
            let own = PyTorchOptions::default().name(stem);
            let mut made = convert_pytorch(model, options, &own).map_err(|refusal| refusal.to_string())?;
            made.compare_with_evaluator(model, options);
            for (name, text) in made.texts() {
                parts.file(name);
                parts.write(text.as_bytes())?;
            }
            tensors(model, "model.safetensors", &made.weights, &made.metadata, parts)?;
            tensors(model, "reference.safetensors", &made.reference, &[], parts)?;
            Ok(notes(&made.warnings, &made.dropped))
        }
        Target::Safetensors => {
            let made = convert_safetensors(model).map_err(|refusal| refusal.to_string())?;
            tensors(model, "model.safetensors", &made, &safetensors::provenance(model, None), parts)?;
            Ok(String::new())
        }
    }
}

fn notes(warnings: &[String], dropped: &[String]) -> String {
    let dropped = dropped.iter().map(|dropped| format!("left out: {dropped}"));
    warnings.iter().cloned().chain(dropped).map(|line| line.replace('\n', " ")).collect::<Vec<_>>().join("\n")
}

fn tensors(
    model: &ValidatedModel<'_>,
    name: &str,
    tensors: &[Tensor],
    metadata: &[(String, String)],
    parts: &mut dyn Parts,
) -> Result<(), String> {
    parts.file(name);
    let mut go_on = |_| ControlFlow::Continue(());
    safetensors::write(tensors, metadata, model.model().input, &mut To(parts), &mut go_on).map_err(|e| e.to_string())
}

/// Weights that do not change are copied from file to file without passing through the library.
struct To<'p>(&'p mut dyn Parts);

impl Sink for To<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.0.write(bytes).map_err(failed)
    }

    fn copy_from_source(
        &mut self,
        source: &[u8],
        range: Range<usize>,
        passing: Option<Passing<'_>>,
    ) -> Result<(), WriteError> {
        if let Some(passing) = passing {
            passing(&source[range.clone()]);
        }
        self.0.copy(range.start as u64, range.len() as u64).map_err(failed)
    }
}

fn failed(message: String) -> WriteError {
    WriteError::Sink(io::Error::other(message))
}

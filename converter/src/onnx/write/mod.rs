//! Writes an [`OnnxModel`] and the weights that it describes.
//!
//! All lengths are known before the first byte is written, so the output is a plain stream. The structure is serialised
//! with `prost`. Weights are copied from the source without it, so that memory holds only the serialised structure and
//! one chunk of converted elements.
//!
//! ```
//! use cntk2onnx::{Weights, Writer, internals::onnx::OnnxModel};
//!
//! let model = OnnxModel { name: "empty".into(), opset: 17, ..OnnxModel::default() };
//! let mut bytes = Vec::new();
//! let mut writer = Writer::new(&model, b"", Weights::Embed { side: "empty.onnx.data" })?;
//! writer.write_model(&mut bytes, &mut |_| std::ops::ControlFlow::Continue(()), || Ok(vec![]))?;
//! assert_eq!(bytes.len() as u64, writer.model_length());
//! # Ok::<_, cntk2onnx::WriteError>(())
//! ```
//!
//! This module knows nothing of CNTK and does no I/O of its own.

mod checksum;
mod names;
mod node;
mod placement;
mod proto;
mod structure;
pub(super) mod tensor;
#[cfg(test)]
mod tests;
mod value_info;

pub use placement::{MODEL_LIMIT, Weights};

use super::graph::{Initializer, OnnxModel};
use crate::weights::{Output, Progress, Sink, WriteError};
use names::Names;
use placement::{Place, Placement};
use structure::Structure;
use tensor::Header;

/// A model that is ready to be written: its structure is serialised, and every length and offset is known.
pub struct Writer<'m> {
    model: &'m OnnxModel,
    source: &'m [u8],
    locations: Weights<'m>,
    structure: Structure,
    headers: Vec<Header>,
    lengths: Vec<u64>,
    placement: Placement,
    graph_length: u64,
    /// SHA-1 of the side file, once that is written.
    checksum: Option<[u8; 20]>,
}

impl<'m> Writer<'m> {
    /// Serialises the structure and decides where the weights go. `source` is the CNTK file that [`Data`](crate::weights::Data) refers to.
    pub fn new(model: &'m OnnxModel, source: &'m [u8], weights: Weights<'m>) -> Result<Self, WriteError> {
        let names = Names::new(model);
        let structure = Structure::new(model, &names)?;
        let initializers = || model.initializers.iter();
        let lengths =
            initializers().map(|i| placement::length(model, &names, i, source)).collect::<Result<Vec<_>, _>>()?;
        let headers = initializers().map(|i| Header::new(model, &names, i)).collect();
        let placement = Placement::new(model, &lengths, weights);
        let mut writer = Self {
            model,
            source,
            locations: weights,
            structure,
            headers,
            lengths,
            placement,
            graph_length: 0,
            checksum: None,
        };
        writer.graph_length = writer.compute_graph_length();
        if let (Weights::Embed { side }, true) = (weights, writer.model_length() > MODEL_LIMIT) {
            writer.locations = Weights::External { side };
            writer.placement = Placement::new(model, &writer.lengths, writer.locations);
            writer.graph_length = writer.compute_graph_length();
        }
        match writer.model_length() {
            bytes if bytes > MODEL_LIMIT => Err(WriteError::TooLarge { bytes }),
            _ => Ok(writer),
        }
    }

    /// The length of the model file, without the late metadata of [`write_model`](Self::write_model).
    pub fn model_length(&self) -> u64 {
        let around = [structure::preamble(self.model), structure::epilogue(self.model.opset, self.metadata())];
        around.iter().map(|b| b.len() as u64).sum::<u64>() + tensor::field_length(self.graph_length)
    }

    /// The length of the file of weights beside the model; `None` if there is no such file.
    pub fn side_length(&self) -> Option<u64> {
        (self.placement.side_length > 0).then_some(self.placement.side_length)
    }

    /// How many bytes of the initializers stay in the CNTK file and are read from there.
    pub fn in_place_length(&self) -> u64 {
        let all = self.placement.places.iter().zip(&self.lengths);
        all.filter(|(place, _)| matches!(place, Place::Source { .. })).map(|(_, length)| length).sum()
    }

    /// Writes the file of weights, if there is one. Must be called before [`write_model`](Self::write_model).
    pub fn write_side<'s>(&mut self, sink: &'s mut dyn Sink, progress: &'s mut Progress<'s>) -> Result<(), WriteError> {
        let sum = checksum::of(sink, |sink| {
            let mut out = Output::new(sink, progress);
            let mut chunk = Vec::new();
            for (initializer, place) in self.model.initializers.iter().zip(&self.placement.places) {
                if let Place::Side { offset } = place {
                    out.zeros((offset - out.position()) as usize)?;
                    self.write_data(initializer, &mut chunk, &mut out)?;
                }
            }
            out.drain()
        })?;
        self.checksum = Some(sum);
        Ok(())
    }

    /// Writes the model and returns its length. Once the weights are written, `late` is called for more metadata, such
    /// as a digest of the source that was computed meanwhile.
    pub fn write_model<'s>(
        &mut self,
        sink: &'s mut dyn Sink,
        progress: &'s mut Progress<'s>,
        late: impl FnOnce() -> Result<Vec<(String, String)>, WriteError>,
    ) -> Result<u64, WriteError> {
        let mut out = Output::new(sink, progress);
        let mut chunk = Vec::new();
        out.write(&structure::preamble(self.model))?;
        out.write(&tensor::graph_prefix(self.graph_length))?;
        out.write(&self.structure.before)?;
        for (index, initializer) in self.model.initializers.iter().enumerate() {
            let storage = self.storage(index);
            let header = &self.headers[index];
            out.write(&header.prefix(storage.length()))?;
            out.write(header.bytes())?;
            out.write(storage.bytes())?;
            if self.placement.places[index] == Place::Model {
                self.write_data(initializer, &mut chunk, &mut out)?;
            }
        }
        out.write(&self.structure.after)?;
        out.drain()?;
        let late = late()?;
        out.write(&structure::epilogue(self.model.opset, self.metadata().chain(&late)))?;
        out.drain()?;
        Ok(out.position())
    }

    fn metadata(&self) -> std::slice::Iter<'m, (String, String)> {
        self.model.metadata.iter()
    }

    fn compute_graph_length(&self) -> u64 {
        let mut length = (self.structure.before.len() + self.structure.after.len()) as u64;
        for (index, header) in self.headers.iter().enumerate() {
            let storage = match self.placement.places[index] {
                Place::Model => tensor::Storage::raw_length(self.lengths[index]),
                _ => self.storage(index).length(),
            };
            length += header.field_length(storage);
        }
        length
    }

    /// The part of an initializer's message after its header.
    fn storage(&self, index: usize) -> tensor::Storage {
        let length = self.lengths[index];
        let (source, side) = match self.locations {
            Weights::Embed { side } | Weights::External { side } => ("", side),
            Weights::InPlace { source, side } => (source, side),
        };
        match &self.placement.places[index] {
            Place::Model => tensor::Storage::raw(length),
            Place::Source { range } => tensor::Storage::external(source, range.start, length, None),
            // A checksum has a fixed length, so it need not be known yet.
            Place::Side { offset } => {
                tensor::Storage::external(side, *offset, length, Some(self.checksum.unwrap_or_default()))
            }
        }
    }

    fn write_data(
        &self,
        initializer: &Initializer,
        chunk: &mut Vec<u8>,
        out: &mut Output<'_>,
    ) -> Result<(), WriteError> {
        let elem = self.model.values[initializer.value.0 as usize].elem;
        initializer.data.write(elem, self.source, chunk, out)
    }
}

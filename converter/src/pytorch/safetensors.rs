//! Writes the safetensors format: a length, a JSON header, and tensors one after another.

use crate::json;
use crate::provenance;
use crate::weights::{Data, ElemType};
use crate::weights::{Plain, Progress, Sink, WriteError, write_plain};
use cntk_parser::model::ValidatedModel;
use std::ops::ControlFlow;

/// A tensor to be written.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Its key.
    pub name: String,
    /// Element type.
    pub elem: ElemType,
    /// Row-major sizes.
    pub dims: Vec<u64>,
    /// Its bytes.
    pub data: Data,
}

impl Tensor {
    /// Its size in bytes.
    pub fn length(&self) -> u64 {
        self.dims.iter().product::<u64>() * self.elem.size() as u64
    }

    /// Its bytes, row-major and little-endian. `source` is the CNTK file that the data refer to.
    ///
    /// # Errors
    ///
    /// The description contradicts itself or the source.
    pub fn to_bytes(&self, source: &[u8]) -> Result<Vec<u8>, WriteError> {
        let mut bytes = Vec::new();
        let plain = Plain { name: &self.name, elem: self.elem, length: self.length(), data: &self.data };
        write_plain(&[], std::iter::once(plain), source, &mut bytes, &mut |_| ControlFlow::Continue(()))?;
        Ok(bytes)
    }
}

fn dtype(elem: ElemType) -> &'static str {
    match elem {
        ElemType::Float => "F32",
        ElemType::Double => "F64",
        ElemType::Float16 => "F16",
        ElemType::Int8 => "I8",
        ElemType::Int16 => "I16",
        ElemType::Int32 => "I32",
        ElemType::Int64 => "I64",
        ElemType::Bool => "BOOL",
    }
}

/// Sorts by element size in descending order, so that each tensor is aligned, then by name, as the reference
/// implementation does.
fn order(tensors: &[Tensor]) -> Vec<&Tensor> {
    let mut all: Vec<&Tensor> = tensors.iter().collect();
    all.sort_by(|a, b| b.elem.size().cmp(&a.elem.size()).then_with(|| a.name.cmp(&b.name)));
    all
}

/// The metadata of a file of weights about the source, with the same keys as in ONNX files.
pub fn provenance(model: &ValidatedModel<'_>, sha256: Option<[u8; 32]>) -> Vec<(String, String)> {
    let mut entries = provenance::source(model.model());
    entries.extend(sha256.map(|sum| (provenance::SOURCE_SHA256.to_owned(), provenance::hex(&sum))));
    entries
}

/// Length and header.
fn header(tensors: &[&Tensor], metadata: &[(String, String)]) -> Vec<u8> {
    let mut at = 0u64;
    let mut texts = vec!["\"format\":\"pt\"".to_owned()];
    texts.extend(metadata.iter().map(|(key, value)| format!("{}:{}", json::string(key), json::string(value))));
    let mut entries = vec![format!("\"__metadata__\":{{{}}}", texts.join(","))];
    for t in tensors {
        let end = at + t.length();
        entries.push(format!(
            "{}:{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{at},{end}]}}",
            json::string(&t.name),
            dtype(t.elem),
            json::sizes(&t.dims).replace(' ', "")
        ));
        at = end;
    }
    let mut text = format!("{{{}}}", entries.join(","));
    // The tensors begin at a multiple of 8.
    text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// The length of the file.
pub fn length(tensors: &[Tensor], metadata: &[(String, String)]) -> u64 {
    header(&order(tensors), metadata).len() as u64 + tensors.iter().map(Tensor::length).sum::<u64>()
}

/// Writes the file. `source` is the CNTK file that the data refer to; weights are streamed from it.
///
/// # Errors
///
/// Errors of the sink or the source, or a description that contradicts itself.
pub fn write<'s>(
    tensors: &[Tensor],
    metadata: &[(String, String)],
    source: &[u8],
    sink: &'s mut dyn Sink,
    progress: &'s mut Progress<'s>,
) -> Result<(), WriteError> {
    let tensors = order(tensors);
    let plain = tensors.iter().map(|t| Plain { name: &t.name, elem: t.elem, length: t.length(), data: &t.data });
    write_plain(&header(&tensors, metadata), plain, source, sink, progress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow;

    #[test]
    fn header_and_data() {
        let data = |n: u8| Data::Owned(vec![n; 8]);
        let tensors = [
            Tensor { name: "b\"\u{7f}".to_owned(), elem: ElemType::Float, dims: vec![2], data: data(2) },
            Tensor { name: "n".to_owned(), elem: ElemType::Int64, dims: vec![], data: data(1) },
        ];
        let mut bytes = Vec::new();
        write(&tensors, &[], b"", &mut bytes, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(bytes.len() as u64, length(&tensors, &[]));
        let n = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let text = std::str::from_utf8(&bytes[8..8 + n]).unwrap();
        assert_eq!(
            text.trim_end(),
            r#"{"__metadata__":{"format":"pt"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"b\"\u007f":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#
        );
        assert_eq!((8 + n) % 8, 0);
        assert_eq!(bytes[8 + n..], [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2]);
    }
}

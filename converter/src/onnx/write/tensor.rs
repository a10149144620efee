//! The message of an initializer without its data.

use super::{
    names::Names,
    proto::{EXTERNAL, External, Tensor},
    structure::entry,
};
use crate::onnx::graph::{Dim, Initializer, OnnxModel};
use crate::record::Array;
use prost::Message;
use smallvec::SmallVec;
use std::fmt::Write as _;

const MODEL_GRAPH: u64 = 7;
const GRAPH_INITIALIZER: u64 = 5;
const TENSOR_RAW_DATA: u64 = 9;

/// The message of an array that is a file of its own.
pub(in crate::onnx) fn message(name: &str, array: &Array) -> Vec<u8> {
    let message = Tensor {
        dims: array.dims.iter().map(|n| n.cast_signed()).collect(),
        data_type: array.elem as i32,
        name: name.to_owned(),
        raw_data: array.bytes.clone(),
        doc_string: String::new(),
    };
    message.encode_to_vec()
}

/// The serialised sizes, type and name of an initializer.
pub(super) struct Header(Box<[u8]>);

impl Header {
    pub(super) fn new(model: &OnnxModel, names: &Names<'_>, initializer: &Initializer) -> Self {
        let value = &model.values[initializer.value.0 as usize];
        let size = |dim: &Dim| match dim {
            Dim::Known(n) => n.cast_signed(),
            Dim::Symbol(_) => -1,
        };
        let message = Tensor {
            dims: value.dims.iter().map(size).collect(),
            data_type: value.elem as i32,
            name: names.owned(initializer.value),
            raw_data: Vec::new(),
            doc_string: model.uids.get(&initializer.value).cloned().unwrap_or_default(),
        };
        Self(message.encode_to_vec().into())
    }

    /// The begin of an initializer's field; `storage` is the number of bytes after the header.
    pub(super) fn prefix(&self, storage: u64) -> Prefix {
        field_prefix(GRAPH_INITIALIZER, self.0.len() as u64 + storage)
    }

    /// The bytes between the prefix and the storage.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The length of the whole field.
    pub(super) fn field_length(&self, storage: u64) -> u64 {
        field_length(self.0.len() as u64 + storage)
    }
}

/// The fields after the header: `raw_data`, or where it is.
pub(super) struct Storage {
    bytes: Prefix,
    data: u64,
}

impl Storage {
    /// The begin of `raw_data`, after which `length` bytes of data follow.
    pub(super) fn raw(length: u64) -> Self {
        Self { bytes: field_prefix(TENSOR_RAW_DATA, length), data: length }
    }

    /// The data is in another file, whose SHA-1 may be stated.
    pub(super) fn external(location: &str, offset: u64, length: u64, checksum: Option<[u8; 20]>) -> Self {
        let mut external_data = vec![
            entry("location", location),
            entry("offset", &offset.to_string()),
            entry("length", &length.to_string()),
        ];
        external_data.extend(checksum.map(|sum| entry("checksum", &hex(&sum))));
        let message = External { external_data, data_location: EXTERNAL };
        Self { bytes: message.encode_to_vec().into(), data: 0 }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of bytes, including the data that follows.
    pub(super) fn length(&self) -> u64 {
        self.bytes.len() as u64 + self.data
    }

    /// The [`length`](Self::length) of [`raw`](Self::raw).
    pub(super) fn raw_length(length: u64) -> u64 {
        field_length(length)
    }
}

/// The begin of the graph's field in the model.
pub(super) fn graph_prefix(length: u64) -> Prefix {
    field_prefix(MODEL_GRAPH, length)
}

/// The length of a field with a number below 16 and `length` bytes of content.
pub(super) fn field_length(length: u64) -> u64 {
    let varint = u64::from((u64::BITS - (length | 1).leading_zeros()).div_ceil(7));
    1 + varint + length
}

/// Tag and length of a length-delimited field.
pub(super) type Prefix = SmallVec<[u8; 11]>;

fn field_prefix(field: u64, length: u64) -> Prefix {
    let mut bytes = Prefix::new();
    for mut n in [field << 3 | 2, length] {
        while n > 0x7f {
            bytes.push((n & 0x7f) as u8 | 0x80);
            n >>= 7;
        }
        bytes.push(n as u8);
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

//! A file of either layout as metadata and tail.

use super::walk::{list, record};
use crate::schema::{Dictionary, Member, Values};
use prost::Message;

const MAGIC: &[u8; 4] = b"ktnc";

/// A decoded file.
#[derive(Clone, Debug)]
pub struct File {
    /// The root dictionary.
    pub metadata: Dictionary,
    /// The tensors after it: the over-2-GB layout.
    pub tail: Option<Vec<u8>>,
}

impl File {
    /// Reads a file, `None` if prost cannot.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return Some(Self { metadata: Dictionary::decode(bytes).ok()?, tail: None });
        };
        let (length, rest) = rest.split_first_chunk()?;
        let (metadata, tail) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        Some(Self { metadata: Dictionary::decode(metadata).ok()?, tail: Some(tail.to_vec()) })
    }

    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        let Some(tail) = &self.tail else { return self.metadata.encode_to_vec() };
        let metadata = self.metadata.encode_to_vec();
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&(metadata.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&metadata);
        bytes.extend_from_slice(tail);
        bytes
    }
}

/// Moves the variables' tensors to the tail, as CNTK does when a file gets too large.
pub fn to_tail(mut file: File) -> File {
    let mut tail = file.tail.take().unwrap_or_default();
    for variable in list(&mut file.metadata, "inputs").into_iter().flatten() {
        let Some(variable) = record(variable) else { continue };
        for entry in &mut variable.data {
            let Some(Member::Array(array)) = entry.value.as_mut().and_then(|v| v.value.as_mut()) else { continue };
            match array.values.take() {
                Some(Values::Float(v)) => v.value.iter().for_each(|x| tail.extend_from_slice(&x.to_le_bytes())),
                Some(Values::Double(v)) => v.value.iter().for_each(|x| tail.extend_from_slice(&x.to_le_bytes())),
                Some(Values::Bytes(v)) => tail.extend_from_slice(&v.value),
                // The tail cannot hold them.
                other => array.values = other,
            }
        }
    }
    File { metadata: file.metadata, tail: Some(tail) }
}

//! Reads arrays by name from a NumPy `.npz` or a `.safetensors` file.
//!
//! The file is not trusted. Arrays are read when they are asked for, and the total size of those that are read is
//! limited, however strongly they are compressed.

mod npy;
pub(crate) mod npz;
mod packed;

use crate::weights::ElemType;
use cntk_parser::Escaped;
use npz::Npz;
use packed::Packed;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::Read,
};

/// The most bytes of all arrays that are read from one file.
pub const LARGEST: u64 = 1 << 28;

/// The most characters of an error.
const LONGEST: usize = 400;

/// The reason why a record cannot be used, in one printable line.
#[derive(Debug, PartialEq, Eq)]
pub struct RecordError(String);

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RecordError {}

/// An error whose text is made printable and one line, since it may quote the file.
pub(crate) fn wrong(why: impl AsRef<str>) -> RecordError {
    let mut line = String::new();
    for c in why.as_ref().chars().take(LONGEST) {
        line.push_str(&Escaped(c.encode_utf8(&mut [0; 4])).to_string());
    }
    RecordError(line)
}

/// An array with little-endian elements in C order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// The element type.
    pub elem: ElemType,
    /// Sizes.
    pub dims: Vec<u64>,
    /// The elements.
    pub bytes: Vec<u8>,
}

impl Array {
    /// The elements as numbers.
    pub fn numbers(&self) -> Vec<f64> {
        self.elem.decode(&self.bytes)
    }

    /// The indices that one-hot rows along the last axis stand for; -1 for a row of zeros. The error says what is no such row.
    pub fn ids(&self, classes: u64) -> Result<Self, String> {
        let (Some((last, outer)), Ok(width)) = (self.dims.split_last(), usize::try_from(classes)) else {
            return Err("has no axis of classes".to_owned());
        };
        if *last != classes {
            return Err(format!("has {last} classes on its last axis, not {classes}"));
        }
        let mut bytes = Vec::new();
        for row in self.numbers().chunks(width.max(1)) {
            let mut places = row.iter().enumerate().filter(|(_, x)| **x != 0.0);
            let id = match (places.next(), places.next()) {
                (None, _) => -1,
                (Some((i, 1.0)), None) => i as i64,
                _ => return Err("has rows that are not one-hot, so they have no ids".to_owned()),
            };
            bytes.extend(id.to_le_bytes());
        }
        Ok(Self { elem: ElemType::Int64, dims: outer.to_vec(), bytes })
    }
}

/// A file of arrays.
pub struct Record<'r> {
    file: File<'r>,
    left: u64,
    read: BTreeSet<String>,
}

enum File<'r> {
    Held(BTreeMap<String, Array>),
    Npz(Npz<'r>),
    Packed(Packed<'r>),
}

impl<'r> Record<'r> {
    /// Reads the list of arrays in the file.
    ///
    /// # Errors
    ///
    /// The file is of neither kind, or damaged.
    pub fn open(bytes: &'r [u8]) -> Result<Self, RecordError> {
        let file = if bytes.starts_with(b"PK") {
            File::Npz(Npz::open(bytes)?)
        } else if Packed::is(bytes) {
            File::Packed(Packed::open(bytes)?)
        } else {
            return Err(wrong("is neither a .npz nor a .safetensors file"));
        };
        Ok(Self { file, left: LARGEST, read: BTreeSet::new() })
    }

    /// Arrays that were not read from a file.
    pub(crate) fn held(arrays: impl IntoIterator<Item = (String, Array)>) -> Self {
        Self { file: File::Held(arrays.into_iter().collect()), left: LARGEST, read: BTreeSet::new() }
    }

    /// The array with one of these names; the file must not have more than one of them.
    pub(crate) fn array(&mut self, names: &[&str]) -> Result<Option<(String, Array)>, RecordError> {
        let mut found = names.iter().filter(|n| self.has(n)).collect::<BTreeSet<_>>().into_iter();
        let Some(name) = found.next() else { return Ok(None) };
        if let Some(other) = found.next() {
            return Err(wrong(format!("holds the same thing as {name} and as {other}")));
        }
        let array = match &self.file {
            File::Held(arrays) => arrays.get(*name).cloned().ok_or_else(|| wrong("is not there")),
            File::Npz(npz) => npz.read(name, self.left),
            File::Packed(packed) => packed.read(name, self.left),
        };
        let array = array.map_err(|RecordError(why)| wrong(format!("{name}: {why}")))?;
        self.left = self.left.saturating_sub(array.bytes.len() as u64);
        self.read.insert((*name).to_owned());
        Ok(Some(((*name).to_owned(), array)))
    }

    /// The names of arrays that were not asked for.
    pub(crate) fn unread(&self) -> Vec<String> {
        self.names().into_iter().filter(|n| !self.read.contains(*n)).map(str::to_owned).collect()
    }

    /// Does the file have an array of this name?
    pub(crate) fn has(&self, name: &str) -> bool {
        match &self.file {
            File::Held(arrays) => arrays.contains_key(name),
            File::Npz(npz) => npz.names().any(|n| n == name),
            File::Packed(packed) => packed.names().any(|n| n == name),
        }
    }

    fn names(&self) -> BTreeSet<&str> {
        match &self.file {
            File::Held(arrays) => arrays.keys().map(String::as_str).collect(),
            File::Npz(npz) => npz.names().collect(),
            File::Packed(packed) => packed.names().collect(),
        }
    }
}

/// Reads exactly `n` bytes. Memory grows with the bytes that exist, not with `n`.
fn take(from: &mut impl Read, n: u64) -> Result<Vec<u8>, RecordError> {
    let mut bytes = Vec::new();
    from.by_ref().take(n).read_to_end(&mut bytes).map_err(|e| wrong(format!("is damaged: {e}")))?;
    if bytes.len() as u64 == n { Ok(bytes) } else { Err(wrong("ends early")) }
}

/// The size of an array in bytes, if it is at most `left`.
fn size(elem: ElemType, dims: &[u64], left: u64) -> Result<u64, RecordError> {
    let all = dims.iter().try_fold(elem.size() as u64, |n, d| n.checked_mul(*d));
    all.filter(|n| *n <= left)
        .ok_or_else(|| wrong(format!("the arrays take more than {} MiB together: record fewer samples", LARGEST >> 20)))
}

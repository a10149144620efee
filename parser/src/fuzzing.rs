//! Access to private layers for the fuzz targets. Not part of the API.

use crate::dictionary::{Checker, Dictionary};
use crate::error::Error;
use crate::limits::Limits;
use crate::wire::{Payload, Reader};
use std::ops::Range;

/// A field on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its number.
    pub number: u32,
    /// Offset of its tag.
    pub at: u64,
    /// The range of its payload, if it is length-delimited.
    pub content: Option<Range<u64>>,
}

/// The fields of one message at offset `at` of a file, up to the first error.
pub fn fields(message: &[u8], at: u64) -> impl Iterator<Item = Result<Field, Error>> {
    let mut reader = Some(Reader::new(message, at));
    std::iter::from_fn(move || {
        let field = reader.as_mut()?.field();
        if field.is_err() {
            reader = None;
        }
        field.transpose().map(|field| {
            field.map(|f| Field {
                number: f.number,
                at: f.at,
                content: match f.payload {
                    Payload::Bytes(inside) => Some(inside.at()..inside.end()),
                    _ => None,
                },
            })
        })
    })
}

/// A dictionary with any content, checked like the root of a file, and the ranges of its tensors.
pub fn dictionary<'a>(
    bytes: &'a [u8],
    tail: bool,
    limits: &Limits,
) -> Result<(Dictionary<'a>, Vec<Range<u64>>), Error> {
    let root = Dictionary::new(Reader::new(bytes, 0));
    let mut checker = Checker::new(limits, tail);
    checker.root(root)?;
    Ok((root, checker.tensors))
}

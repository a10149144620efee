//! The container: one protobuf message, or a metadata message followed by a tail of raw tensors.

use crate::dictionary::{Checker, Dictionary};
use crate::error::{Error, ErrorKind};
use crate::file::ModelFile;
use crate::limits::Limits;
use crate::model::{self, Container, Model};
use crate::triage;
use crate::v1;
use crate::wire::Reader;

/// The first bytes of the over-2-GB layout.
const MAGIC: &[u8] = b"ktnc";
/// Bytes of the magic number and the metadata length.
const HEADER: usize = 8;
/// The longest metadata that CNTK reads.
const MAX_METADATA: u64 = 0x7fff_ffff;

/// Reads a model file. Only what reading needs is checked here; [`crate::validate()`] checks the rest.
///
/// Any bytes give a model or one error. Time is linear in the input, memory a small multiple of the structure, and
/// tensor data is not touched.
pub fn parse<'a>(file: &'a ModelFile<'_>, limits: &Limits) -> Result<Model<'a>, Error> {
    triage::recognise(file.bytes())?;
    read(file, limits).map_err(|error| triage::damage(file.bytes(), error))
}

fn read<'a>(file: &'a ModelFile<'_>, limits: &Limits) -> Result<Model<'a>, Error> {
    let input = file.bytes();
    if v1::begins(input) {
        return v1::read(file, limits);
    }
    let (container, metadata) = layout(input)?;
    let root = Dictionary::new(metadata);
    let tail = matches!(container, Container::LargeLayout { .. });
    let mut checker = Checker::new(limits, tail);
    if let Err(error) = checker.root(root) {
        return Err(triage::explain(input, tail, root, error));
    }
    if triage::is_checkpoint(root) {
        return Err(Error::new(ErrorKind::TrainerCheckpoint, 0));
    }
    model::read::model(input, container, root, checker.tensors, limits)
}

fn layout(input: &[u8]) -> Result<(Container, Reader<'_>), Error> {
    let Some(header) = input.get(..HEADER).filter(|header| header.starts_with(MAGIC)) else {
        return Ok((Container::Plain, Reader::new(input, 0)));
    };
    let length = header.iter().skip(MAGIC.len()).rev().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    let rest = input.get(HEADER..).unwrap_or(&[]);
    let left = rest.len() as u64;
    let wrong = || Error::new(ErrorKind::MetadataLength { length, left }, MAGIC.len() as u64);
    if length > MAX_METADATA {
        return Err(wrong());
    }
    let metadata = usize::try_from(length).ok().and_then(|n| rest.get(..n)).ok_or_else(wrong)?;
    let start = HEADER as u64;
    let end = start.saturating_add(length);
    let container = Container::LargeLayout { metadata: start..end, tail: end..input.len() as u64 };
    Ok((container, Reader::new(metadata, start)))
}

//! Tells what kind of file was given if it is not a CNTK model, and how a model was damaged.

mod magic;
mod protobuf;

use crate::dictionary::Dictionary;
use crate::error::{Error, ErrorKind, Foreign};
use crate::v1;
use protobuf::Shape;
use std::fmt;

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A CNTK v2 model, valid or not.
    CntkV2,
    /// A CNTK v1 model, valid or not.
    CntkV1,
    /// The state of a CNTK trainer.
    Checkpoint,
    /// An empty file.
    Empty,
    /// A file that is not CNTK's.
    Foreign(Foreign),
}

impl FileKind {
    /// The kind of a file that was read (`error` is `None`), or that could not be read because of `error`.
    pub fn of(bytes: &[u8], error: Option<&Error>) -> Self {
        match error.map(Error::kind) {
            Some(ErrorKind::Foreign(foreign)) => Self::Foreign(*foreign),
            Some(ErrorKind::TrainerCheckpoint) => Self::Checkpoint,
            Some(ErrorKind::Empty) => Self::Empty,
            _ if v1::begins(bytes) => Self::CntkV1,
            _ => Self::CntkV2,
        }
    }

    /// Is the file a model or checkpoint of CNTK?
    pub fn is_cntk(self) -> bool {
        !matches!(self, Self::Empty | Self::Foreign(_))
    }

    /// One word, for programs: `cntk-v2`, `cntk-v1`, `checkpoint`, `empty`, or that of [`Foreign::as_str`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CntkV2 => "cntk-v2",
            Self::CntkV1 => "cntk-v1",
            Self::Checkpoint => "checkpoint",
            Self::Empty => "empty",
            Self::Foreign(foreign) => foreign.as_str(),
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Refuses a file whose first bytes show that it is of another kind. No v2 model begins with any of them.
pub(crate) fn recognise(input: &[u8]) -> Result<(), Error> {
    if input.is_empty() {
        return Err(Error::new(ErrorKind::Empty, 0));
    }
    if magic::is_v1_checkpoint(input) {
        return Err(Error::new(ErrorKind::TrainerCheckpoint, 0));
    }
    match magic::foreign(input) {
        Some(foreign) => Err(Error::new(ErrorKind::Foreign(foreign), 0)),
        None => Ok(()),
    }
}

/// Is this the state of a trainer, not a model?
pub(crate) fn is_checkpoint(root: Dictionary<'_>) -> bool {
    let mut found = (false, false, false);
    for key in root.keys() {
        match key {
            "Learners" => found.0 = true,
            "ExternalState" => found.1 = true,
            "primitive_functions" => found.2 = true,
            _ => {}
        }
    }
    found.0 && found.1 && !found.2
}

/// The error to report for a file with a broken structure. If nothing in it looks like CNTK's, it names the other
/// format.
#[cold]
pub(crate) fn explain(input: &[u8], tail: bool, root: Dictionary<'_>, error: Error) -> Error {
    if is_checkpoint(root) {
        return Error::new(ErrorKind::TrainerCheckpoint, 0);
    }
    if tail {
        return error;
    }
    if let Shape::Other(foreign) = protobuf::shape_of(input) {
        return Error::new(ErrorKind::Foreign(foreign), 0);
    }
    match *error.kind() {
        ErrorKind::PastEnd { needed, left, end } if end == input.len() as u64 => {
            error.with_kind(ErrorKind::Truncated { needed, left, end })
        }
        _ => error,
    }
}

/// The error to report for a file that is valid protobuf but lacks every key of a model.
#[cold]
pub(crate) fn explain_missing(input: &[u8], error: Error) -> Error {
    match protobuf::shape_of(input) {
        Shape::Other(foreign) if foreign != Foreign::Unknown => Error::new(ErrorKind::Foreign(foreign), 0),
        _ => error,
    }
}

/// The error to report for an unreadable CNTK file. If the file was converted as if it were text, it says so.
#[cold]
pub(crate) fn damage(input: &[u8], error: Error) -> Error {
    let foreign = match error.kind() {
        // After a conversion, map entries no longer begin as entries do.
        ErrorKind::Foreign(Foreign::Unknown) => !protobuf::begins_as_dictionary(input),
        ErrorKind::Foreign(_) | ErrorKind::TrainerCheckpoint | ErrorKind::Limit { .. } => true,
        _ => false,
    };
    if foreign {
        return error;
    }
    let (mut feeds, mut bare, mut high, mut before) = (0u64, 0u64, 0u64, 0u8);
    for byte in input {
        feeds = feeds.saturating_add(u64::from(*byte == b'\n'));
        bare = bare.saturating_add(u64::from(*byte == b'\n' && before != b'\r'));
        high = high.saturating_add(u64::from(*byte >= 0x80));
        before = *byte;
    }
    // In a dictionary, a line feed comes before every key; a carriage return before it is rare.
    if feeds >= ENOUGH_SIGNS && bare == 0 {
        return error.with_kind(ErrorKind::LineEnds { feeds });
    }
    let weights_lost = high == 0 && input.len() >= FEW_WEIGHTS;
    if weights_lost || (high >= ENOUGH_SIGNS && std::str::from_utf8(input).is_ok()) {
        return error.with_kind(ErrorKind::Recoded { high });
    }
    error
}

/// At least this many bytes of one kind are not a coincidence.
const ENOUGH_SIGNS: u64 = 16;

/// A file of at least this size holds weights, and about half of their bytes are above 0x7f.
const FEW_WEIGHTS: usize = 1 << 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Reader;
    use crate::{Limits, ModelFile, parse};

    fn verdict(input: &[u8]) -> (&'static str, u64) {
        let error = parse(&ModelFile::new(input), &Limits::default()).unwrap_err();
        assert!(error.hint().is_some() || !error.code().starts_with("file."), "{error}");
        (error.code(), error.offset())
    }

    #[test]
    fn other_files_are_named() {
        assert_eq!(verdict(b""), ("file.empty", 0));
        for checkpoint in [&b"B\0V\0e\0r\0s\0i\0o\0n\0\0\0"[..], b"B\0C\0K\0P\0\0\0"] {
            assert_eq!(verdict(checkpoint), ("file.checkpoint", 0));
        }
        assert_eq!(verdict(b"\x1f\x8b\x08\0\0"), ("file.gzip", 0));
        assert_eq!(verdict(b"PK\x03\x04\x14\0"), ("file.zip", 0));
        assert_eq!(verdict(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), ("file.lfs-pointer", 0));
        assert_eq!(verdict(b"\n<!DOCTYPE html><title>404"), ("file.html", 0));
        assert_eq!(verdict(b"Not Found\n"), ("file.text", 0));
        assert_eq!(verdict(&[0xff; 64]), ("file.not-cntk", 0));
        assert_eq!(verdict(b"\x80\x02}q\0."), ("file.pickle", 0));
        assert_eq!(verdict(b"\x08\x01").0, "record.missing-key", "an empty dictionary");
    }

    #[test]
    fn onnx_is_told_from_a_dictionary() {
        let onnx = b"\x08\x07\x12\x07pytorch\x1a\x031.9:\x04\x0a\x02\x12\0B\x02\x10\x0d";
        assert_eq!(verdict(onnx), ("file.onnx", 0));
        assert_eq!(verdict(&onnx[..14]), ("file.onnx", 0), "cut");
        assert_eq!(verdict(b"\x08\x02\x12\x18\x0a\x04root"), ("wire.truncated", 2), "ours, cut");
    }

    #[test]
    fn each_sign_of_another_file_is_enough() {
        for zip in [b"PK\x05\x06", b"PK\x07\x08"] {
            assert_eq!(verdict(zip), ("file.zip", 0));
        }
        for html in ["<HTML>", " \t<head>", "<Body>"] {
            assert_eq!(verdict(html.as_bytes()), ("file.html", 0));
        }
        // These are valid messages of unknown fields, and one is even a valid ONNX message.
        assert_eq!(verdict(b"z\n0123456789"), ("file.text", 0));
        assert_eq!(verdict(b"r 01234567890123456789012345678901w"), ("file.text", 0));
        assert_eq!(verdict(b"\x08\x08\x3a\x02\x0a\x00"), ("file.onnx", 0));
        assert_eq!(verdict(b"\x08\x02\x3a\x02\x0a\x00\x12\x01\xff"), ("file.onnx", 0));
        assert_eq!(verdict(b"\x08\x02"), ("record.missing-key", 0));
        // A name, but without the version that comes before it.
        assert_eq!(verdict(b"\x12\x03abc"), ("file.not-cntk", 0));
    }

    #[test]
    fn a_checkpoint_has_learners_and_state_and_no_functions() {
        let has = |keys: &[&str]| {
            let entry = |key: &str| [&[0x12, key.len() as u8 + 2, 0x0a, key.len() as u8], key.as_bytes()].concat();
            let bytes: Vec<u8> = keys.iter().flat_map(|key| entry(key)).collect();
            is_checkpoint(Dictionary::new(Reader::new(&bytes, 0)))
        };
        assert!(has(&["x", "Learners", "ExternalState"]));
        for keys in [&["Learners"][..], &["ExternalState"], &["Learners", "ExternalState", "primitive_functions"]] {
            assert!(!has(keys), "{keys:?}");
        }
    }

    #[test]
    fn a_file_cut_in_a_map_entry_is_ours() {
        for bytes in [&b"\x12\x05"[..], b"\x08\x02\x12", b"\x08\x02\x12\x85\x01", b"\x12\x85\x80\x01\x0a\x01a"] {
            assert_eq!(verdict(bytes).0, "wire.truncated", "{bytes:?}");
        }
        for bytes in [&b"\x08\x02\x18\x01\x12\x05"[..], b"\x08\x02\x12\x05\xff"] {
            assert_eq!(verdict(bytes).0, "file.not-cntk", "{bytes:?}");
        }
        assert_eq!(verdict(b"\x3a\x00\x12\x05").0, "file.not-cntk");
        // A dictionary of CNTK that is broken in the middle.
        let inner = b"\x12\x05\x0a\x01a\x12\x09\x12\x05\x0a\x01b\x12\x00";
        assert_eq!(parse(&ModelFile::new(inner), &Limits::default()).unwrap_err().code(), "wire.past-end");
    }

    #[test]
    fn damage_is_told_from_its_traces() {
        let model = [&b"\x08\x02"[..], &b"\x12\x09\x0a\x04name\x12\x01\xc8".repeat(17)].concat();
        let converted: Vec<u8> =
            model.iter().flat_map(|b| if *b == b'\n' { vec![b'\r', *b] } else { vec![*b] }).collect();
        assert_eq!(verdict(&converted).0, "wire.line-ends");
        let replaced: Vec<u8> = String::from_utf8_lossy(&model).into_owned().into_bytes();
        assert_eq!(verdict(&replaced).0, "wire.recoded");
        assert_eq!(verdict(&model).0, "wire.past-end", "as it was");
    }

    #[test]
    fn kinds_of_files() {
        let kind = |input: &[u8]| {
            let file = ModelFile::new(input);
            FileKind::of(input, parse(&file, &Limits::default()).err().as_ref()).as_str()
        };
        assert_eq!(kind(b""), "empty");
        assert_eq!(kind(b"B\0C\0N\0\0\0B\0V\0"), "cntk-v1");
        assert_eq!(kind(b"\x08\x02\x12\x18\x0a\x04root"), "cntk-v2");
        assert_eq!(kind(b"root:x:0:0:root:/root:/bin/bash\n"), "text");
        assert_eq!(kind(&[0xff; 64]), "not-cntk");
        for foreign in Foreign::ALL {
            assert_eq!(foreign.code(), format!("file.{}", foreign.as_str()));
        }
    }
}

//! What is this file, if it is not a CNTK v2 model?

use crate::dictionary::Dictionary;
use crate::error::{Error, ErrorKind};
use crate::wire::{Payload, Reader};

/// Refuses what its first bytes give away. None of them can begin a v2 model.
pub(crate) fn recognise(input: &[u8]) -> Result<(), Error> {
    let kind = match input {
        [] => ErrorKind::Empty,
        [b'B', 0, b'C', 0, b'K', 0, b'P', 0, ..] | [b'B', 0, b'V', 0, b'e', 0, b'r', 0, b's', 0, ..] => {
            ErrorKind::TrainerCheckpoint
        }
        [0x1f, 0x8b, ..] => ErrorKind::Gzip,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => ErrorKind::Zip,
        _ if input.starts_with(b"version https://git-lfs") => ErrorKind::LfsPointer,
        _ if is_html(input) => ErrorKind::Html,
        _ => return Ok(()),
    };
    Err(Error::new(kind, 0))
}

/// A trainer's state rather than a model?
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

/// The error to give for a file whose structure is wrong: if nothing of it looks like CNTK's, what it is instead.
#[cold]
pub(crate) fn explain(input: &[u8], tail: bool, root: Dictionary<'_>, error: Error) -> Error {
    if is_checkpoint(root) {
        return Error::new(ErrorKind::TrainerCheckpoint, 0);
    }
    if tail {
        return error;
    }
    match shape_of(input) {
        Shape::Cntk => {}
        Shape::Onnx => return Error::new(ErrorKind::Onnx, 0),
        Shape::Other if is_text(input) => return Error::new(ErrorKind::Text, 0),
        Shape::Other => return Error::new(ErrorKind::NotCntk, 0),
    }
    match *error.kind() {
        ErrorKind::PastEnd { needed, left, end } if end == input.len() as u64 => {
            error.with_kind(ErrorKind::Truncated { needed, left, end })
        }
        _ => error,
    }
}

/// The same question for a file whose wire structure is sound, but which lacks every key of a model.
#[cold]
pub(crate) fn explain_missing(input: &[u8], error: Error) -> Error {
    match shape_of(input) {
        Shape::Onnx => Error::new(ErrorKind::Onnx, 0),
        _ if is_text(input) => Error::new(ErrorKind::Text, 0),
        _ => error,
    }
}

enum Shape {
    Cntk,
    Onnx,
    Other,
}

/// Fields that are looked at before judging.
const ENOUGH: usize = 64;

/// Looks at the top-level fields: a dictionary's field 2 is a map entry, ONNX's is the producer's name.
fn shape_of(input: &[u8]) -> Shape {
    let mut reader = Reader::new(input, 0);
    let mut onnx = false;
    for _ in 0..ENOUGH {
        let before = reader;
        match reader.field() {
            Ok(Some(field)) => match (field.number, field.payload) {
                (2, Payload::Bytes(entry)) if is_entry(entry.bytes()) => return Shape::Cntk,
                (2, Payload::Bytes(name)) if is_text(name.bytes()) => onnx = true,
                (7 | 8 | 14, Payload::Bytes(_)) => onnx = true,
                _ => {}
            },
            Ok(None) if !onnx => return Shape::Cntk,
            Ok(None) => break,
            Err(_) => return cut(before.bytes(), before.at(), onnx),
        }
    }
    if onnx && input.starts_with(&[8]) { Shape::Onnx } else { Shape::Other }
}

/// The field that could not be read: is it a map entry cut short?
fn cut(rest: &[u8], at: u64, onnx: bool) -> Shape {
    if let [0x12, after @ ..] = rest {
        let length = after.iter().take_while(|byte| **byte >= 0x80).count().saturating_add(1);
        let entry = after.get(length..).unwrap_or(&[]);
        if is_entry(entry) || (entry.is_empty() && !onnx && at <= 2) {
            return Shape::Cntk;
        }
    }
    if onnx { Shape::Onnx } else { Shape::Other }
}

/// Do these bytes begin as a map entry does: its key, as text?
fn is_entry(bytes: &[u8]) -> bool {
    match bytes {
        [0x0a, length, key @ ..] if *length > 0 && *length < 0x80 => {
            key.iter().take(usize::from(*length)).all(|b| b.is_ascii_graphic() || *b >= 0x80 || *b == b' ' || *b == 0)
        }
        [0x0a] => true,
        _ => false,
    }
}

fn is_html(input: &[u8]) -> bool {
    let start = input.get(..input.len().min(256)).unwrap_or(&[]).trim_ascii_start();
    let lower = start.to_ascii_lowercase();
    [&b"<!doctype html"[..], b"<html", b"<head", b"<body"].iter().any(|tag| lower.starts_with(tag))
}

fn is_text(input: &[u8]) -> bool {
    let start = input.get(..input.len().min(512)).unwrap_or(&[]);
    let valid = match std::str::from_utf8(start) {
        Ok(_) => start.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => return false,
    };
    valid > 0 && start.iter().all(|b| !b.is_ascii_control() || matches!(b, b'\n' | b'\r' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, ModelFile, parse};

    fn verdict(input: &[u8]) -> (&'static str, u64) {
        let error = parse(&ModelFile::new(input), &Limits::default()).unwrap_err();
        assert!(error.hint().is_some(), "{error}");
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
        assert_eq!(verdict(b"\x80\x02}q\0."), ("file.not-cntk", 0));
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
        // Sound as a message of unknown fields.
        assert_eq!(verdict(b"z\n0123456789"), ("file.text", 0));
        assert_eq!(verdict(b"\x08\x08\x3a\x02\x0a\x00"), ("file.onnx", 0));
        assert_eq!(verdict(b"\x08\x02\x3a\x02\x0a\x00\x12\x01\xff"), ("file.onnx", 0));
        assert_eq!(verdict(b"\x08\x02"), ("record.missing-key", 0));
        // A name that is text, but no version before it.
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
        assert_eq!(verdict(b"\x3a\x00\x12\x05").0, "file.onnx");
        // Ours, and wrong before its end.
        let inner = b"\x12\x05\x0a\x01a\x12\x09\x12\x05\x0a\x01b\x12\x00";
        assert_eq!(parse(&ModelFile::new(inner), &Limits::default()).unwrap_err().code(), "wire.past-end");
    }

    #[test]
    fn entries_begin_with_a_key() {
        let long = [&[0x0a, 0x7f][..], &[b'k'; 0x7f]].concat();
        let entries = [&b"\x0a"[..], b"\x0a\x04root", b"\x0a\x04ro", b"\x0a\x01 ", b"\x0a\x01\0", b"\x0a\x02\xc3\xa9"];
        for bytes in entries.into_iter().chain([&b"\x0a\x01a\n"[..], &long]) {
            assert!(is_entry(bytes), "{bytes:?}");
        }
        for bytes in [&b""[..], b"\x0a\x00a", b"\x0a\x80a", b"\x0a\x81a", b"\x0a\x01\n", b"\x12\x01a", b"\x12"] {
            assert!(!is_entry(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn text_is_told_by_its_beginning() {
        let long = [&[b'a'; 600][..], &[0]].concat();
        for bytes in [&b"a"[..], b"a\n\r\t", "é".as_bytes(), b"a\xc3", &long] {
            assert!(is_text(bytes), "{bytes:?}");
        }
        for bytes in [&b""[..], b"a\x1b", b"\xc3", b"a\xc3a", b"a\x7f"] {
            assert!(!is_text(bytes), "{bytes:?}");
        }
    }
}

//! Formats that can be recognised by the first bytes of a file.

use crate::error::Foreign;

/// The state of a v1 trainer: `BCKP` or `BVersion` in UTF-16.
pub(super) fn is_v1_checkpoint(input: &[u8]) -> bool {
    [&b"B\0C\0K\0P\0"[..], b"B\0V\0e\0r\0s\0"].iter().any(|magic| input.starts_with(magic))
}

/// The other format that begins with these bytes.
pub(super) fn foreign(input: &[u8]) -> Option<Foreign> {
    for (magic, foreign) in MAGIC {
        if input.starts_with(magic) {
            return Some(*foreign);
        }
    }
    if is_zip(input) {
        return Some(inside_zip(input));
    }
    if input.get(4..8) == Some(b"TFL3") {
        return Some(Foreign::TfLite);
    }
    if input.get(257..262) == Some(b"ustar") {
        return Some(Foreign::Archive);
    }
    if is_pickle(input) {
        return Some(if is_torch_pickle(input) { Foreign::Torch } else { Foreign::Pickle });
    }
    if is_safetensors(input) {
        return Some(Foreign::Safetensors);
    }
    match () {
        () if input.starts_with(b"version https://git-lfs") => Some(Foreign::LfsPointer),
        () if is_html(input) => Some(Foreign::Html),
        () if is_text(input) => Some(Foreign::Text),
        () => None,
    }
}

const MAGIC: &[(&[u8], Foreign)] = &[
    (b"\x1f\x8b", Foreign::Gzip),
    (b"\x89HDF\r\n\x1a\n", Foreign::Hdf5),
    (b"\x93NUMPY", Foreign::Numpy),
    (b"BZh", Foreign::Archive),
    (b"\xfd7zXZ\0", Foreign::Archive),
    (b"\x28\xb5\x2f\xfd", Foreign::Archive),
    (b"7z\xbc\xaf\x27\x1c", Foreign::Archive),
    (b"Rar!\x1a\x07", Foreign::Archive),
];

fn is_zip(input: &[u8]) -> bool {
    [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08"].iter().any(|magic| input.starts_with(magic))
}

/// The kind of a ZIP archive, by the names of its first members.
fn inside_zip(input: &[u8]) -> Foreign {
    /// How many bytes of an archive are searched. PyTorch and Keras put the members that identify them first.
    const LOOKED_AT: usize = 1 << 14;
    let start = input.get(..input.len().min(LOOKED_AT)).unwrap_or(&[]);
    let has = |name: &[u8]| start.windows(name.len()).any(|bytes| bytes == name);
    let first = member(input).unwrap_or(&[]);
    if first.ends_with(b"/data.pkl") || first.ends_with(b"/.format_version") || has(b"/data.pkl") {
        Foreign::Torch
    } else if first.ends_with(b".npy") {
        Foreign::Numpy
    } else if (first == b"metadata.json" || first == b"config.json") && (has(b"keras_version") || has(b"config.json")) {
        Foreign::Keras
    } else {
        Foreign::Zip
    }
}

/// The name of the first member of a ZIP archive: the length is at byte 26, the name at byte 30.
fn member(input: &[u8]) -> Option<&[u8]> {
    let length = input.get(26..28)?.iter().rev().fold(0usize, |n, byte| n << 8 | usize::from(*byte));
    input.get(30..)?.get(..length)
}

/// Is this a pickle of protocol 2 to 5, which begins with the protocol number and an instruction, and ends with STOP?
fn is_pickle(input: &[u8]) -> bool {
    matches!(input, [0x80, 2..=5, b'}' | b']' | b')' | b'(' | b'c' | 0x8a | 0x8c | 0x95 | b'X' | b'K', ..])
        && (input.last() == Some(&b'.') || is_torch_pickle(input))
}

/// Does the file begin with the magic number that `torch.save` pickled before torch 1.6?
fn is_torch_pickle(input: &[u8]) -> bool {
    input.get(2..14) == Some(b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19")
}

/// Does the file begin with the length of a header and a JSON header?
fn is_safetensors(input: &[u8]) -> bool {
    /// The longest header that safetensors allows.
    const LONGEST_HEADER: u64 = 100_000_000;
    let Some((length, rest)) = input.split_first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(*length);
    let telling = rest.get(..rest.len().min(1 << 12)).unwrap_or(&[]);
    let has = |key: &[u8]| telling.windows(key.len()).any(|bytes| bytes == key);
    length <= LONGEST_HEADER
        && rest.trim_ascii_start().starts_with(b"{")
        && (has(b"\"dtype\"") || has(b"\"__metadata__\"") || (length <= 8 && rest.starts_with(b"{}")))
}

fn is_html(input: &[u8]) -> bool {
    let start = input.get(..input.len().min(256)).unwrap_or(&[]).trim_ascii_start();
    let lower = start.to_ascii_lowercase();
    [&b"<!doctype html"[..], b"<html", b"<head", b"<body"].iter().any(|tag| lower.starts_with(tag))
}

/// Does the file begin with text in UTF-8, in UTF-16 with a byte order mark, or in a single-byte encoding? Text has no
/// control characters, while a model has many (its very first byte is one).
fn is_text(input: &[u8]) -> bool {
    let start = input.get(..input.len().min(512)).unwrap_or(&[]);
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        let printable =
            |pair: &[u8]| matches!(pair, [0, c] | [c, 0] if !c.is_ascii_control() || c.is_ascii_whitespace());
        return start.len() > 2 && start.chunks_exact(2).skip(1).all(printable);
    }
    let control = |byte: &u8| byte.is_ascii_control() && !matches!(*byte, b'\n' | b'\r' | b'\t' | 0x0c);
    if start.is_empty() || start.iter().any(control) {
        return false;
    }
    let high = start.iter().filter(|byte| !byte.is_ascii()).count();
    let utf8 = match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    utf8 || (start.len() >= 16 && high.saturating_mul(4) <= start.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_by_its_beginning() {
        let long = [&[b'a'; 600][..], &[0]].concat();
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain("text\n".bytes().flat_map(|b| [b, 0])).collect();
        let latin = b"Stra\xdfe und Stra\xdfen";
        for bytes in [&b"a"[..], b"a\n\r\t", "é".as_bytes(), b"a\xc3", &long, &utf16, latin] {
            assert!(is_text(bytes), "{bytes:?}");
        }
        for bytes in [&b""[..], b"a\x1b", b"\xc3", b"a\xc3a", b"a\x7f", b"\xff\xfe", &[0xff; 64]] {
            assert!(!is_text(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn archives_are_told_by_their_first_members() {
        let zip = |name: &str, content: &str| {
            let mut bytes = b"PK\x03\x04".to_vec();
            bytes.resize(26, 0);
            bytes.extend([name.len() as u8, 0, 0, 0]);
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(content.as_bytes());
            foreign(&bytes).unwrap()
        };
        assert_eq!(zip("archive/data.pkl", "x"), Foreign::Torch);
        assert_eq!(zip("arr_0.npy", ""), Foreign::Numpy);
        assert_eq!(zip("metadata.json", "{\"keras_version\": \"3\"}"), Foreign::Keras);
        assert_eq!(zip("readme.txt", "config.json"), Foreign::Zip);
    }

    #[test]
    fn other_frameworks_have_marks() {
        let torch = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
        let header = b"{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
        let safetensors = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 4]].concat();
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, wanted) in [
            (&b"\x89HDF\r\n\x1a\n\0\0"[..], Foreign::Hdf5),
            (b"\x1c\0\0\0TFL3\0\0", Foreign::TfLite),
            (torch, Foreign::Torch),
            (b"\x80\x04\x95\x05\0.", Foreign::Pickle),
            (b"\x80\x02}q\0.", Foreign::Pickle),
            (b"\x93NUMPY\x01\0", Foreign::Numpy),
            (b"BZh91AY", Foreign::Archive),
            (&tar, Foreign::Archive),
            (&safetensors, Foreign::Safetensors),
        ] {
            assert_eq!(foreign(bytes), Some(wanted));
        }
        for bytes in [&b"\x80\x02}q"[..], b"\x80\x01}q\0.", b"\x08\x02\x12\x18\x0a\x04root"] {
            assert_eq!(foreign(bytes), None, "{bytes:?}");
        }
    }
}

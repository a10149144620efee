//! Tells which protobuf message a file is: CNTK's dictionary or a model of another framework.

use crate::error::Foreign;
use crate::wire::{Payload, Reader};

/// The kind of message that the top-level fields suggest.
pub(super) enum Shape {
    /// CNTK's dictionary, perhaps truncated or damaged.
    Cntk,
    /// A file of this kind, perhaps truncated or damaged.
    Other(Foreign),
}

/// Does a file begin with a dictionary's version and the tag of an entry?
pub(super) fn begins_as_dictionary(input: &[u8]) -> bool {
    matches!(input, [8, 1 | 2, 0x12, ..])
}

/// How many fields are examined.
const ENOUGH: usize = 64;

/// Examines the top-level fields: field 2 is a map entry in a dictionary and the producer's name in ONNX.
pub(super) fn shape_of(input: &[u8]) -> Shape {
    // Field 1 is a number in a dictionary; a message there is the beginning of a TensorFlow graph or a Caffe network.
    if input.first() == Some(&0x0a) || input.starts_with(LAYER) {
        return Shape::Other(other(input));
    }
    let mut reader = Reader::new(input, 0);
    let (mut onnx, mut strange) = (false, false);
    for _ in 0..ENOUGH {
        let before = reader;
        match reader.field() {
            Ok(Some(field)) => match (field.number, field.payload) {
                (2, Payload::Bytes(entry)) if is_entry(entry.bytes()) => return Shape::Cntk,
                (2, Payload::Bytes(graph)) if is_saved_model(graph.bytes()) => {
                    return Shape::Other(Foreign::TensorFlow);
                }
                (2, Payload::Bytes(name)) if is_name(name.bytes()) => onnx = true,
                (7 | 8 | 14, Payload::Bytes(_)) => onnx = true,
                (1, Payload::Varint(_)) if before.at() == 0 => {}
                _ => strange = true,
            },
            Ok(None) if !onnx && !strange => return Shape::Cntk,
            Ok(None) => break,
            Err(_) if cut(before.bytes(), before.at(), onnx) => return Shape::Cntk,
            Err(_) => break,
        }
    }
    // In ONNX, field 1 is the version of the format.
    let is_onnx = onnx && matches!(input, [8, 1..=0x3f, ..]);
    Shape::Other(if is_onnx { Foreign::Onnx } else { Foreign::Unknown })
}

/// The tag of a layer in a Caffe network: field 100.
const LAYER: &[u8] = &[0xa2, 0x06];

/// The kind of a message whose first field is not a number.
fn other(input: &[u8]) -> Foreign {
    let mut fields = Fields(Reader::new(input, 0));
    match fields.next() {
        Some((1, node)) if names_first_two(node) => Foreign::TensorFlow,
        Some((100, layer)) if names_first_two(layer) => Foreign::Caffe,
        Some((1, name)) if is_name(name) => match fields.find(|(number, _)| matches!(number, 2 | 100)) {
            Some((100, layer)) if names_first_two(layer) => Foreign::Caffe,
            Some((2, layer)) if is_old_layer(layer) => Foreign::Caffe,
            _ => Foreign::Unknown,
        },
        _ => Foreign::Unknown,
    }
}

/// Does a message begin with a name and an operator or type, as TensorFlow's nodes and Caffe's layers do?
fn names_first_two(message: &[u8]) -> bool {
    let mut fields = Fields(Reader::new(message, 0));
    matches!((fields.next(), fields.next()), (Some((1, name)), Some((2, kind))) if is_name(name) && is_name(kind))
}

/// Is this a layer of a Caffe network from before 2015, with its inputs (2), outputs (3) and name (4)?
fn is_old_layer(message: &[u8]) -> bool {
    let mut fields = Fields(Reader::new(message, 0)).take(3);
    fields.all(|(number, name)| matches!(number, 2..=4) && is_name(name)) && !message.is_empty()
}

/// Is this a graph of a TensorFlow SavedModel, with meta information (1) that has tags (4) and a version (5), and nodes
/// (2)?
fn is_saved_model(message: &[u8]) -> bool {
    let mut fields = Fields(Reader::new(message, 0));
    let Some((1, about)) = fields.next() else { return false };
    let says = Fields(Reader::new(about, 0)).any(|(number, text)| matches!(number, 4 | 5) && is_name(text));
    says || matches!(fields.next(), Some((2, graph)) if other(graph) == Foreign::TensorFlow)
}

/// The length-delimited fields of a message, as far as it can be read; the last may be truncated.
struct Fields<'a>(Reader<'a>);

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let field = self.0.field().ok()??;
            if let Payload::Bytes(bytes) = field.payload {
                return Some((u64::from(field.number), bytes.bytes()));
            }
        }
    }
}

/// Is the field that could not be read a truncated map entry?
fn cut(rest: &[u8], at: u64, onnx: bool) -> bool {
    let [0x12, after @ ..] = rest else { return false };
    let length = after.iter().take_while(|byte| **byte >= 0x80).count().saturating_add(1);
    let entry = after.get(length..).unwrap_or(&[]);
    is_entry(entry) || (entry.is_empty() && !onnx && at <= 2)
}

/// Do these bytes begin with a text key, as a map entry does?
fn is_entry(bytes: &[u8]) -> bool {
    match bytes {
        [0x0a, length, key @ ..] if *length > 0 && *length < 0x80 => {
            key.iter().take(usize::from(*length)).all(|b| b.is_ascii_graphic() || *b >= 0x80 || *b == b' ' || *b == 0)
        }
        [0x0a] => true,
        _ => false,
    }
}

/// Are these bytes printable text, as a name is?
fn is_name(bytes: &[u8]) -> bool {
    !bytes.is_empty() && std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
    }

    fn foreign(input: &[u8]) -> Option<Foreign> {
        match shape_of(input) {
            Shape::Cntk => None,
            Shape::Other(foreign) => Some(foreign),
        }
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
    fn models_of_tensorflow() {
        let node = field(1, &[field(1, b"x"), field(2, b"Placeholder")].concat());
        assert_eq!(foreign(&node), Some(Foreign::TensorFlow), "a frozen graph");
        let about = [field(2, &[1, 2]), field(4, b"serve"), field(5, b"2.15.0")].concat();
        let saved = |about: &[u8]| [&[8, 1][..], &field(2, &[field(1, about), field(2, &node)].concat())].concat();
        assert_eq!(foreign(&saved(&about)), Some(Foreign::TensorFlow));
        assert_eq!(foreign(&saved(&field(2, &[1, 2]))), Some(Foreign::TensorFlow));
    }

    #[test]
    fn a_dictionary_has_a_version_and_entries() {
        assert_eq!(foreign(b"\x08\x02"), None);
        assert_eq!(foreign(b"\x08\x02\x12\x03\x0a\x01a"), None);
        // An ONNX tensor with two dimensions, a type and data.
        assert_eq!(foreign(b"\x08\x02\x08\x03\x10\x01\x4a\x01\0"), Some(Foreign::Unknown));
    }

    #[test]
    fn models_of_caffe() {
        let layer = [field(1, b"conv1"), field(2, b"Convolution")].concat();
        let tagged = [LAYER, &[layer.len() as u8], &layer].concat();
        assert_eq!(foreign(&tagged), Some(Foreign::Caffe));
        assert_eq!(foreign(&[field(1, b"AlexNet"), tagged].concat()), Some(Foreign::Caffe));
        let old = [field(2, b"data"), field(3, b"conv1"), field(4, b"conv1")].concat();
        assert_eq!(foreign(&[field(1, b"AlexNet"), field(2, &old)].concat()), Some(Foreign::Caffe));
        assert_eq!(foreign(&field(1, b"AlexNet")), Some(Foreign::Unknown));
    }
}

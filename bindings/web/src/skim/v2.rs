//! Files of CNTK 2: protobuf messages inside one another, the elements of a tensor a packed field.

use super::Walk;
use crate::arena::Read;
use std::ops::Range;

/// The messages that can hold a large tensor.
#[derive(Clone, Copy)]
enum Message {
    Dictionary,
    Entry,
    Value,
    Vector,
    Array,
    Elements,
}

enum Inside {
    Message(Message),
    /// The elements of a tensor.
    Packed,
    /// Anything else, which is small.
    Other,
}

/// The longest tag with the longest length.
const HEAD: u64 = 20;
/// CNTK nests no messages deeper than this.
const DEEPEST: u32 = 100;

/// Walks through a whole file. False if it does not have the expected form.
pub fn walk<R: Read + ?Sized>(walk: &mut Walk<'_, R>, size: u64) -> Result<bool, String> {
    message(walk, Message::Dictionary, 0..size, 0)
}

fn message<R: Read + ?Sized>(
    walk: &mut Walk<'_, R>,
    kind: Message,
    range: Range<u64>,
    depth: u32,
) -> Result<bool, String> {
    let mut at = range.start;
    while at < range.end {
        let head = walk.bytes(at..range.end.min(at + HEAD))?;
        let Some((tag, tag_length)) = varint(head) else { return Ok(false) };
        let Some((value, value_length)) = varint(&head[tag_length as usize..]) else { return Ok(false) };
        let after = at + tag_length;
        at = match tag & 7 {
            0 => after + value_length,
            1 => after + 8,
            5 => after + 4,
            2 => {
                let start = after + value_length;
                let end = start.saturating_add(value);
                if end > range.end {
                    return Ok(false);
                }
                match inside(kind, tag >> 3) {
                    _ if value < walk.large => walk.bytes(start..end).map(|_| ())?,
                    Inside::Other => walk.bytes(start..end).map(|_| ())?,
                    Inside::Packed => {}
                    Inside::Message(_) if depth == DEEPEST => return Ok(false),
                    Inside::Message(kind) => {
                        if !message(walk, kind, start..end, depth + 1)? {
                            return Ok(false);
                        }
                    }
                }
                end
            }
            _ => return Ok(false),
        };
    }
    Ok(at == range.end)
}

/// What a field of a message holds, by the schema of CNTK's dictionaries.
fn inside(kind: Message, field: u64) -> Inside {
    match (kind, field) {
        (Message::Dictionary, 2) => Inside::Message(Message::Entry),
        (Message::Entry, 2) | (Message::Vector, 1) => Inside::Message(Message::Value),
        (Message::Value, 11) => Inside::Message(Message::Vector),
        (Message::Value, 12) => Inside::Message(Message::Dictionary),
        (Message::Value, 13) => Inside::Message(Message::Array),
        (Message::Array, 4..=6) => Inside::Message(Message::Elements),
        (Message::Elements, 1) => Inside::Packed,
        _ => Inside::Other,
    }
}

/// A varint, and how many bytes it takes.
fn varint(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut value = 0;
    for (byte, i) in bytes.iter().zip(0..10_u32) {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if *byte < 0x80 {
            return Some((value, u64::from(i) + 1));
        }
    }
    None
}

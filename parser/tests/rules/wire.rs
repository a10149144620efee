//! What stops the reader in bytes and dictionaries: each fault is put after a sound model, or into its root.

use super::Pair;
use super::build::*;
use super::graph::tanh;

/// Bytes after the last field.
fn after(rule: &'static str, bytes: &[u8]) -> Pair {
    Pair { rule, bad: [tanh().file(), bytes.to_vec()].concat(), good: tanh().file() }
}

/// Another entry of the root.
fn entry(rule: &'static str, key: &[u8], value: &[u8]) -> Pair {
    after(rule, &field(2, &[field(1, key), field(2, value)].concat()))
}

pub fn pairs() -> Vec<Pair> {
    let mut nested = text("x");
    for _ in 0..60 {
        nested = list(&[nested]);
    }
    let cut = tanh().file();
    vec![
        Pair { rule: "wire.truncated", bad: cut[..cut.len() - 1].to_vec(), good: cut.clone() },
        after("wire.truncated", &[0x12, 0x7f, 0]),
        Pair { rule: "wire.past-end", bad: past_end(), good: cut.clone() },
        after("wire.varint-length", &[&[8][..], &[0x80; 10], &[0]].concat()),
        after("wire.varint-overflow", &[&[8][..], &[0xff; 9], &[2]].concat()),
        after("wire.field-zero", &[0, 0]),
        after("wire.field-number", &[0xf8, 0xff, 0xff, 0xff, 0x7f, 0]),
        after("wire.type-unknown", &[0x1e]),
        after("wire.group", &[0x1b, 0x1c]),
        after("wire.type", &number(2, 1)),
        after("wire.repeated", &[number(1, 2), number(1, 2)].concat()),
        entry("wire.utf8", b"note\xff", &text("x")),
        entry("wire.nesting", b"note", &nested),
        entry("wire.int32", b"note", &value(2, &number(4, 1 << 40))),
        entry("dictionary.duplicate-key", b"root", &text("Tanh1")),
        entry("dictionary.nul-in-key", b"root\0", &text("Tanh1")),
        entry("dictionary.value-type", b"note", &value(12, &number(5, 1))),
        entry("dictionary.member-mismatch", b"note", &value(6, &number(5, 1))),
        entry("dictionary.member-missing", b"note", &value(6, &[])),
    ]
}

/// A key that is longer than its entry.
fn past_end() -> Vec<u8> {
    [tanh().file(), field(2, &[0x0a, 0x7f]), vec![0; 200]].concat()
}

//! The targets. Each takes any bytes, and panics if a check fails.

pub mod check;
pub mod container;
pub mod convert;
pub mod dictionary;
pub mod differential;
pub mod generated;
pub mod hostile_edit;
pub mod parse;
pub mod pytorch;
pub mod record;
pub mod roundtrip;
pub mod validate;
pub mod wire;

/// A target.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const ALL: &[(&str, Target)] = &[
    ("wire", wire::run),
    ("container", container::run),
    ("dictionary", dictionary::run),
    ("parse", parse::run),
    ("validate", validate::run),
    ("convert", convert::run),
    ("pytorch", pytorch::run),
    ("record", record::run),
    ("differential", differential::run),
    ("roundtrip", roundtrip::run),
    ("generated", generated::run),
    ("hostile_edit", hostile_edit::run),
];

/// A number that depends on every byte. A target chooses its options by it, or whether to do the expensive part of its
/// work.
fn digest(data: &[u8]) -> u64 {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

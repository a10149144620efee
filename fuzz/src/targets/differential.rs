//! Differential: what the parser reads, prost reads the same; what it refuses as bad protobuf, prost refuses too, but for
//! the differences that are listed here and explained in `docs/fuzzing.md`.

use crate::{schema, tree};
use cntk_parser::fuzzing;
use cntk_parser::model::Container;
use cntk_parser::{ErrorKind, Limits, ModelFile, parse};
use prost::Message;

/// Compares the two readings of `data`.
pub fn run(data: &[u8]) {
    let metadata = match parse(&ModelFile::new(data), &Limits::default()).map(|model| model.container) {
        Ok(Container::LargeLayout { metadata, .. }) => &data[metadata.start as usize..metadata.end as usize],
        _ => data,
    };
    let theirs = schema::Dictionary::decode(metadata);
    match fuzzing::dictionary(metadata, true, &Limits::default()) {
        Ok((ours, _)) => {
            let mut theirs = theirs.unwrap_or_else(|e| panic!("prost refuses what was read: {e}"));
            tree::normalize(&mut theirs);
            let ours = tree::dictionary(ours);
            // Bytes, since a NaN is not equal to itself.
            if ours.encode_to_vec() != theirs.encode_to_vec() {
                panic!("two readings:\n{ours:?}\n{theirs:?}");
            }
        }
        Err(error) => assert!(theirs.is_err() || stricter(error.kind()), "prost reads it, we refuse: {error}"),
    }
}

/// Is this refused on purpose, though it is sound protobuf?
fn stricter(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        // Repeated singular fields and map keys: the last one counts in protobuf, and hides the others.
        ErrorKind::RepeatedField { .. } | ErrorKind::DuplicateKey { .. }
        // CNTK sees only what stands before a NUL.
        | ErrorKind::NulInKey
        // Groups, which no writer of this format makes.
        | ErrorKind::Group
        // A value's tag and its member contradict one another.
        | ErrorKind::UnknownValueType(_) | ErrorKind::MemberMismatch { .. } | ErrorKind::MissingMember { .. }
        // Numbers that do not fit the field: protobuf cuts them.
        | ErrorKind::NotInt32 { .. }
        // Tensors that contradict themselves, which the schema does not know.
        | ErrorKind::UnknownDataType(_) | ErrorKind::StorageFormat(_) | ErrorKind::WrongValues { .. }
        | ErrorKind::ShapeOverflow | ErrorKind::SentinelDimension | ErrorKind::ZeroDimension
        | ErrorKind::Rank { .. } | ErrorKind::ValueCount { .. } | ErrorKind::TailElsewhere
        // prost counts depth in another way.
        | ErrorKind::Nesting { .. }
    )
}

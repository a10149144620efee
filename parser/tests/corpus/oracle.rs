//! What the parser reads is what prost reads, in the corpus and in damaged copies of it.

use crate::proto::{self, Member, Values};
use crate::support;
use cntk_parser::dictionary::{Dictionary, Value};
use cntk_parser::model::{Array, Container, ElementStorage, Origin};
use cntk_parser::{Limits, ModelFile, parse};
use prost::Message;

#[test]
fn the_corpus_reads_the_same() {
    for folder in ["ops", "zoo", "hostile"] {
        for case in support::cases(folder) {
            same(&case.bytes, &case.name);
        }
    }
}

#[test]
fn what_is_still_read_after_damage_reads_the_same() {
    let mut state = 1_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let seeds: Vec<_> = (support::cases("hostile").into_iter()).filter(|c| c.name.starts_with("control_")).collect();
    let mut read = 0;
    for round in 0..4000 {
        let seed = &seeds[random(seeds.len())];
        let mut bytes = seed.bytes.clone();
        for _ in 0..=random(2) {
            let at = random(bytes.len());
            match random(3) {
                0 => bytes[at] ^= 1 << random(8),
                1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random(5)],
                _ => drop(bytes.remove(at)),
            }
        }
        read += usize::from(same(&bytes, &format!("{} round {round}", seed.name)));
    }
    assert!(read > 100, "only {read} were read: nothing was compared");
}

/// Compares if the parser reads the file; says whether it does.
fn same(bytes: &[u8], name: &str) -> bool {
    let file = ModelFile::new(bytes);
    let Ok(model) = parse(&file, &Limits::default()) else { return false };
    let metadata = match &model.container {
        Container::Plain => bytes,
        Container::LargeLayout { metadata, .. } => &bytes[metadata.start as usize..metadata.end as usize],
        Container::Nodes { .. } => return false,
    };
    let theirs = proto::Dictionary::decode(metadata).unwrap_or_else(|e| panic!("{name}: prost refuses: {e}"));
    let Origin::Record(root) = model.origin else { return false };
    dictionary(root, &theirs, name);
    true
}

fn dictionary(ours: Dictionary<'_>, theirs: &proto::Dictionary, name: &str) {
    let entries: Vec<_> = ours.iter().collect();
    let count = theirs.data.len();
    assert_eq!((entries.len(), ours.len(), ours.is_empty()), (count, count, count == 0), "{name}");
    assert!(ours.keys().eq(theirs.data.iter().map(|entry| entry.key.as_str())), "{name}");
    // A record with thousands of keys is looked through for each.
    for entry in entries.iter().take(100) {
        assert_eq!(ours.get(entry.key).map(|item| item.at), Some(entry.at), "{name}");
        assert!(ours.at() < entry.at, "{name}");
    }
    for (our, their) in entries.iter().zip(&theirs.data) {
        assert_eq!(our.key, their.key, "{name}");
        value(&our.value, their.value.as_ref().and_then(|v| v.value.as_ref()), &format!("{name}.{}", our.key));
    }
}

fn value(ours: &Value<'_>, theirs: Option<&Member>, name: &str) {
    match (ours, theirs) {
        (Value::None, None) => {}
        (Value::Bool(a), Some(Member::Bool(b))) => assert_eq!(a, b, "{name}"),
        (Value::Int(a), Some(Member::Int(b))) => assert_eq!(a, b, "{name}"),
        (Value::SizeT(a), Some(Member::SizeT(b))) => assert_eq!(a, b, "{name}"),
        (Value::Float(a), Some(Member::Float(b))) => assert_eq!(a.to_bits(), b.to_bits(), "{name}"),
        (Value::Double(a), Some(Member::Double(b))) => assert_eq!(a.to_bits(), b.to_bits(), "{name}"),
        (Value::Str(a), Some(Member::String(b))) => assert_eq!(a, b, "{name}"),
        (Value::Shape(a), Some(Member::Shape(b))) => assert_eq!(a.0.as_slice(), b.shape_dim, "{name}"),
        (Value::Axis(a), Some(Member::Axis(b))) => {
            let theirs = (b.static_axis_idx, b.name.as_str(), b.is_ordered_dynamic_axis);
            assert_eq!((a.index, a.name, a.ordered), theirs, "{name}");
        }
        (Value::Vector(a), Some(Member::Vector(b))) => {
            let (items, count) = (a.iter().collect::<Vec<_>>(), b.value.len());
            assert_eq!((items.len(), a.len(), a.is_empty()), (count, count, count == 0), "{name}");
            assert!(items.first().is_none_or(|item| a.at() < item.at), "{name}");
            items.iter().zip(&b.value).for_each(|(a, b)| value(&a.value, b.value.as_ref(), name));
        }
        (Value::Dictionary(a), Some(Member::Dictionary(b))) => dictionary(*a, b, name),
        (Value::Array(a), Some(Member::Array(b))) => array(a, b, name),
        (ours, theirs) => panic!("{name}: {ours:?} but {theirs:?}"),
    }
}

fn array(ours: &Array<'_>, theirs: &proto::NdArrayView, name: &str) {
    let dims = theirs.shape.as_ref().map_or(&[][..], |s| &s.shape_dim);
    assert_eq!(ours.shape.0.as_slice(), dims, "{name}");
    let bytes: Vec<u8> = match &theirs.values {
        None => Vec::new(),
        Some(Values::Float(v)) => v.value.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Some(Values::Double(v)) => v.value.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Some(Values::Bytes(v)) => v.value.clone(),
        Some(Values::Int(_)) => return,
    };
    let found: Vec<u8> = match &ours.elements {
        ElementStorage::Absent => Vec::new(),
        ElementStorage::Contiguous(run) => run.to_vec(),
        ElementStorage::Pieces(runs) | ElementStorage::ZigZag(runs) => runs.concat(),
    };
    assert!(found == bytes, "{name}: the values differ");
}

//! Dictionary: what was checked once can be read in every way, without losing anything.

use super::check;
use cntk_parser::Limits;
use cntk_parser::dictionary::{Dictionary, Value};
use cntk_parser::fuzzing;

/// Reads `data` as a dictionary of any content.
pub fn run(data: &[u8]) {
    for tail in [false, true] {
        match fuzzing::dictionary(data, tail, &Limits::default()) {
            Ok((root, tensors)) => {
                let mut nested = 0;
                dictionary(root, &mut nested);
                let mut at = 0;
                for range in tensors {
                    assert!(at <= range.start && range.start <= range.end && range.end <= data.len() as u64);
                    at = range.end;
                }
            }
            Err(error) => check::error(&error, data.len() as u64),
        }
    }
}

fn dictionary(found: Dictionary<'_>, depth: &mut u32) {
    *depth += 1;
    assert!(*depth <= Limits::MAX_NESTING);
    assert_eq!(found.len(), found.iter().count(), "every entry decodes");
    assert_eq!(found.is_empty(), found.iter().next().is_none());
    let large = found.len() > 64;
    for entry in found.iter() {
        // A key is found by reading past the others: quadratic.
        if !large {
            let item = found.get(entry.key).expect("a key that was listed");
            assert_eq!(item.at, entry.at);
            assert_eq!(item.value.kind(), entry.value.kind());
        }
        value(&entry.value, depth);
    }
    *depth -= 1;
}

fn value(found: &Value<'_>, depth: &mut u32) {
    match found {
        Value::Dictionary(inner) => dictionary(*inner, depth),
        Value::Vector(list) => {
            *depth += 1;
            assert_eq!(list.len(), list.iter().count(), "every value decodes");
            list.iter().for_each(|item| value(&item.value, depth));
            *depth -= 1;
        }
        _ => {}
    }
}

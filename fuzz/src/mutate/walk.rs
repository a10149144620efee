//! Finding places in a tree. Trees come from prost, which bounds their depth.

use crate::schema::{Dictionary, DictionaryValue, Member};

/// The number of values in a tree.
pub fn count(tree: &Dictionary) -> usize {
    tree.data.iter().filter_map(|e| e.value.as_ref()).map(count_value).sum()
}

fn count_value(value: &DictionaryValue) -> usize {
    1 + match &value.value {
        Some(Member::Dictionary(d)) => count(d),
        Some(Member::Vector(v)) => v.value.iter().map(count_value).sum(),
        _ => 0,
    }
}

/// Value number `n` of a tree and the key that leads to it.
pub fn nth(tree: &mut Dictionary, n: usize) -> Option<(&str, &mut DictionaryValue)> {
    let mut left = n;
    in_dictionary(tree, &mut left)
}

fn in_dictionary<'t>(tree: &'t mut Dictionary, left: &mut usize) -> Option<(&'t str, &'t mut DictionaryValue)> {
    for entry in &mut tree.data {
        let Some(value) = &mut entry.value else { continue };
        if let Some(found) = in_value(&entry.key, value, left) {
            return Some(found);
        }
    }
    None
}

fn in_value<'t>(
    key: &'t str,
    value: &'t mut DictionaryValue,
    left: &mut usize,
) -> Option<(&'t str, &'t mut DictionaryValue)> {
    if *left == 0 {
        return Some((key, value));
    }
    *left -= 1;
    match &mut value.value {
        Some(Member::Dictionary(d)) => in_dictionary(d, left),
        Some(Member::Vector(v)) => v.value.iter_mut().find_map(|item| in_value(key, item, left)),
        _ => None,
    }
}

/// The value of a key.
pub fn get<'t>(tree: &'t mut Dictionary, key: &str) -> Option<&'t mut DictionaryValue> {
    tree.data.iter_mut().find(|e| e.key == key)?.value.as_mut()
}

/// The list under a key.
pub fn list<'t>(tree: &'t mut Dictionary, key: &str) -> Option<&'t mut Vec<DictionaryValue>> {
    match &mut get(tree, key)?.value {
        Some(Member::Vector(v)) => Some(&mut v.value),
        _ => None,
    }
}

/// The record that a value is.
pub fn record(value: &mut DictionaryValue) -> Option<&mut Dictionary> {
    match &mut value.value {
        Some(Member::Dictionary(d)) => Some(d),
        _ => None,
    }
}

/// The text under a key.
pub fn text<'t>(tree: &'t mut Dictionary, key: &str) -> Option<&'t mut String> {
    match &mut get(tree, key)?.value {
        Some(Member::String(s)) => Some(s),
        _ => None,
    }
}

/// A value with its tag.
pub fn value(member: Member) -> DictionaryValue {
    let value_type = match &member {
        Member::Bool(_) => 1,
        Member::Int(_) => 2,
        Member::SizeT(_) => 3,
        Member::Float(_) => 4,
        Member::Double(_) => 5,
        Member::String(_) => 6,
        Member::Shape(_) => 7,
        Member::Axis(_) => 8,
        Member::Vector(_) => 9,
        Member::Dictionary(_) => 10,
        Member::Array(_) => 11,
    };
    DictionaryValue { version: 2, value_type, value: Some(member) }
}

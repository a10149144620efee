//! Edits a tree in one place: a value, a list, a dictionary, or a whole record.

use super::Choice;
use super::attribute::{axis, dims, double, int, member};
use super::record;
use super::walk::{count, nth};
use crate::schema::{Dictionary, DictionaryValue, Member, NdArrayView, Values};
use cntk_parser::dictionary::ValueKind;

/// Changes something.
pub fn edit(tree: &mut Dictionary, choice: &mut dyn Choice) {
    match choice.below(10) {
        0..=3 => record::edit(tree, choice),
        4 => copy(tree, choice),
        5 => rename(tree, choice),
        _ => {
            let values = count(tree);
            let place = choice.below(values);
            if let Some((_, value)) = nth(tree, place) {
                change(value, choice);
            }
        }
    }
}

/// Replaces a value by another one of the tree.
fn copy(tree: &mut Dictionary, choice: &mut dyn Choice) {
    let values = count(tree);
    let (from, to) = (choice.below(values), choice.below(values));
    let Some(source) = nth(tree, from).map(|(_, value)| value.clone()) else { return };
    if let Some((_, value)) = nth(tree, to)
        && (value.value_type == source.value_type || choice.one_in(8))
    {
        *value = source;
    }
}

/// Replaces a text by another one of the tree; most are references and uids.
fn rename(tree: &mut Dictionary, choice: &mut dyn Choice) {
    let values = count(tree);
    let text = |tree: &mut Dictionary, from: usize| {
        (from..values.min(from + 32)).find(|n| matches!(nth(tree, *n), Some((_, v)) if v.value_type == 6))
    };
    let (from, to) = (choice.below(values), choice.below(values));
    if let (Some(from), Some(to)) = (text(tree, from), text(tree, to))
        && let Some(source) = nth(tree, from).map(|(_, value)| value.clone())
        && let Some((_, value)) = nth(tree, to)
    {
        *value = source;
    }
}

/// Changes one value, mostly within its type.
fn change(value: &mut DictionaryValue, choice: &mut dyn Choice) {
    if choice.one_in(16) {
        return retype(value, choice);
    }
    match &mut value.value {
        None => {}
        Some(Member::Bool(b)) => *b = !*b,
        Some(Member::Int(n)) => *n = if choice.one_in(2) { n.wrapping_add(int(choice) % 3) } else { int(choice) },
        Some(Member::SizeT(n)) => {
            *n = match choice.below(4) {
                0 => n.wrapping_add(1),
                1 => n.wrapping_sub(1),
                _ => choice.number(),
            }
        }
        Some(Member::Float(x)) => *x = double(choice) as f32,
        Some(Member::Double(x)) => *x = double(choice),
        Some(Member::String(s)) => text(s, choice),
        Some(Member::Shape(s)) => dims(&mut s.shape_dim, choice),
        Some(Member::Axis(a)) => {
            if choice.one_in(3) {
                text(&mut a.name, choice);
            } else {
                *a = axis(choice);
            }
        }
        Some(Member::Vector(v)) => list(&mut v.value, choice),
        Some(Member::Dictionary(d)) => dictionary(d, choice),
        Some(Member::Array(a)) => array(a, choice),
    }
}

/// Changes the type of a value, with or without its tag.
fn retype(value: &mut DictionaryValue, choice: &mut dyn Choice) {
    if choice.one_in(2) {
        value.value_type = choice.below(14) as i32;
    } else {
        let kind = ValueKind::from_code(1 + choice.below(9) as u64).unwrap_or(ValueKind::Bool);
        *value = super::walk::value(member(kind, choice));
    }
}

fn text(s: &mut String, choice: &mut dyn Choice) {
    match choice.below(6) {
        0 => s.clear(),
        1 => s.push_str("_Output_0"),
        2 => s.push(['\0', '\u{202e}', '\n', '\u{1b}', 'é', '0'][choice.below(6)]),
        3 => {
            s.pop();
        }
        4 if s.len() < 64 => *s = s.repeat(2),
        _ => {
            if let Some(cut) = s.strip_suffix("_Output_0") {
                *s = cut.to_owned();
            } else if let Some(cut) = s.strip_suffix(|c: char| c.is_ascii_digit()) {
                *s = format!("{cut}{}", choice.below(10));
            }
        }
    }
}

fn list(values: &mut Vec<DictionaryValue>, choice: &mut dyn Choice) {
    let (a, b) = (choice.below(values.len()), choice.below(values.len()));
    match choice.below(4) {
        0 if !values.is_empty() => drop(values.remove(a)),
        1 if !values.is_empty() && values.len() < 256 => values.insert(a, values[b].clone()),
        2 if !values.is_empty() => values.swap(a, b),
        3 if choice.one_in(4) => values.clear(),
        _ => {}
    }
}

fn dictionary(tree: &mut Dictionary, choice: &mut dyn Choice) {
    let (a, b) = (choice.below(tree.data.len()), choice.below(tree.data.len()));
    if tree.data.is_empty() {
        return;
    }
    match choice.below(4) {
        0 => drop(tree.data.remove(a)),
        1 if choice.one_in(4) => tree.data.insert(a, tree.data[b].clone()),
        2 => tree.data.swap(a, b),
        _ => tree.data[a].key = tree.data[b].key.clone(),
    }
}

/// Changes a tensor, mostly so that shape and values still match.
fn array(array: &mut NdArrayView, choice: &mut dyn Choice) {
    match choice.below(6) {
        0 => array.data_type = choice.below(8) as i32,
        1 if choice.one_in(4) => array.storage_format = choice.below(3) as i32,
        2 => dims(&mut array.shape.get_or_insert_default().shape_dim, choice),
        3 if choice.one_in(2) => array.values = None,
        _ => {
            let shape = array.shape.get_or_insert_default();
            dims(&mut shape.shape_dim, choice);
            let count = shape.shape_dim.iter().try_fold(1_u64, |n, d| n.checked_mul(*d)).unwrap_or(0);
            let Ok(count @ 0..=4096) = usize::try_from(count) else { return };
            match &mut array.values {
                Some(Values::Float(v)) => v.value.resize(count, double(choice) as f32),
                Some(Values::Double(v)) => v.value.resize(count, double(choice)),
                Some(Values::Bytes(v)) => v.value.resize(count, 1),
                Some(Values::Int(v)) => v.value.resize(count, -1),
                None => {}
            }
        }
    }
}

//! Edits of whole records: other ops with their attributes, other references, new functions, other variables.

use super::Choice;
use super::attribute::{attribute, axis, dims};
use super::walk::{get, list, record, text, value};
use crate::schema::{Dictionary, DictionaryValue, Entry, Member, Vector};
use cntk_parser::ops::Op;

/// Changes a function or a variable.
pub(super) fn edit(tree: &mut Dictionary, choice: &mut dyn Choice) {
    match choice.below(8) {
        0 => insert(tree, choice),
        1 => root(tree, choice),
        2 | 3 => variable(tree, choice),
        _ => function(tree, choice),
    }
}

/// A uid that something in the model has or could have.
fn reference(tree: &mut Dictionary, choice: &mut dyn Choice) -> Option<String> {
    if choice.one_in(3) {
        let variables = list(tree, "inputs")?;
        let place = choice.below(variables.len());
        return text(record(variables.get_mut(place)?)?, "uid").cloned();
    }
    let functions = list(tree, "primitive_functions")?;
    let place = choice.below(functions.len());
    let uid = text(record(functions.get_mut(place)?)?, "uid")?;
    Some(format!("{uid}_Output_{}", if choice.one_in(8) { choice.below(3) } else { 0 }))
}

fn function(tree: &mut Dictionary, choice: &mut dyn Choice) {
    let input = reference(tree, choice);
    let Some(functions) = list(tree, "primitive_functions") else { return };
    let place = choice.below(functions.len());
    let Some(function) = functions.get_mut(place).and_then(record) else { return };
    match choice.below(5) {
        0 => operator(function, choice),
        1 => attributes(function, choice),
        2 => {
            if let (Some(v), Some(Member::SizeT(n))) =
                (Some(choice.number()), get(function, "version").and_then(|v| v.value.as_mut()))
            {
                *n = v % 30;
            }
        }
        _ => {
            let (Some(inputs), Some(input)) = (list(function, "inputs"), input) else { return };
            let place = choice.below(inputs.len() + 1);
            let input = value(Member::String(input));
            match inputs.get_mut(place) {
                Some(old) => *old = input,
                None => inputs.push(input),
            }
        }
    }
}

/// Replaces the operator by another one, with a valid number of inputs and its own attributes.
fn operator(function: &mut Dictionary, choice: &mut dyn Choice) {
    let op = Op::ALL[choice.below(Op::ALL.len())].spec();
    if let Some(Member::SizeT(code)) = get(function, "op").and_then(|v| v.value.as_mut()) {
        *code = op.code;
    }
    if let Some(inputs) = list(function, "inputs")
        && let Some(last) = inputs.last().cloned()
    {
        let count = inputs.len().clamp(op.min_inputs, op.max_inputs);
        inputs.resize(count, last);
    }
    if let Some(old) = get(function, "attributes").and_then(record) {
        old.data.retain(|e| op.attribute(&e.key).is_some());
        for spec in op.attributes {
            if !old.data.iter().any(|e| e.key == spec.key) && !choice.one_in(4) {
                old.data.push(Entry { key: spec.key.to_owned(), value: Some(attribute(spec, choice)) });
            }
        }
    }
}

/// Sets one attribute of the function's operator to a new value.
fn attributes(function: &mut Dictionary, choice: &mut dyn Choice) {
    let Some(Member::SizeT(code)) = get(function, "op").and_then(|v| v.value.as_ref()) else { return };
    let Some(op) = Op::ALL.iter().map(|op| op.spec()).find(|op| op.code == *code) else { return };
    let Some(spec) = op.attributes.get(choice.below(op.attributes.len())) else { return };
    let Some(found) = get(function, "attributes").and_then(record) else { return };
    let new = attribute(spec, choice);
    match found.data.iter_mut().find(|e| e.key == spec.key) {
        Some(entry) => entry.value = Some(new),
        None => found.data.push(Entry { key: spec.key.to_owned(), value: Some(new) }),
    }
}

/// Adds a function that reads an existing value, and sometimes makes it the root.
fn insert(tree: &mut Dictionary, choice: &mut dyn Choice) {
    let Some(input) = reference(tree, choice) else { return };
    let Some(functions) = list(tree, "primitive_functions") else { return };
    if functions.len() >= 256 {
        return;
    }
    let uid = format!("New{}", functions.len());
    let entry = |key: &str, member| Entry { key: key.to_owned(), value: Some(value(member)) };
    let mut function = Dictionary {
        version: 2,
        data: vec![
            entry("version", Member::SizeT(24)),
            entry("type", Member::String("PrimitiveFunction".to_owned())),
            entry("uid", Member::String(uid.clone())),
            entry("op", Member::SizeT(0)),
            entry("inputs", Member::Vector(Vector { value: vec![value(Member::String(input))] })),
            entry("attributes", Member::Dictionary(Dictionary { version: 2, data: Vec::new() })),
        ],
    };
    operator(&mut function, choice);
    functions.push(value(Member::Dictionary(function)));
    if choice.one_in(2)
        && let Some(root) = text(tree, "root")
    {
        *root = uid;
    }
}

/// Makes another function the root.
fn root(tree: &mut Dictionary, choice: &mut dyn Choice) {
    let Some(functions) = list(tree, "primitive_functions") else { return };
    let place = choice.below(functions.len());
    let Some(uid) = functions.get_mut(place).and_then(record).and_then(|f| text(f, "uid")).cloned() else { return };
    if let Some(root) = text(tree, "root") {
        *root = uid;
    }
}

fn variable(tree: &mut Dictionary, choice: &mut dyn Choice) {
    let Some(variables) = list(tree, "inputs") else { return };
    let place = choice.below(variables.len());
    let Some(variable) = variables.get_mut(place).and_then(record) else { return };
    match choice.below(4) {
        0 => {
            let Some(axes) = list(variable, "dynamic_axis") else { return };
            *axes = (0..choice.below(3)).map(|_| value(Member::Axis(axis(choice)))).collect();
        }
        1 => number(get(variable, "data_type"), choice.below(8) as u64),
        2 => number(get(variable, "kind"), choice.below(6) as u64),
        _ => {
            if let Some(Member::Shape(shape)) = get(variable, "shape").and_then(|v| v.value.as_mut()) {
                dims(&mut shape.shape_dim, choice);
            }
        }
    }
}

fn number(value: Option<&mut DictionaryValue>, n: u64) {
    if let Some(Member::SizeT(old)) = value.and_then(|v| v.value.as_mut()) {
        *old = n;
    }
}

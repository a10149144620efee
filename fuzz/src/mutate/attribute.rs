//! Attribute values of the types that the op table names.

use super::Choice;
use super::walk::value;
use crate::schema::{Axis, DictionaryValue, Member, NdShape, Vector};
use cntk_parser::dictionary::ValueKind;
use cntk_parser::ops::{AttributeSpec, AttributeType};

/// Texts that some attribute takes.
const WORDS: [&str; 18] = [
    "Sum",
    "LogSum",
    "Mean",
    "Max",
    "Min",
    "Prod",
    "All",
    "Any",
    "Argmax",
    "Argmin",
    "uniform",
    "normal",
    "gumbel",
    "bernoulli",
    "lstm",
    "gru",
    "rnnReLU",
    "rnnTanh",
];

/// A value of an attribute's type, mostly a plausible one.
pub fn attribute(spec: &AttributeSpec, choice: &mut dyn Choice) -> DictionaryValue {
    match spec.kind {
        AttributeType::One(kind) => value(member(kind, choice)),
        AttributeType::List(kind) => {
            let length = choice.below(4);
            value(Member::Vector(Vector { value: (0..length).map(|_| value(member(kind, choice))).collect() }))
        }
    }
}

/// A member of a type.
pub fn member(kind: ValueKind, choice: &mut dyn Choice) -> Member {
    match kind {
        ValueKind::None | ValueKind::Bool => Member::Bool(choice.one_in(2)),
        ValueKind::Int => Member::Int(int(choice)),
        ValueKind::SizeT => Member::SizeT(choice.number()),
        ValueKind::Float => Member::Float(double(choice) as f32),
        ValueKind::Double => Member::Double(double(choice)),
        ValueKind::String => Member::String(WORDS[choice.below(WORDS.len())].to_owned()),
        ValueKind::NDShape => Member::Shape(shape(choice)),
        ValueKind::Axis => Member::Axis(axis(choice)),
        _ => Member::Vector(Vector::default()),
    }
}

pub fn shape(choice: &mut dyn Choice) -> NdShape {
    let rank = choice.below(5);
    NdShape { shape_dim: (0..rank).map(|_| choice.number()).collect() }
}

/// An axis: mostly a static one, sometimes a sentinel.
pub fn axis(choice: &mut dyn Choice) -> Axis {
    let static_axis_idx = match choice.below(4) {
        0 => i32::MAX - choice.below(5) as i32,
        1 => -1 - choice.below(4) as i32,
        _ => choice.below(4) as i32,
    };
    let name = ["staticAxisIdx=0", "defaultBatchAxis", "defaultDynamicAxis", "a", "b", ""][choice.below(6)].to_owned();
    Axis { static_axis_idx, name, is_ordered_dynamic_axis: choice.one_in(2) }
}

pub fn int(choice: &mut dyn Choice) -> i32 {
    let n = choice.number() as i32;
    if choice.one_in(3) { n.wrapping_neg() } else { n }
}

pub fn double(choice: &mut dyn Choice) -> f64 {
    const EDGES: [f64; 12] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        1e-5,
        1e30,
        1e300,
        f64::MIN_POSITIVE / 2.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    EDGES[choice.below(EDGES.len())]
}

/// Changes a shape.
pub(super) fn dims(dims: &mut Vec<u64>, choice: &mut dyn Choice) {
    let place = choice.below(dims.len());
    match choice.below(5) {
        0 => dims.push(choice.number()),
        1 if !dims.is_empty() => drop(dims.remove(place)),
        2 => dims.reverse(),
        _ => {
            if let Some(n) = dims.get_mut(place) {
                *n = choice.number();
            }
        }
    }
}

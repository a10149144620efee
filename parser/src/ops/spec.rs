//! What the table says of an operator.

use super::facts::Facts;
use crate::dictionary::ValueKind;
use std::fmt;
use std::ops::RangeInclusive;

/// A row of the op table.
#[derive(Clone, Copy, Debug)]
pub struct OpSpec {
    /// `PrimitiveOpType`.
    pub code: u64,
    /// CNTK's enum name.
    pub name: &'static str,
    /// What its uids begin with.
    pub uid_prefix: &'static str,
    /// Fewest inputs.
    pub min_inputs: usize,
    /// Most inputs.
    pub max_inputs: usize,
    /// How many outputs it has.
    pub outputs: Outputs,
    /// The op-set version in which it appeared; 0 where the history does not say.
    pub since: u64,
    /// What holds of it whatever its operands are.
    pub facts: Facts,
    /// The keys of its attribute dictionary.
    pub attributes: &'static [AttributeSpec],
}

/// Outputs of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// Exactly this many outputs.
    Fixed(u32),
    /// Its inputs are its outputs: Combine.
    Inputs,
    /// Two, or one when `sequenceUnpackSuppressMaskOutput` is set: UnpackSequence.
    Masked,
    /// Those of the root inside: a block.
    Inner,
}

/// An attribute of an operator.
#[derive(Clone, Copy, Debug)]
pub struct AttributeSpec {
    /// The key.
    pub key: &'static str,
    /// The type of its value.
    pub kind: AttributeType,
    /// Whether it must be there.
    pub requirement: Requirement,
}

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeType {
    /// One value.
    One(ValueKind),
    /// A Vector of them.
    List(ValueKind),
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(kind) => f.write_str(kind.name()),
            Self::List(kind) => write!(f, "Vector of {}", kind.name()),
        }
    }
}

/// Whether an attribute must be there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Requirement {
    /// Must be present.
    Required,
    /// One of a group of alternatives must be present.
    Either,
    /// May be absent, as in older files: it then has this value.
    Default(Default),
    /// May be absent.
    Optional,
}

/// The value of an attribute that is absent.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the types")]
pub enum Default {
    Bool(bool),
    Int(i32),
    SizeT(u64),
    Double(f64),
    /// The shape `[1]`.
    Ones,
    /// It follows from other attributes or from the operands; in words.
    Text(&'static str),
}

impl OpSpec {
    /// The numbers of inputs that a record of this op-set version may have: BatchNormalization took five before version 4.
    pub fn arity(&self, version: u64) -> RangeInclusive<usize> {
        match self.facts.inputs_since {
            Some((since, inputs)) if version >= since => inputs..=inputs,
            _ => self.min_inputs..=self.max_inputs,
        }
    }

    /// The attribute of that key.
    pub fn attribute(&self, key: &str) -> Option<&'static AttributeSpec> {
        self.attributes.iter().find(|a| a.key == key)
    }
}

pub(super) const fn one(kind: ValueKind) -> AttributeType {
    AttributeType::One(kind)
}

pub(super) const fn list(kind: ValueKind) -> AttributeType {
    AttributeType::List(kind)
}

pub(super) const fn req(key: &'static str, kind: AttributeType) -> AttributeSpec {
    AttributeSpec { key, kind, requirement: Requirement::Required }
}

pub(super) const fn alt(key: &'static str, kind: AttributeType) -> AttributeSpec {
    AttributeSpec { key, kind, requirement: Requirement::Either }
}

pub(super) const fn def(key: &'static str, kind: AttributeType, default: Default) -> AttributeSpec {
    AttributeSpec { key, kind, requirement: Requirement::Default(default) }
}

pub(super) const fn opt(key: &'static str, kind: AttributeType) -> AttributeSpec {
    AttributeSpec { key, kind, requirement: Requirement::Optional }
}

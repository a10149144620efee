//! The types of which a row of the op table is made.

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
    /// The prefix of its uids.
    pub uid_prefix: &'static str,
    /// Fewest inputs.
    pub min_inputs: usize,
    /// Most inputs.
    pub max_inputs: usize,
    /// How many outputs it has.
    pub outputs: Outputs,
    /// The op-set version in which it appeared; 0 if CNTK's history does not tell.
    pub since: u64,
    /// Facts that do not depend on its operands.
    pub facts: Facts,
    /// The keys of its attribute dictionary.
    pub attributes: &'static [AttributeSpec],
}

/// Outputs of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// Exactly this many outputs.
    Fixed(u32),
    /// As many as it has inputs, which it passes on (Combine).
    Inputs,
    /// Two, or one if `sequenceUnpackSuppressMaskOutput` is set (UnpackSequence).
    Masked,
    /// The outputs of the inner root (a block).
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
    /// A Vector of such values.
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
    /// May be absent, as in older files, and then has this value.
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
    /// A value that follows from other attributes or from the operands, described in words.
    Text(&'static str),
}

impl OpSpec {
    /// How many inputs a record of this op-set version may have. (Before version 4, BatchNormalization had five.)
    pub fn arity(&self, version: u64) -> RangeInclusive<usize> {
        match self.facts.inputs_since {
            Some((since, inputs)) if version >= since => inputs..=inputs,
            _ => self.min_inputs..=self.max_inputs,
        }
    }

    /// The attribute with this key.
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

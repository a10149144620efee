//! What the table says of an operator.

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
    /// What it keeps between evaluations.
    pub state: State,
    /// The keys of its attribute dictionary.
    pub attributes: &'static [AttributeSpec],
}

/// Outputs of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// As many.
    Fixed(u32),
    /// Its inputs are its outputs: Combine.
    Inputs,
    /// Two, or one when `sequenceUnpackSuppressMaskOutput` is set: UnpackSequence.
    Masked,
    /// Those of the root inside: a block.
    Inner,
}

/// What an operator keeps between evaluations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    None,
    /// The state of a random-number generator.
    Random,
    /// Earlier or later frames: closes recurrences.
    Delay,
    /// It overwrites its first input.
    Assigns,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// It must.
    Required,
    /// It or an alternative must.
    Either,
    /// Absent (as in older files), it means this.
    Default(&'static str),
    /// It may be absent.
    Optional,
}

impl OpSpec {
    /// The numbers of inputs that a record of this op-set version may have: BatchNormalization took five before version 4.
    pub fn arity(&self, version: u64) -> RangeInclusive<usize> {
        let six = self.code == 40 && version >= 4;
        if six { 6..=6 } else { self.min_inputs..=self.max_inputs }
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

pub(super) const fn def(key: &'static str, kind: AttributeType, default: &'static str) -> AttributeSpec {
    AttributeSpec { key, kind, requirement: Requirement::Default(default) }
}

pub(super) const fn opt(key: &'static str, kind: AttributeType) -> AttributeSpec {
    AttributeSpec { key, kind, requirement: Requirement::Optional }
}

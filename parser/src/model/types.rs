//! The records of a model.

use super::{Array, Axis, Origin, Shape};
use crate::dictionary::Dictionary;
use crate::ops::{Op, Operator};
use crate::report::Finding;
use std::ops::Range;

/// A byte offset in the file.
pub type Offset = u64;

/// `NDArrayView.DataType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[allow(missing_docs, reason = "the names are CNTK's")]
pub enum DataType {
    Unknown,
    Float,
    Double,
    Float16,
    Int8,
    Int16,
}

/// `kind` of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are CNTK's")]
pub enum VariableKind {
    Input,
    Parameter,
    Constant,
    Placeholder,
}

/// A variable record (spec 3.2).
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the record's keys")]
pub struct Variable<'a> {
    pub uid: &'a str,
    pub name: &'a str,
    pub kind: VariableKind,
    pub data_type: DataType,
    pub shape: Shape,
    pub dynamic_axes: Vec<Axis<'a>>,
    pub is_sparse: bool,
    pub needs_gradient: bool,
    pub value: Option<Array<'a>>,
    pub version: u64,
    pub at: Offset,
    /// Where in the file the record is.
    pub origin: Origin<'a>,
}

/// A block (spec 3.8): op 57.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// `block_function_op_name`.
    pub op_name: &'a str,
    /// `root` of the inner composite.
    pub root: &'a str,
    /// `uid` of the inner composite.
    pub uid: &'a str,
    /// Inner placeholder uid → actual argument uid, in file order.
    pub arguments: Vec<(&'a str, &'a str)>,
}

/// A user-defined function (spec 3.9). Nothing in it is ever imported, loaded or run.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the record's keys")]
pub struct UserFunction<'a> {
    pub native: bool,
    pub module: Option<&'a str>,
    pub class: Option<&'a str>,
    pub op: Option<&'a str>,
    pub method: Option<&'a str>,
    pub state: Dictionary<'a>,
}

/// An operator of CNTK 1 that cannot be computed from the file: the format does not store its parameters, or it has no
/// counterpart in CNTK 2. A model may contain it as long as no wanted output needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Foreign {
    /// The operator's name in CNTK.
    pub name: &'static str,
    /// Why it cannot be computed, for example what the file does not store.
    pub why: &'static str,
    /// Is it a training criterion?
    pub criterion: bool,
}

/// What a function record is.
#[derive(Clone, Debug)]
pub enum FunctionKind<'a> {
    /// A primitive; its attributes are [`Function::attributes`].
    Primitive(Op),
    /// A block.
    Block(Box<Block<'a>>),
    /// An operator of CNTK 1 that cannot be computed.
    Foreign(Foreign),
    /// A user-defined function.
    User(Box<UserFunction<'a>>),
}

/// A function record (spec 3.7).
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the record's keys")]
pub struct Function<'a> {
    pub uid: &'a str,
    pub name: &'a str,
    pub version: u64,
    pub kind: FunctionKind<'a>,
    pub inputs: Vec<&'a str>,
    pub attributes: Attributes<'a>,
    pub at: Offset,
    /// Where in the file the record is.
    pub origin: Origin<'a>,
}

/// The attributes of a function, in the form that the file's format gives.
#[derive(Clone, Debug)]
pub enum Attributes<'a> {
    /// A dictionary, which [`Operator::decode`] turns into typed attributes.
    Record(Dictionary<'a>),
    /// Attributes that were typed while the file was read (v1).
    Typed(Box<Operator<'a>>),
}

/// How the file is laid out.
#[derive(Clone, Debug, PartialEq)]
pub enum Container {
    /// One protobuf message.
    Plain,
    /// The over-2-GB layout: metadata message, then raw tensors.
    LargeLayout {
        /// The metadata message.
        metadata: Range<u64>,
        /// The tensors.
        tail: Range<u64>,
    },
    /// The format of CNTK 1.
    Nodes {
        /// The model version, 1 to 31.
        version: u64,
    },
}

/// The uids of values that a file lists by their use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed<'a> {
    /// What the model is for.
    pub outputs: Vec<&'a str>,
    /// What training minimises, and what it reports.
    pub criteria: Vec<&'a str>,
}

/// A model file.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the record's keys")]
pub struct Model<'a> {
    pub input: &'a [u8],
    pub container: Container,
    pub version: u64,
    pub uid: &'a str,
    pub name: &'a str,
    pub root: &'a str,
    pub variables: Vec<Variable<'a>>,
    pub functions: Vec<Function<'a>>,
    /// What the file itself says of its outputs; v2 files say nothing.
    pub listed: Listed<'a>,
    /// Where in the file its own record is.
    pub origin: Origin<'a>,
    /// What parsing noticed that is not fatal: unknown keys, versions newer than known.
    pub warnings: Vec<Finding>,
    /// The number of further warnings, which were only counted.
    pub more_warnings: u64,
    pub(crate) tensors: Vec<Range<u64>>,
}

impl<'a> Model<'a> {
    /// The byte ranges of tensor data, in order and without overlap: the values of each tensor that is written in one
    /// run, and the whole tail of the over-2-GB layout. Everything else is structure.
    pub fn tensor_ranges(&self) -> &[Range<u64>] {
        &self.tensors
    }

    /// The bytes that are structure, in order.
    pub fn structure(&self) -> impl Iterator<Item = &'a [u8]> {
        let input = self.input;
        let starts = std::iter::once(0).chain(self.tensors.iter().map(|r| r.end));
        let ends = self.tensors.iter().map(|r| r.start).chain(std::iter::once(input.len() as u64));
        starts.zip(ends).filter_map(move |(start, end)| {
            input.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?).filter(|bytes| !bytes.is_empty())
        })
    }
}

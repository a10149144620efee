//! The results of a conversion: the summary of what was done, or the reasons why it was refused.

use cntk_parser::model::{FunctionId, ValidatedModel};
use std::fmt;

/// Why one node cannot be converted as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// The CNTK operator; empty if the reason is not about one node.
    pub op: String,
    /// Function uid.
    pub uid: String,
    /// Function name, which may be empty.
    pub name: String,
    /// The attribute or input that cannot be converted, which may be empty.
    pub attribute: Box<str>,
    /// One sentence in lower case.
    pub reason: Box<str>,
}

impl Reason {
    /// A reason about an attribute or input of the node being lowered. The caller adds the node.
    pub(crate) fn new(attribute: &str, reason: impl Into<String>) -> Self {
        Self {
            op: String::new(),
            uid: String::new(),
            name: String::new(),
            attribute: attribute.into(),
            reason: reason.into().into_boxed_str(),
        }
    }

    /// This reason, about a function.
    pub(crate) fn of(self, model: &ValidatedModel<'_>, f: FunctionId) -> Self {
        let function = model.function(f);
        Self {
            op: model.operator(f).name().to_owned(),
            uid: function.uid.to_owned(),
            name: function.name.to_owned(),
            ..self
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.op.is_empty() {
            write!(f, "{} {}", self.op, self.uid)?;
            if !self.name.is_empty() {
                write!(f, " ({})", self.name)?;
            }
            f.write_str(": ")?;
        }
        if !self.attribute.is_empty() {
            write!(f, "{}: ", self.attribute)?;
        }
        f.write_str(&self.reason)
    }
}

/// All reasons why a valid model cannot be converted as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The reasons, at least one.
    pub reasons: Vec<Reason>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, r) in self.reasons.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{r}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// An input or output of the converted model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Port {
    /// ONNX name.
    pub name: String,
    /// CNTK uid; empty for an input or output that the converter adds (lengths).
    pub uid: String,
    /// Element type, in ONNX's name.
    pub elem: String,
    /// Dimensions: sizes and symbols.
    pub dims: Vec<String>,
}

/// The summary of a conversion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Inputs of the converted model.
    pub inputs: Vec<Port>,
    /// Its outputs.
    pub outputs: Vec<Port>,
    /// The outputs that were left out by default, each with the reason.
    pub dropped: Vec<String>,
    /// Warnings for the user.
    pub warnings: Vec<String>,
    /// The number of CNTK functions that the wanted outputs need, without blocks.
    pub functions: usize,
    /// The number of ONNX nodes in the main graph and its subgraphs.
    pub nodes: usize,
}

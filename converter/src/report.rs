//! What a conversion has to say: what it did, and why it did not.

use std::fmt;

/// Why one node cannot be converted as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// CNTK operator; empty when the reason is not about one node.
    pub op: String,
    /// Function uid.
    pub uid: String,
    /// Function name, may be empty.
    pub name: String,
    /// The attribute or input that is in the way; may be empty.
    pub attribute: Box<str>,
    /// One lower-case sentence.
    pub reason: Box<str>,
}

impl Reason {
    /// A reason about an attribute or input of the node being lowered; the caller adds which node.
    pub(crate) fn new(attribute: &str, reason: impl Into<String>) -> Self {
        Self {
            op: String::new(),
            uid: String::new(),
            name: String::new(),
            attribute: attribute.into(),
            reason: reason.into().into_boxed_str(),
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

/// A valid model that cannot be converted as asked: every reason found in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// At least one.
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
    /// CNTK uid; empty for what the contract adds (lengths).
    pub uid: String,
    /// Element type, as ONNX calls it.
    pub elem: String,
    /// Dimensions: sizes and symbols.
    pub dims: Vec<String>,
}

/// What a conversion did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Inputs of the converted model.
    pub inputs: Vec<Port>,
    /// Its outputs.
    pub outputs: Vec<Port>,
    /// Outputs that were left out by default: what and why.
    pub dropped: Vec<String>,
    /// What a user should know.
    pub warnings: Vec<String>,
    /// CNTK functions that the wanted outputs need, blocks not counted.
    pub functions: usize,
    /// ONNX nodes of the main graph and its subgraphs.
    pub nodes: usize,
}

//! The options of a conversion.

use crate::json;

/// Which outputs to convert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outputs {
    /// The model's outputs, without training criteria and metrics.
    #[default]
    Inference,
    /// All of the model's outputs.
    All,
    /// Outputs or inner nodes by CNTK name or uid. The names `all` and `inference` stand for what they select on their
    /// own.
    Named(Vec<String>),
}

/// How a model is converted. The same options and input give the same bytes.
///
/// ```
/// use cntk2onnx::{Options, Outputs};
///
/// let options = Options::default().opset(21).outputs(Outputs::All);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Opset of the default ONNX domain, 13 to 21.
    pub opset: i64,
    /// The wanted outputs.
    pub outputs: Outputs,
    /// Keep a sequence axis that no op reads, instead of folding it into the batch.
    pub keep_sequence_axis: bool,
    /// Assume that all sequences of a batch have the same length, so that `_lengths` inputs are not needed.
    pub equal_lengths: bool,
}

impl Options {
    /// The opsets that can be written.
    pub const OPSETS: std::ops::RangeInclusive<i64> = 13..=21;

    /// The options as a JSON object, for the metadata of a converted model.
    pub(crate) fn json(&self) -> String {
        let outputs = match &self.outputs {
            Outputs::Inference => json::string("inference"),
            Outputs::All => json::string("all"),
            Outputs::Named(names) => json::strings(names),
        };
        json::object(&[
            ("opset", self.opset.to_string()),
            ("outputs", outputs),
            ("keep_sequence_axis", self.keep_sequence_axis.to_string()),
            ("equal_lengths", self.equal_lengths.to_string()),
        ])
    }

    /// Sets [`Self::opset`].
    #[must_use]
    pub fn opset(self, opset: i64) -> Self {
        Self { opset, ..self }
    }

    /// Sets [`Self::outputs`].
    #[must_use]
    pub fn outputs(self, outputs: Outputs) -> Self {
        Self { outputs, ..self }
    }

    /// Sets [`Self::keep_sequence_axis`].
    #[must_use]
    pub fn keep_sequence_axis(self, keep_sequence_axis: bool) -> Self {
        Self { keep_sequence_axis, ..self }
    }

    /// Sets [`Self::equal_lengths`].
    #[must_use]
    pub fn equal_lengths(self, equal_lengths: bool) -> Self {
        Self { equal_lengths, ..self }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { opset: 17, outputs: Outputs::default(), keep_sequence_axis: false, equal_lengths: false }
    }
}

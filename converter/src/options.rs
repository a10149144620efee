//! The options of a conversion.

use crate::{
    json,
    report::{Reason, Refusal},
};
use cntk_parser::model::{Model, Shape, VariableKind};

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
    /// Other names for inputs: the name that an input would have, or its CNTK uid, and the new one.
    pub rename_inputs: Vec<(String, String)>,
    /// Other names for outputs, likewise.
    pub rename_outputs: Vec<(String, String)>,
    /// The size of the batch, where it is to be fixed. ONNX only.
    pub batch: Option<u64>,
    /// Sizes of inputs that are to be fixed. ONNX only.
    pub input_shapes: Vec<InputShape>,
    /// Inputs that are one-hot and are to be taken as indices, int64 without the last axis. An index that is out of range, as -1
    /// for padding, stands for a row of zeros.
    pub ids: Vec<String>,
}

/// Sizes of an input that are to be fixed.
///
/// A size that the model leaves open can be fixed before the model is validated only: where [`Converter`](crate::Converter) is
/// given bytes, or with [`Options::fix_shapes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputShape {
    /// The input, by CNTK name or uid.
    pub input: String,
    /// One size for each dimension that the input has in the converted model, dynamic ones first; `None` stays as it is.
    pub sizes: Vec<Option<u64>>,
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
            ("rename_inputs", renamed(&self.rename_inputs)),
            ("rename_outputs", renamed(&self.rename_outputs)),
            ("batch", self.batch.map_or_else(|| "null".to_owned(), |n| n.to_string())),
            ("input_shapes", json::object(&self.input_shapes.iter().map(shape).collect::<Vec<_>>())),
            ("ids", json::strings(&self.ids)),
        ])
    }

    /// Gives inputs the sizes that [`Self::input_shapes`] says where the model leaves them open. For models that are parsed and not
    /// yet validated, as sizes decide what types values have.
    ///
    /// # Errors
    ///
    /// The sizes that are none of an input's.
    pub fn fix_shapes(&self, model: &mut Model<'_>) -> Result<(), Refusal> {
        let reasons: Vec<_> = self.input_shapes.iter().filter_map(|of| fix(model, of).err()).collect();
        if reasons.is_empty() { Ok(()) } else { Err(Refusal { reasons }) }
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

    /// Sets [`Self::rename_inputs`].
    #[must_use]
    pub fn rename_inputs(self, rename_inputs: Vec<(String, String)>) -> Self {
        Self { rename_inputs, ..self }
    }

    /// Sets [`Self::rename_outputs`].
    #[must_use]
    pub fn rename_outputs(self, rename_outputs: Vec<(String, String)>) -> Self {
        Self { rename_outputs, ..self }
    }

    /// Sets [`Self::batch`].
    #[must_use]
    pub fn batch(self, batch: Option<u64>) -> Self {
        Self { batch, ..self }
    }

    /// Sets [`Self::input_shapes`].
    #[must_use]
    pub fn input_shapes(self, input_shapes: Vec<InputShape>) -> Self {
        Self { input_shapes, ..self }
    }

    /// Sets [`Self::ids`].
    #[must_use]
    pub fn ids(self, ids: Vec<String>) -> Self {
        Self { ids, ..self }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            opset: 17,
            outputs: Outputs::default(),
            keep_sequence_axis: false,
            equal_lengths: false,
            rename_inputs: Vec::new(),
            rename_outputs: Vec::new(),
            batch: None,
            input_shapes: Vec::new(),
            ids: Vec::new(),
        }
    }
}

/// Pairs of names as a JSON object.
fn renamed(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(old, new)| (old.as_str(), json::string(new))).collect();
    json::object(&pairs)
}

fn shape(of: &InputShape) -> (&str, String) {
    let sizes: Vec<_> = of.sizes.iter().map(|n| n.map_or_else(|| "null".to_owned(), |n| n.to_string())).collect();
    (&of.input, format!("[{}]", sizes.join(", ")))
}

/// Gives an input the static sizes that its record leaves open. Which inputs there are is known only when the model is validated: an
/// unbound placeholder is one, and a missing one is reported then.
fn fix(model: &mut Model<'_>, of: &InputShape) -> Result<(), Reason> {
    let wrong = |text: String| Reason::new("input_shape", format!("{}: {text}", of.input.escape_debug()));
    let mut inputs = model.variables.iter_mut().filter(|v| match v.kind {
        VariableKind::Input => true,
        VariableKind::Placeholder => !v.shape.is_unknown(),
        _ => false,
    });
    let Some(input) = inputs.find(|v| v.uid == of.input || v.name == of.input) else { return Ok(()) };
    let rank = input.shape.rank();
    if input.shape.is_unknown() || of.sizes.len() < rank || of.sizes.len() > rank + 2 {
        return Err(wrong(format!("has {rank} static axes, and {} sizes are given", of.sizes.len())));
    }
    // The file has the innermost axis first.
    for (size, given) in input.shape.0.iter_mut().zip(of.sizes.iter().rev()) {
        match given {
            Some(n) if matches!(*size, Shape::FREE | Shape::INFERRED) => *size = *n,
            Some(n) if n != size => return Err(wrong(format!("a size is {size} in the model, not {n}"))),
            _ => {}
        }
    }
    Ok(())
}

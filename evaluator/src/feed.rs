//! Converts padded arrays of the caller to values, which have no padding, and values to padded arrays.

use crate::fault::EvaluationError;
use crate::precision::rounded;
use crate::value::{Frames, Value, longest};
use crate::walk::needed;
use cntk_parser::model::{Dim, Output, SequenceAxisId, Source, ValidatedModel, VariableId, VariableKind};
use std::collections::{BTreeSet, HashMap};

/// An array in row-major order: `[batch, sequence, *static]`, with each of the first two only if the value has that
/// axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Array {
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its elements. Numbers in single or half precision are exact in double precision.
    pub values: Vec<f64>,
    /// For sequences, the number of valid steps of each sample, at least 1; later steps are not read. `None`: all are
    /// valid.
    pub lengths: Option<Vec<usize>>,
}

/// The variables for which the wanted outputs need an array, in file order.
pub fn inputs(model: &ValidatedModel<'_>, wanted: &[Output<'_>]) -> Vec<VariableId> {
    let sources: Vec<Source> = wanted.iter().map(|output| output.source).collect();
    let functions = needed(model, &sources);
    let read = functions.iter().flat_map(|id| model.inputs(*id)).chain(&sources);
    let open = |source: &Source| match source {
        Source::Variable(id) => {
            let kind = model.variable(*id).kind;
            matches!(kind, VariableKind::Input | VariableKind::Placeholder).then_some(*id)
        }
        Source::Output(..) => None,
    };
    read.filter_map(open).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The values of inputs.
pub(crate) fn values(
    model: &ValidatedModel<'_>,
    feeds: &HashMap<String, Array>,
    inputs: &[VariableId],
) -> Result<Vec<(VariableId, Value)>, EvaluationError> {
    let mut feeder = Feeder { model, lengths: HashMap::new(), free: HashMap::new() };
    let mut found = Vec::new();
    for id in inputs {
        let variable = model.variable(*id);
        let named = || {
            let unique = inputs.iter().filter(|other| model.variable(**other).name == variable.name).count() == 1;
            if unique && !variable.name.is_empty() { feeds.get(&variable.name.to_string()) } else { None }
        };
        match feeds.get(&variable.uid.to_string()).or_else(named) {
            Some(array) => found.push((*id, array)),
            None => return Err(EvaluationError::Missing { input: called(model, *id), takes: takes(model, *id) }),
        }
    }
    for (id, array) in &found {
        feeder.note_lengths(*id, array)?;
    }
    found.into_iter().map(|(id, array)| Ok((id, feeder.value(id, array)?))).collect()
}

/// The name of an input in messages.
fn called(model: &ValidatedModel<'_>, id: VariableId) -> String {
    let variable = model.variable(id);
    if variable.name.is_empty() { variable.uid.to_string() } else { variable.name.to_string() }
}

/// Shape and type of an input, in words.
fn takes(model: &ValidatedModel<'_>, id: VariableId) -> String {
    let of = model.type_of(Source::Variable(id));
    let batch = of.axes.batch.then(|| "batch".to_owned());
    let steps = of.axes.sequence.map(|_| "sequence".to_owned());
    let sizes = of.shape.iter().map(|dim| dim.known().map_or_else(|| "?".to_owned(), |n| n.to_string()));
    let all: Vec<String> = batch.into_iter().chain(steps).chain(sizes).collect();
    format!("it takes [{}] of {:?}", all.join(", "), of.data_type)
}

struct Feeder<'m> {
    model: &'m ValidatedModel<'m>,
    /// The lengths of each sequence axis, as the inputs give them.
    lengths: HashMap<SequenceAxisId, Vec<usize>>,
    /// The values of free sizes.
    free: HashMap<u32, usize>,
}

impl Feeder<'_> {
    /// Records the lengths of an input's sequence axis. All inputs with the same axis must have the same lengths.
    fn note_lengths(&mut self, id: VariableId, array: &Array) -> Result<(), EvaluationError> {
        let axis = self.model.type_of(Source::Variable(id)).axes.sequence;
        let (Some(axis), Some(lengths)) = (axis, &array.lengths) else { return Ok(()) };
        match self.lengths.insert(axis, lengths.clone()) {
            Some(other) if other != *lengths => {
                self.wrong(id, "has other lengths than another input on its sequence axis".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn value(&mut self, id: VariableId, array: &Array) -> Result<Value, EvaluationError> {
        let of = self.model.type_of(Source::Variable(id));
        let dynamic = usize::from(of.axes.batch) + usize::from(of.axes.sequence.is_some());
        let elements = array.shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        let fits = array.shape.len() == dynamic + of.shape.len()
            && elements == Some(array.values.len())
            && !array.shape.contains(&0)
            && of.shape.iter().zip(&array.shape[dynamic..]).all(|(dim, n)| match dim {
                Dim::Known(known) => *known == *n as u64,
                Dim::Free(id) => *self.free.entry(*id).or_insert(*n) == *n,
            });
        if !fits {
            return self.wrong(id, format!("is of shape {:?}, {}", array.shape, takes(self.model, id)));
        }
        let (lead, shape) = array.shape.split_at(dynamic);
        let (frames, elements) = match (of.axes.sequence, lead) {
            (Some(axis), [.., steps]) => self.packed(id, axis, lead[..dynamic - 1].first().copied(), *steps, array)?,
            (None, [samples]) => (Frames::Samples(*samples), array.values.clone()),
            _ => (Frames::One, array.values.clone()),
        };
        match Value::new(frames, shape, elements) {
            Some(value) => Ok(rounded(value, of.data_type)),
            None => self.wrong(id, "does not have the elements of its shape".to_owned()),
        }
    }

    /// The valid frames of sequences.
    fn packed(
        &self,
        id: VariableId,
        axis: SequenceAxisId,
        samples: Option<usize>,
        steps: usize,
        array: &Array,
    ) -> Result<(Frames, Vec<f64>), EvaluationError> {
        let samples = samples.unwrap_or(1);
        let lengths = self.lengths.get(&axis).cloned().unwrap_or_else(|| vec![steps; samples]);
        if lengths.len() != samples || lengths.iter().any(|n| *n == 0 || *n > steps) {
            let why =
                format!("has {samples} sequences of up to {steps} steps, which do not suit the lengths {lengths:?}");
            return self.wrong(id, why);
        }
        let width = array.values.len() / (samples * steps);
        let rows = array.values.chunks(steps * width.max(1)).zip(&lengths);
        let elements = rows.flat_map(|(row, n)| &row[..n * width]).copied().collect();
        Ok((Frames::Steps(lengths.into()), elements))
    }

    fn wrong<T>(&self, id: VariableId, why: String) -> Result<T, EvaluationError> {
        Err(EvaluationError::Input { input: called(self.model, id), why })
    }
}

/// A value as an array, with zeros beyond the ends of sequences.
pub(crate) fn padded(value: &Value) -> Array {
    let (width, static_shape) = (value.width(), value.shape().to_vec());
    let Frames::Steps(lengths) = &value.frames else {
        let lead = if let Frames::Samples(n) = value.frames { vec![n] } else { vec![] };
        return Array { shape: [lead, static_shape].concat(), values: value.elements(), lengths: None };
    };
    let most = longest(lengths);
    let mut values = Vec::with_capacity(lengths.len() * most * width);
    let data = value.contiguous();
    for steps in value.frames.ranges() {
        values.extend(&data[steps.start * width..steps.end * width]);
        values.extend(std::iter::repeat_n(0.0, (most - steps.len()) * width));
    }
    let shape = [vec![lengths.len(), most], static_shape].concat();
    Array { shape, values, lengths: Some(lengths.to_vec()) }
}

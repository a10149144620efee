//! The layout of dynamic axes: which sequence axes the converted model keeps, and which it folds into the batch.
//!
//! A value of the converted model is row-major `[batch, sequence, *static]`; it has each of the first two only if the
//! CNTK value has that axis. Knows neither ONNX nor PyTorch.

mod batches;

pub use batches::Batch;

use crate::graph::Graph;
use crate::options::Options;
use batches::Batches;
use cntk_parser::model::{DynamicAxes, FunctionId, SequenceAxisId, Source, ValueType};
use cntk_parser::ops::facts::Reach;

/// The dynamic axes that a value has in the converted model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lead {
    /// A batch dimension first, and which batch it is.
    pub batch: Option<Batch>,
    /// The sequence axis of the dimension after it, if there is one.
    pub sequence: Option<SequenceAxisId>,
}

impl Lead {
    /// The number of dimensions before the static ones.
    pub fn rank(self) -> usize {
        usize::from(self.batch.is_some()) + usize::from(self.sequence.is_some())
    }

    /// The same without the sequence: one value for each sample.
    pub fn per_sample(self) -> Self {
        Self { sequence: None, ..self }
    }

    /// The axes of either.
    pub fn union(self, other: Self) -> Self {
        Self { batch: self.batch.or(other.batch), sequence: self.sequence.or(other.sequence) }
    }
}

/// The layout of a graph.
#[derive(Clone, Debug)]
pub struct Layout {
    folded: Vec<bool>,
    batches: Batches,
}

impl Layout {
    /// Decides for each sequence axis whether a needed op reads it, and whether it can be folded.
    pub fn new(graph: &Graph<'_, '_>, options: &Options) -> Self {
        let axes = graph.model.sequence_axes();
        let mut read = vec![options.keep_sequence_axis; axes.len()];
        for (i, axis) in axes.iter().enumerate() {
            if matches!(axis.origin, Source::Output(..)) {
                read[i] = true;
            }
        }
        for f in graph.functions() {
            mark_read(graph, f, &mut read);
        }
        // Folding a sequence axis changes the size of the batch, so it must be the same for every batch in the model.
        if !have_one_kind(graph) {
            read.fill(true);
        }
        Self { folded: read.iter().map(|r| !r).collect(), batches: Batches::new(graph) }
    }

    /// Is this axis folded into the batch?
    pub fn is_folded(&self, axis: SequenceAxisId) -> bool {
        self.folded[axis.index()]
    }

    /// The dimensions that stand for `axes`, the dynamic axes of `source`.
    pub fn lead(&self, source: Source, axes: DynamicAxes) -> Lead {
        let batch = axes.batch.then(|| self.batches.of(source));
        Lead { batch, sequence: axes.sequence.filter(|s| !self.is_folded(*s)) }
    }

    /// What a value has that is one for each sequence of `axis`.
    pub fn per_sequence(&self, axis: SequenceAxisId) -> Lead {
        Lead { batch: Some(self.batches.of_axis(axis)), sequence: None }
    }

    /// The batch that a static axis of this free size was or becomes.
    pub fn batch_of_size(&self, free: u32) -> Option<Batch> {
        self.batches.of_size(free)
    }
}

/// Do all values with dynamic axes have the same ones?
fn have_one_kind(graph: &Graph<'_, '_>) -> bool {
    let model = graph.model;
    let arguments = graph.arguments.iter().map(|a| model.type_of(Source::Variable(a.variable)));
    let made = graph.functions().flat_map(|f| model.output_types(f));
    let mut kinds = arguments.chain(made).map(|t| t.axes).filter(|a| *a != DynamicAxes::default());
    let first = kinds.next();
    kinds.all(|a| Some(a) == first)
}

/// Marks the sequence axes that `f` reads, that is does not treat frame by frame.
fn mark_read(graph: &Graph<'_, '_>, f: FunctionId, read: &mut [bool]) {
    let model = graph.model;
    let inputs = model.inputs(f);
    let types = inputs.iter().map(|s| model.type_of(*s));
    let mixes = model.operator(f).reach() > Reach::Frame || changes_axes(model.output_types(f), types.clone());
    if mixes {
        for t in types.chain(model.output_types(f)) {
            if let Some(s) = t.axes.sequence {
                read[s.index()] = true;
            }
        }
    }
}

/// Do the sequence axes of results differ from those of operands that have a batch axis?
fn changes_axes<'t>(outputs: &[ValueType], inputs: impl Iterator<Item = &'t ValueType>) -> bool {
    let mut dynamic = inputs.map(|t| t.axes).filter(|a| a.batch || a.sequence.is_some());
    dynamic.any(|a| outputs.iter().any(|o| o.axes.sequence != a.sequence || !o.axes.batch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cntk_parser::model::{Axis, VariableId};

    const SEQUENCE: SequenceAxisId = SequenceAxisId::made_up(3);

    fn leads() -> impl Iterator<Item = Lead> {
        let batches = [None, Some(Batch::INPUTS)].into_iter();
        batches.flat_map(|batch| [None, Some(SEQUENCE)].map(|sequence| Lead { batch, sequence }))
    }

    /// Labels of the dimensions of a converted value: the dynamic axes, then the file's axes from the last to the
    /// first.
    fn dimensions(lead: Lead, rank: usize) -> Vec<String> {
        let mut names = Vec::new();
        names.extend(lead.batch.map(|_| "batch".to_owned()));
        names.extend(lead.sequence.map(|_| "sequence".to_owned()));
        names.extend((0..rank).rev().map(|k| format!("file axis {k}")));
        names
    }

    /// Every file axis, counted from either end, corresponds to one dimension, and every static dimension to one file
    /// axis.
    #[test]
    fn file_axes_and_dimensions_are_in_bijection() {
        for (lead, rank) in leads().flat_map(|lead| (0..=12).map(move |rank| (lead, rank))) {
            let names = dimensions(lead, rank);
            let place = |index: i32| Some(lead.rank() + Axis { index, name: "", ordered: true }.row(rank)?);
            let n = rank as i32;
            let places: Vec<usize> = (0..n).filter_map(place).collect();
            assert_eq!(places.len(), rank);
            for (k, at) in places.iter().enumerate() {
                assert_eq!(names[*at], format!("file axis {k}"));
                assert_eq!(place(k as i32 - n), Some(*at), "the same from the end");
                assert_eq!(rank - 1 - (at - lead.rank()), k, "and back");
            }
            for beyond in [n, -n - 1, i32::MAX, i32::MAX - 1, i32::MAX - 2, i32::MAX - 3, i32::MAX - 4, i32::MIN] {
                assert_eq!(place(beyond), None);
            }
        }
    }

    #[test]
    fn axes_of_either_are_axes_of_the_union() {
        for (a, b) in leads().flat_map(|a| leads().map(move |b| (a, b))) {
            let both = a.union(b);
            let names = |lead: Lead| dimensions(lead, 0);
            assert!([names(a), names(b)].concat().iter().all(|name| names(both).contains(name)));
            assert!(names(both).iter().all(|name| names(a).contains(name) || names(b).contains(name)));
            assert_eq!(both.rank(), names(both).len());
        }
    }

    #[test]
    fn a_folded_axis_is_part_of_the_batch() {
        let layout = Layout { folded: vec![true, false], batches: Batches::apart(1, 2) };
        for (i, folded) in [(0, true), (1, false)] {
            let sequence = Some(SequenceAxisId::made_up(i));
            assert_eq!(layout.is_folded(SequenceAxisId::made_up(i)), folded);
            let input = Source::Variable(VariableId::made_up(7));
            let lead = layout.lead(input, DynamicAxes { batch: true, sequence });
            assert_eq!(lead, Lead { batch: Some(Batch::INPUTS), sequence: sequence.filter(|_| !folded) });
        }
    }

    #[test]
    fn an_op_that_changes_dynamic_axes_is_noticed() {
        let value = |batch, sequence: Option<u32>| ValueType {
            shape: Default::default(),
            data_type: cntk_parser::model::DataType::Float,
            axes: DynamicAxes { batch, sequence: sequence.map(SequenceAxisId::made_up) },
        };
        let frames = || value(true, Some(0));
        let changes = |output: ValueType, inputs: &[ValueType]| changes_axes(&[output], inputs.iter());
        assert!(!changes(frames(), &[frames(), value(false, None)]));
        assert!(!changes(value(false, None), &[value(false, None)]));
        assert!(changes(frames(), &[frames(), value(true, None)]));
        assert!(changes(value(true, Some(1)), &[frames()]));
        assert!(changes(value(true, None), &[frames()]));
        assert!(changes(value(false, None), &[value(true, None)]));
        assert!(changes(value(false, Some(0)), &[frames()]));
        assert!(changes(value(true, None), &[value(false, Some(0))]));
    }
}

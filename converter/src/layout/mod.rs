//! Where every value's dynamic axes go: which sequence axes the converted model keeps, and which it folds into the batch.
//!
//! A value of the converted model is row-major `[batch, sequence, *static]`, each of the first two only where the CNTK
//! value has it. Knows neither ONNX nor PyTorch.

pub mod crop;
pub mod frames;
pub mod reduction;
pub mod window;

use crate::graph::Graph;
use crate::options::Options;
use cntk_parser::model::{AxisKind, DynamicAxes, FunctionId, SequenceAxisId, Source, ValueType};
use cntk_parser::ops::Operator;

/// The dynamic axes that a value of the converted model really has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lead {
    /// A batch dimension first.
    pub batch: bool,
    /// Then a sequence dimension.
    pub sequence: Option<SequenceAxisId>,
}

impl Lead {
    /// How many dimensions stand before the static ones.
    pub fn rank(self) -> usize {
        usize::from(self.batch) + usize::from(self.sequence.is_some())
    }

    /// The axes that either has.
    pub fn union(self, other: Self) -> Self {
        Self { batch: self.batch || other.batch, sequence: self.sequence.or(other.sequence) }
    }
}

/// The layout of a graph.
#[derive(Clone, Debug)]
pub struct Layout {
    folded: Vec<bool>,
}

impl Layout {
    /// Decides for each sequence axis whether some needed op reads it, and whether it can be folded.
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
        // Folded into the batch, an axis gives it another size: that must be the size of every batch in the model.
        if !have_one_kind(graph) {
            read.fill(true);
        }
        Self { folded: read.iter().map(|r| !r).collect() }
    }

    /// Is this axis folded into the batch?
    pub fn is_folded(&self, axis: SequenceAxisId) -> bool {
        self.folded[axis.0 as usize]
    }

    /// The dimensions that stand for `axes`.
    pub fn lead(&self, axes: DynamicAxes) -> Lead {
        Lead { batch: axes.batch, sequence: axes.sequence.filter(|s| !self.is_folded(*s)) }
    }
}

/// Have all values that have dynamic axes the same ones?
fn have_one_kind(graph: &Graph<'_, '_>) -> bool {
    let model = graph.model;
    let arguments = graph.arguments.iter().map(|a| model.type_of(Source::Variable(a.variable)));
    let made = graph.functions().flat_map(|f| model.output_types(f));
    let mut kinds = arguments.chain(made).map(|t| t.axes).filter(|a| *a != DynamicAxes::default());
    let first = kinds.next();
    kinds.all(|a| Some(a) == first)
}

/// Marks the axes on which `f` does more than work frame by frame.
fn mark_read(graph: &Graph<'_, '_>, f: FunctionId, read: &mut [bool]) {
    let model = graph.model;
    let inputs = model.inputs(f);
    let types = inputs.iter().map(|s| model.type_of(*s));
    let mixes = mixes_frames(model.operator(f)) || changes_axes(model.output_types(f), types.clone());
    if mixes {
        for t in types.chain(model.output_types(f)) {
            if let Some(s) = t.axes.sequence {
                read[s.0 as usize] = true;
            }
        }
    }
}

/// Does an operand lack the result's sequence axis though it has a batch axis, or is the result's axis gone or another?
fn changes_axes<'t>(outputs: &[ValueType], inputs: impl Iterator<Item = &'t ValueType>) -> bool {
    let dynamic: Vec<DynamicAxes> = inputs.map(|t| t.axes).filter(|a| a.batch || a.sequence.is_some()).collect();
    dynamic.iter().any(|a| outputs.iter().any(|o| o.axes.sequence != a.sequence || !o.axes.batch))
}

fn mixes_frames(op: &Operator<'_>) -> bool {
    match op {
        Operator::PastValue(_)
        | Operator::FutureValue(_)
        | Operator::Where(_)
        | Operator::PackedIndex
        | Operator::GatherPacked
        | Operator::ScatterPacked
        | Operator::UnpackSequence(_)
        | Operator::ToSequence(_)
        | Operator::ToSequenceLike(_)
        | Operator::ReconcileDynamicAxis
        | Operator::OptimizedRNNStack(_)
        | Operator::ConvolutionSequenceShape(_)
        | Operator::EditDistanceError(_)
        | Operator::ForwardBackward(_)
        | Operator::SumAll
        | Operator::SquaredError
        | Operator::CrossEntropyWithSoftmax
        | Operator::ClassificationError
        | Operator::Logistic
        | Operator::LambdaRank
        | Operator::NDCG
        | Operator::CosDistanceWithNegativeSamples
        | Operator::UnpackBatch
        | Operator::ToBatch
        | Operator::User => true,
        Operator::Times(t) => t.infer_input_rank_to_map == -2,
        Operator::ReduceElements(r) => {
            r.axes.iter().any(|a| matches!(a.kind(), AxisKind::All | AxisKind::Batch | AxisKind::Sequence))
        }
        _ => false,
    }
}

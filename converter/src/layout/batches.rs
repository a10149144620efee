//! Which batch axis a value has.
//!
//! A model may have several: that of its inputs, and those that `ToBatch` makes of static axes. Each has its own size, which
//! masks, initial states and lengths have to take. Operators ask that the batches of their operands are equally large
//! (spec 4.3), so that batches which meet are one.

use crate::graph::Graph;
use cntk_parser::model::{Dim, FunctionId, SequenceAxisId, Source};
use cntk_parser::ops::Operator;
use std::collections::HashMap;

/// A batch axis: values that have the same one have as many samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Batch(u32);

impl Batch {
    /// The batch axis of the model's inputs.
    pub const INPUTS: Self = Self(0);
}

/// The batch axes of a graph.
#[derive(Clone, Debug)]
pub(super) struct Batches {
    /// Which places stand for the same batch.
    same: Same,
    /// Places: the inputs' batch, then one for each function, then for each sequence axis, then for each size of `sizes`.
    functions: usize,
    sizes: HashMap<u32, usize>,
}

impl Batches {
    pub(super) fn new(graph: &Graph<'_, '_>) -> Self {
        let model = graph.model;
        let mut found = Self::apart(model.model().functions.len(), model.sequence_axes().len());
        let arguments = graph.arguments.iter().map(|a| Source::Variable(a.variable));
        for source in arguments {
            if let (true, Some(axis)) = (model.type_of(source).axes.batch, model.type_of(source).axes.sequence) {
                found.join(0, found.axis(axis));
            }
        }
        for f in graph.functions() {
            found.enter(graph, f);
        }
        found.same.settle();
        found
    }

    /// As many batches as there can be.
    pub(super) fn apart(functions: usize, axes: usize) -> Self {
        Self { same: Same::new(1 + functions + axes), functions, sizes: HashMap::new() }
    }

    /// What a function says of the batches of its operands and results.
    fn enter(&mut self, graph: &Graph<'_, '_>, f: FunctionId) {
        let model = graph.model;
        let of = |found: &Self, s: Source| model.type_of(s).axes.batch.then(|| found.source(s));
        let operands = model.inputs(f).iter().filter_map(|s| of(self, *s));
        let mut alike: Vec<usize> = operands.collect();
        // The static axis that a batch becomes, or that becomes one.
        let static_axis = match model.operator(f) {
            Operator::UnpackBatch => model.output_types(f).first(),
            Operator::ToBatch => model.inputs(f).first().map(|s| model.type_of(*s)),
            _ => None,
        };
        if let Some(Dim::Free(id)) = static_axis.and_then(|ty| ty.shape.first()) {
            alike.push(self.size(*id));
        }
        for ty in model.output_types(f).iter().filter(|ty| ty.axes.batch) {
            alike.push(self.source(Source::Output(f, 0)));
            alike.extend(ty.axes.sequence.map(|axis| self.axis(axis)));
        }
        for pair in alike.windows(2) {
            self.join(pair[0], pair[1]);
        }
    }

    fn join(&mut self, a: usize, b: usize) {
        self.same.join(a, b);
    }

    fn source(&self, source: Source) -> usize {
        match source {
            Source::Variable(_) => 0,
            Source::Output(f, _) => 1 + f.index(),
        }
    }

    fn axis(&self, axis: SequenceAxisId) -> usize {
        1 + self.functions + axis.index()
    }

    /// The place of a size that only the run tells.
    fn size(&mut self, id: u32) -> usize {
        let same = &mut self.same;
        *self.sizes.entry(id).or_insert_with(|| same.push())
    }

    fn at(&self, place: usize) -> Batch {
        Batch(self.same.parents[place] as u32)
    }

    /// The batch of a value that has one.
    pub(super) fn of(&self, source: Source) -> Batch {
        self.at(self.source(source))
    }

    /// The batch whose samples are the sequences of an axis.
    pub(super) fn of_axis(&self, axis: SequenceAxisId) -> Batch {
        self.at(self.axis(axis))
    }

    /// The batch that a static axis of free size was or becomes.
    pub(super) fn of_size(&self, id: u32) -> Option<Batch> {
        self.sizes.get(&id).map(|place| self.at(*place))
    }
}

/// Disjoint sets of places.
#[derive(Clone, Debug)]
struct Same {
    /// One nearer to the root, which leads to itself: the smallest of its set.
    parents: Vec<usize>,
}

impl Same {
    fn new(places: usize) -> Self {
        Self { parents: (0..places).collect() }
    }

    fn push(&mut self) -> usize {
        self.parents.push(self.parents.len());
        self.parents.len() - 1
    }

    /// Leads every place to its root at once. None leads to a larger one.
    fn settle(&mut self) {
        for i in 0..self.parents.len() {
            self.parents[i] = self.parents[self.parents[i]];
        }
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.shorten(a), self.shorten(b));
        self.parents[a.max(b)] = a.min(b);
    }

    /// The root; the way to it is halved.
    fn shorten(&mut self, mut place: usize) -> usize {
        while self.parents[place] != place {
            self.parents[place] = self.parents[self.parents[place]];
            place = self.parents[place];
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_has_the_smallest_place_as_root() {
        let mut same = Same::new(6);
        same.join(4, 5);
        same.join(5, 2);
        same.join(3, 1);
        same.settle();
        assert_eq!(same.parents, [0, 1, 2, 1, 2, 2]);
        let added = same.push();
        same.join(added, 0);
        same.join(4, added);
        same.settle();
        assert_eq!(same.parents, [0, 1, 0, 1, 0, 0, 0]);
    }
}

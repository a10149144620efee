//! Finds the values of each loop that the rest of the graph reads.

use crate::graph::Graph;
use cntk_parser::model::{FunctionId, LoopId, Source};
use std::collections::HashMap;

/// Values computed inside loops that are read outside: by a function, or as outputs of the model (`None`).
#[derive(Default)]
pub(super) struct Uses {
    of: HashMap<LoopId, Vec<(Source, Option<FunctionId>)>>,
}

impl Uses {
    pub(super) fn new(graph: &Graph<'_, '_>) -> Self {
        let mut of: HashMap<LoopId, Vec<_>> = HashMap::new();
        let mut add = |source: Source, reader: Option<FunctionId>| {
            let Source::Output(f, _) = source else { return };
            let Some(made) = graph.model.loop_of(f) else { return };
            if reader.and_then(|r| graph.model.loop_of(r)) != Some(made) {
                of.entry(made).or_default().push((source, reader));
            }
        };
        for f in graph.functions() {
            for source in graph.model.inputs(f) {
                add(*source, Some(f));
            }
        }
        for o in &graph.outputs {
            add(o.source, None);
        }
        Self { of }
    }

    /// The uses of one loop's values.
    pub(super) fn of(&self, id: LoopId) -> Vec<(Source, Option<FunctionId>)> {
        self.of.get(&id).cloned().unwrap_or_default()
    }
}

impl super::Lowering<'_, '_, '_> {
    /// The values of a loop that the rest of the graph reads, each with its reader.
    pub(super) fn uses_of(&mut self, id: LoopId) -> Vec<(Source, Option<FunctionId>)> {
        let graph = self.graph;
        self.recurrences.uses.get_or_insert_with(|| Uses::new(graph)).of(id)
    }
}

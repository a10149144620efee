//! The ONNX value of each CNTK value: a table by id for the main graph, and a map for each open loop body.

use super::Val;
use cntk_parser::model::{Model, Source};
use hashbrown::HashMap;

/// Values by source. A loop body sees the values bound outside of it, unless it binds the same source itself.
pub(crate) struct Values {
    variables: Vec<Option<Val>>,
    /// The first output of each function; nearly all have no other.
    outputs: Vec<Option<Val>>,
    further: HashMap<Source, Val>,
    bodies: Vec<HashMap<Source, Val>>,
}

impl Values {
    /// An empty table for `model`.
    pub(crate) fn new(model: &Model<'_>) -> Self {
        Self {
            variables: vec![None; model.variables.len()],
            outputs: vec![None; model.functions.len()],
            further: HashMap::new(),
            bodies: Vec::new(),
        }
    }

    /// The value of a source in the current scope.
    pub(crate) fn get(&self, source: Source) -> Option<Val> {
        self.bodies.iter().rev().find_map(|body| body.get(&source).copied()).or_else(|| match source {
            Source::Variable(v) => self.variables[v.index()],
            Source::Output(f, 0) => self.outputs[f.index()],
            Source::Output(..) => self.further.get(&source).copied(),
        })
    }

    /// Binds a source in the innermost open body.
    pub(crate) fn bind(&mut self, source: Source, value: Val) {
        match self.bodies.last_mut() {
            Some(body) => drop(body.insert(source, value)),
            None => self.bind_outside(source, value),
        }
    }

    /// Binds a source outside of all bodies.
    pub(crate) fn bind_outside(&mut self, source: Source, value: Val) {
        match source {
            Source::Variable(v) => self.variables[v.index()] = Some(value),
            Source::Output(f, 0) => self.outputs[f.index()] = Some(value),
            Source::Output(..) => drop(self.further.insert(source, value)),
        }
    }

    /// Opens a loop body.
    pub(crate) fn open(&mut self) {
        self.bodies.push(HashMap::new());
    }

    /// Closes the innermost loop body.
    pub(crate) fn close(&mut self) {
        self.bodies.pop();
    }
}

//! What things are called in the ONNX model: as in CNTK, and by the path of their layer where CNTK's names repeat.

use crate::graph::{Graph, paths::Paths};
use crate::onnx::graph::Origin;
use cntk_parser::model::{FunctionId, ValidatedModel, VariableId};
use hashbrown::HashMap;

/// Knows which of CNTK's names say what they mean.
pub(super) struct Naming<'m, 'a> {
    model: &'m ValidatedModel<'a>,
    paths: Paths<'m, 'a>,
    /// How many needed functions, and variables, have a name.
    count: HashMap<&'m str, u32>,
}

impl<'m, 'a> Naming<'m, 'a> {
    pub(super) fn new(graph: &Graph<'m, 'a>) -> Self {
        let model = graph.model;
        let mut count = HashMap::new();
        let functions = graph.functions().map(|f| model.function(f).name);
        let variables = model.model().variables.iter().map(|v| v.name);
        for name in functions.chain(variables).filter(|name| !name.is_empty()) {
            *count.entry(name).or_insert(0) += 1;
        }
        Self { model, paths: Paths::new(model), count }
    }

    /// Where nodes of a function come from.
    pub(super) fn origin(&self, f: FunctionId) -> Origin {
        Origin { path: self.paths.function(f), uid: self.model.function(f).uid.to_owned() }
    }

    /// A weight: its name or, where that is not the only one of its kind, its path; the uid where it has no name.
    pub(super) fn weight(&self, id: VariableId) -> String {
        let variable = self.model.variable(id);
        match variable.name {
            "" => variable.uid.to_owned(),
            name if self.is_single(name) => name.to_owned(),
            _ => self.paths.variable(id),
        }
    }

    /// The `i`th of so many values of a function: the function's name or path, or CNTK's uid of the value where the function
    /// has no name.
    pub(super) fn value(&self, f: FunctionId, i: usize, of: usize) -> String {
        let function = self.model.function(f);
        match function.name {
            "" => format!("{}_Output_{i}", function.uid),
            name if of == 1 && self.is_single(name) => name.to_owned(),
            _ if of == 1 => self.paths.function(f),
            _ => format!("{}_Output_{i}", self.paths.function(f)),
        }
    }

    fn is_single(&self, name: &str) -> bool {
        self.count.get(name) == Some(&1)
    }
}

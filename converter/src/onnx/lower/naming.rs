//! Names in the ONNX model: CNTK's names, preceded by the path of the layer where they are not unique.

use crate::graph::{Graph, paths::Paths};
use crate::onnx::graph::Origin;
use cntk_parser::model::{FunctionId, ValidatedModel, VariableId};
use hashbrown::HashMap;

/// Knows which of CNTK's names are unique.
pub(super) struct Naming<'m, 'a> {
    model: &'m ValidatedModel<'a>,
    paths: Paths<'m, 'a>,
    /// For each name, the number of needed functions and variables that have it.
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

    /// The origin of the nodes of a function.
    pub(super) fn origin(&self, f: FunctionId) -> Origin {
        Origin { path: self.paths.function(f), uid: self.model.function(f).uid.to_owned() }
    }

    /// The name of a weight: its CNTK name, or its path if that name is not unique, or its uid if it has no name.
    pub(super) fn weight(&self, id: VariableId) -> String {
        let variable = self.model.variable(id);
        match variable.name {
            "" => variable.uid.to_owned(),
            name if self.is_single(name) => name.to_owned(),
            _ => self.paths.variable(id),
        }
    }

    /// The name of value `i` of the `of` values of a function: the function's name or path, or the value's uid if the
    /// function has no name.
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

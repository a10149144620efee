//! Names of values, layers and parameters, from the names of nodes, blocks and parameters in the model but never from
//! uids.

use super::Lower;
use crate::pytorch::python::names::identifier;
use cntk_parser::model::{FunctionId, FunctionKind, VariableId};

impl Lower<'_, '_, '_> {
    /// The name of a function's value: that of the function, or of the block whose result it is.
    pub(crate) fn local_name(&self, f: FunctionId) -> Option<String> {
        let model = self.graph.model;
        let mut at = f;
        loop {
            if let Some(name) = identifier(model.function(at).name) {
                return Some(name);
            }
            let block = model.parent(at)?;
            match &model.function(block).kind {
                FunctionKind::Block(b) if b.root == model.function(at).uid => at = block,
                _ => return None,
            }
        }
    }

    /// The name of a function's layer: that of the innermost named block around it, else that of the function.
    pub(crate) fn layer_name(&self, f: FunctionId) -> Option<String> {
        let model = self.graph.model;
        let mut at = model.parent(f);
        while let Some(block) = at {
            if let Some(name) = identifier(model.function(block).name) {
                return Some(name);
            }
            at = model.parent(block);
        }
        if model.parent(f).is_some() { None } else { identifier(model.function(f).name) }
    }

    /// The name of a parameter. If it is not unique, the name of the layer that reads it comes before.
    pub(crate) fn parameter_name(&self, v: VariableId) -> Option<String> {
        let model = self.graph.model;
        let own = identifier(model.variable(v).name);
        let source = cntk_parser::model::Source::Variable(v);
        let layer = self.consumers.get(&source).and_then(|all| self.layer_name(*all.first()?));
        match (layer, own) {
            (Some(layer), Some(own)) if own.len() <= 5 => identifier(&format!("{layer}_{own}")),
            (Some(layer), None) => Some(layer),
            (_, own) => own,
        }
    }
}

//! What things are called: names of nodes, of the layer blocks around them, and of parameters. Never uids.

use super::Lower;
use crate::pytorch::python::names::identifier;
use cntk_parser::model::{FunctionId, FunctionKind, VariableId};

impl Lower<'_, '_, '_> {
    /// The name of a function's value: its own, or that of the block whose result it is.
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

    /// The name of the layer that a function belongs to: that of the innermost block around it that has one, else its own.
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

    /// The name of a parameter: its own, behind that of the layer which reads it where that is no name for one alone.
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

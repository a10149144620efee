//! Messages of values with their types.

use super::{
    names::Names,
    proto::{Dimension, Shape, Size, TensorType, Type, ValueInfo},
};
use crate::onnx::graph::{Dim, OnnxModel, Value, ValueId};

/// Builds the messages of values, one after another in the same memory.
pub(super) struct Infos<'m> {
    model: &'m OnnxModel,
    names: &'m Names<'m>,
    message: ValueInfo,
    /// The value whose type is in `message`. The next value often has the same.
    last: Option<&'m Value>,
}

impl<'m> Infos<'m> {
    pub(super) fn new(model: &'m OnnxModel, names: &'m Names<'m>) -> Self {
        Self { model, names, message: ValueInfo::default(), last: None }
    }

    /// Name, element type and shape of a value, of which the rank is always known.
    pub(super) fn of(&mut self, id: ValueId) -> &ValueInfo {
        let value = &self.model.values[id.0 as usize];
        if self.last.is_none_or(|last| last.elem != value.elem || last.dims != value.dims) {
            self.message.kind = Some(self.type_of(value));
            self.last = Some(value);
        }
        self.names.put(id, &mut self.message.name);
        self.message.doc_string.clear();
        self.message.doc_string.push_str(self.model.uids.get(&id).map_or("", String::as_str));
        &self.message
    }

    fn type_of(&self, value: &Value) -> Type {
        let dim = |dim: &Dim| {
            let size = match *dim {
                Dim::Known(n) => Size::Value(n.cast_signed()),
                Dim::Symbol(s) => Size::Symbol(self.model.symbols[s as usize].clone()),
            };
            Dimension { size: Some(size) }
        };
        let shape = Shape { dim: value.dims.iter().map(dim).collect() };
        Type { tensor: Some(TensorType { elem_type: value.elem as i32, shape: Some(shape) }) }
    }
}

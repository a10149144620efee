//! Values with their types.

use super::names::Names;
use crate::onnx::graph::{Dim, OnnxModel, Value, ValueId};
use onnx_protobuf::{
    TensorShapeProto, TypeProto, ValueInfoProto,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

/// Makes messages of values, one after another in the same memory.
pub(super) struct Infos<'m> {
    model: &'m OnnxModel,
    names: &'m Names<'m>,
    message: ValueInfoProto,
    /// The value whose type `message` has: often the next one's too.
    last: Option<&'m Value>,
}

impl<'m> Infos<'m> {
    pub(super) fn new(model: &'m OnnxModel, names: &'m Names<'m>) -> Self {
        Self { model, names, message: ValueInfoProto::default(), last: None }
    }

    /// Name, element type and shape of a value. The rank is always there.
    pub(super) fn of(&mut self, id: ValueId) -> &ValueInfoProto {
        let value = &self.model.values[id.0 as usize];
        if self.last.is_none_or(|last| last.elem != value.elem || last.dims != value.dims) {
            self.message.type_ = Some(self.type_of(value)).into();
            self.last = Some(value);
        }
        self.names.put(id, &mut self.message.name);
        &self.message
    }

    fn type_of(&self, value: &Value) -> TypeProto {
        let dim = |dim: &Dim| {
            let size = match *dim {
                Dim::Known(n) => dimension::Value::DimValue(n.cast_signed()),
                Dim::Symbol(s) => dimension::Value::DimParam(self.model.symbols[s as usize].clone()),
            };
            Dimension { value: Some(size), ..Dimension::default() }
        };
        let shape = TensorShapeProto { dim: value.dims.iter().map(dim).collect(), ..TensorShapeProto::default() };
        let elem_type = value.elem as i32;
        let tensor = type_proto::Tensor { elem_type, shape: Some(shape).into(), ..type_proto::Tensor::default() };
        TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() }
    }
}

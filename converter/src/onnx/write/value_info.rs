//! Values with their types.

use super::names::Names;
use crate::onnx::graph::{Dim, OnnxModel, ValueId};
use onnx_protobuf::{
    TensorShapeProto, TypeProto, ValueInfoProto,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

/// Name, element type and shape of a value. The rank is always there.
pub(super) fn value_info(model: &OnnxModel, names: &Names<'_>, id: ValueId) -> ValueInfoProto {
    let value = &model.values[id.0 as usize];
    let dim = |dim: &Dim| {
        let size = match *dim {
            Dim::Known(n) => dimension::Value::DimValue(n.cast_signed()),
            Dim::Symbol(s) => dimension::Value::DimParam(model.symbols[s as usize].clone()),
        };
        Dimension { value: Some(size), ..Dimension::default() }
    };
    let shape = TensorShapeProto { dim: value.dims.iter().map(dim).collect(), ..TensorShapeProto::default() };
    let tensor =
        type_proto::Tensor { elem_type: value.elem as i32, shape: Some(shape).into(), ..type_proto::Tensor::default() };
    let type_ = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    ValueInfoProto { name: names.owned(id), type_: Some(type_).into(), ..ValueInfoProto::default() }
}

//! ONNX Runtime, loaded from its shared library.

use anyhow::{Result, anyhow};
use cntk2onnx::{ElemType, internals::evidence::Array};
use ort::{
    session::Session,
    value::{DynValue, Tensor},
};
use std::{collections::HashMap, path::Path};

/// An output: shape and numbers.
pub type Made = HashMap<String, (Vec<usize>, Vec<f64>)>;

/// Loads the library for the whole process.
pub fn load(library: &Path) -> Result<()> {
    ort::init_from(library).map_err(|e| anyhow!("{}: {e}", library.display()))?.commit();
    Ok(())
}

/// Runs a model on the arrays that are its inputs.
pub fn run(onnx: &[u8], arrays: &[(String, Array)]) -> Result<Made, String> {
    let session = Session::builder().and_then(|b| Ok(b.with_intra_threads(1)?.with_inter_threads(1)?));
    let mut session = session.and_then(|mut b| b.commit_from_memory(onnx)).map_err(|e| e.to_string())?;
    let mut given: Vec<(String, DynValue)> = Vec::new();
    for input in session.inputs() {
        let found = arrays.iter().find(|(name, _)| name == input.name());
        let (name, array) = found.ok_or_else(|| format!("no array for {}", input.name()))?;
        given.push((name.clone(), tensor(array).map_err(|e| e.to_string())?));
    }
    let outputs = session.run(given).map_err(|e| e.to_string())?;
    let numbers = outputs.iter().map(|(name, value)| Some((name.to_owned(), extracted(&value)?)));
    numbers.collect::<Option<Made>>().ok_or_else(|| "an output of another type".to_owned())
}

fn tensor(array: &Array) -> ort::Result<DynValue> {
    let shape: Vec<i64> = array.dims.iter().map(|n| n.cast_signed()).collect();
    let values = array.numbers();
    Ok(match array.elem {
        ElemType::Double => Tensor::from_array((shape, values))?.into_dyn(),
        ElemType::Int64 => {
            Tensor::from_array((shape, values.iter().map(|x| *x as i64).collect::<Vec<_>>()))?.into_dyn()
        }
        ElemType::Float16 => {
            Tensor::from_array((shape, values.iter().map(|x| half::f16::from_f64(*x)).collect::<Vec<_>>()))?.into_dyn()
        }
        _ => Tensor::from_array((shape, values.iter().map(|x| *x as f32).collect::<Vec<_>>()))?.into_dyn(),
    })
}

fn extracted(value: &ort::value::ValueRef<'_>) -> Option<(Vec<usize>, Vec<f64>)> {
    let sizes = |shape: &ort::value::Shape| shape.iter().map(|n| usize::try_from(*n).unwrap_or(0)).collect();
    if let Ok((shape, values)) = value.try_extract_tensor::<f32>() {
        return Some((sizes(shape), values.iter().map(|x| f64::from(*x)).collect()));
    }
    if let Ok((shape, values)) = value.try_extract_tensor::<f64>() {
        return Some((sizes(shape), values.to_vec()));
    }
    if let Ok((shape, values)) = value.try_extract_tensor::<half::f16>() {
        return Some((sizes(shape), values.iter().map(|x| x.to_f64()).collect()));
    }
    let (shape, values) = value.try_extract_tensor::<i64>().ok()?;
    Some((sizes(shape), values.iter().map(|x| *x as f64).collect()))
}

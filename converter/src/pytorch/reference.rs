//! `reference.safetensors`: inputs to try the module with. The tool has no evaluator of its own, so no outputs.

use super::emit::Emission;
use super::safetensors::Tensor;
use crate::onnx::graph::{Data, ElemType};
use cntk_parser::model::{DataType, Dim, Source};

/// Samples, steps of the longest sequence, and the size of a free dimension.
const SAMPLES: u64 = 2;
const STEPS: u64 = 4;
const FREE: u64 = 16;
/// No input is larger: such a model is tried by its user.
const LARGEST: u64 = 1 << 22;

pub(super) fn inputs(e: &Emission<'_, '_, '_, '_>) -> Vec<Tensor> {
    let model = e.lower.graph.model;
    let mut all = Vec::new();
    let mut seed = 1u64;
    for (a, name) in e.lower.graph.arguments.iter().zip(&e.lower.arguments) {
        let ty = model.type_of(Source::Variable(a.variable));
        let mut dims = Vec::new();
        if ty.axes.batch {
            dims.push(SAMPLES);
        }
        if ty.axes.sequence.is_some() {
            dims.push(STEPS);
        }
        dims.extend(ty.shape.iter().map(|d| if let Dim::Known(n) = d { *n } else { FREE }));
        let Some(count) = dims.iter().try_fold(1u64, |n, d| n.checked_mul(*d)).filter(|n| *n <= LARGEST) else {
            return Vec::new();
        };
        let elem = match ty.data_type {
            DataType::Double => ElemType::Double,
            DataType::Float16 => ElemType::Float16,
            _ => ElemType::Float,
        };
        let mut bytes = Vec::new();
        for _ in 0..count {
            // A linear congruential generator; its upper bits as a number from 0 to 1.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            elem.encode((seed >> 40) as f64 / f64::from(1u32 << 24), &mut bytes);
        }
        all.push(Tensor { name: format!("input.{name}"), elem, dims, data: Data::Owned(bytes) });
    }
    for l in e.lower.lengths.iter().filter(|_| !e.lower.equal_lengths) {
        let mut bytes = Vec::new();
        [STEPS, STEPS - 1].iter().for_each(|n| ElemType::Int64.encode(*n as f64, &mut bytes));
        let data = Data::Owned(bytes);
        all.push(Tensor { name: format!("input.{}", l.name), elem: ElemType::Int64, dims: vec![SAMPLES], data });
    }
    all
}

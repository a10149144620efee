//! `reference.safetensors` of a module without expected numbers, neither recorded nor evaluated: inputs to try it with.

use super::interface::{Interface, Size};
use super::safetensors::Tensor;
use crate::weights::{Data, ElemType};

/// The number of samples.
const SAMPLES: u64 = 2;
const STEPS: u64 = 4;
const FREE: u64 = 16;
/// The most elements of an input. A model with larger ones gets no inputs.
const LARGEST: u64 = 1 << 22;

pub(super) fn made_up(interface: &Interface) -> Vec<Tensor> {
    let mut all = Vec::new();
    let mut seed = 1u64;
    for port in &interface.inputs {
        let sizes = port.sizes.iter().map(|s| match s {
            Size::Batch | Size::OtherBatch => SAMPLES,
            Size::Steps(_) => STEPS,
            Size::Known(n) => *n,
            Size::Free(_) => FREE,
        });
        let dims: Vec<u64> = sizes.collect();
        let Some(count) = dims.iter().try_fold(1u64, |n, d| n.checked_mul(*d)).filter(|n| *n <= LARGEST) else {
            return Vec::new();
        };
        let mut bytes = Vec::new();
        for _ in 0..count {
            // A linear congruential generator; its upper bits as a number from 0 to 1.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = (seed >> 40) as f64 / f64::from(1u32 << 24);
            port.elem.encode(port.classes.map_or(number, |n| (number * n as f64).floor()), &mut bytes);
        }
        let name = format!("input.{}", port.argument);
        all.push(Tensor { name, elem: port.elem, dims, data: Data::Owned(bytes) });
    }
    for (_, argument) in &interface.lengths {
        all.push(counts(format!("input.{argument}"), &[STEPS, STEPS - 1]));
    }
    all
}

/// Valid steps of each sample.
pub(super) fn counts(name: String, steps: &[u64]) -> Tensor {
    let bytes = steps.iter().flat_map(|n| n.to_le_bytes()).collect();
    Tensor { name, elem: ElemType::Int64, dims: vec![steps.len() as u64], data: Data::Owned(bytes) }
}

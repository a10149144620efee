//! PyTorch: a valid model gives a sound module with the weights that it names, or a refusal with reasons.

use super::convert::{self, BOUND};
use super::{digest, validate};
use crate::meter::within;
use crate::python;
use cntk_parser::ModelFile;
use cntk_parser::model::ValidatedModel;
use cntk2onnx::pytorch::safetensors::{self, Tensor};
use cntk2onnx::pytorch::{PyTorchOptions, convert_pytorch, convert_safetensors};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// Parses, validates and converts `data`, then reads every file of the result.
pub fn run(data: &[u8]) {
    let choice = digest(data);
    let file = ModelFile::new(data);
    let Some(model) = validate::validated(&file, choice | 1 << 8).and_then(|found| found.model) else { return };
    converted(&model, data, choice);
    if choice & 7 << 24 == 0
        && let Ok(tensors) = convert_safetensors(&model)
    {
        held(&tensors, data);
    }
}

/// Converts a model and checks the result; did it convert?
pub fn converted(model: &ValidatedModel<'_>, source: &[u8], choice: u64) -> bool {
    let options = convert::options(choice);
    let own = PyTorchOptions::default().name("fuzzed").stub(choice & 1 << 23 != 0);
    let made = || within(BOUND, source, || convert_pytorch(model, &options, &own));
    let conversion = match made() {
        Ok(conversion) => conversion,
        Err(refusal) => {
            assert!(!refusal.reasons.is_empty() && refusal.reasons.iter().all(|r| !r.reason.is_empty()));
            return false;
        }
    };
    let module = python::check(&conversion.module);
    python::check(&conversion.test);
    let report: serde_json::Value = serde_json::from_str(&conversion.report).expect("a report is JSON");
    let listed: HashSet<&str> =
        report["parameters"].as_array().expect("parameters").iter().filter_map(|p| p["key"].as_str()).collect();
    let keys = held(&conversion.weights, source);
    assert_eq!(listed, keys.iter().map(String::as_str).collect(), "the report lists the weights");
    let members = &module[report["class"].as_str().expect("a class")];
    for key in &keys {
        let member = key.split('.').next().expect("a part");
        assert!(members.contains(member), "{key} is a weight of nothing");
    }
    held(&conversion.reference, source);
    if choice.is_multiple_of(16) {
        let again = made().expect("equal input, equal output");
        assert_eq!((again.module, again.test, again.report), (conversion.module, conversion.test, conversion.report));
    }
    true
}

/// The keys of a safetensors file of these tensors, once its reference implementation has read it.
pub fn held(tensors: &[Tensor], source: &[u8]) -> HashSet<String> {
    let mut bytes = Vec::new();
    safetensors::write(tensors, &[], source, &mut bytes, &mut |_| ControlFlow::Continue(()))
        .expect("memory takes every byte");
    assert_eq!(bytes.len() as u64, safetensors::length(tensors, &[]), "the length was known before");
    let read = ::safetensors::SafeTensors::deserialize(&bytes).expect("sound safetensors");
    assert_eq!(read.len(), tensors.len(), "two tensors of one name");
    read.names().into_iter().map(str::to_owned).collect()
}

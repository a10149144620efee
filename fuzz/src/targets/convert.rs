//! Convert: a valid model gives ONNX that another reader finds sound, or a refusal with reasons.

use super::{digest, validate};
use crate::meter::{Bound, within};
use crate::onnx;
use cntk_parser::ModelFile;
use cntk_parser::model::ValidatedModel;
use cntk2onnx::internals::onnx::OnnxModel;
use cntk2onnx::{Options, Outputs, Refusal, Weights, Writer};
use std::ops::ControlFlow;

/// Every function may become several nodes with names of their own; a few list up to 2^20 computed numbers.
pub const BOUND: Bound = Bound { factor: 512, constant: 32 << 20, nanoseconds: 40_000 };

/// Parses, validates, converts and writes `data`, then reads the result.
pub fn run(data: &[u8]) {
    let choice = digest(data);
    let file = ModelFile::new(data);
    let Some(model) = validate::validated(&file, choice | 1 << 8).and_then(|found| found.model) else { return };
    let options = options(choice);
    let Ok(bytes) = converted(&model, data, &options) else { return };
    onnx::check(&bytes, options.opset);
    if choice.is_multiple_of(16) {
        assert!(converted(&model, data, &options).is_ok_and(|again| again == bytes), "equal input, equal output");
    }
}

/// Options that a number chooses.
pub fn options(choice: u64) -> Options {
    let opsets = Options::OPSETS;
    Options::default()
        .opset(opsets.start() + (choice >> 12) as i64 % (opsets.end() - opsets.start() + 1))
        .outputs(if choice & 1 << 20 == 0 { Outputs::Inference } else { Outputs::All })
        .keep_sequence_axis(choice & 1 << 21 != 0)
        .equal_lengths(choice & 1 << 22 != 0)
}

/// The ONNX bytes of a model.
///
/// # Errors
///
/// The converter's refusal, checked to give a reason.
pub fn converted(model: &ValidatedModel<'_>, source: &[u8], options: &Options) -> Result<Vec<u8>, Refusal> {
    let conversion = match within(BOUND, source, || cntk2onnx::convert(model, options)) {
        Ok(conversion) => conversion,
        Err(refusal) => {
            assert!(!refusal.reasons.is_empty() && refusal.reasons.iter().all(|r| !r.reason.is_empty()));
            return Err(refusal);
        }
    };
    assert_eq!(conversion.summary.outputs.len(), conversion.onnx.outputs.len());
    Ok(written(&conversion.onnx, source))
}

fn written(model: &OnnxModel, source: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer =
        Writer::new(model, source, Weights::Embed { side: "side.data" }).expect("a model that can be written");
    let length = writer.model_length();
    writer
        .write_model(&mut bytes, &mut |_| ControlFlow::Continue(()), || Ok(Vec::new()))
        .expect("memory takes every byte");
    assert_eq!(bytes.len() as u64, length, "the length was known before");
    bytes
}

//! Generated: what is valid by construction is found valid, gets the types that it must have, and converts.

use super::{convert, digest, pytorch};
use crate::generate::{Generated, Options, generate};
use crate::onnx;
use arbitrary::Unstructured;
use cntk_parser::model::{Dim, ValidatedModel};
use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};

/// Makes a model of `data`, and takes it through everything.
pub fn run(data: &[u8]) {
    let generated = generate(&mut Unstructured::new(data), Options::default());
    let bytes = generated.file.encode();
    let file = ModelFile::new(&bytes);
    let model = parse(&file, &Limits::default()).unwrap_or_else(|e| panic!("a valid model is refused: {e}"));
    let found = validate(model, &ValidateOptions::default());
    let Some(model) = found.model else {
        panic!("a valid model has errors: {:?}\nof {:?}", found.findings, generated.operators)
    };
    types(&model, &generated);
    let choice = digest(data);
    pytorch::converted(&model, &bytes, choice);
    let options = convert::options(choice);
    match convert::converted(&model, &bytes, &options) {
        Ok(bytes) => onnx::check(&bytes, options.opset),
        Err(refusal) => assert!(generated.refusable || known(&refusal.to_string()), "refused: {refusal}"),
    }
}

/// Every value has the type that it was made to have.
fn types(model: &ValidatedModel<'_>, generated: &Generated) {
    for value in &generated.values {
        let found = model.find(&value.uid).unwrap_or_else(|| panic!("{} is not found", value.uid));
        let found = model.type_of(found.source);
        let dims: Vec<Option<u64>> = found.shape.iter().copied().map(Dim::known).collect();
        assert_eq!(dims, value.shape, "the shape of {value:?}");
        assert_eq!(found.axes.batch, value.batch, "the batch axis of {value:?}");
        assert_eq!(found.axes.sequence.is_some(), value.sequence.is_some(), "the sequence axis of {value:?}");
        let elem = crate::tree::data_type(found.data_type);
        assert_eq!(elem as u64, value.elem, "the element type of {value:?}");
    }
}

/// What valid models ask for that has no ONNX form, or none yet; each is in the op table.
fn known(refusal: &str) -> bool {
    const REASONS: [&str; 2] = ["is not a sequence operator", "a window lies beyond the operand"];
    refusal.lines().all(|line| REASONS.iter().any(|reason| line.contains(reason)))
}

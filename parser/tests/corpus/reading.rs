//! Every real model parses, and every operator's attributes decode.

use crate::support;
use cntk_parser::Limits;
use cntk_parser::ops::Operator;

#[test]
fn real_models_parse_without_a_complaint() {
    let mut wrong = Vec::new();
    for folder in ["ops", "zoo", "v1"] {
        for case in support::cases(folder) {
            let name = &case.name;
            match cntk_parser::parse(&cntk_parser::ModelFile::new(&case.bytes), &Limits::default()) {
                Err(error) => wrong.push(format!("{name}: {error}")),
                Ok(model) => {
                    let told = |w: &&cntk_parser::Finding| !matches!(w.rule, "v1.ignored" | "v1.quantized");
                    wrong.extend(
                        model.warnings.iter().filter(told).map(|w| format!("{name}: {}: {}", w.path, w.message)),
                    );
                    for (index, function) in model.functions.iter().enumerate() {
                        if let Err(errors) = Operator::decode(function, index) {
                            wrong.extend(errors.iter().map(|e| format!("{name}: {e}")));
                        }
                    }
                    check_ranges(&case.bytes, &model, name);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} complaints:\n{}", wrong.len(), wrong.join("\n"));
}

/// Tensor data and structure together are the file.
fn check_ranges(bytes: &[u8], model: &cntk_parser::model::Model<'_>, name: &str) {
    let mut last = 0;
    let mut tensors = 0;
    for range in model.tensor_ranges() {
        assert!(last <= range.start && range.start < range.end && range.end <= bytes.len() as u64, "{name}: {range:?}");
        last = range.end;
        tensors += range.end - range.start;
    }
    let structure: usize = model.structure().map(<[u8]>::len).sum();
    assert_eq!(structure as u64 + tensors, bytes.len() as u64, "{name}");
}

/// Whatever is cut off, it is an error and not a panic; the error stands inside the file.
#[test]
fn every_prefix_of_a_model_is_refused() {
    for case in
        support::cases("hostile").iter().filter(|c| c.name.starts_with("control_") || c.name == "container_good")
    {
        for end in (0..case.bytes.len()).step_by(if cfg!(debug_assertions) { 5 } else { 1 }) {
            let error =
                cntk_parser::parse(&cntk_parser::ModelFile::new(&case.bytes[..end]), &Limits::default()).unwrap_err();
            assert!(error.offset() <= end as u64, "{} cut at {end}: {error}", case.name);
        }
    }
}

#[test]
fn a_checkpoint_is_named() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus/zoo/checkpoint_adam.model.ckp");
    let bytes = std::fs::read(path).unwrap();
    let error = cntk_parser::parse(&cntk_parser::ModelFile::new(&bytes), &Limits::default()).unwrap_err();
    assert_eq!((error.code(), error.offset()), ("file.checkpoint", 0));
    assert!(error.hint().unwrap().contains("without `.ckp`"));
}

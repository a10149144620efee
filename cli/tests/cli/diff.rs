//! `diff`, and `validate --against`.

use super::tool::{Folder, corpus};
use cntk_parser::{Limits, ModelFile};
use std::fs;

/// The corpus's model with one float of its largest tensor changed.
fn altered(bytes: &[u8], value: f32) -> Vec<u8> {
    let file = ModelFile::new(bytes);
    let model = cntk_parser::parse(&file, &Limits::default()).unwrap();
    let tensor = model.tensor_ranges().iter().max_by_key(|r| r.end - r.start).unwrap();
    let at = usize::try_from(tensor.start).unwrap() + 4 * 1000;
    let mut altered = bytes.to_vec();
    altered[at..at + 4].copy_from_slice(&value.to_le_bytes());
    altered
}

#[test]
fn a_model_equals_itself() {
    let folder = Folder::with_model();
    folder.write("same.model", &folder.read("m.model"));
    let run = folder.run(&["diff", "m.model", "same.model"]).done();
    assert!(run.out().starts_with("equal: interface, structure, and "), "{}", run.out());
    folder.run(&["validate", "m.model", "--against", "same.model"]).done();
}

#[test]
fn one_changed_float_is_found_and_named() {
    let folder = Folder::with_model();
    folder.write("b.model", &altered(&folder.read("m.model"), 123.5));
    let run = folder.run(&["diff", "m.model", "b.model", "--format", "json"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let report: serde_json::Value = serde_json::from_str(&run.out()).unwrap();
    assert_eq!(report["equal"], false);
    assert!(report["interface"].as_array().unwrap().is_empty() && report["structure"].as_array().unwrap().is_empty());
    let weights = report["weights"].as_array().unwrap();
    assert_eq!(weights.len(), 1);
    let numbers = &weights[0]["numbers"];
    assert_eq!((numbers["changed"].as_u64(), numbers["new_nan"].as_u64()), (Some(1), Some(0)));
    let change = numbers["largest_change"].as_f64().unwrap();
    assert!((122.0..125.0).contains(&change), "{change}");
    assert_eq!(numbers["first_changed"], numbers["largest_at"]);

    let run = folder.run(&["validate", "b.model", "--against", "m.model"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("1 of "), "{}", run.stderr);
    // Without a model to compare with, it is still unlike all others.
    let run = folder.run(&["validate", "b.model", "--scan-weights"]).done();
    assert!(run.out().contains("[data.isolated]"), "{}", run.out());
    let run = folder.run(&["validate", "m.model", "--scan-weights"]).done();
    assert!(!run.out().contains("[data."), "{}", run.out());
    folder.write("nan.model", &altered(&folder.read("m.model"), f32::NAN));
    let run = folder.run(&["diff", "m.model", "nan.model"]);
    assert!(run.out().contains("1 new NaN"), "{}", run.out());
}

#[test]
fn structure_is_compared_function_by_function() {
    let folder = Folder::new();
    for kind in ["average", "max"] {
        let name = format!("ops/doctest__cntk_layers_layers_{kind}pooling__0.model");
        fs::copy(corpus(&name), folder.path(&format!("{kind}.model"))).unwrap();
    }
    let run = folder.run(&["diff", "average.model", "max.model"]);
    assert_eq!(run.out(), "structure:\n  changed kind of Pooling \"Pooling263\": \"Average\" became \"Max\"\n");
    fs::copy(corpus("zoo/alexnet_small.model"), folder.path("a.model")).unwrap();
    let run = folder.run(&["diff", "a.model", "max.model"]);
    assert_eq!(run.code, Some(1));
    let text = run.out();
    assert!(text.contains("interface:") && text.contains("removed Convolution"), "{text}");
    folder.write("broken.model", b"nothing");
    folder.run(&["diff", "a.model", "broken.model"]).fails(1, "broken.model");
    folder.run(&["diff", "a.model", "absent.model"]).fails(2, "absent.model");
}

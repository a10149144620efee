//! The inferred types are those that CNTK recorded, for every model of the corpus.

use crate::support;
use cntk_parser::model::{DataType, Dim, ValueType};
use cntk_parser::{Limits, ModelFile, Severity, ValidateOptions, parse, validate};
use serde_json::Value;

/// What is wrong with a case.
fn check(bytes: &[u8], label: &Value) -> Vec<String> {
    let file = ModelFile::new(bytes);
    let parsed = match parse(&file, &Limits::default()) {
        Ok(parsed) => parsed,
        Err(error) => return vec![error.to_string()],
    };
    let mut options = ValidateOptions::default();
    options.allow_udf = label["udf"] == true;
    let validation = validate(parsed, &options);
    let mut wrong: Vec<String> = (validation.findings.iter())
        .filter(|f| std::env::var_os("WARNINGS").is_some() || f.severity == Severity::Error)
        .map(|f| format!("{} {:?} {}: {}", f.rule, f.severity, f.path, f.message))
        .collect();
    let Some(model) = validation.model else { return wrong };
    if label["udf"] == true {
        // What a user-defined function returns is not in the file.
        return wrong;
    }
    for (label, is_input) in [("inputs", true), ("outputs", false)]
        .iter()
        .flat_map(|(key, is_input)| label[*key].as_array().into_iter().flatten().map(move |value| (value, *is_input)))
    {
        // The nodes of a real v1 file have no uids: CNTK makes them up.
        let recorded_uid = label["uid"].as_str().unwrap();
        let name = label["name"].as_str().unwrap();
        let found = model.find(recorded_uid).or_else(|| model.find(name));
        let uid = found.as_ref().map_or(recorded_uid, |found| &found.uid).to_owned();
        let uid = uid.as_str();
        let Some(found) = found else {
            wrong.push(format!("{uid} is not found"));
            continue;
        };
        if !is_input && !model.outputs().iter().any(|o| o.uid == uid && o.name == name) {
            let names: Vec<_> = model.outputs().iter().map(|o| (&o.uid, &o.name)).collect();
            wrong.push(format!("{uid} ({}) is not among the outputs {names:?}", label["name"]));
        }
        if label["shape"].is_null() || label["dynamic_axes"].is_null() {
            continue;
        }
        let (mine, theirs) = (show(model.type_of(found.source)), recorded(label));
        if mine != theirs {
            wrong.push(format!("{uid} is {mine}, not {theirs}"));
        }
    }
    if model.outputs().len() != label["outputs"].as_array().map_or(0, Vec::len) && label["outputs"].is_array() {
        wrong.push(format!("{} outputs", model.outputs().len()));
    }
    wrong
}

fn show(value: &ValueType) -> String {
    let dims: Vec<i64> = value.shape.iter().map(|d| if let Dim::Known(n) = d { *n as i64 } else { -1 }).collect();
    let data_type = match value.data_type {
        DataType::Float => "float32",
        DataType::Double => "float64",
        DataType::Float16 => "float16",
        _ => "other",
    };
    let axes = [("batch", value.axes.batch), ("sequence", value.axes.sequence.is_some())];
    let axes: Vec<&str> = axes.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
    format!("{data_type} {dims:?} {axes:?}")
}

fn recorded(label: &Value) -> String {
    let dims: Vec<i64> = label["shape"].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).collect();
    let axes: Vec<&str> = label["dynamic_axes"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
    format!("{} {dims:?} {axes:?}", label["dtype"].as_str().unwrap())
}

#[test]
fn every_recorded_type_is_inferred() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for folder in ["ops", "zoo", "attributes", "v1"] {
        for case in support::cases(folder) {
            cases += 1;
            if case.name.contains("test_op_convolution_without_padding") {
                // Recorded after the first evaluation had fixed the inferred dimensions.
                continue;
            }
            if case.name.starts_with("slice_free_axis") && case.name.contains("begin_negative") {
                // CNTK leaves the size free, though both ends count from the end of the axis.
                continue;
            }
            wrong.extend(check(&case.bytes, &case.label).into_iter().map(|w| format!("{folder}/{}: {w}", case.name)));
        }
    }
    assert!(cases > 500, "{cases} cases");
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
}

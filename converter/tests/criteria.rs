//! Which outputs are left out by default, and what is said of it.

use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
use cntk2onnx::{Options, convert};
use std::path::Path;

/// The names of the outputs that stay, what is left out, and what is warned of.
fn selection(case: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(case).with_extension("model");
    let bytes = std::fs::read(path).unwrap();
    let file = ModelFile::new(&bytes);
    let model = validate(parse(&file, &Limits::default()).unwrap(), &ValidateOptions::default()).model.unwrap();
    let summary = convert(&model, &Options::default()).unwrap().summary;
    (summary.outputs.into_iter().map(|port| port.name).collect(), summary.dropped, summary.warnings)
}

#[test]
fn custom_losses_and_metrics_are_told_by_their_labels() {
    for (case, prediction, label) in [
        ("attributes/criterion_custom", "z", "the input label"),
        ("attributes/criterion_custom_scalar", "value", "the input target"),
        ("attributes/criterion_weighted", "z", "the inputs label and weight"),
        ("attributes/criterion_q_taken", "z", "the inputs action and weight"),
    ] {
        let (outputs, dropped, warnings) = selection(case);
        assert_eq!(outputs, [prediction], "{case}");
        assert!(warnings.is_empty(), "{case}: {warnings:?}");
        for why in dropped {
            assert!(why.contains(&format!("compares {prediction} (")) && why.contains(label), "{case}: {why}");
        }
    }
}

#[test]
fn a_prediction_from_another_and_an_input_is_no_criterion() {
    let (outputs, dropped, warnings) = selection("attributes/criterion_not_cascade");
    assert_eq!((outputs.len(), dropped.len(), warnings.len()), (2, 0, 0), "{outputs:?}");
}

#[test]
fn where_only_criteria_are_left_the_prediction_is_named() {
    for case in ["attributes/criterion_alone", "attributes/criterion_custom_alone"] {
        let (outputs, dropped, warnings) = selection(case);
        assert_eq!((outputs.len(), dropped.len()), (2, 0), "{case}");
        assert!(warnings.iter().any(|w| w.contains("the prediction may be z (--outputs z)")), "{case}: {warnings:?}");
    }
}

#[test]
fn what_the_file_lists_counts() {
    for (case, why) in [
        ("v1/v1_listed_outputs_12", "aside (aside_Output_0): the file does not list it among the outputs"),
        ("v1/v1_listed_evaluation_12", "aside (aside_Output_0): the file lists it as a criterion"),
    ] {
        let (outputs, dropped, _) = selection(case);
        assert_eq!((outputs, dropped), (vec!["z".to_owned()], vec![why.to_owned()]), "{case}");
    }
    // CNTK 2 lists one output of several.
    assert_eq!(selection("v1/asr_mlp_mean_std").0.len(), 2);
}

#[test]
fn values_that_no_input_changes_are_left_out() {
    let (outputs, dropped, _) = selection("v1/v1_statistics_12");
    assert_eq!(outputs, ["z"]);
    assert!(
        dropped.len() == 2 && dropped.iter().all(|why| why.ends_with("it is the same for all inputs")),
        "{dropped:?}"
    );
}

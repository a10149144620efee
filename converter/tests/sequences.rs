//! What the interface of a converted model says about sequences, and which operators recurrences become.

use cntk_parser::ops::Op;
use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
use cntk2onnx::internals::onnx::{Attribute, Dim, ElemType, Node, OnnxModel, ValueId};
use cntk2onnx::{Options, Outputs};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

fn convert(name: &str, options: &Options) -> OnnxModel {
    let path = corpus().join(name).with_extension("model");
    let bytes = std::fs::read(&path).expect("the corpus has the model");
    let file = ModelFile::new(&bytes);
    let model = parse(&file, &Limits::default()).expect("the model is well-formed");
    let model = validate(model, &ValidateOptions::default()).model.expect("the model is valid");
    cntk2onnx::convert(&model, options).unwrap_or_else(|refusal| panic!("{name}: {refusal}")).onnx
}

fn all() -> Options {
    Options::default().outputs(Outputs::All)
}

/// How many nodes of each operator, bodies of loops included.
fn operators(model: &OnnxModel) -> BTreeMap<&'static str, usize> {
    let mut count = BTreeMap::new();
    let mut stack: Vec<&Node> = model.nodes.iter().collect();
    while let Some(node) = stack.pop() {
        *count.entry(node.op).or_default() += 1;
        for (_, attribute) in &node.attributes {
            if let Attribute::Graph(body) = attribute {
                stack.extend(&body.nodes);
            }
        }
    }
    count
}

fn recurrent(model: &OnnxModel) -> [usize; 4] {
    let count = operators(model);
    ["LSTM", "GRU", "RNN", "Scan"].map(|op| count.get(op).copied().unwrap_or(0))
}

fn names(model: &OnnxModel, ids: &[ValueId]) -> Vec<String> {
    ids.iter().map(|id| model.values[id.0 as usize].name.clone().unwrap_or_default()).collect()
}

/// The dimensions of a value as text.
fn dims(model: &OnnxModel, id: ValueId) -> Vec<String> {
    let text = |d: &Dim| match d {
        Dim::Known(n) => n.to_string(),
        Dim::Symbol(s) => model.symbols[*s as usize].clone(),
    };
    model.values[id.0 as usize].dims.iter().map(text).collect()
}

fn lengths(names: Vec<String>) -> Vec<String> {
    names.into_iter().filter(|n| n.ends_with("_lengths")).collect()
}

#[test]
fn layers_of_the_zoo_are_one_operator_each_and_other_loops_one_scan() {
    for (name, expected) in [
        ("actor_critic_lstm", [1, 0, 0, 0]),
        // The runtime has no double kernel.
        ("float64_recurrent", [0, 0, 0, 1]),
        ("generator_unfold_thought", [0, 1, 0, 1]),
        ("gru_tagger", [0, 1, 0, 0]),
        ("lookahead_delay_window", [0, 0, 1, 0]),
        ("lstm_timeseries_106a", [1, 0, 0, 0]),
        ("ornn_gru", [0, 1, 0, 0]),
        ("ornn_lstm_bi_two", [2, 0, 0, 0]),
        ("ornn_lstm_bidirectional", [1, 0, 0, 0]),
        ("ornn_tanh_bidirectional_two", [0, 0, 2, 0]),
        ("ornn_tanh_two", [0, 0, 2, 0]),
        ("rnnstep_relu_classifier", [0, 0, 1, 0]),
        ("s2s_attention_model", [1, 0, 0, 1]),
        ("s2s_thought_vector", [2, 0, 0, 0]),
        ("seqclass_birnn_fold", [0, 2, 0, 0]),
        ("sequence_filter_gather", [0, 1, 0, 0]),
        ("slu_bidirectional_bn_criterion", [0, 2, 0, 0]),
        ("slu_tagger_202", [1, 0, 0, 0]),
        ("video_frames_cnn_lstm", [1, 0, 0, 0]),
        ("wavenet_pastvalue", [0, 0, 0, 0]),
        ("word_lm_peephole_projection", [2, 0, 0, 0]),
    ] {
        assert_eq!(recurrent(&convert(&format!("zoo/{name}"), &all())), expected, "{name}");
    }
}

#[test]
fn every_loop_of_the_corpus_is_one_operator() {
    let folder = corpus().join("attributes");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus has the folder").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|e| e != "model") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("readable");
        let file = ModelFile::new(&bytes);
        let model = parse(&file, &Limits::default()).expect("well-formed");
        let Some(model) = validate(model, &ValidateOptions::default()).model else { continue };
        let Ok(done) = cntk2onnx::convert(&model, &all()) else { continue };
        // Negative samples of sequences are found by packing them into rows, in a loop of its own.
        let packed = usize::from(!lengths(names(&done.onnx, &done.onnx.inputs)).is_empty());
        let more: usize = model
            .function_ids()
            .filter_map(|f| match model.operator(f) {
                cntk_parser::ops::Operator::OptimizedRNNStack(a) => usize::try_from(a.num_layers).ok(),
                operator if operator.op() == Some(Op::CosDistanceWithNegativeSamples) => Some(packed),
                _ => None,
            })
            .sum();
        let made: usize = recurrent(&done.onnx).iter().sum();
        assert_eq!(made, model.loops().len() + more, "{}", path.display());
        seen += made;
    }
    assert!(seen > 100, "{seen} loops");
}

#[test]
fn lengths_are_asked_for_only_where_a_result_depends_on_them() {
    for (name, expected) in [
        // Frame by frame from the start.
        ("zoo/gru_tagger", vec![]),
        ("zoo/word_lm_peephole_projection", vec![]),
        ("zoo/float64_recurrent", vec![]),
        ("zoo/wavenet_pastvalue", vec![]),
        ("attributes/loop_running_sum_forwards", vec![]),
        ("attributes/past_value_offset_2", vec![]),
        // From the end, at the end, or over all frames.
        ("attributes/future_value_offset_2", vec!["x_lengths"]),
        ("attributes/lstm_backwards", vec!["x_lengths"]),
        ("attributes/lstm_last", vec!["x_lengths"]),
        ("attributes/sequence_softmax", vec!["x_lengths"]),
        // Of two axes, the one that is read.
        ("zoo/s2s_thought_vector", vec!["raw_input_lengths"]),
        ("zoo/s2s_attention_model", vec!["raw_input_lengths"]),
    ] {
        let model = convert(name, &all());
        assert_eq!(lengths(names(&model, &model.inputs)), expected, "{name}");
        for id in &model.inputs {
            let value = &model.values[id.0 as usize];
            if value.name.as_ref().is_some_and(|n| n.ends_with("_lengths")) {
                assert_eq!((value.elem, dims(&model, *id)), (ElemType::Int64, vec!["batch".to_owned()]), "{name}");
            }
        }
    }
}

#[test]
fn lengths_are_named_after_the_first_input_of_the_axis() {
    // Both inputs have the axis; the file has `query` first.
    let model = convert("zoo/slu_bidirectional_bn_criterion", &all());
    assert_eq!(names(&model, &model.inputs), ["query", "slot", "query_lengths"]);
}

#[test]
fn equal_lengths_leave_every_lengths_input_out() {
    let options = all().equal_lengths(true);
    for folder in ["zoo", "attributes"] {
        for entry in std::fs::read_dir(corpus().join(folder)).expect("the corpus has the folder").flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|e| e != "model") {
                continue;
            }
            let bytes = std::fs::read(&path).expect("readable");
            let file = ModelFile::new(&bytes);
            let Ok(model) = parse(&file, &Limits::default()) else { continue };
            let Some(model) = validate(model, &ValidateOptions::default()).model else { continue };
            let Ok(done) = cntk2onnx::convert(&model, &options) else { continue };
            let given = names(&done.onnx, &done.onnx.inputs);
            assert_eq!(lengths(given), Vec::<String>::new(), "{}", path.display());
        }
    }
}

#[test]
fn equal_lengths_turn_no_sequence() {
    let options = all().equal_lengths(true);
    let count = operators(&convert("attributes/loop_running_sum_backwards", &options));
    assert_eq!((count.get("Scan"), count.get("ReverseSequence")), (Some(&1), None));
    let ragged = operators(&convert("attributes/loop_running_sum_backwards", &all()));
    assert_eq!((ragged.get("Scan"), ragged.get("ReverseSequence")), (Some(&1), Some(&2)));
}

#[test]
fn an_axis_that_the_model_derives_has_a_lengths_output() {
    for name in ["attributes/sequence_gather", "attributes/sequence_slice_1_0", "attributes/gather_then_delays"] {
        let model = convert(name, &all());
        let outputs = names(&model, &model.outputs);
        assert_eq!(outputs[1], format!("{}_lengths", outputs[0]), "{name}");
        assert_eq!(dims(&model, model.outputs[1]), ["batch"], "{name}");
    }
    // Also where no two sequences of the input differ: the model makes them differ.
    let model = convert("attributes/sequence_gather", &all().equal_lengths(true));
    assert_eq!(model.outputs.len(), 2);
    let model = convert("attributes/lstm_backwards", &all());
    assert_eq!(model.outputs.len(), 1, "the input's own axis");
}

#[test]
fn an_axis_that_nothing_reads_is_folded_into_the_batch() {
    let folded = convert("attributes/dense_sequence", &all());
    let kept = convert("attributes/dense_sequence", &all().keep_sequence_axis(true));
    assert_eq!(dims(&folded, folded.inputs[0])[0], "batch");
    assert_eq!(dims(&folded, folded.inputs[0]).len() + 1, dims(&kept, kept.inputs[0]).len());
    assert_eq!(dims(&kept, kept.inputs[0])[..2], ["batch", "sequence"]);
    assert_eq!(lengths(names(&kept, &kept.inputs)), Vec::<String>::new());
}

#[test]
fn an_axis_is_not_folded_where_other_values_have_another_batch() {
    for name in ["attributes/two_axes_one_of_them_unread", "attributes/two_axes_both_unread"] {
        let model = convert(name, &all());
        for id in &model.inputs[..2] {
            assert_eq!(dims(&model, *id).len(), 3, "{name}");
        }
    }
}

#[test]
fn axes_of_their_own_have_symbols_of_their_own() {
    let model = convert("zoo/s2s_attention_model", &all());
    let second: Vec<String> = model
        .inputs
        .iter()
        .filter(|id| model.values[id.0 as usize].dims.len() == 3)
        .map(|id| dims(&model, *id)[1].clone())
        .collect();
    assert_eq!(second, ["sequence", "sequence_2"]);
}

#[test]
fn final_frames_come_from_the_recurrent_operator() {
    // No frame is picked out of the whole sequence.
    for name in ["attributes/lstm_last", "attributes/gru_fold_backwards", "attributes/cell_lstm_plain_final_states"] {
        let count = operators(&convert(name, &all()));
        assert_eq!((count.get("GatherND"), count.get("Gather")), (None, None), "{name}");
    }
}

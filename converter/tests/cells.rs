//! Which recurrences of the corpus are proved to be cells, and that the proof finds the weights where they are.

use cntk_parser::model::{LoopId, Source, ValidatedModel};
use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
use cntk2onnx::internals::cells::{Activation, Cell, Kind, recognise};
use std::path::Path;

/// Every loop of a model of the corpus, recognised or not.
fn cells(name: &str) -> Vec<Option<Cell>> {
    with_model(name, |model| model.loop_ids().map(|id| recognise(model, id)).collect())
}

fn with_model<T>(name: &str, look: impl FnOnce(&ValidatedModel<'_>) -> T) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name).with_extension("model");
    let bytes = std::fs::read(&path).expect("the corpus has the model");
    let file = ModelFile::new(&bytes);
    let model = parse(&file, &Limits::default()).expect("the model is well-formed");
    look(&validate(model, &ValidateOptions::default()).model.expect("the model is valid"))
}

/// A model's first loop.
fn first(model: &ValidatedModel<'_>) -> LoopId {
    model.loop_ids().next().expect("the model has a loop")
}

/// The only loop of a model.
fn only(name: &str) -> Cell {
    match cells(name).as_slice() {
        [Some(cell)] => cell.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

fn kind(cell: &Option<Cell>) -> &'static str {
    match cell.as_ref().map(|c| &c.kind) {
        None => "other",
        Some(Kind::Rnn { activation: Activation::Tanh, .. }) => "tanh",
        Some(Kind::Rnn { activation: Activation::Relu, .. }) => "relu",
        Some(Kind::Rnn { activation: Activation::Sigmoid, .. }) => "sigmoid",
        Some(Kind::Gru(_)) => "gru",
        Some(Kind::Lstm(_)) => "lstm",
    }
}

#[test]
fn layers_are_cells_and_other_loops_are_not() {
    for (name, expected) in [
        ("attributes/lstm_forwards", "lstm"),
        ("attributes/lstm_backwards", "lstm"),
        ("attributes/lstm_peephole_projection_forwards", "lstm"),
        ("attributes/lstm_everything_forwards", "lstm"),
        ("attributes/lstm_relu_forwards", "lstm"),
        ("attributes/lstm_sigmoid_forwards", "lstm"),
        ("attributes/lstm_double", "lstm"),
        ("attributes/lstm_full_state", "lstm"),
        ("attributes/gru_forwards", "gru"),
        ("attributes/gru_relu_backwards", "gru"),
        ("attributes/gru_stabilized_forwards", "gru"),
        ("attributes/gru_projection_forwards", "gru"),
        ("attributes/rnn_tanh_forwards", "tanh"),
        ("attributes/rnn_relu_forwards", "relu"),
        ("attributes/rnn_sigmoid_backwards", "sigmoid"),
        ("attributes/rnn_stabilized_forwards", "sigmoid"),
        ("attributes/rnn_identity_forwards", "other"),
        ("attributes/loop_running_sum_forwards", "other"),
        ("attributes/loop_offset_2_forwards", "other"),
        ("attributes/loop_with_two_delays", "other"),
        ("attributes/loop_with_convolution", "other"),
        // Written out by hand, each gate with weights of its own.
        ("attributes/cell_lstm_plain", "lstm"),
        ("attributes/cell_lstm_peepholes_backwards", "lstm"),
        ("attributes/cell_lstm_spliced", "lstm"),
        ("attributes/cell_lstm_state_from_a_sequence_forwards", "lstm"),
        ("attributes/cell_gru_reset_before_forwards", "gru"),
        ("attributes/cell_gru_reset_after_bias_backwards", "gru"),
        ("attributes/cell_gru_difference_forwards", "gru"),
        // z and 1 - z have changed places: the weights would have to change sign.
        ("attributes/cell_gru_turned_forwards", "other"),
        ("attributes/cell_rnn_two_inputs", "tanh"),
        ("attributes/cell_rnn_two_biases", "tanh"),
        ("attributes/cell_rnn_no_bias", "relu"),
        ("attributes/cell_rnn_matrix_input", "tanh"),
        ("attributes/cell_rnn_matrix_state", "other"),
        ("attributes/cell_rnn_input_without_weights", "other"),
        ("attributes/cell_rnn_transposed_weights", "other"),
    ] {
        let found = cells(name);
        assert_eq!(found.iter().map(kind).collect::<Vec<_>>(), [expected], "{name}");
    }
}

#[test]
fn an_attention_decoder_is_no_cell_though_its_block_says_lstm() {
    let found = cells("zoo/s2s_attention_model");
    assert_eq!(found.iter().map(kind).collect::<Vec<_>>(), ["lstm", "other"]);
}

#[test]
fn directions_are_the_delays() {
    assert!(!only("attributes/lstm_forwards").backward);
    assert!(only("attributes/lstm_backwards").backward);
    assert!(only("attributes/gru_backwards").backward);
    let found = cells("attributes/gru_bidirectional");
    let backward: Vec<bool> = found.iter().flatten().map(|c| c.backward).collect();
    assert_eq!(backward.iter().filter(|b| **b).count(), 1);
    assert_eq!(backward.len(), 2);
}

#[test]
fn gates_are_columns_of_the_layer_s_matrices() {
    with_model("attributes/lstm_forwards", |model| {
        let cell = recognise(model, first(model)).expect("an LSTM");
        let Kind::Lstm(lstm) = &cell.kind else { panic!("{cell:?}") };
        let (h, width) = (cell.hidden, 4 * cell.hidden);
        // CNTK's layer stacks i, g, f, o.
        for (gate, place) in [(&lstm.input, 0), (&lstm.candidate, 1), (&lstm.forget, 2), (&lstm.output, 3)] {
            let [block] = gate.input.as_slice() else { panic!("{gate:?}") };
            assert_eq!((block.column, block.width, block.row), (place * h, width, 0));
            assert_eq!((gate.recurrent.column, gate.recurrent.width, gate.recurrent.rows), (place * h, width, h));
            let [bias] = gate.bias.as_slice() else { panic!("{gate:?}") };
            assert_eq!(bias.from, place * h);
            assert_eq!(model.variable(block.weight).name, "W");
            assert_eq!(model.variable(gate.recurrent.weight).name, "H");
            assert_eq!(model.variable(bias.vector).name, "b");
        }
        assert_eq!(lstm.peepholes, None);
        assert_eq!((cell.projection, cell.scale), (None, None));
        let [Source::Variable(x)] = cell.inputs.as_slice() else { panic!("{cell:?}") };
        assert_eq!(model.variable(*x).name, "x");
    });
}

#[test]
fn a_gru_of_cntk_s_layer_resets_before_the_product() {
    with_model("attributes/gru_forwards", |model| {
        let cell = recognise(model, first(model)).expect("a GRU");
        let Kind::Gru(gru) = &cell.kind else { panic!("{cell:?}") };
        assert_eq!(gru.reset_after, None);
        assert_eq!(gru.activation, Activation::Tanh);
        assert_eq!(model.variable(gru.candidate.recurrent.weight).name, "H1");
        // Stacked z, r, n for the input and z, r for the state.
        let place =
            |g: &cntk2onnx::internals::cells::Gate| (g.input[0].column / cell.hidden, g.recurrent.column / cell.hidden);
        assert_eq!((place(&gru.update), place(&gru.reset), place(&gru.candidate)), ((0, 0), (1, 1), (2, 0)));
    });
}

#[test]
fn a_reset_after_the_product_keeps_the_bias_inside() {
    let bias = |name: &str| match only(name).kind {
        Kind::Gru(gru) => gru.reset_after.map(|b| b.len()),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(bias("attributes/cell_gru_reset_before_forwards"), None);
    assert_eq!(bias("attributes/cell_gru_reset_after_forwards"), Some(0));
    assert_eq!(bias("attributes/cell_gru_reset_after_bias_forwards"), Some(1));
}

#[test]
fn spliced_operands_are_rows_of_one_matrix() {
    let cell = only("attributes/cell_lstm_spliced");
    let Kind::Lstm(lstm) = &cell.kind else { panic!("{cell:?}") };
    let (x, h) = (lstm.input.input[0], lstm.input.recurrent);
    assert_eq!(x.weight, h.weight);
    assert_eq!((x.row, x.rows, h.row, h.rows), (0, 2, 2, 3));
}

#[test]
fn inputs_of_their_own_have_blocks_of_their_own() {
    let cell = only("attributes/cell_rnn_two_inputs");
    let Kind::Rnn { gate, .. } = &cell.kind else { panic!("{cell:?}") };
    assert_eq!((cell.inputs.len(), gate.input.len()), (2, 2));
    let mut rows: Vec<u64> = gate.input.iter().map(|b| b.rows).collect();
    rows.sort_unstable();
    assert_eq!(rows, [2, 4]);
}

#[test]
fn peepholes_projections_and_stabilizers_are_told_apart() {
    with_model("attributes/lstm_everything_forwards", |model| {
        let cell = recognise(model, first(model)).expect("an LSTM");
        let Kind::Lstm(lstm) = &cell.kind else { panic!("{cell:?}") };
        let projection = cell.projection.expect("a projection");
        assert_eq!(model.variable(projection.weight.weight).name, "P");
        assert_eq!((projection.weight.rows, projection.weight.width), (cell.hidden, projection.size));
        assert!(cell.scale.is_some() && projection.scale.is_some());
        let peepholes = lstm.peepholes.expect("peepholes");
        let names: Vec<&str> = peepholes.iter().map(|p| model.variable(p.weight.vector).name).collect();
        assert_eq!(names, ["Ci", "Cf", "Co"]);
        assert!(peepholes.iter().all(|p| p.scale.is_some()));
        // The state's own stabilizer serves two gates, that of the new state one.
        assert_eq!(peepholes[0].scale, peepholes[1].scale);
        assert_ne!(peepholes[0].scale, peepholes[2].scale);
    });
}

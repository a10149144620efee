//! Hostile edits: a real model with edits that the input chooses, run through all stages.

use super::{convert, pytorch};
use crate::mutate::{Choice, File, edit, edit_nodes, to_tail};
use crate::nodes;
use arbitrary::Unstructured;

/// Models of different kinds, small enough to be changed often.
const MODELS: &[&[u8]] = &[
    include_bytes!("../../../corpus/hostile/control_dense.model"),
    include_bytes!("../../../corpus/hostile/control_block.model"),
    include_bytes!("../../../corpus/hostile/control_lstm.model"),
    include_bytes!("../../../corpus/hostile/control_half.model"),
    include_bytes!("../../../corpus/hostile/container_good.model"),
    include_bytes!("../../../corpus/zoo/delay_network.model"),
    include_bytes!("../../../corpus/zoo/gru_tagger.model"),
    include_bytes!("../../../corpus/zoo/maxunpool_autoencoder.model"),
    include_bytes!("../../../corpus/zoo/ornn_gru.model"),
    include_bytes!("../../../corpus/zoo/sequence_filter_gather.model"),
    include_bytes!("../../../corpus/zoo/sequential_conv_tagger.model"),
    include_bytes!("../../../corpus/zoo/shape_juggling.model"),
];
/// Models of CNTK 1: they are edited as the nodes that they are.
const NODES: &[&[u8]] = &[
    include_bytes!("../../../corpus/v1/v1_mlp_31.model"),
    include_bytes!("../../../corpus/v1/v1_mlp_1.model"),
    include_bytes!("../../../corpus/v1/v1_delay_7.model"),
    include_bytes!("../../../corpus/v1/v1_statistics_12.model"),
    include_bytes!("../../../corpus/v1/v1_convolution_before_5_3.model"),
    include_bytes!("../../../corpus/v1/v1_batch_normalization_spatial_31.model"),
    include_bytes!("../../../corpus/v1/v1_lookup_table_12.model"),
    include_bytes!("../../../corpus/v1/v1_sparse_columns_12.model"),
];

/// The most edits; more leave nothing of the model.
const EDITS: usize = 24;

/// Edits a model as `data` chooses and converts it.
pub fn run(data: &[u8]) {
    let mut choice = Unstructured::new(data);
    let which = choice.below(MODELS.len() + NODES.len());
    let bytes = match MODELS.get(which) {
        Some(model) => edited(model, &mut choice),
        None => edited_nodes(NODES[which - MODELS.len()], &mut choice),
    };
    convert::run(&bytes);
    pytorch::run(&bytes);
}

fn edited(model: &[u8], choice: &mut Unstructured<'_>) -> Vec<u8> {
    let mut file = File::decode(model).expect("prost reads real models");
    edits(choice, |choice| edit(&mut file.metadata, choice));
    if choice.one_in(8) { to_tail(file).encode() } else { file.encode() }
}

fn edited_nodes(model: &[u8], choice: &mut Unstructured<'_>) -> Vec<u8> {
    let mut file = nodes::File::decode(model).expect("files of CNTK 1 are read");
    edits(choice, |choice| edit_nodes(&mut file, choice));
    file.encode()
}

/// Edits as often as the choices last.
fn edits<'c>(choice: &mut Unstructured<'c>, mut edit: impl FnMut(&mut Unstructured<'c>)) {
    let mut edits = 0;
    while !choice.is_empty() && edits < EDITS {
        edit(choice);
        edits += 1;
    }
}

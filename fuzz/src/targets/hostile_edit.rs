//! Hostile edits: a real model with edits that the input chooses, run through all stages.

use super::{convert, pytorch};
use crate::mutate::{Choice, File, edit, to_tail};
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

/// The most edits; more leave nothing of the model.
const EDITS: usize = 24;

/// Edits a model as `data` chooses and converts it.
pub fn run(data: &[u8]) {
    let mut choice = Unstructured::new(data);
    let model = MODELS[choice.below(MODELS.len())];
    let mut file = File::decode(model).expect("prost reads real models");
    let mut edits = 0;
    while !choice.is_empty() && edits < EDITS {
        edit(&mut file.metadata, &mut choice);
        edits += 1;
    }
    if choice.one_in(8) {
        file = to_tail(file);
    }
    let bytes = file.encode();
    convert::run(&bytes);
    pytorch::run(&bytes);
}

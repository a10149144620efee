//! Time to validate, and the speed of the weight scan: `cargo bench -p cntk-parser --bench validate`.

use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
use cntk_testing::models;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

fn main() {
    divan::main();
}

#[divan::bench(args = [1_000, 100_000], sample_count = 10)]
fn chain(bencher: Bencher<'_, '_>, length: usize) {
    let bytes = models::chain(length);
    let file = ModelFile::new(&bytes);
    let options = ValidateOptions::default();
    bencher
        .counter(ItemsCount::new(length))
        .with_inputs(|| parse(&file, &Limits::default()).unwrap())
        .bench_values(|model| validate(model, &options).model.is_some());
}

#[divan::bench(args = ["zoo/inception_v1", "zoo/gru_tagger", "zoo/s2s_attention_model"])]
fn real(bencher: Bencher<'_, '_>, name: &str) {
    let path = format!("{}/../corpus/{name}.model", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let file = ModelFile::new(&bytes);
    let options = ValidateOptions::default();
    bencher
        .with_inputs(|| parse(&file, &Limits::default()).unwrap())
        .bench_values(|model| validate(model, &options).model.is_some());
}

/// A model that is one parameter of so many floats, every one of them looked at.
#[divan::bench(args = [4 << 20, 64 << 20], sample_count = 10)]
fn scan(bencher: Bencher<'_, '_>, floats: usize) {
    let bytes = models::parameter_of(floats);
    let file = ModelFile::new(&bytes);
    let mut options = ValidateOptions::default();
    options.scan_weights = true;
    bencher
        .counter(BytesCount::new(4 * floats))
        .with_inputs(|| parse(&file, &Limits::default()).unwrap())
        .bench_values(|model| validate(model, &options).model.is_some());
}

//! Time to parse, per file: `cargo bench -p cntk-parser`.

use cntk_parser::{Limits, ModelFile, parse};
use cntk_testing::models;
use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    divan::main();
}

#[divan::bench(args = [1_000, 100_000, 1_000_000], sample_count = 10)]
fn chain(bencher: Bencher<'_, '_>, length: usize) {
    let bytes = models::chain(length);
    let limits = Limits::default();
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench(|| parse(&ModelFile::new(divan::black_box(&bytes)), &limits).is_ok());
}

#[divan::bench(args = ["zoo/inception_v1", "zoo/gru_tagger"])]
fn real(bencher: Bencher<'_, '_>, name: &str) {
    let path = format!("{}/../corpus/{name}.model", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let limits = Limits::default();
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench(|| parse(&ModelFile::new(divan::black_box(&bytes)), &limits).is_ok());
}

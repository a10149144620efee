//! Time of each stage of a conversion: `cargo bench -p cntk2onnx`.
//!
//! Parsing and validating have benches of their own in `cntk-parser`; whole processes are measured by
//! `benches/whole_process.py`.

use cntk_parser::{Limits, ModelFile, ValidateOptions, model::ValidatedModel, parse, validate};
use cntk2onnx::{
    Options, Outputs, Weights, Writer, convert,
    internals::{
        onnx::{Data, Dim, ElemType, Initializer, OnnxModel, Stored, Value, ValueId, View},
        structure_digest,
    },
};
use divan::{Bencher, counter::BytesCount};
use std::{fs, ops::ControlFlow};

const MODELS: [&str; 3] = ["zoo/inception_v1", "zoo/resnet_bottleneck", "zoo/gru_tagger"];

fn main() {
    divan::main();
}

fn read(name: &str) -> Vec<u8> {
    fs::read(format!("{}/../corpus/{name}.model", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn valid<'a>(file: &'a ModelFile<'_>) -> ValidatedModel<'a> {
    validate(parse(file, &Limits::default()).unwrap(), &ValidateOptions::default()).model.unwrap()
}

fn options() -> Options {
    Options::default().outputs(Outputs::All)
}

/// From the validated model to the ONNX graph.
#[divan::bench(args = MODELS)]
fn lower(bencher: Bencher<'_, '_>, name: &str) {
    let bytes = read(name);
    let file = ModelFile::new(&bytes);
    let model = valid(&file);
    bencher.bench(|| convert(divan::black_box(&model), &options()).is_ok());
}

/// From the ONNX graph to its bytes.
#[divan::bench(args = MODELS)]
fn write(bencher: Bencher<'_, '_>, name: &str) {
    let bytes = read(name);
    let Ok(conversion) = convert(&valid(&ModelFile::new(&bytes)), &options()) else { return };
    bencher.bench(|| written(&conversion.onnx, &bytes));
}

/// SHA-256 of the structure.
#[divan::bench(args = MODELS)]
fn digest(bencher: Bencher<'_, '_>, name: &str) {
    let bytes = read(name);
    let file = ModelFile::new(&bytes);
    let model = parse(&file, &Limits::default()).unwrap();
    bencher.bench(|| structure_digest(&model));
}

const ROWS: u64 = 2048;
const COLUMNS: u64 = 2048;

/// 16 MiB of weights, as they are.
#[divan::bench]
fn weights_unchanged(bencher: Bencher<'_, '_>) {
    weights(bencher, ElemType::Float, &[COLUMNS as i64, 1]);
}

/// 16 MiB of weights, transposed.
#[divan::bench]
fn weights_transposed(bencher: Bencher<'_, '_>) {
    weights(bencher, ElemType::Float, &[1, ROWS as i64]);
}

/// 16 MiB of weights, to half precision.
#[divan::bench]
fn weights_halved(bencher: Bencher<'_, '_>) {
    weights(bencher, ElemType::Float16, &[COLUMNS as i64, 1]);
}

fn weights(bencher: Bencher<'_, '_>, elem: ElemType, strides: &[i64]) {
    let source: Vec<u8> = (0..ROWS * COLUMNS).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let view = View {
        range: 0..source.len() as u64,
        stored: Stored::F32,
        offset: 0,
        dims: [ROWS, COLUMNS].into_iter().collect(),
        strides: strides.iter().copied().collect(),
    };
    let value = Value { name: Some("w".into()), elem, dims: [ROWS, COLUMNS].map(Dim::Known).into_iter().collect() };
    let model = OnnxModel {
        opset: 17,
        values: vec![value],
        initializers: vec![Initializer { value: ValueId(0), data: Data::Views(vec![view]) }],
        ..OnnxModel::default()
    };
    bencher.counter(BytesCount::new(source.len())).bench(|| written(&model, &source));
}

/// The length of the model, whose bytes are thrown away.
fn written(model: &OnnxModel, source: &[u8]) -> u64 {
    let mut writer = Writer::new(model, source, Weights::Embed { side: "" }).unwrap();
    let mut sink = cntk2onnx::IoSink(std::io::sink());
    writer.write_model(&mut sink, &mut |_| ControlFlow::Continue(()), || Ok(vec![])).unwrap()
}

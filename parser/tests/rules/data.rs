//! What tensors hold.

use super::build::*;
use super::{Pair, check_with, pair};
use cntk_parser::ValidateOptions;

fn tanh(variable: Record) -> Record {
    model("Tanh1", &[variable], &[function("Tanh1", 2, &["x"], &[])])
}

fn holds(values: &[f32]) -> Record {
    tanh(stored("x", &[values.len() as u64], values))
}

fn gather(indices: &[f32]) -> Record {
    let variables = [constant("i", &[indices.len() as u64], indices), parameter("t", &[2, 3])];
    model("Gather1", &variables, &[function("Gather1", 74, &["i", "t"], &[])])
}

fn half(values: &[f32]) -> Record {
    let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    let value = raw_array(4, &[values.len() as u64], &field(4, &field(1, &bytes)));
    tanh(stored("x", &[values.len() as u64], values).set("data_type", size(4)).set("value", value))
}

/// Select by a comparison of the input with `other`.
fn choice(other: Record) -> Record {
    let functions =
        [function("Greater1", 26, &["x", "w"], &[]), function("Select1", 42, &["Greater1_Output_0", "x", "x"], &[])];
    model("Select1", &[input("x", &[3]), other], &functions)
}

fn long(count: u64) -> Record {
    let zeros = vec![0; 4 * count as usize];
    let record = stored("x", &[1], &[0.0]).set("shape", shape(&[count]));
    tanh(record.set("value", raw_array(1, &[count], &field(4, &field(1, &zeros)))))
}

pub fn pairs() -> Vec<Pair> {
    let tiny = f32::from_bits(1);
    let mostly = |x: f32| [vec![x; 20], vec![1.0; 100]].concat();
    vec![
        pair("data.gather-index", gather(&[0.0, 3.0]), gather(&[0.0, 2.9])),
        pair("data.gather-index", gather(&[-1.0]), gather(&[-0.5])),
        pair("data.gather-index", gather(&[f32::NAN]), gather(&[1.0])),
        pair("data.hidden-branch", choice(constant("w", &[], &[1e6])), choice(input("w", &[3]))),
        pair("data.not-finite", holds(&[1.0, f32::NAN]), holds(&[1.0, f32::MAX.sqrt()])),
        pair("data.not-finite", holds(&[f32::NEG_INFINITY]), holds(&[0.0])),
        pair("data.denormals", holds(&mostly(tiny)), holds(&[tiny, 1.0])),
        pair("data.extreme", holds(&[-1e30]), tanh(constant("x", &[1], &[-1e30]))),
        pair("data.not-half", half(&[0.1]), half(&[0.5, 65504.0, 2f32.powi(-24)])),
        pair("data.not-scanned", long((4 << 20) + 1), long(4 << 20)),
    ]
}

/// Anomalies, which are looked for when all weights are scanned.
pub fn scanned_pairs() -> Vec<Pair> {
    let noise = |count: usize| -> Vec<f32> { (1..=count).map(|i| (i as f32 * 0.7).sin()).collect() };
    let matrix = |values: &[f32]| stored("w", &[10, values.len() as u64 / 10], values);
    let with = |change: &dyn Fn(&mut [f32])| {
        let mut values = noise(4000);
        change(&mut values);
        tanh_of(&[matrix(&values)])
    };
    let tensors = |scale: f32| {
        let one = |i: usize| stored(["a", "b", "c", "d", "e", "w"][i], &[10, 10], &noise(100));
        let mut all: Vec<_> = (0..5).map(one).collect();
        all.push(matrix(&noise(100).iter().map(|x| x * scale).collect::<Vec<_>>()));
        tanh_of(&all)
    };
    vec![
        pair("data.dead-units", with(&|w| w[20..30].fill(0.0)), with(&|w| w[20..29].fill(0.0))),
        pair("data.duplicate-units", with(&|w| w.copy_within(50..60, 20)), with(&|w| w.copy_within(50..59, 20))),
        pair("data.isolated", with(&|w| w[77] = 100.0), with(&|w| w[70..80].fill(100.0))),
        pair("data.scale", tensors(2000.0), tensors(500.0)),
    ]
}

fn tanh_of(variables: &[Record]) -> Record {
    model("Tanh1", variables, &[function("Tanh1", 2, &["w"], &[])])
}

#[test]
fn everything_is_scanned_when_asked_for() {
    let count = (4 << 20) + 1;
    let mut bytes = vec![0; 4 * count];
    bytes[4 * count - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let record = stored("x", &[1], &[0.0]).set("shape", shape(&[count as u64]));
    let file = tanh(record.set("value", raw_array(1, &[count as u64], &field(4, &field(1, &bytes))))).file();
    let mut options = ValidateOptions::default();
    let found = |options: &ValidateOptions| check_with(&file, options).1.iter().map(|f| f.rule).collect::<Vec<_>>();
    assert_eq!(found(&options), ["data.not-scanned"]);
    options.scan_weights = true;
    assert_eq!(found(&options), ["data.not-finite"]);
}

/// Without one look at a tensor, what is wrong with it is unknown: a scan that was cut off says so.
#[test]
fn pieces_are_scanned_too() {
    let piece = |x: f32| field(1, &x.to_le_bytes());
    let values = field(4, &[piece(1.0), piece(f32::NAN)].concat());
    let file = tanh(stored("x", &[2], &[0.0, 0.0]).set("value", raw_array(1, &[2], &values))).file();
    let (_, findings) = check_with(&file, &ValidateOptions::default());
    assert!(findings.iter().any(|f| f.rule == "data.not-finite"), "{findings:?}");
}

//! Generated models of any length or size, which are too large for the corpus.

use crate::format::{
    Record, Value, batch, dictionary, flag, function, input, int, list, model, parameter, size, stored, text,
};

/// A chain of this many Tanh functions.
pub fn chain(length: usize) -> Vec<u8> {
    let mut previous = "Input0".to_owned();
    let functions: Vec<Record> = (1..=length)
        .map(|i| {
            let record = function(&format!("Tanh{i}"), 2, &[&previous], &[]);
            previous = format!("Tanh{i}_Output_0");
            record
        })
        .collect();
    model(&format!("Tanh{length}"), &[input("Input0", &[3]).set("dynamic_axis", list(&[]))], &functions).file()
}

/// One parameter with this many floats, and Tanh of it.
pub fn parameter_of(floats: usize) -> Vec<u8> {
    let values: Vec<f32> = (0..floats).map(|i| i as f32 + 0.5).collect();
    let parameter = stored("Parameter0", &[floats as u64], &values);
    model("Tanh1", &[parameter], &[function("Tanh1", 2, &["Parameter0"], &[])]).file()
}

/// A dense layer, `y = x W`, whose weights count up from 0 in steps of 2^-10. `rows` × `columns` floats.
pub fn dense(rows: u64, columns: u64) -> Vec<u8> {
    let weights: Vec<f32> = (0..rows * columns).map(|i| i as f32 / 1024.0).collect();
    let x = input("Input0", &[rows]).set("name", text("x")).set("dynamic_axis", list(&[batch()]));
    let w = stored("Parameter1", &[columns, rows], &weights).set("needs_gradient", flag(true));
    let attributes: [(&str, Value); 2] = [("outputRank", size(1)), ("inferInputRankToMap", int(-1))];
    let times = function("Times2", 31, &["Parameter1", "Input0"], &[]).set("attributes", dictionary(&attributes));
    model("Times2", &[x, w], &[times]).set("uid", text("CompositeFunction3")).file()
}

/// Dense layers of these sizes, each followed by ReLU; every weight is 0.5.
pub fn perceptron(sizes: &[u64]) -> Vec<u8> {
    let x = input("Input0", &sizes[..1]).set("name", text("x")).set("dynamic_axis", list(&[batch()]));
    let (mut variables, mut functions, mut previous) = (vec![x], vec![], "Input0".to_owned());
    for (i, pair) in sizes.windows(2).enumerate() {
        let [weights, times, relu] = ["W", "Times", "ReLU"].map(|kind| format!("{kind}{i}"));
        variables.push(parameter(&weights, &[pair[1], pair[0]]).set("needs_gradient", flag(true)));
        let attributes = [("outputRank", size(1)), ("inferInputRankToMap", int(-1))];
        functions.push(function(&times, 31, &[&weights, &previous], &attributes));
        functions.push(function(&relu, 3, &[&format!("{times}_Output_0")], &[]));
        previous = format!("{relu}_Output_0");
    }
    let root = format!("ReLU{}", sizes.len().saturating_sub(2));
    model(&root, &variables, &functions).file()
}

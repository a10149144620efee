//! Numbers of inputs, attributes.

use super::build::*;
use super::{Pair, pair};

/// One function over x (file shape 4, 3, 2) and what else is stored.
fn one(op: u64, others: &[Record], attributes: &[(&str, Value)]) -> Record {
    let mut variables = vec![input("x", &[4, 3, 2])];
    variables.extend_from_slice(others);
    let uids: Vec<String> = (0..others.len()).map(|i| format!("w{i}")).collect();
    let inputs: Vec<&str> = Some("x").into_iter().chain(uids.iter().map(String::as_str)).collect();
    model("F1", &variables, &[function("F1", op, &inputs, attributes)])
}

/// A function that reads what is stored first.
fn weighted(op: u64, weight: &[u64], attributes: &[(&str, Value)]) -> Record {
    let variables = [parameter("w", weight), input("x", &[4, 3, 2])];
    model("F1", &variables, &[function("F1", op, &["w", "x"], attributes)])
}

fn slice(axis_index: i32, begin: i32, end: i32, stride: i32) -> Record {
    let attributes =
        [("axis", axis(axis_index)), ("beginIndex", int(begin)), ("endIndex", int(end)), ("sliceStrides", int(stride))];
    one(14, &[], &attributes)
}

fn slices(axes: &[i32]) -> Record {
    let each = |value: fn(i32) -> Value, n: i32| list(&axes.iter().map(|_| value(n)).collect::<Vec<_>>());
    let attributes = [
        ("axisVec", list(&axes.iter().map(|k| axis(*k)).collect::<Vec<_>>())),
        ("beginIndexVec", each(int, 0)),
        ("endIndexVec", each(int, 2)),
        ("sliceStridesVec", each(int, 1)),
    ];
    one(14, &[], &attributes)
}

/// Assigns to this.
fn assign(target: &str) -> Record {
    let functions = [function("F0", 2, &["w"], &[]), function("F1", 73, &[target, "F0_Output_0"], &[])];
    model("F1", &[parameter("w", &[2])], &functions)
}

fn reshape(new_shape: &[u64]) -> Record {
    one(16, &[], &[("newShape", shape(new_shape))])
}

fn pooling(window: &[u64], strides: &[u64]) -> Record {
    let attributes = [
        ("poolingType", size(0)),
        ("poolingWindowShape", shape(window)),
        ("strides", shape(strides)),
        ("autoPadding", list(&[flag(false)])),
        ("lowerPad", shape(&[0])),
        ("upperPad", shape(&[0])),
    ];
    one(17, &[], &attributes)
}

fn convolution(sharing: bool, groups: u64) -> Record {
    let attributes = [
        ("strides", shape(&[1, 1, 2])),
        ("sharing", list(&[flag(sharing)])),
        ("autoPadding", list(&[flag(true), flag(true), flag(false)])),
        ("lowerPad", shape(&[0])),
        ("upperPad", shape(&[0])),
        ("groups", size(groups)),
    ];
    weighted(33, &[3, 3, 2, 5], &attributes)
}

fn delay(offset: u64) -> Record {
    let variables = [sequence_input("x", "s", &[2]), constant("zero", &[], &[0.0])];
    model("F1", &variables, &[function("F1", 37, &["x", "zero"], &[("offset", size(offset))])])
}

fn times(rank: u64) -> Record {
    weighted(31, &[5, 4], &[("outputRank", size(rank)), ("inferInputRankToMap", int(-1))])
}

fn mapped(rank: i32) -> Record {
    weighted(31, &[5, 4], &[("outputRank", size(1)), ("inferInputRankToMap", int(rank))])
}

fn permutation(axes: &[i32]) -> Record {
    one(12, &[], &[("axisVec", list(&axes.iter().map(|k| axis(*k)).collect::<Vec<_>>()))])
}

fn reduce(axes: &[i32], name: &str) -> Record {
    let axes = list(&axes.iter().map(|k| axis(*k)).collect::<Vec<_>>());
    one(39, &[], &[("axisVec", axes), ("reductionOpName", text(name))])
}

fn dropout(rate: f64) -> Record {
    one(15, &[], &[("dropoutRate", double(rate))])
}

fn batch_normalization(version: u64, spatial: Value) -> Record {
    let attributes = [
        ("spatial", spatial),
        ("epsilon", double(1e-5)),
        ("normalizationTimeConstant", double(0.0)),
        ("blendTimeConstant", double(0.0)),
        ("useCuDNNEngine", flag(false)),
    ];
    let uids = ["scale", "bias", "mean", "variance"];
    let mut variables = vec![input("x", &[4, 3, 2])];
    variables.extend(uids.map(|uid| parameter(uid, &[2])));
    let inputs: Vec<&str> = Some("x").into_iter().chain(uids).collect();
    model("F1", &variables, &[function("F1", 40, &inputs, &attributes).set("version", size(version))])
}

pub fn pairs() -> Vec<Pair> {
    let scalar = || constant("w0", &[], &[1.0]);
    let second = || constant("w1", &[], &[2.0]);
    let select = || one(42, &[scalar(), second()], &[]);
    let huge = 1 << 40;
    vec![
        pair("function.too-few-inputs", one(42, &[scalar()], &[]), select()),
        pair("function.too-many-inputs", one(2, &[scalar()], &[]), one(2, &[], &[])),
        // The published crashes: each of these reads an input that is not there.
        pair("function.too-few-inputs", one(28, &[], &[]), select()),
        pair("function.too-few-inputs", one(29, &[], &[]), select()),
        pair("function.too-few-inputs", one(30, &[scalar()], &[]), select()),
        pair("function.too-few-inputs", batch_normalization(24, flag(true)), batch_normalization(3, flag(true))),
        pair("attribute.missing", one(15, &[], &[]), dropout(0.5)),
        pair("attribute.type", one(15, &[], &[("dropoutRate", int(0))]), dropout(0.5)),
        pair("attribute.type", batch_normalization(3, text("yes")), batch_normalization(3, flag(true))),
        pair("attribute.value", reduce(&[0], "Sumo"), reduce(&[0], "Sum")),
        pair("attribute.axis", reduce(&[3], "Sum"), reduce(&[-1], "Sum")),
        pair("attribute.axis-repeated", reduce(&[0, -3], "Sum"), reduce(&[0, 1], "Sum")),
        pair("attribute.axis-repeated", slices(&[0, -3]), slices(&[0, 1])),
        pair("function.assign-target", assign("F0_Output_0"), assign("w")),
        pair("attribute.range", slice(0, 0, 2, 0), slice(0, 0, 2, -1)),
        pair("attribute.axis", slice(i32::MIN, 0, 2, 1), slice(-3, 0, 2, 1)),
        pair("attribute.slice", slice(0, 1, 1, 1), slice(0, 1, 2, 1)),
        pair("attribute.slice", slice(0, 0, 5, 1), slice(0, 0, 4, 1)),
        pair("attribute.slice", slice(0, -5, 0, 1), slice(0, -4, 0, 1)),
        pair("attribute.range", delay(0), delay(1)),
        pair("attribute.range", delay(u64::MAX), delay(7)),
        pair("attribute.range", pooling(&[2, 2], &[0, 1]), pooling(&[2, 2], &[1, 1])),
        pair("attribute.window", pooling(&[5, 1], &[1, 1]), pooling(&[4, 1], &[1, 1])),
        pair("attribute.sharing", convolution(false, 1), convolution(true, 1)),
        pair("attribute.range", convolution(true, 0), convolution(true, 1)),
        pair("attribute.permutation", permutation(&[0, 0, 1]), permutation(&[2, 0, 1])),
        pair("attribute.permutation", permutation(&[0, 1, 2, 3]), permutation(&[2, 0, 1])),
        pair("attribute.output-rank", times(0), times(1)),
        pair("attribute.range", mapped(3), mapped(2)),
        pair("attribute.output-rank", times(u64::MAX), times(1)),
        pair("attribute.reshape", reshape(&[5, 5]), reshape(&[6, 4])),
        pair("attribute.reshape", reshape(&[5, u64::MAX]), reshape(&[6, u64::MAX])),
        pair("attribute.reshape", reshape(&[u64::MAX, u64::MAX]), reshape(&[6, u64::MAX])),
        pair("attribute.zero-dimension", reshape(&[0, u64::MAX]), reshape(&[6, u64::MAX])),
        pair("type.dimension-range", reshape(&[(1 << 62) + 6, 4]), reshape(&[6, 4])),
        pair("attribute.range", one_hot(0, 0), one_hot(5, 0)),
        pair("attribute.range", one_hot(huge, 0), one_hot(5, 3)),
        pair("attribute.axis", one_hot(5, 4), one_hot(5, 3)),
        pair("attribute.number", dropout(f64::NAN), dropout(0.0)),
        pair("attribute.range", dropout(1.0), dropout(0.0)),
        pair("attribute.range", dropout(-0.5), dropout(-0.0)),
        pair("attribute.length", pooling(&[2, 2], &[]), pooling(&[2, 2], &[1])),
        pair("attribute.length", pooling(&[2, 2], &[1, 1, 1, 1]), pooling(&[2, 2], &[1, 1, 1])),
        pair("attribute.window", pooling(&[], &[1]), pooling(&[2], &[1])),
        pair("attribute.slice", slice(0, 0, 2, 3), slice(0, 0, 2, 2)),
        pair("attribute.length", reduce(&[], "Sum"), reduce(&[0], "Sum")),
        pair("attribute.value", reduce(&[0], "Any"), reduce(&[0], "Prod")),
        pair("attribute.length", uniform(&[0.0]), uniform(&[0.0, 1.0])),
        pair("attribute.range", uniform(&[1.0, 1.0]), uniform(&[0.0, 1.0])),
        pair("function.version", with_function_version(one(75, &[], &[]), 13), one(75, &[], &[])),
    ]
}

fn uniform(arguments: &[f64]) -> Record {
    let arguments: Vec<Value> = arguments.iter().map(|x| double(*x)).collect();
    one(76, &[], &[("randomDistributionType", text("uniform")), ("randomDistributionArgs", list(&arguments))])
}

fn one_hot(classes: u64, place: i32) -> Record {
    one(68, &[], &[("numClass", size(classes)), ("oneHotOutputSparse", flag(false)), ("onehotAxis", axis(place))])
}

/// `model` with its functions replaced by one StableSigmoid of that version.
fn with_function_version(model: Record, version: u64) -> Record {
    let record = function("F1", 75, &["x"], &[]).set("version", size(version));
    model.set("primitive_functions", list(&[record.encode()]))
}

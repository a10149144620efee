//! Variable records and inferred types.

use super::build::*;
use super::{Pair, check, pair};
use cntk_parser::model::{DataType, Dim, DynamicAxes, ValueType};
use cntk_parser::{Limits, ModelFile, PlaceholderDims, PlaceholderType, Severity, ValidateOptions, parse, validate};

fn tanh(variable: Record) -> Record {
    let uid = "x";
    model("Tanh1", &[variable], &[function("Tanh1", 2, &[uid], &[])])
}

fn plus(a: Record, b: Record) -> Record {
    model("Plus1", &[a, b], &[function("Plus1", 19, &["a", "b"], &[])])
}

fn stack(elements: u64) -> Record {
    let attributes = [
        ("hiddenSize", size(3)),
        ("numLayers", size(1)),
        ("bidirectional", flag(false)),
        ("recurrentOp", text("rnnTanh")),
    ];
    let variables = [sequence_input("x", "s", &[2]), parameter("w", &[elements])];
    model("F1", &variables, &[function("F1", 49, &["x", "w"], &attributes)])
}

fn delay(variable: Record) -> Record {
    let variables = [variable, constant("zero", &[], &[0.0])];
    model("F1", &variables, &[function("F1", 37, &["x", "zero"], &[("offset", size(1))])])
}

/// h = delay(h) with something done to it that may change its shape.
fn growing(op: u64, attributes: &[(&str, Value)]) -> Record {
    let state = placeholder("F1_Output_0", &[2]).set("dynamic_axis", list(&[sequence("s"), batch()]));
    let variables = [sequence_input("x", "s", &[2]), constant("zero", &[], &[0.0]), state];
    let functions = [
        function("PastValue1", 37, &["F1_Output_0", "zero"], &[("offset", size(1))]),
        function("F1", op, &["PastValue1_Output_0", "x"], attributes),
    ];
    model("F1", &variables, &functions)
}

/// A block whose placeholder says `dims`.
fn formal(dims: &[u64]) -> Record {
    let functions = [function("Tanh1", 2, &["p"], &[]), block("Block1", "Tanh1", &[("p", "x")])];
    model("Block1", &[input("x", &[3]), placeholder("p", dims)], &functions)
}

/// A forward reference with this record.
fn forward(record: Record) -> Record {
    let record = record.set("kind", size(4)).set("uid", text("Tanh1_Output_0"));
    let variables = [input("x", &[3]), record];
    let functions = [function("Tanh2", 2, &["Tanh1_Output_0"], &[]), function("Tanh1", 2, &["x"], &[])];
    model("Tanh2", &variables, &functions)
}

/// A block with a delay whose placeholder has this record.
fn delayed(record: Record) -> Record {
    let functions = [
        function("PastValue1", 37, &["p", "zero"], &[("offset", size(1))]),
        block("Block1", "PastValue1", &[("p", "x")]),
    ];
    let zero = constant("zero", &[], &[0.0]);
    model("Block1", &[sequence_input("x", "s", &[3]), record.set("kind", size(4)), zero], &functions)
}

/// A parameter and a placeholder that nothing binds.
fn open(placeholder: Record) -> Record {
    let variables = [parameter("w", &[3]), placeholder];
    model("Plus1", &variables, &[function("Plus1", 19, &["w", "p"], &[])])
}

fn one_hots(count: usize) -> Record {
    let attributes = [("numClass", size(1)), ("oneHotOutputSparse", flag(false)), ("onehotAxis", axis(0))];
    let functions: Vec<Record> = (1..=count)
        .map(|i| {
            let before = if i == 1 { "x".to_owned() } else { format!("F{}_Output_0", i - 1) };
            function(&format!("F{i}"), 68, &[&before], &attributes)
        })
        .collect();
    model(&format!("F{count}"), &[input("x", &[])], &functions)
}

pub fn pairs() -> Vec<Pair> {
    let good = || tanh(input("x", &[3]));
    let with = |key, value| tanh(input("x", &[3]).set(key, value));
    let weight = || tanh(parameter("x", &[2, 3]));
    vec![
        pair("variable.kind", tanh(parameter("x", &[3]).set("kind", size(4))), good()),
        pair("variable.kind", tanh(parameter("x", &[3]).set("kind", size(0))), good()),
        pair("variable.data-type", with("data_type", size(0)), good()),
        pair("variable.shape", with("shape", shape(&[1 << 60])), good()),
        pair("variable.shape", with("shape", shape(&[0])), good()),
        pair("variable.shape", tanh(parameter("x", &[2, 3]).set("shape", shape(&[2, u64::MAX]))), weight()),
        pair("variable.dynamic-axes", with("dynamic_axis", list(&[batch(), batch()])), good()),
        pair("variable.dynamic-axes", with("dynamic_axis", list(&[batch(), sequence("s")])), good()),
        pair("variable.dynamic-axes", with("dynamic_axis", list(&[dynamic_axis(i32::MAX, "b", false)])), good()),
        pair("variable.dynamic-axes", tanh(parameter("x", &[2, 3]).set("dynamic_axis", list(&[batch()]))), weight()),
        pair("tensor.record-type", tanh(parameter("x", &[2, 3]).set("data_type", size(2))), weight()),
        pair("tensor.record-shape", tanh(parameter("x", &[2, 3]).set("shape", shape(&[3, 2]))), weight()),
        pair("type.rank", tanh(input("x", &[1; 13])), tanh(input("x", &[1; 12]))),
        pair("type.rank", one_hots(13), one_hots(12)),
        pair("type.allocation-bomb", outer(1 << 19), outer(1 << 10)),
        pair("type.dimension-range", tripled(1 << 22), tripled(1 << 10)),
        pair("type.shape", plus(input("a", &[2]), input("b", &[3])), plus(input("a", &[2]), input("b", &[2]))),
        pair(
            "type.data-type",
            plus(input("a", &[2]), input("b", &[2]).set("data_type", size(2))),
            plus(constant("a", &[1], &[0.5]), input("b", &[2]).set("data_type", size(2))),
        ),
        pair(
            "type.dynamic-axes",
            plus(sequence_input("a", "s", &[2]), sequence_input("b", "t", &[2])),
            plus(sequence_input("a", "s", &[2]), sequence_input("b", "s", &[2])),
        ),
        pair(
            "type.dynamic-axes",
            plus(sequence_input("a", "s", &[2]), input("b", &[2])),
            plus(sequence_input("a", "s", &[2]), parameter("b", &[2])),
        ),
        pair("type.dynamic-axes", of(34, parameter("a", &[2])), of(34, input("a", &[2]))),
        pair("type.dynamic-axes", of(35, parameter("a", &[2])), of(35, input("a", &[2]))),
        pair("type.dynamic-axes", of(36, parameter("a", &[2])), of(36, input("a", &[2]))),
        pair("type.dynamic-axes", of(48, parameter("a", &[2])), of(48, input("a", &[2]))),
        pair("type.dynamic-axes", of(53, parameter("a", &[2])), of(53, input("a", &[2]))),
        pair("type.dynamic-axes", of(74, input("a", &[2])), of(74, parameter("a", &[2]))),
        pair("type.dynamic-axes", weighted(1, parameter("w", &[1])), weighted(1, input("w", &[1]))),
        pair("type.dynamic-axes", scattered(parameter("i", &[1])), scattered(sequence_input("i", "s", &[1]))),
        pair("type.shape", of(34, input("a", &[2, 3])), of(34, input("a", &[1]))),
        pair("type.shape", of(35, input("a", &[1])), of(35, input("a", &[2, 1]))),
        pair("type.shape", of(48, input("a", &[1])), of(48, input("a", &[2, 1]))),
        pair("type.shape", of(53, input("a", &[1])), of(53, input("a", &[2, 1]))),
        pair("type.shape", weighted(2, input("w", &[2])), weighted(1, input("w", &[1, 1]))),
        pair("type.shape", scattered(sequence_input("i", "s", &[2])), scattered(sequence_input("i", "s", &[1, 1]))),
        pair("type.shape", among(parameter("n", &[1])), among(constant("n", &[1], &[2.9]))),
        pair("type.shape", among(constant("n", &[2], &[1.0, 1.0])), among(constant("n", &[], &[1.0]))),
        pair("attribute.range", among(constant("n", &[], &[0.5])), among(constant("n", &[], &[1.5]))),
        pair("attribute.range", among(constant("n", &[], &[3.0])), among(constant("n", &[], &[2.0]))),
        pair("type.assumed", open(placeholder("p", &[3]).set("data_type", size(0))), open(placeholder("p", &[3]))),
        pair("type.delay-axes", delay(input("x", &[2])), delay(sequence_input("x", "s", &[2]))),
        pair("type.loop", growing(43, &[("axis", axis(0))]), growing(19, &[])),
        pair("type.rnn-parameters", stack(20), stack(3 * 2 + 3 * 3 + 6)),
        pair("type.declared", forward(placeholder("", &[4])), forward(placeholder("", &[3]))),
        pair("type.declared", delayed(placeholder("p", &[3])), delayed(sequence_input("p", "s", &[3]))),
        pair("type.declared", forward(sequence_input("", "s", &[3])), forward(placeholder("", &[u64::MAX - 2]))),
        pair(
            "type.declared",
            forward(placeholder("", &[3]).set("data_type", size(2))),
            forward(placeholder("", &[3]).set("data_type", size(0))),
        ),
        pair("type.declared", formal(&[4]), formal(&[3])),
        pair("type.unknown", with("shape", shape(&[u64::MAX - 1])), good()),
    ]
}

/// An operator whose first operand is an input of two numbers.
fn of(op: u64, second: Record) -> Record {
    model("F1", &[input("x", &[2]), second], &[function("F1", op, &["x", "a"], &[])])
}

/// Logistic with weights.
fn weighted(classes: u64, weights: Record) -> Record {
    let variables = [input("x", &[classes]), input("y", &[classes]), weights];
    model("F1", &variables, &[function("F1", 48, &["x", "y", "w"], &[])])
}

/// ClassificationError among the `n` largest of two predictions.
fn among(n: Record) -> Record {
    let variables = [input("x", &[2]), input("y", &[2]), n];
    model("F1", &variables, &[function("F1", 36, &["x", "y", "n"], &[])])
}

/// ScatterPacked.
fn scattered(index: Record) -> Record {
    let variables = [sequence_input("x", "s", &[2]), index, sequence_input("y", "s", &[1])];
    model("F1", &variables, &[function("F1", 30, &["x", "i", "y"], &[])])
}

/// The outer product of two vectors.
fn outer(n: u64) -> Record {
    plus(input("a", &[n]), input("b", &[1, n]))
}

/// An outer product of three.
fn tripled(n: u64) -> Record {
    let variables = [input("a", &[n]), input("b", &[1, n]), input("c", &[1, 1, n])];
    model("Select1", &variables, &[function("Select1", 42, &["a", "b", "c"], &[])])
}

#[test]
fn a_stack_may_store_its_parameter_in_any_shape() {
    let record = stack(21);
    let variables = [sequence_input("x", "s", &[2]), parameter("w", &[21]).set("shape", shape(&[3, 7]))];
    let bytes = record.set("inputs", list(&variables.map(|v| v.encode()))).file();
    let (passes, findings) = check(&bytes);
    assert!(passes && findings.iter().any(|f| f.rule == "tensor.record-shape"), "{findings:?}");
}

/// The dimensions of the root's first output.
fn dims(record: &Record) -> Vec<Dim> {
    let bytes = record.file();
    let source = ModelFile::new(&bytes);
    let validation = validate(parse(&source, &Limits::default()).unwrap(), &ValidateOptions::default());
    let model = validation.model.unwrap_or_else(|| panic!("{:?}", validation.findings));
    model.type_of(model.outputs()[0].source).shape.to_vec()
}

#[test]
fn free_dimensions_keep_their_identity() {
    const FREE: u64 = u64::MAX - 2;
    let same = plus(input("a", &[FREE]), parameter("b", &[1]));
    let [Dim::Free(id)] = dims(&same)[..] else { panic!() };
    assert_eq!(id, 0, "the input's own");
    assert_eq!(dims(&plus(input("a", &[FREE]), parameter("b", &[5]))), [Dim::Known(5)]);
    let [Dim::Free(both)] = dims(&plus(input("a", &[FREE]), input("b", &[FREE])))[..] else { panic!() };
    assert!(both > 1, "neither input's: either may be 1");
}

/// What is said of a model that passes, and the type of its root's first output.
fn verdict(record: &Record, options: &ValidateOptions) -> (Vec<(&'static str, Severity)>, Option<ValueType>) {
    let bytes = record.file();
    let source = ModelFile::new(&bytes);
    let validation = validate(parse(&source, &Limits::default()).unwrap(), options);
    let found = validation.findings.iter().map(|f| (f.rule, f.severity)).collect();
    let model = validation.model.unwrap_or_else(|| panic!("{:?}", validation.findings));
    let output = model.outputs()[0].source;
    (found, model.is_known(output).then(|| model.type_of(output).clone()))
}

/// CNTK compares the axes of a criterion's operands when it evaluates, by their lengths.
#[test]
fn the_operands_of_a_criterion_may_have_different_sequence_axes() {
    let variables = || [sequence_input("a", "s", &[2]), sequence_input("b", "t", &[2])];
    let penalties = ["SubstitutionPenalty", "DeletionPenalty", "InsertionPenalty"].map(|key| (key, single(1.0)));
    let mut edit: Vec<(&str, Value)> = penalties.into_iter().collect();
    edit.extend([("SquashInputs", flag(false)), ("TokensToIgnore", list(&[]))]);
    for (op, inputs, attributes) in [
        (34, &["a", "b"][..], &[][..]),
        (35, &["a", "b"], &[]),
        (36, &["a", "b"], &[]),
        (48, &["a", "b"], &[]),
        (59, &["a", "b", "a"], &[]),
        (60, &["a", "a", "b"], &[]),
        (61, &["a", "b"], &edit),
    ] {
        let record = model("F1", &variables(), &[function("F1", op, inputs, attributes)]);
        let (found, output) = verdict(&record, &ValidateOptions::default());
        assert!(found.is_empty(), "{op}: {found:?}");
        assert_eq!(output.unwrap().axes, DynamicAxes::default(), "{op}");
    }
}

#[test]
fn a_record_that_says_another_type_is_an_error_only_where_a_reader_fails() {
    let said = |record: &Record| verdict(record, &ValidateOptions::default()).0;
    let declared = |severity| vec![("type.declared", severity)];
    // As in files of CNTK 2.0 beta: () stands for (1).
    let one = |dims: &[u64]| {
        let functions = [function("Plus1", 19, &["p", "w"], &[]), block("Block1", "Plus1", &[("p", "x")])];
        model("Block1", &[input("x", &[1]), placeholder("p", dims), parameter("w", &[3])], &functions)
    };
    assert_eq!(said(&one(&[1])), []);
    assert_eq!(said(&one(&[])), declared(Severity::Note));
    assert_eq!(said(&one(&[3])), declared(Severity::Warning));
    let (passes, findings) = check(&one(&[2]).file());
    assert!(!passes && findings[0].rule == "type.declared", "{findings:?}");
}

#[test]
fn an_open_placeholder_takes_the_type_that_its_readers_need() {
    const UNKNOWN: u64 = u64::MAX - 1;
    let nothing_known = |uid| {
        let axes = list(&[dynamic_axis(i32::MAX - 2, "UnknownAxes", false)]);
        placeholder(uid, &[UNKNOWN]).set("data_type", size(0)).set("dynamic_axis", axes)
    };
    let times = |name: &str, x: &str| function(name, 31, &["w", x], &[("outputRank", size(1))]);
    let product = |functions: &[Record], root: &str| {
        let variables = [parameter("w", &[2, 4]), constant("zero", &[], &[0.0]), nothing_known("p")];
        verdict(&model(root, &variables, functions), &ValidateOptions::default())
    };
    let (found, output) = product(&[function("Tanh1", 2, &["p"], &[]), times("Times1", "Tanh1_Output_0")], "Times1");
    assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), ["graph.unbound-placeholder", "type.assumed"]);
    let output = output.unwrap();
    assert_eq!((&output.shape[..], output.data_type), (&[Dim::Known(2)][..], DataType::Float));
    assert_eq!(output.axes, DynamicAxes { batch: true, sequence: None });

    let delay = function("PastValue1", 37, &["Times1_Output_0", "zero"], &[("offset", size(1))]);
    let (_, output) = product(&[times("Times1", "p"), delay], "PastValue1");
    assert!(output.unwrap().axes.sequence.is_some());

    // Nothing says the shape: it stays unknown, whatever it is added to.
    let unknown = open(nothing_known("p"));
    let (found, output) = verdict(&unknown, &ValidateOptions::default());
    assert_eq!(found.last().unwrap().0, "type.unknown");
    assert_eq!(output, None);
    let mut options = ValidateOptions::default();
    let dims = PlaceholderDims { batch: true, sequence: false, shape: vec![Some(5), Some(1)] };
    options.placeholders.push(PlaceholderType {
        placeholder: "p".to_owned(),
        data_type: DataType::Float,
        dims: Some(dims),
    });
    let (_, output) = verdict(&unknown, &options);
    assert_eq!(output.unwrap().shape[..], [Dim::Known(5), Dim::Known(3)]);
}

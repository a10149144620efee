//! Sound files with one thing changed: each key of each record missing, of another type or unknown, and what lies at an edge.
//! What is said of them is in `messages.txt`.

use super::build::*;
use super::{blocks, graph};

/// A file, and what was done to it.
pub type Case = (String, Vec<u8>);

pub fn cases() -> Vec<Case> {
    [records(), numbers(), graphs(), names(), variables(), tensors()].into_iter().flatten().collect()
}

fn case(what: impl Into<String>, record: Record) -> Case {
    (what.into(), record.file())
}

const COMPOSITE: &str = "block_function_composite";

/// An input, a parameter, a placeholder, a block of Tanh, Plus of it, and a user-defined function.
fn everything() -> [(&'static str, Record); 6] {
    let user = Record(vec![
        ("version", size(0)),
        ("type", text("UserDefinedFunction")),
        ("uid", text("User1")),
        ("inputs", texts(&["Plus1_Output_0"])),
        ("native", flag(false)),
        ("user_defined_state", dictionary(&[("module", text("some.module")), ("class", text("Class"))])),
    ]);
    let block = block("Block1", "Tanh1", &[("p", "x")]);
    let plus = function("Plus1", 19, &["Block1_Output_0", "w"], &[]);
    [
        ("input", input("x", &[3])),
        ("parameter", parameter("w", &[3])),
        ("placeholder", placeholder("p", &[3])),
        ("block", block),
        ("function", plus),
        ("user function", user),
    ]
}

/// The model of these; without the user-defined function, which is an error of its own, unless that is asked for.
fn whole(parts: &[(&'static str, Record); 6], user: bool) -> Record {
    let records: Vec<Record> = parts.iter().map(|(_, record)| record.clone()).collect();
    let mut functions = vec![function("Tanh1", 2, &["p"], &[])];
    functions.extend_from_slice(&records[3..if user { 6 } else { 5 }]);
    model(if user { "User1" } else { "Plus1" }, &records[..3], &functions)
}

fn records() -> Vec<Case> {
    let parts = everything();
    let mut cases = vec![case("everything", whole(&parts, true))];
    let mut add = |what: &str, record: &Record, file: &dyn Fn(Record) -> Record| {
        for (key, value) in &record.0 {
            let other = if value[3] == 1 { size(1) } else { flag(true) };
            cases.push(case(format!("{what} without {key}"), file(record.clone().without(key))));
            cases.push(case(format!("{what} with another {key}"), file(record.clone().set(key, other))));
        }
        for optional in ["name", "state"] {
            for (with, value) in [("text", text("x")), ("dictionary", dictionary(&[]))] {
                cases
                    .push(case(format!("{what} with {optional} as {with}"), file(record.clone().set(optional, value))));
            }
        }
        cases.push(case(format!("{what} with a note"), file(record.clone().set("note", size(1)))));
        cases.push(case(format!("{what} of version 24"), file(record.clone().set("version", size(24)))));
        cases.push(case(format!("{what} of version 25"), file(record.clone().set("version", size(25)))));
    };
    let root = whole(&parts, false);
    add("model", &root, &|record| record);
    for i in 0..parts.len() {
        add(parts[i].0, &parts[i].1, &|record| {
            let mut parts = parts.clone();
            parts[i].1 = record;
            whole(&parts, i == 5)
        });
    }
    let composite = Record(vec![
        ("version", size(3)),
        ("type", text("CompositeFunction")),
        ("root", text("Tanh1")),
        ("uid", text("CompositeFunction9")),
    ]);
    add("composite", &composite, &|composite| {
        let mut parts = parts.clone();
        parts[3].1 = parts[3].1.clone().set(COMPOSITE, composite.encode());
        whole(&parts, false)
    });
    for version in [3, 4] {
        let record = composite.clone().set("version", size(version));
        let mut parts = parts.clone();
        parts[3].1 = parts[3].1.clone().set(COMPOSITE, record.encode());
        cases.push(case(format!("composite of version {version}"), whole(&parts, false).set("version", size(version))));
    }
    for n in 0..=7 {
        cases.push(case(
            format!("kind {n}"),
            graph::tanh().set("inputs", list(&[input("x", &[3]).set("kind", size(n)).encode()])),
        ));
        let record = input("x", &[3]).set("data_type", size(n));
        cases.push(case(format!("data type {n}"), graph::tanh().set("inputs", list(&[record.encode()]))));
    }
    for op in [97, 98, 196, 197, 208, 209] {
        cases.push(case(format!("op {op}"), model("F", &[], &[function("F", op, &[], &[])])));
    }
    cases
}

/// One function over sequences of three numbers.
fn one(op: u64, others: &[Record], attributes: &[(&str, Value)]) -> Record {
    let mut variables = vec![sequence_input("x", "s", &[3])];
    variables.extend_from_slice(others);
    let uids: Vec<String> =
        variables.iter().enumerate().map(|(i, _)| if i == 0 { "x".into() } else { format!("w{i}") }).collect();
    let variables: Vec<Record> = variables.into_iter().zip(&uids).map(|(v, uid)| v.set("uid", text(uid))).collect();
    let inputs: Vec<&str> = uids.iter().map(String::as_str).collect();
    model("F1", &variables, &[function("F1", op, &inputs, attributes)])
}

/// Numbers in attributes, at the ends of their ranges.
fn numbers() -> Vec<Case> {
    let mut cases = Vec::new();
    for rate in [-0.1, 0.0, 0.999, 1.0, f64::INFINITY] {
        cases.push(case(format!("dropout rate {rate}"), one(15, &[], &[("dropoutRate", double(rate))])));
    }
    let most = i32::MAX as u64;
    for offset in [0, 1, most, most + 1] {
        for op in [37, 38] {
            let record = one(op, &[constant("", &[], &[0.0])], &[("offset", size(offset))]);
            cases.push(case(format!("offset {offset} of op {op}"), record));
        }
    }
    for epsilon in [-1e-9, 0.0, 1e-5, f64::INFINITY, f64::NAN] {
        let attributes = [
            ("spatial", flag(true)),
            ("epsilon", double(epsilon)),
            ("normalizationTimeConstant", double(0.0)),
            ("blendTimeConstant", double(0.0)),
            ("useCuDNNEngine", flag(false)),
        ];
        let statistics: Vec<Record> = (0..5).map(|i| parameter("", if i < 4 { &[3][..] } else { &[] })).collect();
        cases.push(case(format!("epsilon {epsilon}"), one(40, &statistics, &attributes)));
    }
    for scale in [-1.0, 0.0, 0.5, f64::INFINITY, f64::NAN] {
        let attributes = [("roiOutputShape", shape(&[2, 2])), ("spatialScale", double(scale))];
        let variables = [input("x", &[5, 5, 3]), input("r", &[4, 2])];
        let record = model("F1", &variables, &[function("F1", 47, &["x", "r"], &attributes)]);
        cases.push(case(format!("spatial scale {scale}"), record));
    }
    let attributes = [
        ("randomDistributionType", text("normal")),
        ("randomDistributionArgs", list(&[double(f64::NAN), double(1.0), double(f64::INFINITY)])),
    ];
    cases.push(case("arguments of a random distribution", one(76, &[], &attributes)));
    // Sizes that CNTK keeps in 32 bits.
    for n in [0, 1, most, most + 1] {
        let sample = [("numSamples", size(n)), ("allowDuplicates", flag(true))];
        let record = model("F1", &[parameter("w", &[3])], &[function("F1", 45, &["w"], &sample)]);
        cases.push(case(format!("{n} samples"), record));
        let pad = [
            ("paddingHead", list(&[size(n)])),
            ("paddingFoot", list(&[size(0)])),
            ("paddingMode", size(0)),
            ("paddingConstantValue", double(0.0)),
        ];
        cases.push(case(format!("a pad of {n}"), one(83, &[], &pad)));
        let one_hot = [("numClass", size(n)), ("oneHotOutputSparse", flag(false)), ("onehotAxis", axis(0))];
        cases.push(case(
            format!("{n} classes"),
            model("F1", &[input("x", &[])], &[function("F1", 68, &["x"], &one_hot)]),
        ));
        cases.push(case(format!("reshaped to {n}"), one(16, &[], &[("newShape", shape(&[n]))])));
        for key in ["strides", "dilation", "lowerPad", "upperPad", "groups"] {
            let dims = |k, usual| shape(&[if k == key { n } else { usual }, usual]);
            let attributes = [
                ("strides", dims("strides", 1)),
                ("dilation", dims("dilation", 1)),
                ("sharing", list(&[flag(true)])),
                ("autoPadding", list(&[flag(false)])),
                ("lowerPad", dims("lowerPad", 0)),
                ("upperPad", dims("upperPad", 0)),
                ("groups", size(if key == "groups" { n } else { 1 })),
            ];
            let variables = [parameter("k", &[1, 1, 1]), input("x", &[1, 1])];
            let record = model("F1", &variables, &[function("F1", 33, &["k", "x"], &attributes)]);
            cases.push(case(format!("{key} of {n}"), record));
        }
    }
    for count in 0..=3 {
        let others = vec![parameter("", &[3]); count];
        for op in [2, 19, 41, 36, 43] {
            cases.push(case(format!("op {op} with {} inputs", count + 1), one(op, &others, &[])));
        }
    }
    cases
}

/// Two of the same, where the first is named or the number said.
fn graphs() -> Vec<Case> {
    let mut cases = Vec::new();
    let stray = function("F", 2, &["x"], &[]).set("block_function_op_name", text("Block"));
    cases.push(case("a primitive function with a key of blocks", model("F", &[input("x", &[3])], &[stray])));
    for (what, axes, stride, end) in
        [("axis beyond the shape", [0, 2], 1, 2), ("stride of 0", [0, 1], 0, 2), ("empty range", [0, 1], 1, 0)]
    {
        let several = [
            ("axisVec", list(&axes.map(axis))),
            ("beginIndexVec", list(&[int(0), int(0)])),
            ("endIndexVec", list(&[int(2), int(if end == 0 { -5 } else { end })])),
            ("sliceStridesVec", list(&[int(1), int(stride)])),
        ];
        let slice = function("F", 14, &["x"], &several);
        cases.push(case(format!("a slice of two axes: {what}"), model("F", &[input("x", &[3, 4])], &[slice])));
    }
    let select = |condition: &str| function("S", 42, &[condition, "x", "x"], &[]);
    for op in 22..=28 {
        for inputs in [["x", "w"], ["w", "x"], ["x", "x"]] {
            let functions = [function("C", op, &inputs, &[]), select("C_Output_0")];
            let record = model("S", &[input("x", &[3]), parameter("w", &[3])], &functions);
            cases.push(case(format!("a choice by op {op} of {}", inputs.join(" and ")), record));
        }
    }
    let functions = [
        function("C", 26, &["x", "w"], &[]),
        select("C_Output_0"),
        function("T", 42, &["C_Output_0", "S_Output_0", "x"], &[]),
        function("U", 42, &["x", "S_Output_0", "T_Output_0"], &[]),
    ];
    cases.push(case("two choices of three", model("U", &[input("x", &[3]), parameter("w", &[3])], &functions)));

    // Two chains of one length: the first is named.
    let chain = |name: char, length: usize| -> Vec<Record> {
        let read = |i: usize| if i == 0 { "x".to_owned() } else { format!("{name}{}_Output_0", i - 1) };
        (0..length).map(|i| function(&format!("{name}{i}"), 2, &[&read(i)], &[])).collect()
    };
    for length in [2999, 3000] {
        let functions = [chain('A', length), chain('B', length)].concat();
        let ends = [format!("A{}_Output_0", length - 1), format!("B{}_Output_0", length - 1)];
        let both = function("Both", 44, &[&ends[0], &ends[1]], &[]);
        let record = model("Both", &[input("x", &[3])], &[functions, vec![both]].concat());
        cases.push(case(format!("two chains of {length}"), record));
    }
    for levels in [15, 16, 17] {
        cases.push(case(format!("{levels} blocks in one another"), blocks::nested(levels)));
    }
    // Unneeded functions are counted.
    for count in 1..=3 {
        let functions: Vec<Record> = (0..=count).map(|i| function(&format!("F{i}"), 2, &["x"], &[])).collect();
        cases.push(case(format!("{count} unneeded"), model("F0", &[input("x", &[3])], &functions)));
    }
    // Each placeholder that nothing binds.
    let functions = [function("F", 19, &["p", "q"], &[])];
    cases
        .push(case("two open placeholders", model("F", &[placeholder("p", &[3]), placeholder("q", &[3])], &functions)));
    let unknown =
        placeholder("p", &[u64::MAX - 1]).set("dynamic_axis", list(&[dynamic_axis(i32::MAX - 2, "u", false)]));
    cases.push(case("a placeholder of unknown type", model("F", &[unknown], &[function("F", 2, &["p"], &[])])));
    cases
}

/// Long and odd names, wherever there is one.
fn names() -> Vec<Case> {
    let mut cases = Vec::new();
    for name in ["n".repeat(4096), "n".repeat(4097)] {
        let what = format!("a name of {}", name.len());
        cases.push(case(format!("model: {what}"), graph::tanh().set("name", text(&name))));
        let record = input("x", &[3]).set("name", text(&name));
        cases.push(case(format!("variable: {what}"), graph::tanh().set("inputs", list(&[record.encode()]))));
        let record = function("Tanh1", 2, &["x"], &[]).set("name", text(&name));
        cases.push(case(
            format!("function: {what}"),
            graph::tanh().set("primitive_functions", list(&[record.encode()])),
        ));
    }
    let odd =
        ['\t', '\u{7f}', '\u{85}', '\u{2029}', '\u{202a}', '\u{202e}', '\u{202f}', '\u{2065}', '\u{2066}', '\u{2069}'];
    for c in odd.into_iter().chain(['\u{206a}', 'é', ' ', '~']) {
        cases
            .push(case(format!("a name with {}", c.escape_unicode()), graph::tanh().set("name", text(&c.to_string()))));
    }
    cases
}

/// Shapes and axes of records.
fn variables() -> Vec<Case> {
    const INFERRED: u64 = u64::MAX;
    const UNKNOWN: u64 = u64::MAX - 1;
    const FREE: u64 = u64::MAX - 2;
    let most = i32::MAX as u64;
    let mut cases = Vec::new();
    let mut add = |what: String, record: Record| {
        let file = model("F", &[record.set("uid", text("x"))], &[function("F", 2, &["x"], &[])]);
        cases.push(case(what, file));
    };
    for dims in [
        &[][..],
        &[INFERRED],
        &[UNKNOWN],
        &[FREE],
        &[UNKNOWN, 2],
        &[FREE, 0],
        &[most],
        &[most + 1],
        &[FREE, INFERRED, 3],
        &[1 << 31, 1 << 31, 1 << 31],
        &[most, most, most],
        &[1; 12],
        &[1; 13],
    ] {
        add(format!("input of {dims:?}"), input("", dims));
        add(format!("placeholder of {dims:?}"), placeholder("", dims));
        add(format!("parameter that says {dims:?}"), parameter("", &[2]).set("shape", shape(dims)));
    }
    for dims in [[6, 1], [1, 6], [3, 2]] {
        add(
            format!("constant of 2 by 3 that says {dims:?}"),
            constant("", &[2, 3], &[0.0; 6]).set("shape", shape(&dims)),
        );
    }
    let axes = |axes: &[Value]| list(axes);
    let (s, b) = (|| sequence("s"), batch);
    let unknown = || dynamic_axis(i32::MAX - 2, "u", false);
    for (what, value) in [
        ("none", axes(&[])),
        ("batch", axes(&[b()])),
        ("sequence", axes(&[s()])),
        ("sequence, batch", axes(&[s(), b()])),
        ("batch, sequence", axes(&[b(), s()])),
        ("two sequences, batch", axes(&[s(), s(), b()])),
        ("five of them", axes(&[s(), s(), s(), s(), b()])),
        ("unknown", axes(&[unknown()])),
        ("unknown, batch", axes(&[unknown(), b()])),
        ("a static one", axes(&[axis(0)])),
        ("a batch of another name", axes(&[dynamic_axis(i32::MAX, "other", false)])),
        ("an ordered batch", axes(&[dynamic_axis(i32::MAX, "defaultBatchAxis", true)])),
    ] {
        for (kind, record) in [
            ("input", input("", &[3])),
            ("placeholder", placeholder("", &[3])),
            ("parameter", parameter("", &[3])),
            ("constant", constant("", &[3], &[0.0; 3])),
        ] {
            add(format!("{kind} with axes: {what}"), record.set("dynamic_axis", value.clone()));
        }
    }
    cases
}

/// What tensors hold, in each type that holds numbers.
fn tensors() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |what: String, record: Record| {
        let file = model("F", &[record.set("uid", text("x"))], &[function("F", 2, &["x"], &[])]);
        cases.push(case(what, file));
    };
    let doubles = |values: &[f64]| {
        let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let value = raw_array(2, &[values.len() as u64], &field(5, &field(1, &bytes)));
        parameter("", &[values.len() as u64]).set("data_type", size(2)).set("value", value)
    };
    add("doubles".into(), doubles(&[f64::NAN, f64::INFINITY, 1e-310, 1e200, -1e200, 1.0]));
    let tiny = |tiny: usize, all: usize| [vec![f32::from_bits(3); tiny], vec![1.0; all - tiny]].concat();
    for (some, all) in [(15, 15), (16, 16), (16, 1024), (16, 1025), (20, 1280)] {
        add(format!("{some} denormals of {all}"), stored("", &[all as u64], &tiny(some, all)));
    }
    for name in ["", "weights"] {
        let record = stored("", &[2], &[f32::NAN, 1e30]).set("name", text(name));
        add(format!("a parameter called {name:?}"), record.clone());
        add(format!("a constant called {name:?}"), record.set("kind", size(3)));
    }
    // Stored indices of a table of three rows, in each type.
    let mut gather = |what: String, record: Record, table: Record| {
        let functions = [
            function("T", 2, &["t"], &[]),
            function("F", 74, &["i", "t"], &[]),
            function("G", 74, &["i", "T_Output_0"], &[]),
            function("Both", 44, &["F_Output_0", "G_Output_0"], &[]),
        ];
        let record = model("Both", &[record.set("uid", text("i")), table.set("uid", text("t"))], &functions);
        cases.push(case(what, record));
    };
    let table = || parameter("", &[2, 3]);
    for values in [[0.0, 2.0], [0.0, 3.0], [-0.9, 2.9], [-1.0, 0.0], [f64::NAN, 0.0]] {
        gather(format!("indices {values:?}"), stored("", &[2], &values.map(|x| x as f32)), table());
        gather(format!("double indices {values:?}"), doubles(&values), table().set("data_type", size(1)));
    }
    let pieces = [field(1, &0f32.to_le_bytes()), field(1, &7f32.to_le_bytes())].concat();
    gather(
        "indices in pieces".into(),
        stored("", &[2], &[0.0; 2]).set("value", raw_array(1, &[2], &field(4, &pieces))),
        table(),
    );
    for bytes in [[0, 2], [0, 3], [0xff, 0]] {
        let value = raw_array(5, &[2], &field(6, &field(1, &bytes)));
        let record = constant("", &[2], &[0.0; 2]).set("data_type", size(5)).set("value", value);
        gather(format!("indices as bytes {bytes:?}"), record, table());
    }
    gather("indices of a table without rows".into(), stored("", &[2], &[0.0; 2]), parameter("", &[]));
    let rows = input("", &[2, u64::MAX - 2]).set("dynamic_axis", list(&[]));
    gather("indices of a table of unknown rows".into(), stored("", &[2], &[0.0, 9.0]), rows);
    cases
}

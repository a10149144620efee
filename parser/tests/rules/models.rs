//! `models.txt` has what validation makes of models by hand: resolved inputs, types, owners, loops, axes and outputs.
//! `BLESS=1` writes it.

use super::blocks;
use super::build::*;
use cntk_parser::model::{Dim, FunctionId, Source, ValidatedModel, ValueType};
use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
use std::fmt::Write;

fn frames(uid: &str, axis: &str, dims: &[u64]) -> Record {
    sequence_input(uid, axis, dims)
}

fn named(record: Record, name: &str) -> Record {
    record.set("name", text(name))
}

fn block_of_two(name: &str) -> Vec<Record> {
    vec![
        function("Tanh1", 2, &["p"], &[]),
        named(function("Plus1", 19, &["Tanh1_Output_0", "q"], &[]), "inner"),
        function("Combine1", 44, &["Plus1_Output_0", "p", "Tanh1_Output_0"], &[]),
        named(block("Block1", "Combine1", &[("p", "x"), ("q", "w")]), name),
    ]
}

fn delay(uid: &str, op: u64, state: &str, initial: &str) -> Record {
    function(uid, op, &[state, initial], &[("offset", size(1))])
}

/// A placeholder that stands for what is made later.
fn later(uid: &str, dims: &[u64], axes: &[Value]) -> Record {
    placeholder(uid, dims).set("dynamic_axis", list(axes))
}

fn user(uid: &str, inputs: &[&str]) -> Record {
    Record(vec![
        ("version", size(0)),
        ("type", text("UserDefinedFunction")),
        ("uid", text(uid)),
        ("inputs", texts(inputs)),
        ("native", flag(false)),
        ("user_defined_state", dictionary(&[("module", text("some.module")), ("class", text("Class"))])),
    ])
}

const FREE: u64 = u64::MAX - 2;
const UNKNOWN: u64 = u64::MAX - 1;

fn models() -> Vec<(&'static str, Record)> {
    let x = || input("x", &[3]);
    let w = || parameter("w", &[3]);
    let (p, q) = (|| placeholder("p", &[3]), || placeholder("q", &[3]));
    let s = |uid: &str| frames(uid, "s", &[2]);
    let zero = || constant("zero", &[], &[0.0]);
    let axes = || [sequence("s"), batch()];
    let mut all = Vec::new();

    let mut functions = block_of_two("name");
    functions.push(function("Top", 41, &["Block1_Output_2", "Block1_Output_1", "Block1_Output_0"], &[]));
    all.push(("a block of three outputs", model("Top", &[x(), w(), p(), q()], &functions)));
    all.push(("the same as the root", model("Block1", &[x(), w(), p(), q()], &block_of_two("name"))));
    let mut functions = block_of_two("");
    functions.push(named(function("Combine2", 44, &["Block1_Output_1", "w", "Block1_Output_0"], &[]), "all"));
    all.push(("several outputs of the root", model("Combine2", &[named(x(), "in"), w(), p(), q()], &functions)));
    all.push(("nested blocks", blocks::nested(3)));

    // Equal names: outputs of the root first, then functions outside of blocks, then any function, then variables.
    let functions = [
        named(function("Tanh1", 2, &["p"], &[]), "a"),
        named(block("Block1", "Tanh1", &[("p", "x")]), "b"),
        named(function("Tanh2", 2, &["Block1_Output_0"], &[]), "a"),
        named(function("Tanh3", 2, &["Tanh2_Output_0"], &[]), "c"),
        named(function("Tanh4", 2, &["Tanh3_Output_0"], &[]), "c"),
    ];
    let variables = [named(x(), "v"), named(p(), "c"), named(w(), "v")];
    all.push(("equal names", model("Tanh4", &variables, &functions)));

    let top_k = [("axis", axis(0)), ("numItems", size(2))];
    let unpack = [("sequenceUnpackPaddingValue", double(0.0)), ("sequenceUnpackSuppressMaskOutput", flag(false))];
    let functions = [
        function("TopK1", 87, &["s"], &top_k),
        function("Unpack1", 72, &["TopK1_Output_1"], &unpack),
        function("Combine1", 44, &["TopK1_Output_0", "Unpack1_Output_0", "Unpack1_Output_1"], &[]),
    ];
    all.push(("operators of two outputs", model("Combine1", &[s("s")], &functions)));

    for (what, op) in [("a loop forward", 37), ("a loop backward", 38)] {
        let functions = [
            delay("Delay1", op, "Plus1_Output_0", "zero"),
            function("Plus1", 19, &["Delay1_Output_0", "s"], &[]),
            function("Tanh1", 2, &["Plus1_Output_0"], &[]),
        ];
        let variables = [s("s"), zero(), later("Plus1_Output_0", &[2], &axes())];
        all.push((what, model("Tanh1", &variables, &functions)));
    }
    // A state of two delays, one of which is fed from outside; members in another order than in the file.
    let functions = [
        function("Plus2", 19, &["Plus1_Output_0", "Delay2_Output_0"], &[]),
        function("Plus1", 19, &["Delay1_Output_0", "Delay3_Output_0"], &[]),
        delay("Delay1", 37, "Plus2_Output_0", "zero"),
        delay("Delay2", 37, "Delay1_Output_0", "zero"),
        delay("Delay3", 38, "s", "zero"),
    ];
    let stand = |uid: &str, dims: &[u64]| later(uid, dims, &axes());
    let variables = [
        s("s"),
        zero(),
        stand("Plus1_Output_0", &[2]),
        stand("Delay1_Output_0", &[2]),
        stand("Delay2_Output_0", &[2]),
        stand("Delay3_Output_0", &[2]),
    ];
    all.push(("delays in and out of a loop", model("Plus2", &variables, &functions)));
    let unknown: Vec<Record> = variables
        .iter()
        .map(|v| if v.0[3].1 == size(4) { v.clone().set("shape", shape(&[UNKNOWN])) } else { v.clone() })
        .collect();
    all.push(("the same, its shapes not said", model("Plus2", &unknown, &functions)));
    // One loop's result drives the other; its initial state is a value of the first.
    let functions = [
        delay("Delay1", 37, "Plus1_Output_0", "zero"),
        function("Plus1", 19, &["Delay1_Output_0", "s"], &[]),
        delay("Delay2", 38, "Times2_Output_0", "Plus1_Output_0"),
        function("Times2", 21, &["Delay2_Output_0", "Plus1_Output_0"], &[]),
    ];
    let variables = [s("s"), zero(), stand("Plus1_Output_0", &[UNKNOWN]), stand("Times2_Output_0", &[FREE])];
    all.push(("two loops", model("Times2", &variables, &functions)));
    // The state is a scalar that nothing else says the size of.
    let functions = [delay("Delay1", 37, "Tanh1_Output_0", "zero"), function("Tanh1", 2, &["Delay1_Output_0"], &[])];
    let variables = [zero(), later("Tanh1_Output_0", &[UNKNOWN], &axes())];
    all.push(("a loop of nothing but itself", model("Tanh1", &variables, &functions)));
    // Sizes of its own around a loop: each is made up once.
    let slice = [("axis", axis(0)), ("beginIndex", int(1)), ("endIndex", int(-1))];
    let functions = [
        delay("Delay1", 37, "Plus1_Output_0", "zero"),
        function("Slice1", 14, &["f"], &slice),
        function("Plus1", 19, &["Slice1_Output_0", "Delay1_Output_0"], &[]),
        function("Slice2", 14, &["Plus1_Output_0"], &slice),
        function("Plus2", 19, &["Slice2_Output_0", "Slice1_Output_0"], &[]),
    ];
    let variables = [frames("f", "s", &[FREE]), zero(), stand("Plus1_Output_0", &[UNKNOWN])];
    all.push(("free sizes around a loop", model("Plus2", &variables, &functions)));

    let packed = |attributes: &[(&str, Value)]| {
        vec![
            function("Where1", 13, &["c"], attributes),
            function("Packed1", 28, &["s", "Where1_Output_0"], &[]),
            function("Gather1", 29, &["s", "Packed1_Output_0"], &[]),
            function("Scatter1", 30, &["Gather1_Output_0", "Packed1_Output_0", "c"], &[]),
            function("Reconcile1", 50, &["Gather1_Output_0", "Gather1_Output_0"], &[]),
        ]
    };
    let both = function("Both", 44, &["Scatter1_Output_0", "Reconcile1_Output_0"], &[]);
    let variables = || [s("s"), frames("c", "s", &[1])];
    for (what, attributes) in [
        ("picked frames", vec![]),
        ("picked frames on a named axis", vec![("newDynamicAxes", list(&[sequence("picked"), batch()]))]),
        (
            "picked frames on the operand's axis",
            vec![("newDynamicAxes", list(&[sequence("__operandSequenceAxis"), batch()]))],
        ),
    ] {
        let functions = [packed(&attributes), vec![both.clone()]].concat();
        all.push((what, model("Both", &variables(), &functions)));
    }
    let to_sequence = |attributes: &[(&str, Value)]| {
        [
            function("To1", 70, &["m"], attributes),
            function("Like1", 71, &["m", "s"], &[]),
            function("Unpack1", 79, &["x"], &[]),
            function("Batch1", 80, &["Unpack1_Output_0"], &[]),
            function("Sum1", 18, &["s"], &[]),
            function("Error1", 34, &["s", "s"], &[]),
            function(
                "All1",
                44,
                &["To1_Output_0", "Like1_Output_0", "Batch1_Output_0", "Sum1_Output_0", "Error1_Output_0"],
                &[],
            ),
        ]
    };
    let variables = || [input("m", &[2, 5]), s("s"), x()];
    all.push(("made sequences", model("All1", &variables(), &to_sequence(&[]))));
    let named_axis = [("newDynamicAxes", list(&[sequence("made"), batch()]))];
    all.push(("made sequences on a named axis", model("All1", &variables(), &to_sequence(&named_axis))));
    let reduce =
        |uid: &str, index: Value| function(uid, 39, &["s"], &[("axis", index), ("reductionOpName", text("Sum"))]);
    let functions = [
        reduce("Static1", axis(0)),
        reduce("Batch1", batch()),
        reduce("All1", axis(i32::MAX - 4)),
        reduce("Sequence1", sequence("s")),
        function("Times1", 31, &["s", "s1"], &[("outputRank", size(1)), ("inferInputRankToMap", int(-2))]),
        function(
            "C",
            44,
            &["Static1_Output_0", "Batch1_Output_0", "All1_Output_0", "Sequence1_Output_0", "Times1_Output_0"],
            &[],
        ),
    ];
    all.push(("axes reduced away", model("C", &[s("s"), frames("s1", "s", &[1])], &functions)));

    // Element types: constants follow, parameters must agree; half-precision normalization has single-precision statistics.
    let double = |record: Record| record.set("data_type", size(2));
    let functions = [
        function("Plus1", 19, &["one", "d"], &[]),
        function("Plus2", 19, &["one", "one"], &[]),
        function("Cast1", 91, &["Plus2_Output_0"], &[("newDataType", int(2))]),
        function("Plus3", 19, &["Cast1_Output_0", "Plus1_Output_0"], &[]),
        function("C", 44, &["Plus3_Output_0", "Plus2_Output_0"], &[]),
    ];
    all.push(("element types", model("C", &[constant("one", &[1], &[1.0]), double(input("d", &[3]))], &functions)));
    let attributes = [
        ("spatial", flag(true)),
        ("epsilon", super::build::double(1e-5)),
        ("normalizationTimeConstant", super::build::double(0.0)),
        ("blendTimeConstant", super::build::double(0.0)),
        ("useCuDNNEngine", flag(false)),
    ];
    let norm = [function("F", 40, &["h", "w", "w", "w", "w", "w"], &attributes)];
    all.push(("half-precision normalization", model("F", &[input("h", &[3]).set("data_type", size(4)), w()], &norm)));
    let distribution = [
        ("randomDistributionType", text("normal")),
        ("randomDistributionArgs", list(&[super::build::double(0.0)])),
        ("newShape", shape(&[2, 3])),
        ("newDataType", int(2)),
    ];
    all.push(("random numbers", model("F", &[], &[function("F", 76, &[], &distribution)])));

    let proxy = [("customOp", text("op")), ("outputShape", shape(&[3])), ("newDataType", int(2))];
    all.push(("a registered op", model("F", &[x()], &[function("F", 93, &["x"], &proxy)])));
    all.push(("free sizes that stay", free_sizes()));
    for (what, dims) in [("an old zero is inferred", [2, 0]), ("unless something else is", [u64::MAX, 0])] {
        let reshape = function("F", 16, &["y"], &[("newShape", shape(&dims))]).set("version", size(7));
        all.push((what, model("F", &[input("y", &[3, 4])], &[reshape])));
    }
    let functions = [
        function("F", 2, &["B_Output_1"], &[]),
        function("G", 2, &["p"], &[]),
        function("C", 44, &["p", "G_Output_0"], &[]),
        block("B", "C", &[("p", "x")]),
    ];
    let variables = [x(), p(), placeholder("B_Output_1", &[3])];
    all.push(("a placeholder for the second output of a block", model("F", &variables, &functions)));

    // User-defined functions have as many outputs as are read, by inputs or by arguments of blocks.
    let functions = [
        user("User1", &["x"]),
        function("Tanh1", 2, &["p"], &[]),
        block("Block1", "Tanh1", &[("p", "User1_Output_3")]),
        function("Plus1", 19, &["User1_Output_1", "Block1_Output_0"], &[]),
    ];
    all.push(("a user-defined function", model("Plus1", &[x(), p()], &functions)));
    let functions = [user("User1", &["x"]), function("Tanh1", 2, &["User1_Output_31"], &[])];
    all.push(("32 outputs of a user-defined function", model("Tanh1", &[x()], &functions)));
    let functions = [user("User1", &["x"]), function("Tanh1", 2, &["User1_Output_32"], &[])];
    all.push(("33 outputs of a user-defined function", model("Tanh1", &[x()], &functions)));

    // Unneeded functions and blocks are part of the order, with owners.
    let mut functions = block_of_two("");
    functions.push(function("Top", 2, &["x"], &[]));
    all.push(("an unneeded block", model("Top", &[x(), w(), p(), q()], &functions)));
    let functions = [function("F", 19, &["open", "x"], &[])];
    all.push(("an open placeholder", model("F", &[x(), placeholder("open", &[UNKNOWN])], &functions)));

    // What forward references say of what they stand for.
    for (what, record) in [
        ("the same", placeholder("", &[3])),
        ("a free size", placeholder("", &[FREE])),
        ("an unknown shape", placeholder("", &[UNKNOWN])),
        ("another rank", placeholder("", &[3, 1])),
        ("an unknown type", placeholder("", &[3]).set("data_type", size(0))),
        ("no batch", placeholder("", &[3]).set("dynamic_axis", list(&[]))),
        ("unknown axes", placeholder("", &[3]).set("dynamic_axis", list(&[dynamic_axis(i32::MAX - 2, "u", false)]))),
    ] {
        let functions = [function("Tanh2", 2, &["Tanh1_Output_0"], &[]), function("Tanh1", 2, &["x"], &[])];
        let record = record.set("uid", text("Tanh1_Output_0"));
        all.push((what, model("Tanh2", &[x(), record], &functions)));
    }
    all.extend(refused());
    all
}

/// An axis of free size through operators that keep its size, and through the same ones that do not.
fn free_sizes() -> Record {
    let pooling = |uid: &str, window: u64, stride: u64, pad: u64, auto: bool| {
        let attributes = [
            ("poolingType", size(0)),
            ("poolingWindowShape", shape(&[window])),
            ("strides", shape(&[stride])),
            ("autoPadding", list(&[flag(auto)])),
            ("lowerPad", shape(&[pad])),
            ("upperPad", shape(&[0])),
        ];
        function(uid, 17, &["f"], &attributes)
    };
    let pad = |uid: &str, foot: u64| {
        let attributes = [
            ("paddingHead", list(&[size(0), size(1)])),
            ("paddingFoot", list(&[size(foot), size(0)])),
            ("paddingMode", size(0)),
            ("paddingConstantValue", double(0.0)),
        ];
        function(uid, 83, &["f"], &attributes)
    };
    let reshape = |uid: &str, dims: &[u64]| function(uid, 16, &["f"], &[("newShape", shape(dims))]);
    let functions = [
        pooling("Same1", 1, 1, 0, false),
        pooling("Same2", 3, 1, 0, true),
        pooling("Other1", 1, 2, 0, false),
        pooling("Other2", 3, 1, 0, false),
        pooling("Other3", 1, 1, 1, false),
        pad("Same3", 0),
        pad("Other4", 2),
        reshape("Same4", &[3, u64::MAX]),
        reshape("Other5", &[6, u64::MAX]),
        reshape("None1", &[3, 7]),
    ];
    let uids = ["Same1", "Same2", "Other1", "Other2", "Other3", "Same3", "Other4", "Same4", "Other5", "None1"];
    let outputs = uids.map(|uid| format!("{uid}_Output_0"));
    let all = function("All", 44, &outputs.each_ref().map(String::as_str), &[]);
    model("All", &[input("f", &[FREE, 3])], &[functions.to_vec(), vec![all]].concat())
}

/// Rings and cycles: how many are named.
fn refused() -> Vec<(&'static str, Record)> {
    let x = || input("x", &[3]);
    let mut all = Vec::new();
    for (what, length) in [("a cycle of 8", 8), ("a cycle of 9", 9)] {
        let functions: Vec<Record> = (0..length)
            .map(|i| function(&format!("F{i}"), 19, &[&format!("F{}_Output_0", (i + 1) % length), "x"], &[]))
            .collect();
        let stands: Vec<Record> = (0..length).map(|i| placeholder(&format!("F{i}_Output_0"), &[3])).collect();
        all.push((what, model("F0", &[vec![x()], stands].concat(), &functions)));
    }
    for (what, length) in [("a ring of 8 roots", 8), ("a ring of 9 roots", 9)] {
        let functions: Vec<Record> =
            (0..length).map(|i| block(&format!("B{i}"), &format!("B{}", (i + 1) % length), &[])).collect();
        all.push((what, model("B0", &[x()], &functions)));
    }
    // Blocks that hold one another through functions; the second ring is not met from the root.
    let ring = |names: [&str; 2]| {
        let inner = |i: usize| format!("{}_inner", names[i]);
        let calls = |i: usize| function(&inner(i), 19, &["x", &format!("{}_Output_0", names[1 - i])], &[]);
        [calls(0), block(names[0], &inner(0), &[]), calls(1), block(names[1], &inner(1), &[])]
    };
    let stands: Vec<Record> = ["A", "B", "C", "D"].map(|n| placeholder(&format!("{n}_Output_0"), &[3])).to_vec();
    let functions = [ring(["A", "B"]), ring(["C", "D"])].concat();
    all.push(("two rings of blocks", model("A", &[vec![x()], stands].concat(), &functions)));
    // Placeholders that stand for one another, through blocks that pass them on.
    let pass = |i: usize, n: usize| {
        let (combine, block_uid) = (format!("C{i}"), format!("B{i}"));
        let formal = format!("p{i}");
        [
            function(&combine, 44, &[&formal], &[]),
            block(&block_uid, &combine, &[(&formal, &format!("B{}_Output_0", (i + 1) % n))]),
        ]
    };
    for (what, n) in [("an alias ring of 3", 3), ("an alias ring of 6", 6)] {
        let functions: Vec<Record> = (0..n).flat_map(|i| pass(i, n)).collect();
        let formals: Vec<Record> = (0..n)
            .flat_map(|i| [placeholder(&format!("p{i}"), &[3]), placeholder(&format!("B{i}_Output_0"), &[3])])
            .collect();
        all.push((what, model("B0", &formals, &functions)));
    }
    // Scopes: a placeholder of another block, of no block, outside; a function of two blocks and of the model.
    let functions = [
        function("Plus1", 19, &["p", "q"], &[]),
        block("Block1", "Plus1", &[("p", "x")]),
        function("Plus2", 19, &["q", "o"], &[]),
        block("Block2", "Plus2", &[("q", "x")]),
        function("Top", 41, &["Block1_Output_0", "Block2_Output_0", "p"], &[]),
    ];
    let variables = [x(), placeholder("p", &[3]), placeholder("q", &[3]), placeholder("o", &[3])];
    all.push(("placeholders in other scopes", model("Top", &variables, &functions)));
    let functions = [
        function("Tanh1", 2, &["x"], &[]),
        block("Block1", "Tanh1", &[]),
        block("Block2", "Tanh1", &[]),
        block("Block3", "Tanh1", &[]),
        function("Top", 41, &["Block1_Output_0", "Block2_Output_0", "Block3_Output_0"], &[]),
    ];
    all.push(("a function of three blocks", model("Top", &[x()], &functions)));
    // Outputs that do not exist.
    for (what, reference) in [
        ("an output of Combine", "Combine1_Output_0"),
        ("the second of one", "Tanh1_Output_1"),
        ("the third of two", "Block1_Output_2"),
        ("an output of a block without a root", "Block2_Output_0"),
    ] {
        let functions = [
            function("Tanh1", 2, &["x"], &[]),
            function("Combine1", 44, &["Tanh1_Output_0", "x"], &[]),
            block("Block1", "Combine1", &[]),
            block("Block2", "nothing", &[]),
            function("Top", 2, &[reference], &[]),
        ];
        all.push((what, model("Top", &[x()], &functions)));
    }
    all
}

fn value(model: &ValidatedModel<'_>, source: Source) -> String {
    match source {
        Source::Variable(v) => model.variable(v).uid.to_owned(),
        Source::Output(f, i) => format!("{}:{i}", model.function(f).uid),
    }
}

fn typed(value: &ValueType) -> String {
    let dim = |d: &Dim| match d {
        Dim::Known(n) => n.to_string(),
        Dim::Free(id) => format!("?{id}"),
    };
    let dims: Vec<String> = value.shape.iter().map(dim).collect();
    let batch = if value.axes.batch { " batch" } else { "" };
    let sequence = value.axes.sequence.map_or_else(String::new, |s| format!(" sequence {}", s.0));
    format!("{:?} ({}){batch}{sequence}", value.data_type, dims.join(", "))
}

fn show(record: &Record) -> String {
    let file = record.file();
    let mut options = ValidateOptions::default();
    options.allow_udf = true;
    let source = ModelFile::new(&file);
    let validation = validate(parse(&source, &Limits::default()).unwrap(), &options);
    let mut out = String::new();
    for finding in &validation.findings {
        writeln!(out, "  {:?} {}: {} [{}]", finding.severity, finding.path, finding.message, finding.rule).unwrap();
    }
    let Some(model) = validation.model else { return out };
    let uid = |id: FunctionId| model.function(id).uid;
    for id in (0..model.model().variables.len()).map(|i| cntk_parser::model::VariableId(i as u32)) {
        let source = Source::Variable(id);
        writeln!(out, "  {}: {}", value(&model, source), typed(model.type_of(source))).unwrap();
    }
    for id in (0..model.model().functions.len()).map(|i| FunctionId(i as u32)) {
        let inputs: Vec<String> = model.inputs(id).iter().map(|source| value(&model, *source)).collect();
        let types: Vec<String> = model.output_types(id).iter().map(typed).collect();
        let owner = model.parent(id).map_or_else(String::new, |parent| format!(" in {}", uid(parent)));
        let member = model.loop_of(id).map_or_else(String::new, |l| format!(" of loop {}", l.0));
        let op = model.operator(id).name();
        writeln!(out, "  {} = {op}({}){owner}{member}: {}", uid(id), inputs.join(", "), types.join("; ")).unwrap();
    }
    let order: Vec<&str> = model.order().iter().map(|id| uid(*id)).collect();
    writeln!(out, "  order: {}", order.join(" ")).unwrap();
    for found in model.loops() {
        let members: Vec<&str> = found.members.iter().map(|id| uid(*id)).collect();
        writeln!(out, "  loop{}: {}", if found.backward { " backward" } else { "" }, members.join(" ")).unwrap();
    }
    for axis in model.sequence_axes() {
        writeln!(out, "  sequence {:?} of {}", axis.name, value(&model, axis.origin)).unwrap();
    }
    for output in model.outputs() {
        writeln!(out, "  output {} {:?} = {}", output.uid, output.name, value(&model, output.source)).unwrap();
    }
    // What each uid and name finds, where that is not what it says.
    let records = model.model();
    let functions = records.functions.iter();
    let mut texts: Vec<String> = functions.clone().flat_map(|f| [f.uid.to_owned(), f.name.to_owned()]).collect();
    texts.extend(records.variables.iter().flat_map(|v| [v.uid.to_owned(), v.name.to_owned()]));
    texts.extend(functions.flat_map(|f| (0..4).map(move |i| format!("{}_Output_{i}", f.uid))));
    texts.sort();
    texts.dedup();
    for text in texts {
        let found = model.find(&text).map(|o| format!("{} {:?} = {}", o.uid, o.name, value(&model, o.source)));
        writeln!(out, "  find {text:?}: {}", found.unwrap_or_else(|| "nothing".to_owned())).unwrap();
    }
    out
}

#[test]
fn models_are_understood_as_recorded() {
    let text: String = models().iter().map(|(what, record)| format!("{what}\n{}", show(record))).collect();
    super::messages::golden("models.txt", &text);
}

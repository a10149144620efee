//! The models.

use super::*;

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

const UNKNOWN: u64 = u64::MAX - 1;

pub(super) fn models() -> Vec<(&'static str, Record)> {
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
        ("epsilon", crate::build::double(1e-5)),
        ("normalizationTimeConstant", crate::build::double(0.0)),
        ("blendTimeConstant", crate::build::double(0.0)),
        ("useCuDNNEngine", flag(false)),
    ];
    let norm = [function("F", 40, &["h", "w", "w", "w", "w", "n"], &attributes)];
    let variables = [input("h", &[3]).set("data_type", size(4)), w(), parameter("n", &[])];
    all.push(("half-precision normalization", model("F", &variables, &norm)));
    let distribution = [
        ("randomDistributionType", text("normal")),
        ("randomDistributionArgs", list(&[crate::build::double(0.0)])),
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

//! `models.txt` has what validation makes of models by hand: resolved inputs, types, owners, loops, axes and outputs.
//! `BLESS=1` writes it.

mod cases;

use super::blocks;
use super::build::*;
use cntk_parser::model::{Dim, FunctionId, Source, ValidatedModel, ValueType};
use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
use std::fmt::Write;

const FREE: u64 = u64::MAX - 2;

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
    let sequence = value.axes.sequence.map_or_else(String::new, |s| format!(" sequence {}", s.index()));
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
    for id in model.variable_ids() {
        let source = Source::Variable(id);
        writeln!(out, "  {}: {}", value(&model, source), typed(model.type_of(source))).unwrap();
    }
    for id in model.function_ids() {
        let inputs: Vec<String> = model.inputs(id).iter().map(|source| value(&model, *source)).collect();
        let types: Vec<String> = model.output_types(id).iter().map(typed).collect();
        let owner = model.parent(id).map_or_else(String::new, |parent| format!(" in {}", uid(parent)));
        let member = model.loop_of(id).map_or_else(String::new, |l| format!(" of loop {}", l.index()));
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
    let text: String = cases::models().iter().map(|(what, record)| format!("{what}\n{}", show(record))).collect();
    super::messages::golden("models.txt", &text);
}

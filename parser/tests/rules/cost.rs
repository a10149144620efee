//! Shapes of graphs that make careless readers recurse, explode or go round. Validation is linear in all of them.

use super::build::*;
use super::{check, graph};
use cntk_parser::{Limits, ModelFile, Severity, ValidateOptions, parse, validate};
use cntk_testing::clock;

/// Of processor time: far more than any of these takes, even unoptimized; far less than anything quadratic.
const SECONDS: u64 = 20;

fn timed(what: &str, record: &Record) -> bool {
    let file = record.file();
    let ((passes, findings), took) = clock::timed(|| check(&file));
    assert!(took.is_none_or(|took| took.as_secs() < SECONDS), "{what} took {took:?}");
    let errors: Vec<_> = findings.iter().filter(|f| f.severity == Severity::Error).take(2).collect();
    println!("{what}: {took:?} {errors:?}");
    passes
}

/// `count` functions, each reading the one before twice.
fn doubling(count: usize) -> Record {
    let functions: Vec<Record> = (0..count)
        .map(|i| {
            let before = if i == 0 { "x".to_owned() } else { format!("F{}_Output_0", i - 1) };
            function(&format!("F{i}"), 19, &[&before, &before], &[])
        })
        .collect();
    model(&format!("F{}", count - 1), &[input("x", &[3])], &functions)
}

/// A loop through `count` functions. With `delays`, all but one are delays, and what is known travels against their order.
fn long_loop(count: usize, delays: bool) -> Record {
    let axes = || list(&[sequence("s"), batch()]);
    let mut variables = vec![sequence_input("x", "s", &[3]), constant("zero", &[], &[0.0])];
    let functions: Vec<Record> = (0..count)
        .map(|i| {
            // Against the order, each reads the next; along it, the one before.
            let read = if delays { (i + 1) % count } else { (i + count - 1) % count };
            let before = format!("F{read}_Output_0");
            if read >= i {
                let unknown = if delays { &[u64::MAX - 1][..] } else { &[3] };
                variables.push(placeholder(&before, unknown).set("dynamic_axis", axes()));
            }
            if (i == 0) != delays {
                function(&format!("F{i}"), 37, &[&before, "zero"], &[("offset", size(1))])
            } else {
                function(&format!("F{i}"), 19, &[&before, "x"], &[])
            }
        })
        .collect();
    model("F0", &variables, &functions)
}

/// Blocks in a row, each passing its argument on.
fn aliases(count: usize) -> Record {
    let mut variables = vec![input("x", &[3])];
    let mut functions = Vec::new();
    for i in 0..count {
        let before = if i == 0 { "x".to_owned() } else { format!("B{}_Output_0", i - 1) };
        let formal = format!("p{i}");
        variables.push(placeholder(&formal, &[3]));
        functions.push(function(&format!("C{i}"), 44, &[&formal], &[]));
        functions.push(block(&format!("B{i}"), &format!("C{i}"), &[(&formal, &before)]));
    }
    functions.push(function("Tanh1", 2, &[&format!("B{}_Output_0", count - 1)], &[]));
    model("Tanh1", &variables, &functions)
}

/// Blocks inside one another around a Combine of many outputs.
fn wide_and_deep(levels: usize, width: usize) -> Record {
    let mut variables = vec![input("x", &[3])];
    let mut functions = vec![function("C", 44, &vec!["p0"; width], &[])];
    for i in 0..levels {
        variables.push(placeholder(&format!("p{i}"), &[3]));
        let root = if i == 0 { "C".to_owned() } else { format!("B{}", i - 1) };
        let actual = if i + 1 == levels { "x".to_owned() } else { format!("p{}", i + 1) };
        functions.push(block(&format!("B{i}"), &root, &[(&format!("p{i}"), &actual)]));
    }
    model(&format!("B{}", levels - 1), &variables, &functions)
}

/// Many Gathers by one long list of indices.
fn gathers(count: usize, length: usize) -> Record {
    let variables = [constant("i", &[length as u64], &vec![1.0; length]), parameter("t", &[2, 3])];
    let mut functions: Vec<Record> = (0..count).map(|i| function(&format!("G{i}"), 74, &["i", "t"], &[])).collect();
    let outputs: Vec<String> = (0..count).map(|i| format!("G{i}_Output_0")).collect();
    functions.push(function("C", 44, &outputs.iter().map(String::as_str).collect::<Vec<_>>(), &[]));
    model("C", &variables, &functions)
}

#[test]
fn no_shape_of_a_graph_is_expensive() {
    assert!(timed("a chain", &graph::chain(50_000)));
    assert!(timed("a doubling", &doubling(20_000)));
    assert!(timed("a long loop", &long_loop(20_000, false)));
    assert!(timed("a loop of delays", &long_loop(5_000, true)));
    assert!(timed("aliases", &aliases(10_000)));
    assert!(timed("nested blocks", &super::blocks::nested(2_000)));
    assert!(timed("wide and deep", &wide_and_deep(2_000, 20_000)));
    assert!(timed("gathers", &gathers(2_000, 200_000)));
}

#[test]
fn findings_are_bounded() {
    let functions: Vec<Record> = (0..5000).map(|i| function(&format!("F{i}"), 2, &["nowhere"], &[])).collect();
    let file = model("F0", &[input("x", &[3])], &functions).file();
    let source = ModelFile::new(&file);
    let validation = validate(parse(&source, &Limits::default()).unwrap(), &ValidateOptions::default());
    assert!(validation.model.is_none());
    assert_eq!(validation.findings.len(), 1000);
    assert!(validation.more_findings >= 4000);
}

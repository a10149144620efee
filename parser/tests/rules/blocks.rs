//! Blocks: argument maps, scopes, nesting.

use super::build::*;
use super::{Pair, pair};

/// A block of Tanh over x.
fn simple(map: &[(&str, &str)]) -> Record {
    let functions = [function("Tanh1", 2, &["p"], &[]), block("Block1", "Tanh1", map)];
    model("Block1", &[input("x", &[3]), placeholder("p", &[3])], &functions)
}

/// Blocks one inside the other.
pub fn nested(levels: usize) -> Record {
    let mut variables = vec![input("x", &[3])];
    let mut functions = vec![function("Tanh1", 2, &["p0"], &[])];
    for i in 0..levels {
        variables.push(placeholder(&format!("p{i}"), &[3]));
        let root = if i == 0 { "Tanh1".to_owned() } else { format!("Block{}", i - 1) };
        let actual = if i + 1 == levels { "x".to_owned() } else { format!("p{}", i + 1) };
        functions.push(block(&format!("Block{i}"), &root, &[(&format!("p{i}"), &actual)]));
    }
    model(&format!("Block{}", levels - 1), &variables, &functions)
}

/// A block that passes one placeholder on 1000 times.
pub fn many_outputs(uid: &str) -> Record {
    let functions = [function("Combine1", 44, &["p"; 1000], &[]), block(uid, "Combine1", &[("p", "x")])];
    model(uid, &[input("x", &[3]), placeholder("p", &[3])], &functions)
}

pub fn pairs() -> Vec<Pair> {
    let good = || simple(&[("p", "x")]);
    let contains = |inner: &str, outer: &str| {
        let functions = [
            function("Tanh1", 2, &["p"], &[]),
            block("Block1", inner, &[("p", "x")]),
            block("Block2", outer, &[("q", "x")]),
        ];
        let variables = [input("x", &[3]), placeholder("p", &[3]), placeholder("q", &[3])];
        model("Block2", &variables, &functions)
    };
    vec![
        pair("block.root", contains("Tanh9", "Block1"), good()),
        pair("block.recursion", contains("Block2", "Block1"), good()),
        pair("block.recursion", contains("Block1", "Block1"), good()),
        pair("block.recursion", recursion_through_a_function(), good()),
        pair("graph.alias-ring", alias_ring("q", "p"), good()),
        pair("graph.alias-ring", alias_ring("p", "x"), good()),
        pair("block.map-key", simple(&[("x", "x")]), good()),
        pair("block.map-key", simple(&[("p", "x"), ("p", "x")]), good()),
        pair("block.map-key", unused_key(), good()),
        pair("graph.reference", simple(&[("p", "y")]), good()),
        pair("block.scope", simple(&[]), good()),
        pair("block.scope", leak(), good()),
        pair("block.shared", shared("Tanh1"), shared("Tanh2")),
        pair("block.shared", leaked_function(), good()),
        pair("block.inputs", listed(&[]), good()),
    ]
}

/// A block whose inner function reads an output of the block.
fn recursion_through_a_function() -> Record {
    let functions = [
        function("Plus1", 19, &["p", "Tanh1_Output_0"], &[]),
        function("Tanh1", 2, &["Block1_Output_0"], &[]),
        block("Block1", "Plus1", &[("p", "x")]),
    ];
    model("Block1", &[input("x", &[3]), placeholder("p", &[3])], &functions)
}

/// Two blocks that pass on their argument, each fed by the other's placeholder.
fn alias_ring(first: &str, second: &str) -> Record {
    let functions = [
        function("Combine1", 44, &["p"], &[]),
        block("Block1", "Combine1", &[("p", first)]),
        function("Combine2", 44, &["q"], &[]),
        block("Block2", "Combine2", &[("q", second)]),
        function("Plus1", 19, &["Block1_Output_0", "Block2_Output_0"], &[]),
    ];
    model("Plus1", &[input("x", &[3]), placeholder("p", &[3]), placeholder("q", &[3])], &functions)
}

/// A key that the inner graph does not use.
fn unused_key() -> Record {
    let functions = [function("Tanh1", 2, &["p"], &[]), block("Block1", "Tanh1", &[("p", "x"), ("q", "x")])];
    model("Block1", &[input("x", &[3]), placeholder("p", &[3]), placeholder("q", &[3])], &functions)
}

/// A block's placeholder outside of it.
fn leak() -> Record {
    let functions = [
        function("Tanh1", 2, &["p"], &[]),
        block("Block1", "Tanh1", &[("p", "x")]),
        function("Plus1", 19, &["Block1_Output_0", "p"], &[]),
    ];
    model("Plus1", &[input("x", &[3]), placeholder("p", &[3])], &functions)
}

/// Two blocks, the second around `root`.
fn shared(root: &str) -> Record {
    let argument = if root == "Tanh1" { "p" } else { "q" };
    let functions = [
        function("Tanh1", 2, &["p"], &[]),
        block("Block1", "Tanh1", &[("p", "x")]),
        function("Tanh2", 2, &[argument], &[]),
        block("Block2", root, &[("q", "x")]),
        function("Plus1", 19, &["Block1_Output_0", "Block2_Output_0"], &[]),
    ];
    model("Plus1", &[input("x", &[3]), placeholder("p", &[3]), placeholder("q", &[3])], &functions)
}

/// An inner function that the outside reads, too.
fn leaked_function() -> Record {
    let functions = [
        function("Tanh1", 2, &["p"], &[]),
        block("Block1", "Tanh1", &[("p", "x")]),
        function("Plus1", 19, &["Block1_Output_0", "Tanh1_Output_0"], &[]),
    ];
    model("Plus1", &[input("x", &[3]), placeholder("p", &[3])], &functions)
}

/// The block record lists other inputs.
fn listed(inputs: &[&str]) -> Record {
    let functions =
        [function("Tanh1", 2, &["p"], &[]), block("Block1", "Tanh1", &[("p", "x")]).set("inputs", texts(inputs))];
    model("Block1", &[input("x", &[3]), placeholder("p", &[3])], &functions)
}

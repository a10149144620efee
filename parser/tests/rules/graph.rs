//! References, order, recurrences, names.

use super::build::*;
use super::{Pair, check, pair};

/// Input x, Tanh of it.
pub fn tanh() -> Record {
    model("Tanh1", &[input("x", &[3])], &[function("Tanh1", 2, &["x"], &[])])
}

/// A recurrence h = op(delay(h) + x), its state through `delay`.
fn recurrence(delay: &[Record], state: &str) -> Record {
    let variables = [
        sequence_input("x", "defaultDynamicAxis", &[2]),
        constant("zero", &[], &[0.0]),
        placeholder("Tanh1_Output_0", &[2]).set("dynamic_axis", list(&[sequence("defaultDynamicAxis"), batch()])),
    ];
    let mut functions = delay.to_vec();
    functions.push(function("Plus1", 19, &[state, "x"], &[]));
    functions.push(function("Tanh1", 2, &["Plus1_Output_0"], &[]));
    model("Tanh1", &variables, &functions)
}

fn delay(uid: &str, op: u64, state: &str) -> Record {
    function(uid, op, &[state, "zero"], &[("offset", size(1))])
}

pub fn pairs() -> Vec<Pair> {
    let loops = recurrence(&[delay("PastValue1", 37, "Tanh1_Output_0")], "PastValue1_Output_0");
    let named = |uid: &str, name: &str| {
        let tanh = function(uid, 2, &["x"], &[]).set("name", text(name));
        model(uid, &[input("x", &[3])], &[tanh])
    };
    vec![
        pair("graph.root", tanh().set("root", text("Tanh9")), tanh()),
        pair("graph.root", tanh().set("root", text("Tanh1_Output_0")), tanh()),
        pair("graph.root", tanh().set("root", text("x")), tanh()),
        pair("graph.uid-empty", named("", ""), named("Tanh1", "")),
        pair(
            "graph.uid-duplicate",
            model("Tanh1", &[input("x", &[3]), input("x", &[3])], &[function("Tanh1", 2, &["x"], &[])]),
            tanh(),
        ),
        pair(
            "graph.uid-duplicate",
            model("Tanh1", &[input("x", &[3]), input("Tanh1_Output_0", &[3])], &[function("Tanh1", 2, &["x"], &[])]),
            tanh(),
        ),
        pair(
            "graph.uid-duplicate",
            model("x", &[input("x", &[3])], &[function("x", 2, &["x"], &[]), function("x", 3, &["x"], &[])]),
            tanh(),
        ),
        pair("graph.reference", model("Tanh1", &[input("x", &[3])], &[function("Tanh1", 2, &["y"], &[])]), tanh()),
        pair("graph.forward-reference", forward(false), forward(true)),
        pair("graph.output-index", two("Tanh1_Output_1"), two("Tanh1_Output_0")),
        pair("graph.reference", two("Tanh1_Output_00"), two("Tanh1_Output_0")),
        pair("graph.cycle", recurrence(&[delay("Clip1", 19, "Tanh1_Output_0")], "Clip1_Output_0"), loops.clone()),
        pair("graph.cycle", recurrence(&[], "Tanh1_Output_0"), loops.clone()),
        pair("graph.cycle", initial_state_loop(), loops.clone()),
        pair(
            "graph.mixed-directions",
            recurrence(
                &[
                    delay("PastValue1", 37, "Tanh1_Output_0"),
                    delay("FutureValue1", 38, "Tanh1_Output_0"),
                    function("Plus2", 19, &["PastValue1_Output_0", "FutureValue1_Output_0"], &[]),
                ],
                "Plus2_Output_0",
            ),
            loops,
        ),
        pair("graph.unreachable", two_roots("Tanh1"), two_roots("Combine1")),
        pair(
            "graph.unbound-placeholder",
            model("Tanh1", &[placeholder("p", &[3])], &[function("Tanh1", 2, &["p"], &[])]),
            model("Tanh1", &[input("p", &[3])], &[function("Tanh1", 2, &["p"], &[])]),
        ),
        pair("resource.deep-chain", chain(3000), chain(2000)),
        pair("resource.deep-blocks", super::blocks::nested(17), super::blocks::nested(12)),
        pair("resource.outputs", super::blocks::many_outputs(&"u".repeat(4000)), super::blocks::many_outputs("u")),
        pair("text.long", named(&"u".repeat(5000), ""), named(&"u".repeat(4000), "")),
        pair("text.control-characters", named("Tanh1", "a\u{1b}[31m"), named("Tanh1", "größe\u{200f}")),
        pair("text.control-characters", named("Tanh1\u{202e}", "a"), named("Tanh1", "a")),
    ]
}

/// Tanh, then Tanh of what `reference` names.
fn two(reference: &str) -> Record {
    let functions = [function("Tanh1", 2, &["x"], &[]), function("Tanh2", 2, &[reference], &[])];
    model("Tanh2", &[input("x", &[3])], &functions)
}

/// Two functions in the wrong order.
fn forward(placeholder: bool) -> Record {
    let mut variables = vec![input("x", &[3])];
    if placeholder {
        variables.push(super::build::placeholder("Tanh1_Output_0", &[3]));
    }
    let functions = [function("Tanh2", 2, &["Tanh1_Output_0"], &[]), function("Tanh1", 2, &["x"], &[])];
    model("Tanh2", &variables, &functions)
}

fn two_roots(root: &str) -> Record {
    let functions = [
        function("Tanh1", 2, &["x"], &[]),
        function("Tanh2", 2, &["x"], &[]),
        function("Combine1", 44, &["Tanh1_Output_0", "Tanh2_Output_0"], &[]),
    ];
    model(root, &[input("x", &[3])], &functions)
}

/// A delay whose initial state is what it feeds: that is no recurrence.
fn initial_state_loop() -> Record {
    let functions = [
        function("PastValue1", 37, &["x", "Tanh1_Output_0"], &[("offset", size(1))]),
        function("Tanh1", 2, &["PastValue1_Output_0"], &[]),
    ];
    model("Tanh1", &[sequence_input("x", "s", &[2])], &functions)
}

pub fn chain(length: usize) -> Record {
    let functions: Vec<Record> = (1..=length)
        .map(|i| {
            let before = if i == 1 { "x".to_owned() } else { format!("Tanh{}_Output_0", i - 1) };
            function(&format!("Tanh{i}"), 2, &[&before], &[])
        })
        .collect();
    model(&format!("Tanh{length}"), &[input("x", &[3])], &functions)
}

#[test]
fn everything_is_reported_at_once() {
    let functions = [
        function("Tanh1", 2, &["nowhere"], &[]),
        function("Times1", 31, &["x", "x"], &[]),
        function("Plus1", 19, &["Tanh1_Output_0"], &[]),
        function("Plus2", 19, &["x", "y"], &[]),
    ];
    let (_, findings) = check(&model("Nothing", &[input("x", &[2]), input("y", &[3])], &functions).file());
    let found: Vec<&str> = findings.iter().map(|f| f.rule).collect();
    for rule in ["graph.reference", "attribute.missing", "function.too-few-inputs", "type.shape", "graph.root"] {
        assert!(found.contains(&rule), "{rule} is not among {found:?}");
    }
}

//! `report.json`: the CNTK variable of each argument, the parameter of each key, and warnings.

use super::emission::Emission;
use super::state::State;
use crate::json::{list, object, sizes, string};
use cntk_parser::model::VariableKind;

pub(super) fn report(e: &Emission<'_, '_, '_, '_>, source: &[(String, String)]) -> String {
    let model = e.lower.graph.model;
    let variable = |v| model.variable(v);
    let inputs: Vec<String> = e
        .lower
        .graph
        .arguments
        .iter()
        .zip(&e.lower.arguments)
        .map(|(a, argument)| {
            let v = variable(a.variable);
            let mut entries = vec![("uid", string(v.uid)), ("name", string(v.name)), ("argument", string(argument))];
            entries.extend(a.classes.map(|n| ("ids_below", n.to_string())));
            object(&entries)
        })
        .collect();
    let lengths: Vec<String> = e
        .lower
        .lengths
        .iter()
        .filter(|_| !e.lower.equal_lengths)
        .map(|l| object(&[("input", string(variable(l.variable).uid)), ("argument", string(&l.name))]))
        .collect();
    let mut outputs: Vec<String> =
        e.lower.graph.outputs.iter().map(|o| object(&[("uid", string(&o.uid)), ("name", string(&o.name))])).collect();
    for l in e.lower.output_lengths() {
        outputs.push(object(&[("uid", string("")), ("name", string(&l.name))]));
    }
    let mut trainable = Vec::new();
    let mut parameters = Vec::new();
    for (name, state) in &e.states {
        for held in &state.tensors {
            let key = State::key(name, held);
            if held.trainable {
                trainable.push(string(&key));
            }
            let (uid, cntk, kind) = match held.variable.map(variable) {
                Some(v) if v.kind == VariableKind::Constant => (v.uid, v.name, "constant"),
                Some(v) => (v.uid, v.name, "parameter"),
                None => ("", "", "added"),
            };
            parameters.push(object(&[
                ("uid", string(uid)),
                ("name", string(cntk)),
                ("kind", string(kind)),
                ("key", string(&key)),
                ("shape", sizes(&held.dims)),
                ("layout", string(&held.layout)),
                ("exact", "true".to_owned()),
            ]));
        }
    }
    let strings = |all: &[String]| all.iter().map(|s| string(s)).collect::<Vec<_>>();
    let source: Vec<_> = source.iter().map(|(key, value)| (key.as_str(), string(value))).collect();
    let entries = [
        ("source", object(&source)),
        ("producer", string(concat!("cntk2onnx ", env!("CARGO_PKG_VERSION")))),
        ("class", string(&e.class)),
        ("inputs", list(&inputs, 1)),
        ("lengths", list(&lengths, 1)),
        ("outputs", list(&outputs, 1)),
        ("trainable", list(&trainable, 1)),
        ("parameters", list(&parameters, 1)),
        ("dropped", list(&strings(&e.lower.graph.dropped), 1)),
        ("warnings", list(&strings(&e.lower.warnings), 1)),
    ];
    let lines: Vec<String> = entries.iter().map(|(k, v)| format!("  {}: {v}", string(k))).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

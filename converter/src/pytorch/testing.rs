//! Writes `test_model.py`, which checks the emitted module without CNTK, against expected numbers if there are any. It
//! has only the checks that apply to this model: none of padding without lengths, and none of random numbers.

use super::emission::Emission;
use super::gradient;
use super::interface::{Interface, Port, Size};
use super::python::wrap::Lines;
use super::state::State;
use crate::graph::Graph;
use crate::json::string;
use cntk_parser::model::{DataType, Source};
use cntk_parser::ops::facts::Reach;
use cntk_parser::ops::{Class, Operator};
use std::collections::BTreeSet;

const TOP: &str = include_str!("testing/top.py");
const OUTPUTS: &str = include_str!("testing/outputs.py");
const STEPS: &str = include_str!("testing/steps.py");
const SAMPLES: &str = include_str!("testing/samples.py");
const PADDING: &str = include_str!("testing/padding.py");
const GRADIENTS: &str = include_str!("testing/gradients.py");

pub(super) fn test(e: &Emission<'_, '_, '_, '_>, interface: &Interface) -> String {
    let random = is_random(e.lower.graph);
    let padded: Vec<(&Port, &str)> =
        interface.inputs.iter().filter_map(|p| Some((p, interface.lengths_of(p.axis()?)?))).collect();
    let mut parts = vec![];
    if !random {
        parts.push(OUTPUTS);
        let apart = interface.inputs.iter().any(Port::has_batch) && !mixes_samples(e.lower.graph);
        parts.extend((!steps(interface).is_empty()).then_some(STEPS));
        parts.extend(apart.then_some(SAMPLES));
        parts.extend((!padded.is_empty()).then_some(PADDING));
    }
    parts.push(GRADIENTS);
    let mut code = Lines::default();
    constants(&mut code, e, interface, &padded, &parts);
    let mut text = TOP.replace("CONSTANTS\n", &code.finish());
    for part in &parts {
        text.push_str("\n\n");
        let mut part = (*part).to_owned();
        if !parts.contains(&STEPS) {
            // Without lengths, every step is valid.
            for call in [", valid_steps(i, one, alone)", ", valid_steps(i, given, expected)"] {
                part = part.replace(call, "");
            }
        }
        text.push_str(&part);
    }
    text.push_str("\n\nif __name__ == \"__main__\":\n    main()\n");
    text
}

fn constants(
    code: &mut Lines,
    e: &Emission<'_, '_, '_, '_>,
    interface: &Interface,
    padded: &[(&Port, &str)],
    parts: &[&str],
) {
    let arguments: Vec<String> = interface.inputs.iter().map(|p| string(&p.argument)).collect();
    code.collection("ARGUMENTS: list[str] = ", "[]", &arguments);
    let shapes: Vec<String> = interface.outputs.iter().map(shape).collect();
    code.push(0, "# Sizes of the outputs: N samples, T steps, None for what is free.");
    code.collection("SHAPES: list[list[int | str | None]] = ", "[]", &shapes);
    if parts.contains(&STEPS) {
        code.push(0, "# Where the valid steps of an output are counted: in an argument, or in another output.");
        code.collection("STEPS: dict[int, str | int] = ", "{}", &steps(interface));
    }
    if parts.contains(&SAMPLES) {
        let batched = interface.inputs.iter().filter(|p| p.has_batch()).map(|p| p.argument.as_str());
        let all: Vec<String> = batched.chain(interface.lengths.iter().map(|(_, n)| n.as_str())).map(string).collect();
        code.push(0, "# Arguments with a batch axis.");
        code.collection("BATCHED = ", "[]", &all);
    }
    if parts.contains(&PADDING) {
        let all: Vec<String> = padded.iter().map(|(p, l)| format!("{}: {}", string(&p.argument), string(l))).collect();
        code.push(0, "# Arguments with sequences, and what counts their valid steps.");
        code.collection("PADDED = ", "{}", &all);
        code.push(0, "# Padding to add.");
        code.push(0, if longer(e.lower.graph, interface) { "MORE_STEPS = 1" } else { "MORE_STEPS = 0" });
    }
    code.push(0, "# Rounding, relative to the largest number of an output.");
    code.push(0, if is_half(e.lower.graph) { "TOLERANCE = 1e-2" } else { "TOLERANCE = 1e-5" });
    let unreached = unreached(e);
    if !unreached.is_empty() {
        code.push(0, "# Parameters that these outputs depend on through comparisons and indices only.");
    }
    let unreached: Vec<String> = unreached.iter().map(|k| string(k)).collect();
    code.collection("WITHOUT_GRADIENT: list[str] = ", "[]", &unreached);
}

fn shape(port: &Port) -> String {
    let sizes = port.sizes.iter().map(|s| match s {
        Size::Batch => "\"N\"".to_owned(),
        Size::Steps(_) => "\"T\"".to_owned(),
        Size::Known(n) => n.to_string(),
        Size::OtherBatch | Size::Free(_) => "None".to_owned(),
    });
    format!("[{}]", sizes.collect::<Vec<_>>().join(", "))
}

fn steps(interface: &Interface) -> Vec<String> {
    let of = |(i, port): (usize, &Port)| {
        let counted = interface.counts.iter().position(|o| *o == i).map(|k| (interface.outputs.len() + k).to_string());
        let place = counted.or_else(|| interface.lengths_of(port.axis()?).map(string))?;
        Some(format!("{i}: {place}"))
    };
    interface.outputs.iter().enumerate().filter_map(of).collect()
}

/// Keys of trainable parameters that no gradient reaches.
fn unreached(e: &Emission<'_, '_, '_, '_>) -> Vec<String> {
    let reached = gradient::reached(e.lower.graph);
    let mut keys = Vec::new();
    for (name, state) in &e.states {
        for held in state.tensors.iter().filter(|h| h.trainable) {
            if held.variable.is_none_or(|v| !reached.contains(&v)) {
                keys.push(State::key(name, held));
            }
        }
    }
    keys
}

/// Does any value differ between calls?
fn is_random(graph: &Graph<'_, '_>) -> bool {
    graph.functions().any(|f| graph.model.operator(f).facts().class == Class::Random)
}

/// Does any value of one sample depend on other samples of the batch?
fn mixes_samples(graph: &Graph<'_, '_>) -> bool {
    let model = graph.model;
    graph.functions().any(|f| {
        model.operator(f).reach() == Reach::Batch
            || model.inputs(f).iter().any(|s| model.type_of(*s).axes.batch)
                && model.output_types(f).iter().any(|t| !t.axes.batch)
    })
}

/// Is anything computed in half precision?
fn is_half(graph: &Graph<'_, '_>) -> bool {
    let model = graph.model;
    let half = |s: &Source| model.type_of(*s).data_type == DataType::Float16;
    graph.outputs.iter().any(|o| half(&o.source)) || graph.functions().any(|f| model.inputs(f).iter().any(half))
}

/// May sequences be padded further? Not if the number of steps becomes a visible size or padding is counted, nor if
/// several axes have to fit together.
fn longer(graph: &Graph<'_, '_>, interface: &Interface) -> bool {
    let axes: BTreeSet<_> = interface.inputs.iter().filter_map(Port::axis).collect();
    let shows = |f| {
        use Operator::{CosDistanceWithNegativeSamples, ToSequence, ToSequenceLike, UnpackSequence};
        matches!(
            graph.model.operator(f),
            UnpackSequence(_) | ToSequence(_) | ToSequenceLike(_) | CosDistanceWithNegativeSamples
        )
    };
    axes.len() == 1 && !graph.functions().any(shows)
}

//! What `layout` and `resolve` decide for the models of `corpus/`: folded axes, frames that a Where picks, offsets of automatic
//! crops. A change of `layout.txt` is a change that users see in the shapes of what they get. `BLESS=1` writes it.

use cntk_parser::model::FunctionId;
use cntk_parser::ops::Operator;
use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
use cntk2onnx::Options;
use cntk2onnx::internals::graph::Graph;
use cntk2onnx::internals::layout::Layout;
use cntk2onnx::internals::resolve::{crop, frames, normalization::LayerNorm, softmax};
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

/// Folders of `corpus/` that hold real models.
const CASES: [&str; 3] = ["ops", "zoo", "attributes"];

#[test]
fn the_layout_of_real_models_is_as_recorded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    for set in CASES {
        let folder = root.join("../corpus").join(set);
        let mut names: Vec<_> = fs::read_dir(&folder)
            .expect("the corpus is here")
            .map(|entry| entry.expect("it can be listed").file_name().into_string().expect("names are ASCII"))
            .filter(|name| name.ends_with(".model"))
            .collect();
        names.sort_unstable();
        for name in names {
            let bytes = fs::read(folder.join(&name)).expect("it can be read");
            for line in decisions(&bytes) {
                writeln!(text, "{set}/{}: {line}", name.trim_end_matches(".model")).expect("it is a string");
            }
        }
    }
    cntk_testing::golden::check(root.join("tests/layout.txt"), &text);
}

/// One line for each sequence axis, Where and automatic Crop of a model; none for a model that is not converted.
fn decisions(bytes: &[u8]) -> Vec<String> {
    let file = ModelFile::new(bytes);
    let Ok(file) = parse(&file, &Limits::default()) else { return Vec::new() };
    let Some(model) = validate(file, &ValidateOptions::default()).model else { return Vec::new() };
    let (model, options) = (&model, Options::default());
    let Ok(graph) = Graph::new(model, &options) else { return Vec::new() };
    let layout = Layout::new(&graph, &options);
    let mut lines: Vec<String> = model
        .sequence_axis_ids()
        .map(|axis| format!("axis {} is {}", axis.index(), if layout.is_folded(axis) { "folded" } else { "kept" }))
        .collect();
    for f in graph.functions() {
        let at = |f: FunctionId| &model.function(f).uid;
        if let Some(softmax::Composed { softmax, axis, .. }) = softmax::composed(model, f) {
            lines.push(format!("{}: {softmax:?} softmax along {axis}", at(f)));
        }
        if let Some(LayerNorm { axis, epsilon, to_variance, .. }) = LayerNorm::composed(model, f) {
            let place = if to_variance { "variance" } else { "deviation" };
            lines.push(format!("{}: layer normalization from {axis} on, {epsilon} added to the {place}", at(f)));
        }
        match model.operator(f) {
            Operator::Where(_) => lines.push(format!("{}: {:?}", at(f), frames::picked(model, model.inputs(f)[0]))),
            Operator::Crop(a) if a.offset.is_none() => {
                lines.push(format!("{}: {:?}", at(f), crop::automatic_offsets(model, f)));
            }
            _ => {}
        }
    }
    lines
}

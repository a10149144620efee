//! What `ValidatedModel` promises holds for every model of the corpus.

use crate::support;
use cntk_parser::model::{FunctionKind, Source, ValidatedModel};
use cntk_parser::ops::{Op, Operator};
use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
use std::collections::HashMap;

/// Is a function part of the order?
fn computes(model: &ValidatedModel<'_>, id: cntk_parser::model::FunctionId) -> bool {
    !matches!(model.function(id).kind, FunctionKind::Block(_) | FunctionKind::Primitive(Op::Combine))
}

/// Which promises a model breaks.
fn broken(model: &ValidatedModel<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |text: String| wrong.push(text);
    let ids = || model.function_ids();
    let places: HashMap<_, _> = model.order().iter().enumerate().map(|(i, id)| (*id, i)).collect();
    if places.len() != model.order().len() {
        say("a function is ordered twice".into());
    }
    for id in ids() {
        if computes(model, id) != places.contains_key(&id) {
            say(format!("{} is not ordered as it should be", model.function(id).uid));
        }
        if let Some(parent) = model.parent(id) {
            assert!(matches!(model.function(parent).kind, FunctionKind::Block(_)));
        }
    }
    for id in model.order() {
        let delay = matches!(model.operator(*id), Operator::PastValue(_) | Operator::FutureValue(_));
        for (i, source) in model.inputs(*id).iter().enumerate() {
            let Source::Output(made_by, output) = source else { continue };
            assert!(computes(model, *made_by), "blocks and Combine are seen through");
            assert!((*output as usize) < model.output_types(*made_by).len());
            let same_loop = model.loop_of(*id).is_some() && model.loop_of(*id) == model.loop_of(*made_by);
            if places[made_by] >= places[id] && !(delay && i == 0 && same_loop) {
                say(format!("{} comes before its input {i}", model.function(*id).uid));
            }
        }
    }
    for (i, found) in model.loops().iter().enumerate() {
        let first = places[&found.members[0]];
        for (k, member) in found.members.iter().enumerate() {
            if places[member] != first + k || model.loop_of(*member).unwrap().index() != i {
                say(format!("loop {i} does not stand together"));
            }
        }
        let delays = found.members.iter().filter(|member| match model.operator(**member) {
            Operator::PastValue(_) => !found.backward,
            Operator::FutureValue(_) => found.backward,
            _ => false,
        });
        if delays.count() == 0 {
            say(format!("loop {i} has no delay of its direction"));
        }
    }
    for output in model.outputs() {
        let found = model.find(&output.uid).map(|found| (found.uid, found.source));
        if found != Some((output.uid.clone(), output.source)) {
            say(format!("output {} is found as {found:?}", output.uid));
        }
        if !output.name.is_empty() && model.find(&output.name).is_none() {
            say(format!("output {:?} is not found by name", output.name));
        }
        model.type_of(output.source);
    }
    for (i, axis) in model.sequence_axes().iter().enumerate() {
        if model.type_of(axis.origin).axes.sequence.is_none_or(|id| id.index() != i) {
            say(format!("sequence axis {:?} is not its origin's", axis.name));
        }
    }
    wrong
}

#[test]
fn promises_hold_for_every_model() {
    let mut wrong = Vec::new();
    let mut loops = 0;
    for folder in ["ops", "zoo", "attributes", "v1"] {
        for case in support::cases(folder) {
            let file = ModelFile::new(&case.bytes);
            let Ok(parsed) = parse(&file, &Limits::default()) else { continue };
            let Some(model) = validate(parsed, &ValidateOptions::default()).model else { continue };
            loops += model.loops().len();
            wrong.extend(broken(&model).into_iter().map(|w| format!("{folder}/{}: {w}", case.name)));
        }
    }
    assert!(loops > 50, "{loops} loops");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

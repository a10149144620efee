//! Selects the wanted outputs: all, those that are named, or those that are of use at inference.

use super::criteria;
use super::fixed::Dependent;
use crate::options::Outputs;
use crate::report::Reason;
use cntk_parser::model::{Foreign, FunctionId, FunctionKind, Listed, Output, Source, ValidatedModel, VariableKind};
use cntk_parser::ops::{Class, Operator};
use hashbrown::HashSet;

/// An output that was selected.
pub(super) struct Selected {
    pub(super) uid: String,
    pub(super) name: String,
    pub(super) source: Source,
}

/// The selected outputs.
pub(super) struct Selection {
    pub(super) outputs: Vec<Selected>,
    /// The outputs that were left out, each with the reason.
    pub(super) dropped: Vec<String>,
    /// Notes for the user on the choice.
    pub(super) notes: Vec<String>,
}

/// Labels of blocks whose outputs are training criteria or metrics. A label only decides whether an output is dropped
/// by default.
const CRITERION_BLOCKS: &[&str] = &[
    "CrossEntropy",
    "CrossEntropyWithSoftmax",
    "MatrixL1Reg",
    "MatrixL2Reg",
    "BinaryCrossEntropy",
    "WeightedBinaryCrossEntropy",
    "SquaredError",
    "ClassificationError",
    "NCE",
    "LambdaRank",
    "NDCG",
    "EditDistanceError",
    "ForwardBackward",
];

pub(super) fn select(model: &ValidatedModel<'_>, wanted: &Outputs) -> Result<Selection, Vec<Reason>> {
    match wanted {
        Outputs::All => Ok(Selection {
            outputs: model.outputs().iter().map(selected).collect(),
            dropped: Vec::new(),
            notes: Vec::new(),
        }),
        Outputs::Inference => Ok(inference(model)),
        Outputs::Named(names) => named(model, names),
    }
}

/// Selects outputs in the order of `names`. `all` and `inference` have their usual meaning among them; a node with such
/// a name can be given by its uid.
fn named(model: &ValidatedModel<'_>, names: &[String]) -> Result<Selection, Vec<Reason>> {
    let mut selection = Selection { outputs: Vec::new(), dropped: Vec::new(), notes: Vec::new() };
    let mut reasons = Vec::new();
    for name in names {
        match name.as_str() {
            "all" => selection.outputs.extend(model.outputs().iter().map(selected)),
            "inference" => {
                let Selection { outputs, dropped, notes } = inference(model);
                selection.outputs.extend(outputs);
                selection.dropped.extend(dropped);
                selection.notes.extend(notes);
            }
            _ => match one(model, name) {
                Ok(output) => selection.outputs.push(selected(&output)),
                Err(reason) => reasons.push(Reason::new("outputs", reason)),
            },
        }
    }
    if reasons.is_empty() { Ok(selection) } else { Err(reasons) }
}

/// How many uids are listed for an ambiguous name.
const LISTED: usize = 5;

/// The one value with this name or uid, or a message why there is none.
fn one<'a>(model: &ValidatedModel<'a>, name: &str) -> Result<Output<'a>, String> {
    let shown = name.escape_debug();
    let mut found = model.find_all(name);
    match found.len() {
        0 => {
            let near = nearest(model, name).map(|near| format!("; did you mean `{}`?", near.escape_debug()));
            Err(format!("the model has no node or variable named `{shown}`{}", near.unwrap_or_default()))
        }
        1 => Ok(found.swap_remove(0)),
        count => {
            let uids: Vec<_> = found.iter().take(LISTED).map(|o| o.uid.escape_debug().to_string()).collect();
            let more = if count > LISTED { ", …" } else { "" };
            Err(format!("{count} nodes or variables are named `{shown}`; give a uid: {}{more}", uids.join(", ")))
        }
    }
}

/// The name or uid in the model that is most similar to a misspelt one, if one is similar enough.
fn nearest<'m>(model: &'m ValidatedModel<'_>, name: &str) -> Option<&'m str> {
    const ALIKE: f64 = 0.65;
    let functions = model.model().functions.iter().flat_map(|f| [f.name, f.uid]);
    let variables = model.model().variables.iter().flat_map(|v| [v.name, v.uid]);
    let wanted = name.to_lowercase();
    let likeness = |text: &str| strsim::normalized_damerau_levenshtein(&wanted, &text.to_lowercase());
    functions
        .chain(variables)
        .filter(|text| !text.is_empty() && text.len().abs_diff(name.len()) <= name.len())
        .map(|text| (likeness(text), text))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, text)| text)
}

fn selected(o: &Output<'_>) -> Selected {
    Selected { uid: o.uid.to_string(), name: o.name.to_string(), source: o.source }
}

fn inference(model: &ValidatedModel<'_>) -> Selection {
    let all = model.outputs();
    let mut why: Vec<Option<String>> = all.iter().map(|o| criterion(model, o)).collect();
    let known: Vec<bool> = why.iter().map(Option::is_some).collect();
    for (slot, found) in why.iter_mut().zip(criteria::by_structure(model, all, &known)) {
        *slot = slot.take().or(found);
    }
    if why.iter().all(Option::is_some) {
        let outputs = all.iter().map(selected).collect();
        return Selection { outputs, dropped: Vec::new(), notes: vec![only_criteria(model)] };
    }
    let dependent = Dependent::new(model);
    leave_out(&mut why, all, "it is the same for all inputs", |o| dependent.is_fixed(model, o.source));
    let Listed { outputs, criteria } = &model.model().listed;
    let listed: HashSet<&str> = outputs.iter().copied().collect();
    leave_out(&mut why, all, "the file does not list it among the outputs", |o| !listed.contains(&*o.uid));
    let listed: HashSet<&str> = criteria.iter().copied().collect();
    leave_out(&mut why, all, "the file lists it as a criterion", |o| listed.contains(&*o.uid));
    let mut selection = Selection { outputs: Vec::new(), dropped: Vec::new(), notes: Vec::new() };
    for (output, why) in all.iter().zip(why) {
        match why {
            None => selection.outputs.push(selected(output)),
            Some(why) => selection.dropped.push(format!("{output}: {why}")),
        }
    }
    selection
}

/// Leaves out the outputs that `is` true of, unless no output would remain.
fn leave_out(why: &mut [Option<String>], all: &[Output<'_>], reason: &str, is: impl Fn(&Output<'_>) -> bool) {
    let matching: Vec<bool> = all.iter().map(is).collect();
    if why.iter().zip(&matching).any(|(why, is)| why.is_none() && !is) {
        for (slot, _) in why.iter_mut().zip(matching).filter(|(_, is)| *is) {
            slot.get_or_insert_with(|| reason.to_owned());
        }
    }
}

/// The note on a model whose outputs are all criteria.
fn only_criteria(model: &ValidatedModel<'_>) -> String {
    /// How many candidates are named.
    const SHOWN: usize = 5;
    let candidates = criteria::predictions(model, model.outputs());
    let first: Vec<&str> = candidates.iter().rev().take(SHOWN).map(String::as_str).collect();
    match first.as_slice() {
        [] => "all outputs are training criteria: nothing is left out".to_owned(),
        names => format!(
            "all outputs are training criteria: nothing is left out; the prediction may be {} (--outputs {})",
            names.join(" or "),
            names[0]
        ),
    }
}

/// The reason why an output is a criterion, if its operators or the labels of its blocks tell that it is.
fn criterion(model: &ValidatedModel<'_>, output: &Output<'_>) -> Option<String> {
    let label = |f: FunctionId| match &model.function(f).kind {
        FunctionKind::Block(block) if is_criterion_block(model, f) => Some(block.op_name),
        _ => None,
    };
    if let Some(label) = output.function.and_then(label) {
        return Some(format!("{label} is a training criterion"));
    }
    computes_criterion(model, output.source).map(|op| format!("{op} is a training criterion"))
}

fn is_criterion_block(model: &ValidatedModel<'_>, f: FunctionId) -> bool {
    matches!(&model.function(f).kind, FunctionKind::Block(b) if CRITERION_BLOCKS.contains(&b.op_name))
}

/// The criterion from which a value is computed by arithmetic and aggregation alone, with nothing but constants.
fn computes_criterion(model: &ValidatedModel<'_>, source: Source) -> Option<String> {
    let mut stack = vec![source];
    let mut seen = HashSet::new();
    let mut found = None;
    while let Some(source) = stack.pop() {
        if !seen.insert(source) {
            continue;
        }
        match source {
            Source::Variable(v) => match model.variable(v).kind {
                VariableKind::Parameter | VariableKind::Constant => {}
                VariableKind::Input | VariableKind::Placeholder => return None,
            },
            Source::Output(f, _) => {
                let block = criterion_block(model, f);
                if block.is_some() || is_criterion_op(model.operator(f)) {
                    found = found.or(block.or(Some(model.operator(f).name())));
                } else if aggregates(model.operator(f)) {
                    stack.extend(model.inputs(f));
                } else {
                    return None;
                }
            }
        }
    }
    found.map(str::to_owned)
}

/// The label of the criterion block around a function.
fn criterion_block<'m>(model: &'m ValidatedModel<'_>, f: FunctionId) -> Option<&'m str> {
    let mut at = model.parent(f);
    while let Some(id) = at {
        if let FunctionKind::Block(block) = &model.function(id).kind
            && is_criterion_block(model, id)
        {
            return Some(block.op_name);
        }
        at = model.parent(id);
    }
    None
}

fn is_criterion_op(op: &Operator<'_>) -> bool {
    op.facts().class == Class::Criterion || matches!(op, Operator::Foreign(Foreign { criterion: true, .. }))
}

fn aggregates(op: &Operator<'_>) -> bool {
    matches!(
        op,
        Operator::ReduceElements(_)
            | Operator::SumAll
            | Operator::Plus
            | Operator::Minus
            | Operator::ElementTimes
            | Operator::Reciprocal
            | Operator::Negate
            | Operator::Pass
            | Operator::NoOp
            | Operator::StopGradient
            | Operator::Reshape(_)
            | Operator::UnpackSequence(_)
            | Operator::Log
            | Operator::Sqrt
            | Operator::Exp
    )
}

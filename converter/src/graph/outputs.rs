//! Which outputs are wanted: all, by name, or those that inference needs.

use crate::options::Outputs;
use crate::report::Reason;
use cntk_parser::model::{Foreign, FunctionId, FunctionKind, Output, Source, ValidatedModel, VariableKind};
use cntk_parser::ops::Operator;

/// An output that was selected.
pub(super) struct Selected {
    pub(super) uid: String,
    pub(super) name: String,
    pub(super) source: Source,
}

/// The selection.
pub(super) struct Selection {
    pub(super) outputs: Vec<Selected>,
    pub(super) dropped: Vec<String>,
}

/// Blocks whose outputs are training criteria or metrics. Labels decide only what is dropped by default.
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
        Outputs::All => Ok(Selection { outputs: model.outputs().iter().map(selected).collect(), dropped: Vec::new() }),
        Outputs::Inference => Ok(inference(model)),
        Outputs::Named(names) => named(model, names),
    }
}

/// Each name in the order given. `all` and `inference` among them are what they are alone; a node of that name has a uid.
fn named(model: &ValidatedModel<'_>, names: &[String]) -> Result<Selection, Vec<Reason>> {
    let mut selection = Selection { outputs: Vec::new(), dropped: Vec::new() };
    let mut reasons = Vec::new();
    for name in names {
        match name.as_str() {
            "all" => selection.outputs.extend(model.outputs().iter().map(selected)),
            "inference" => {
                let Selection { outputs, dropped } = inference(model);
                selection.outputs.extend(outputs);
                selection.dropped.extend(dropped);
            }
            _ => match one(model, name) {
                Ok(output) => selection.outputs.push(selected(&output)),
                Err(reason) => reasons.push(Reason::new("outputs", reason)),
            },
        }
    }
    if reasons.is_empty() { Ok(selection) } else { Err(reasons) }
}

/// Uids listed where a name is ambiguous.
const LISTED: usize = 5;

/// The one value that a name means, or why it means none.
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

/// The name or uid in the model that is most like a misspelt one, if any is like it.
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
    let (criteria, kept): (Vec<_>, Vec<_>) = model.outputs().iter().partition(|o| is_criterion(model, o));
    if kept.is_empty() {
        return Selection { outputs: model.outputs().iter().map(selected).collect(), dropped: Vec::new() };
    }
    let dropped = criteria
        .iter()
        .map(|o| if o.name.is_empty() { o.uid.to_string() } else { format!("{} ({})", o.name, o.uid) })
        .collect();
    Selection { outputs: kept.iter().map(|o| selected(o)).collect(), dropped }
}

fn is_criterion(model: &ValidatedModel<'_>, output: &Output<'_>) -> bool {
    output.function.is_some_and(|f| is_criterion_block(model, f)) || computes_criterion(model, output.source)
}

fn is_criterion_block(model: &ValidatedModel<'_>, f: FunctionId) -> bool {
    matches!(&model.function(f).kind, FunctionKind::Block(b) if CRITERION_BLOCKS.contains(&b.op_name))
}

/// A criterion, or arithmetic and aggregation over criteria and constants only.
fn computes_criterion(model: &ValidatedModel<'_>, source: Source) -> bool {
    let mut stack = vec![source];
    let mut seen = std::collections::HashSet::new();
    let mut any = false;
    while let Some(source) = stack.pop() {
        if !seen.insert(source) {
            continue;
        }
        match source {
            Source::Variable(v) => match model.variable(v).kind {
                VariableKind::Parameter | VariableKind::Constant => {}
                VariableKind::Input | VariableKind::Placeholder => return false,
            },
            Source::Output(f, _) => {
                if is_criterion_op(model.operator(f)) || in_criterion_block(model, f) {
                    any = true;
                } else if aggregates(model.operator(f)) {
                    stack.extend(model.inputs(f));
                } else {
                    return false;
                }
            }
        }
    }
    any
}

fn in_criterion_block(model: &ValidatedModel<'_>, f: FunctionId) -> bool {
    let mut at = model.parent(f);
    while let Some(block) = at {
        if is_criterion_block(model, block) {
            return true;
        }
        at = model.parent(block);
    }
    false
}

fn is_criterion_op(op: &Operator<'_>) -> bool {
    matches!(
        op,
        Operator::SquaredError
            | Operator::CrossEntropyWithSoftmax
            | Operator::ClassificationError
            | Operator::Logistic
            | Operator::LambdaRank
            | Operator::NDCG
            | Operator::EditDistanceError(_)
            | Operator::ForwardBackward(_)
            | Operator::LatticeSequenceWithSoftmax(_)
            | Operator::Foreign(Foreign { criterion: true, .. })
    )
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

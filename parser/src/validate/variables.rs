//! Checks variable records without regard to their readers (spec 3.2, 3.3; T8, G10, G11).

use super::arena::{Id, PerId, ids};
use super::findings::{Findings, Place, Quoted};
use super::resolve::Resolution;
use super::rules;
use crate::model::{
    Axis, AxisKind, DataType, FunctionId, FunctionKind, MAX_DIM, MOST_AXES, Model, Shape, Source, Variable, VariableId,
    VariableKind,
};
use crate::ops::Op;
use crate::report::Severity;

/// Checks every record.
pub(super) fn check<'a>(model: &Model<'a>, findings: &mut Findings<'_, 'a>) {
    for (id, variable) in ids::<VariableId, _>(&model.variables) {
        let stored = matches!(variable.kind, VariableKind::Parameter | VariableKind::Constant);
        if stored {
            tensor(id, variable, findings);
        } else if variable.value.is_some() {
            let text = format!("{} cannot have a value", kind(variable.kind));
            findings.add(&rules::VARIABLE_KIND, Place::VariableKey(id, "kind"), text);
        }
        if variable.data_type == DataType::Unknown && variable.kind != VariableKind::Placeholder {
            let text = "only a placeholder's data type can be unknown".to_owned();
            findings.add(&rules::VARIABLE_TYPE, Place::VariableKey(id, "data_type"), text);
        }
        shape(id, variable, stored, findings);
        axes(id, variable, stored, findings);
    }
}

fn kind(kind: VariableKind) -> &'static str {
    match kind {
        VariableKind::Input => "an input",
        VariableKind::Placeholder => "a placeholder",
        VariableKind::Parameter => "a parameter",
        VariableKind::Constant => "a constant",
    }
}

/// Checks that a record and its tensor agree.
fn tensor(id: VariableId, variable: &Variable<'_>, findings: &mut Findings<'_, '_>) {
    let Some(value) = &variable.value else { return };
    if value.data_type != variable.data_type && variable.data_type != DataType::Unknown {
        let text = format!("data_type is {:?}, the tensor's {:?}", variable.data_type, value.data_type);
        findings.add(&rules::TENSOR_TYPE, Place::VariableKey(id, "value"), text);
    }
}

/// Checks that a tensor has the shape of its record. An OptimizedRNNStack reads its parameter as a flat list of
/// numbers, so there a difference is a warning only.
pub(super) fn check_tensor_shapes<'a>(model: &Model<'a>, resolution: &Resolution<'a>, findings: &mut Findings<'_, 'a>) {
    let differs = |v: &Variable<'_>| v.value.as_ref().is_some_and(|value| value.shape != v.shape);
    if !model.variables.iter().any(differs) {
        return;
    }
    let mut shaped = PerId::<VariableId, bool>::filled(model.variables.len(), false);
    for (id, function) in ids::<FunctionId, _>(&model.functions) {
        let is_stack = matches!(function.kind, FunctionKind::Primitive(Op::OptimizedRNNStack));
        if matches!(function.kind, FunctionKind::Block(_)) {
            continue;
        }
        for (i, source) in resolution.inputs.get(id).into_iter().flatten().enumerate() {
            if let (Source::Variable(v), false) = (source, is_stack && i == 1) {
                shaped.set(*v, true);
            }
        }
    }
    for (id, variable) in ids::<VariableId, _>(&model.variables) {
        let Some(value) = variable.value.as_ref().filter(|value| value.shape != variable.shape) else { continue };
        let text = format!("the tensor's shape {} is not the record's {}", show(&value.shape), show(&variable.shape));
        let same_count = value.shape.elements() == variable.shape.elements();
        let severity = if same_count && shaped.get(id) == Some(&false) { Severity::Warning } else { Severity::Error };
        findings.add_as(&rules::TENSOR_SHAPE, severity, Place::VariableKey(id, "shape"), text);
    }
}

/// A shape in file order, as its entries are written.
fn show(shape: &Shape) -> String {
    const SHOWN: usize = 12;
    let name = |n: &u64| match *n {
        Shape::INFERRED => "inferred".to_owned(),
        Shape::UNKNOWN => "unknown".to_owned(),
        Shape::FREE => "free".to_owned(),
        n => n.to_string(),
    };
    let mut names: Vec<String> = shape.0.iter().take(SHOWN).map(name).collect();
    if shape.rank() > SHOWN {
        names.push("…".to_owned());
    }
    format!("[{}]", names.join(", "))
}

/// Checks that dimensions are valid sizes and that those of a tensor are definite.
fn shape(id: VariableId, variable: &Variable<'_>, stored: bool, findings: &mut Findings<'_, '_>) {
    let place = Place::VariableKey(id, "shape");
    if variable.shape.is_unknown() && !stored {
        if variable.kind == VariableKind::Input {
            findings.add(&rules::UNKNOWN_TYPE, place, "the shape of this input is not known".to_owned());
        }
        return;
    }
    if variable.shape.rank() > MOST_AXES {
        let text = format!("{} axes, the most is {MOST_AXES}", variable.shape.rank());
        return findings.add(&rules::RANK, place, text);
    }
    let is_open = |n: &u64| matches!(*n, Shape::FREE | Shape::INFERRED);
    for n in &variable.shape.0 {
        let text = match *n {
            0 => "a dimension of 0".to_owned(),
            _ if is_open(n) && !stored => continue,
            _ if is_open(n) || *n == Shape::UNKNOWN => format!("the shape {} is not definite", show(&variable.shape)),
            n if n > MAX_DIM => format!("a dimension of {n}"),
            _ => continue,
        };
        return findings.add(&rules::VARIABLE_SHAPE, place, text);
    }
    let known = variable.shape.0.iter().filter(|n| !is_open(n));
    if known.copied().try_fold(1u64, u64::checked_mul).is_none() {
        findings.add(&rules::VARIABLE_SHAPE, place, format!("the product of {} overflows", show(&variable.shape)));
    }
}

/// Checks the dynamic axes: at most one sequence axis and then the batch axis, or none for a tensor.
fn axes(id: VariableId, variable: &Variable<'_>, stored: bool, findings: &mut Findings<'_, '_>) {
    let place = Place::VariableKey(id, "dynamic_axis");
    if stored {
        if !variable.dynamic_axes.is_empty() {
            let text = format!("{} has no dynamic axes", kind(variable.kind));
            findings.add(&rules::VARIABLE_AXES, place, text);
        }
        return;
    }
    let named = |axis: &Axis<'_>| axis.kind() != AxisKind::Batch || axis.name == "defaultBatchAxis";
    if let Some(axis) = variable.dynamic_axes.iter().find(|axis| !named(axis)) {
        let text = format!("the batch axis is called {}, not \"defaultBatchAxis\"", Quoted(axis.name));
        return findings.add(&rules::VARIABLE_AXES, place, text);
    }
    let kinds: Vec<AxisKind> = variable.dynamic_axes.iter().take(3).map(|axis| axis.kind()).collect();
    match kinds.as_slice() {
        [] | [AxisKind::Batch] | [AxisKind::Sequence, AxisKind::Batch] => {}
        [AxisKind::Unknown] if variable.kind == VariableKind::Placeholder => {}
        _ => {
            let names: Vec<String> =
                variable.dynamic_axes.iter().take(4).map(|a| format!("{} ({:?})", Quoted(a.name), a.kind())).collect();
            let text = format!("the dynamic axes {} are not [sequence,] batch", names.join(", "));
            findings.add(&rules::VARIABLE_AXES, place, text);
        }
    }
}

/// Reports placeholders that nothing binds, which are arguments that the author left open.
pub(super) fn check_unbound<'a>(model: &Model<'a>, resolution: &Resolution<'a>, findings: &mut Findings<'_, 'a>) {
    for id in &resolution.unbound {
        let uid = model.variables.get(id.place()).map_or("", |v| v.uid);
        let text = format!("nothing binds the placeholder {}: it is taken for an input", Quoted(uid));
        findings.add(&rules::UNBOUND, Place::Variable(*id), text);
    }
}

//! Looks values up by uid or name.

use super::{FunctionId, FunctionKind, Output, Source, ValidatedModel, VariableId};
use crate::ops::Op;
use crate::validate::{output, split_output_uid};

/// See [`ValidatedModel::find_all`].
pub(super) fn find<'a>(model: &ValidatedModel<'a>, text: &str) -> Vec<Output<'a>> {
    match by_uid(model, text) {
        Some(output) => vec![output],
        None if text.is_empty() => vec![],
        None => by_name(model, text),
    }
}

fn by_uid<'a>(model: &ValidatedModel<'a>, uid: &str) -> Option<Output<'a>> {
    let function = |uid: &str| place(model.model.functions.iter().position(|f| f.uid == uid)?).map(FunctionId);
    if let Some((id, i)) = split_output_uid(uid).and_then(|(f, i)| Some((function(f)?, i))) {
        return of_function(model, id, i);
    }
    if let Some(id) = function(uid) {
        return of_function(model, id, 0);
    }
    let id = VariableId(place(model.model.variables.iter().position(|v| v.uid == uid)?)?);
    of_variable(model, id)
}

fn by_name<'a>(model: &ValidatedModel<'a>, name: &str) -> Vec<Output<'a>> {
    let outputs: Vec<_> = model.outputs.iter().filter(|output| output.name == name).cloned().collect();
    if !outputs.is_empty() {
        return outputs;
    }
    let named = || model.model.functions.iter().enumerate().filter(|(_, f)| f.name == name).map(|(i, _)| i);
    let is_outside = |i: &usize| model.parents.get(*i).is_some_and(|parent| parent.is_none());
    let mut functions: Vec<_> = named().filter(is_outside).collect();
    if functions.is_empty() {
        functions = named().collect();
    }
    if !functions.is_empty() {
        let output = |i| of_function(model, FunctionId(place(i)?), 0);
        return functions.into_iter().filter_map(output).collect();
    }
    let variables = model.model.variables.iter().enumerate().filter(|(_, v)| v.name == name);
    variables.filter_map(|(i, _)| of_variable(model, VariableId(place(i)?))).collect()
}

fn place(i: usize) -> Option<u32> {
    u32::try_from(i).ok()
}

fn of_variable<'a>(model: &ValidatedModel<'a>, id: VariableId) -> Option<Output<'a>> {
    let mut found = output(&model.model, Source::Variable(id));
    if let Some(argument) = model.arguments.get(usize::try_from(id.0).ok()?)? {
        found.source = *argument;
    }
    Some(found)
}

/// See [`ValidatedModel::output_of`].
pub(super) fn of_function<'a>(model: &ValidatedModel<'a>, id: FunctionId, i: u32) -> Option<Output<'a>> {
    let at = usize::try_from(id.0).ok()?;
    let terminal = *model.terminals.get(at)?;
    let inner = model.model.functions.get(usize::try_from(terminal.0).ok()?)?;
    let is_combine = matches!(inner.kind, FunctionKind::Primitive(Op::Combine));
    let source = if is_combine {
        *model.inputs.get(usize::try_from(terminal.0).ok()?)?.get(usize::try_from(i).ok()?)?
    } else {
        let count = model.output_types.get(usize::try_from(terminal.0).ok()?)?.len();
        if usize::try_from(i).ok()? >= count {
            return None;
        }
        Source::Output(terminal, i)
    };
    if is_combine && terminal == id {
        // Combine has no outputs of its own: the value that it passes on has the name.
        return Some(output(&model.model, source));
    }
    let mut found = output(&model.model, Source::Output(id, i));
    found.source = source;
    Some(found)
}

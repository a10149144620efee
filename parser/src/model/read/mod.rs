//! Reads records into the typed model, in one pass in file order. Required keys must be present and have their types.

mod block;
mod function;
mod record;
mod tail;
mod variable;

use super::{Container, Function, Listed, Model, Origin, Variable};
use crate::context::Context;
use crate::dictionary::{Dictionary, Item, Value, Vector, expect};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::triage;
use record::{composite_version, required, typed, warn_newer};
use std::ops::Range;
use tail::Tail;

/// The smallest record in bytes, which bounds for how many records memory is reserved.
const SMALLEST_RECORD: usize = 96;

/// Reads the root record.
pub(crate) fn model<'a>(
    input: &'a [u8],
    container: Container,
    root: Dictionary<'a>,
    mut tensors: Vec<Range<u64>>,
    limits: &Limits,
) -> Result<Model<'a>, Error> {
    let mut context = Context::new(limits);
    let (mut kind, mut version, mut uid, mut name, mut root_uid) = (None, None, None, None, None);
    let (mut inputs, mut functions) = (None, None);
    for entry in root.raw() {
        let entry = entry?;
        match entry.key {
            "type" => kind = Some(typed::<&str>(&entry)?),
            "version" => version = Some(composite_version(&entry, &mut context, String::new)?),
            "uid" => uid = Some(typed(&entry)?),
            "name" => name = Some(typed(&entry)?),
            "root" => root_uid = Some(typed(&entry)?),
            "inputs" => inputs = Some(typed::<Vector<'a>>(&entry)?),
            "primitive_functions" => functions = Some(typed::<Vector<'a>>(&entry)?),
            "state" => {
                typed::<Dictionary<'a>>(&entry)?;
            }
            _ => record::warn_unknown(&mut context, "model", &entry, String::new),
        }
    }
    let need = |key| Error::new(ErrorKind::MissingKey { record: "model", key }, root.at());
    let kind = kind.ok_or_else(|| triage::explain_missing(input, need("type")))?;
    record::expect_type(root, kind, "CompositeFunction")?;
    let version = required(version, "model", "version", root)?;
    let uid = required(uid, "model", "uid", root)?;
    let root_uid = required(root_uid, "model", "root", root)?;
    let inputs = required(inputs, "model", "inputs", root)?;
    let functions = required(functions, "model", "primitive_functions", root)?;

    let mut tail = Tail::new(input, &container);
    let variables = variables(inputs, &mut tail, &mut context).map_err(|e| e.in_key("inputs"))?;
    tail.finish()?;
    let functions = self::functions(functions, &mut context).map_err(|e| e.in_key("primitive_functions"))?;
    if let Container::LargeLayout { tail, .. } = &container
        && !tail.is_empty()
    {
        tensors.push(tail.clone());
    }
    tensors.shrink_to_fit();
    Ok(Model {
        input,
        container,
        version,
        uid,
        name: name.unwrap_or(""),
        root: root_uid,
        variables,
        functions,
        listed: Listed::default(),
        origin: Origin::Record(root),
        warnings: context.warnings,
        more_warnings: context.more_warnings,
        tensors,
    })
}

fn variables<'a>(list: Vector<'a>, tail: &mut Tail<'a>, context: &mut Context<'_>) -> Result<Vec<Variable<'a>>, Error> {
    let room = list.capacity(SMALLEST_RECORD);
    limit("variables", room as u64, context.limits.variables, list.at())?;
    context.budget.spend::<Variable<'a>>(room, list.at())?;
    let mut variables = Vec::with_capacity(room);
    for (index, reader) in list.raw().enumerate() {
        let reader = reader?;
        let variable = Value::decode(reader)
            .and_then(|value| expect(Item { at: reader.at(), value }))
            .and_then(|record| variable::read(record, index, tail, context))
            .map_err(|e| e.in_index(index))?;
        limit("variables", index as u64, context.limits.variables, reader.at())?;
        variables.push(variable);
    }
    Ok(variables)
}

fn functions<'a>(list: Vector<'a>, context: &mut Context<'_>) -> Result<Vec<Function<'a>>, Error> {
    let room = list.capacity(SMALLEST_RECORD);
    limit("functions", room as u64, context.limits.functions, list.at())?;
    context.budget.spend::<Function<'a>>(room, list.at())?;
    let mut functions = Vec::with_capacity(room);
    for (index, reader) in list.raw().enumerate() {
        let reader = reader?;
        let function = Value::decode(reader)
            .and_then(|value| expect(Item { at: reader.at(), value }))
            .and_then(|record| function::read(record, index, context))
            .map_err(|e| e.in_index(index))?;
        limit("functions", index as u64, context.limits.functions, reader.at())?;
        functions.push(function);
    }
    Ok(functions)
}

fn limit(name: &'static str, value: u64, max: u64, at: u64) -> Result<(), Error> {
    if value > max {
        return Err(Error::new(ErrorKind::Limit { limit: name, value, max }, at));
    }
    Ok(())
}

/// The version of a record, with a warning if it is newer than CNTK 2.7's.
pub(super) fn version<'a>(
    entry: &crate::dictionary::RawEntry<'a>,
    newest: u64,
    context: &mut Context<'_>,
    path: impl FnOnce() -> String,
) -> Result<u64, Error> {
    let version = typed(entry)?;
    if version > newest {
        warn_newer(context, entry, version, newest, path());
    }
    Ok(version)
}

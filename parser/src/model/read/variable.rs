//! Variable records.

use super::record::{expect_type, required, typed, warn_unknown};
use super::tail::Tail;
use super::version;
use crate::context::Context;
use crate::dictionary::{Dictionary, RawEntry, Vector, list};
use crate::error::{Error, ErrorKind};
use crate::model::{Array, Axis, DataType, Origin, Variable, VariableKind};

/// CNTK 2.7's variable version.
const NEWEST: u64 = 1;
const RECORD: &str = "variable";

pub(super) fn read<'a>(
    record: Dictionary<'a>,
    index: usize,
    tail: &mut Tail<'a>,
    context: &mut Context<'_>,
) -> Result<Variable<'a>, Error> {
    let path = || format!("inputs[{index}]");
    let (mut record_type, mut record_version, mut uid, mut name, mut kind) = (None, None, None, None, None);
    let (mut data_type, mut axes, mut sparse, mut gradient, mut shape, mut value) =
        (None, None, None, None, None, None);
    for entry in record.raw() {
        let entry = entry?;
        match entry.key {
            "type" => record_type = Some(typed::<&str>(&entry)?),
            "version" => record_version = Some(version(&entry, NEWEST, context, path)?),
            "uid" => uid = Some(typed(&entry)?),
            "name" => name = Some(typed(&entry)?),
            "kind" => kind = Some(variable_kind(&entry)?),
            "data_type" => data_type = Some(variable_type(&entry)?),
            "dynamic_axis" => {
                let vector = typed::<Vector<'a>>(&entry)?;
                context.budget.spend::<Axis<'a>>(vector.len(), vector.at())?;
                axes = Some(list(vector).map_err(|e| e.in_key(entry.key))?);
            }
            "is_sparse" => sparse = Some(typed(&entry)?),
            "needs_gradient" => gradient = Some(typed(&entry)?),
            "shape" => shape = Some(typed(&entry)?),
            "value" => {
                let mut array = *typed::<Box<Array<'a>>>(&entry)?;
                tail.bind(&mut array).map_err(|e| e.in_key(entry.key))?;
                value = Some(array);
            }
            _ => warn_unknown(context, RECORD, &entry, path),
        }
    }
    expect_type(record, required(record_type, RECORD, "type", record)?, "Variable")?;
    let kind = required(kind, RECORD, "kind", record)?;
    if matches!(kind, VariableKind::Parameter | VariableKind::Constant) && value.is_none() {
        return Err(Error::new(ErrorKind::MissingKey { record: RECORD, key: "value" }, record.at()));
    }
    Ok(Variable {
        uid: required(uid, RECORD, "uid", record)?,
        name: name.unwrap_or(""),
        kind,
        data_type: required(data_type, RECORD, "data_type", record)?,
        shape: required(shape, RECORD, "shape", record)?,
        dynamic_axes: required(axes, RECORD, "dynamic_axis", record)?,
        is_sparse: required(sparse, RECORD, "is_sparse", record)?,
        needs_gradient: required(gradient, RECORD, "needs_gradient", record)?,
        value,
        version: required(record_version, RECORD, "version", record)?,
        at: record.at(),
        origin: Origin::Record(record),
    })
}

fn variable_kind(entry: &RawEntry<'_>) -> Result<VariableKind, Error> {
    Ok(match typed::<u64>(entry)? {
        0 => VariableKind::Input,
        2 => VariableKind::Parameter,
        3 => VariableKind::Constant,
        4 => VariableKind::Placeholder,
        other => return Err(bad(entry, "kind 0, 2, 3 or 4", other)),
    })
}

fn variable_type(entry: &RawEntry<'_>) -> Result<DataType, Error> {
    Ok(match typed::<u64>(entry)? {
        0 => DataType::Unknown,
        1 => DataType::Float,
        2 => DataType::Double,
        4 => DataType::Float16,
        5 => DataType::Int8,
        6 => DataType::Int16,
        other => return Err(bad(entry, "data type 0, 1, 2, 4, 5 or 6", other)),
    })
}

#[cold]
fn bad(entry: &RawEntry<'_>, expected: &'static str, found: u64) -> Error {
    Error::new(ErrorKind::BadValue { expected, found: found.to_string() }, entry.value.at()).in_key(entry.key)
}

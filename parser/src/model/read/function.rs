//! Function records: primitives, blocks and user-defined functions.

use super::record::{expect_type, required, typed, warn_unknown};
use super::{block, version};
use crate::context::Context;
use crate::dictionary::{Dictionary, RawEntry, Vector, list};
use crate::error::{Error, ErrorKind};
use crate::escape::Escaped;
use crate::model::{Attributes, Function, FunctionKind, Origin, UserFunction};
use crate::ops::Op;

/// CNTK 2.7's op-set version.
const NEWEST: u64 = 24;
const RECORD: &str = "function";
const PRIMITIVE: &str = "PrimitiveFunction";
const USER: &str = "UserDefinedFunction";

pub(super) fn read<'a>(record: Dictionary<'a>, index: usize, context: &mut Context<'_>) -> Result<Function<'a>, Error> {
    let path = || format!("primitive_functions[{index}]");
    let (mut record_type, mut record_version, mut uid, mut name) = (None, None, None, None);
    let (mut op, mut inputs, mut attributes) = (None, None, None);
    let (mut native, mut state) = (None, None);
    let mut parts = block::Parts::default();
    let mut strays: [Option<RawEntry<'a>>; 2] = [None, None];
    for entry in record.raw() {
        let entry = entry?;
        match entry.key {
            "type" => record_type = Some(typed::<&str>(&entry)?),
            "version" => record_version = Some(version(&entry, NEWEST, context, path)?),
            "uid" => uid = Some(typed(&entry)?),
            "name" => name = Some(typed(&entry)?),
            "op" => op = Some(operator(&entry)?),
            "inputs" => {
                let vector = typed::<Vector<'a>>(&entry)?;
                context.budget.spend::<&str>(vector.len(), vector.at())?;
                inputs = Some(list::<&str>(vector).map_err(|e| e.in_key(entry.key))?);
            }
            "attributes" => attributes = Some(typed::<Dictionary<'a>>(&entry)?),
            "native" => {
                native = Some(typed::<bool>(&entry)?);
                strays[0] = Some(entry);
            }
            "user_defined_state" => {
                state = Some(typed::<Dictionary<'a>>(&entry)?);
                strays[1] = Some(entry);
            }
            _ => {
                if !parts.take(&entry, index, context)? {
                    warn_unknown(context, RECORD, &entry, path);
                }
            }
        }
    }
    let record_type = required(record_type, RECORD, "type", record)?;
    let kind = if record_type == USER {
        FunctionKind::User(Box::new(user(native.unwrap_or(false), state.unwrap_or_default())))
    } else {
        expect_type(record, record_type, PRIMITIVE)?;
        for entry in strays.iter().flatten() {
            let message = "a primitive function with a key of a user-defined function (UserDefinedFunction)";
            let path = format!("{}.{}", path(), Escaped(entry.key));
            context.warn("record.disguised-user-function", entry.key_at, path, message.to_owned());
        }
        match required(op, RECORD, "op", record)? {
            Op::Block => FunctionKind::Block(Box::new(parts.finish(record, context)?)),
            op => FunctionKind::Primitive(op),
        }
    };
    if matches!(kind, FunctionKind::Primitive(_)) {
        required(attributes, RECORD, "attributes", record)?;
        parts.warn_strays(index, context);
    }
    let attributes = attributes.unwrap_or_default();
    if let FunctionKind::Primitive(op) = kind {
        unknown_attributes(op, attributes, index, context);
    }
    Ok(Function {
        uid: required(uid, RECORD, "uid", record)?,
        name: name.unwrap_or(""),
        version: required(record_version, RECORD, "version", record)?,
        kind,
        inputs: required(inputs, RECORD, "inputs", record)?,
        attributes: Attributes::Record(attributes),
        at: record.at(),
        origin: Origin::Record(record),
    })
}

/// The op code, read with all 64 bits.
fn operator(entry: &RawEntry<'_>) -> Result<Op, Error> {
    let code = typed(entry)?;
    Op::from_code(code).ok_or_else(|| {
        let kind = ErrorKind::UnknownOp { code, name: Op::later_name(code), last: Op::ALL.len().saturating_sub(1) };
        Error::new(kind, entry.value.at()).in_key(entry.key)
    })
}

/// The code that a user-defined function names. Missing keys of its state are not reported: such a function is refused
/// anyway, unless the caller allows it.
fn user(native: bool, state: Dictionary<'_>) -> UserFunction<'_> {
    let text = |key| match state.get(key).map(|item| item.value) {
        Some(crate::dictionary::Value::Str(text)) => Some(text),
        _ => None,
    };
    UserFunction {
        native,
        module: text("module"),
        class: text("class"),
        op: text("op").or_else(|| text("op_name")),
        method: text("deserialize_method"),
        state,
    }
}

fn unknown_attributes(op: Op, attributes: Dictionary<'_>, index: usize, context: &mut Context<'_>) {
    for entry in attributes.raw().map_while(Result::ok) {
        if op.spec().attribute(entry.key).is_none() {
            let message = format!("{} has an attribute that CNTK does not know: `{}`", op.name(), Escaped(entry.key));
            let path = format!("primitive_functions[{index}].attributes.{}", Escaped(entry.key));
            context.warn("record.unknown-attribute", entry.key_at, path, message);
        }
    }
}

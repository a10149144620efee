//! What all records have in common.

use crate::context::Context;
use crate::dictionary::{Dictionary, FromValue, Item, RawEntry, Value, expect};
use crate::error::{Error, ErrorKind};
use crate::escape::Escaped;

/// CNTK 2.7's composite version.
const COMPOSITE_VERSION: u64 = 3;

/// The value of an entry, which must have the type of its key.
pub(super) fn typed<'a, T: FromValue<'a>>(entry: &RawEntry<'a>) -> Result<T, Error> {
    let at = if entry.value.is_empty() { entry.key_at } else { entry.value.at() };
    Value::decode(entry.value).and_then(|value| expect(Item { at, value })).map_err(|e| e.in_key(entry.key))
}

/// The value of a required key.
pub(super) fn required<T>(
    value: Option<T>,
    record: &'static str,
    key: &'static str,
    dictionary: Dictionary<'_>,
) -> Result<T, Error> {
    value.ok_or_else(|| Error::new(ErrorKind::MissingKey { record, key }, dictionary.at()))
}

/// Checks the `type` of a record.
pub(super) fn expect_type(record: Dictionary<'_>, found: &str, expected: &'static str) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    let at = record.get("type").map_or(record.at(), |item| item.at);
    Err(Error::new(ErrorKind::WrongRecord { expected, found: found.to_owned() }, at).in_key("type"))
}

pub(super) fn composite_version(
    entry: &RawEntry<'_>,
    context: &mut Context<'_>,
    path: impl FnOnce() -> String,
) -> Result<u64, Error> {
    super::version(entry, COMPOSITE_VERSION, context, path)
}

/// Warns of a key that CNTK does not know in this kind of record.
#[cold]
pub(super) fn warn_unknown(
    context: &mut Context<'_>,
    record: &'static str,
    entry: &RawEntry<'_>,
    path: impl FnOnce() -> String,
) {
    let message = format!("the {record} has a key that CNTK does not know: `{}`", Escaped(entry.key));
    context.warn("record.unknown-key", entry.key_at, join(path(), entry.key), message);
}

#[cold]
pub(super) fn warn_newer(context: &mut Context<'_>, entry: &RawEntry<'_>, version: u64, newest: u64, path: String) {
    let message = format!("version {version} is newer than any known ({newest})");
    context.warn("record.newer-version", entry.value.at(), join(path, entry.key), message);
}

fn join(path: String, key: &str) -> String {
    if path.is_empty() { Escaped(key).to_string() } else { format!("{path}.{}", Escaped(key)) }
}

//! Writes `manifest.json`, an in-toto statement on the outputs with the records of all files as its predicate.

use super::{
    journal::Journal,
    record::{Record, Totals},
};
use anyhow::Result;
use serde_json::{Value, json};
use std::io::Write;

const PREDICATE: &str = "https://github.com/cntk2onnx/cntk2onnx/blob/main/docs/manifest.schema.json";

/// Writes the manifest record by record, since there may be many. Calls `each` for each record.
pub fn write(
    to: &mut dyn Write,
    journal: &mut Journal,
    places: &[(String, u64)],
    totals: &Totals,
    mut each: impl FnMut(&Record) -> Result<()>,
) -> Result<()> {
    write!(to, "{{\n\"_type\": \"https://in-toto.io/Statement/v1\",\n\"subject\": [")?;
    let mut comma = "";
    for (_, place) in places {
        let record = journal.read(*place)?;
        for (name, digest) in record.files() {
            write!(to, "{comma}\n{}", json!({ "name": name, "digest": { "sha256": digest } }))?;
            comma = ",";
        }
        each(&record)?;
    }
    write!(to, "\n],\n\"predicateType\": {},\n\"predicate\": {{\n", Value::from(PREDICATE))?;
    let Value::Object(options) = &journal.options else { return Ok(()) };
    for (key, value) in options {
        writeln!(to, "{}: {value},", Value::from(&**key))?;
    }
    write!(to, "\"totals\": {},\n\"exit\": {},\n\"files\": [", json!(totals.outcomes), totals.worst)?;
    let mut comma = "";
    for (_, place) in places {
        writeln!(to, "{comma}")?;
        to.write_all(&journal.line(*place)?)?;
        comma = ",";
    }
    write!(to, "\n]\n}}\n}}\n")?;
    Ok(())
}

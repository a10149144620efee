//! Writes `manifest.json`, an in-toto statement on the outputs with the records of all files as its predicate.

use super::{
    journal::{Journal, Place},
    record::{Record, Totals},
};
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::{
    io::Write,
    thread::{self, ScopedJoinHandle},
};

const PREDICATE: &str = "https://github.com/cntk2onnx/cntk2onnx/blob/main/docs/manifest.schema.json";

/// How many records each core reads at a time.
const BLOCK: usize = 256;

/// Writes the manifest block by block, since there may be many records. `row` makes a text of each, which `each` gets.
pub fn write(
    to: &mut dyn Write,
    journal: &Journal,
    places: &[(String, Place)],
    totals: &Totals,
    row: impl Fn(&Record) -> String + Sync,
    mut each: impl FnMut(&str) -> Result<()>,
) -> Result<()> {
    // The subjects and the rows of some records.
    let read = |places: &[(String, Place)]| -> Result<(String, String)> {
        let (mut subjects, mut rows) = (String::new(), String::new());
        for (_, place) in places {
            let record = journal.read(*place)?;
            for (name, digest) in record.files() {
                let subject = json!({ "name": name, "digest": { "sha256": digest } });
                subjects.push_str(&format!(",\n{subject}"));
            }
            rows.push_str(&row(&record));
        }
        Ok((subjects, rows))
    };
    let cores = thread::available_parallelism().map_or(1, Into::into);
    write!(to, "{{\n\"_type\": \"https://in-toto.io/Statement/v1\",\n\"subject\": [")?;
    let mut first = true;
    for some in places.chunks(cores * BLOCK) {
        let done: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = some.chunks(BLOCK).map(|places| scope.spawn(|| read(places))).collect();
            threads.into_iter().map(ScopedJoinHandle::join).collect()
        });
        for block in done {
            let (subjects, rows) = block.unwrap_or_else(|_| bail!("a thread stopped"))?;
            let subjects = if first { subjects.trim_start_matches(',') } else { &subjects };
            first &= subjects.is_empty();
            to.write_all(subjects.as_bytes())?;
            each(&rows)?;
        }
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

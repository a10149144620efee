//! The journal of a migration: a line of JSON for each finished file, from which a later run continues. A line with
//! nothing but `options` comes before the records of a run with these options.

use super::record::Record;
use crate::input::read_at;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Seek, SeekFrom, Write},
    path::Path,
};

/// The file's name in the folder of results.
pub const NAME: &str = ".cntk2onnx.jsonl";

pub struct Journal {
    file: File,
    length: u64,
    /// The options of this run, with the version of the tool.
    pub options: Value,
    earlier: HashMap<String, Earlier>,
}

/// Where a record is in the journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    start: u64,
    /// The length of the record, without the end of the line.
    length: usize,
}

/// The result of an earlier run for a file.
#[derive(Clone)]
pub struct Earlier {
    pub place: Place,
    pub record: Record,
}

impl Journal {
    /// Opens the journal of a folder, and reads the records of earlier runs with the same options. The last line may be
    /// incomplete.
    pub fn open(folder: &Path, options: Value) -> Result<Self> {
        let path = folder.join(NAME);
        let open = || -> Result<Self> {
            let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
            #[cfg(target_os = "linux")]
            rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
                .context("another migration writes here")?;
            let mut earlier = HashMap::new();
            let (mut length, mut line, mut same) = (0, vec![], false);
            let mut reader = BufReader::new(&file);
            loop {
                line.clear();
                let read = reader.read_until(b'\n', &mut line)? as u64;
                if read == 0 || line.last() != Some(&b'\n') {
                    break;
                }
                let place = Place { start: length, length: line.len() - 1 };
                length += read;
                let Some(record) = Record::parse(&line) else { continue };
                match (record.name().map(str::to_owned), record.options()) {
                    (None, Some(found)) => same = results(found) == results(&options),
                    (Some(name), _) if same => {
                        earlier.insert(name, Earlier { place, record: record.digests_only() });
                    }
                    _ => {}
                }
            }
            file.set_len(length)?;
            (&file).seek(SeekFrom::Start(length))?;
            let mut journal = Self { file, length, options, earlier };
            if !same {
                journal.write(json!({ "options": journal.options }).to_string())?;
            }
            Ok(journal)
        };
        open().with_context(|| path.display().to_string())
    }

    /// The records of earlier runs, by the name of the file.
    pub fn earlier(&mut self) -> HashMap<String, Earlier> {
        std::mem::take(&mut self.earlier)
    }

    /// Appends a record and returns its place.
    pub fn append(&mut self, record: &Record) -> Result<Place> {
        self.write(record.line()?)
    }

    fn write(&mut self, mut line: String) -> Result<Place> {
        let place = Place { start: self.length, length: line.len() };
        line.push('\n');
        self.file.write_all(line.as_bytes())?;
        self.length += line.len() as u64;
        Ok(place)
    }

    /// The record at a place, as text.
    pub fn line(&self, place: Place) -> Result<Vec<u8>> {
        let mut line = vec![0; place.length];
        let mut read = 0;
        while read < line.len() {
            match read_at(&self.file, &mut line[read..], place.start + read as u64)? {
                0 => bail!("the journal was altered while it was in use"),
                n => read += n,
            }
        }
        Ok(line)
    }

    /// The record at a place.
    pub fn read(&self, place: Place) -> Result<Record> {
        Record::parse(&self.line(place)?).context("the journal was altered while it was in use")
    }
}

/// The options on which results depend: not the limit of memory, over which a file has no result.
fn results(options: &Value) -> Value {
    let mut options = options.clone();
    if let Some(limits) = options.get_mut("limits").and_then(Value::as_object_mut) {
        limits.remove("memory");
    }
    options
}

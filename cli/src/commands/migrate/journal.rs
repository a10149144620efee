//! The journal of a migration: a line of JSON for each finished file, from which a later run continues. A line with
//! nothing but `options` comes before the records of a run with these options.

use super::record::Record;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Seek, SeekFrom, Write},
    path::Path,
};

/// As many bytes as most records have.
const SHORT: usize = 4096;
/// The file's name in the folder of results.
pub const NAME: &str = ".cntk2onnx.jsonl";

pub struct Journal {
    file: File,
    length: u64,
    /// The options of this run, with the version of the tool.
    pub options: Value,
    earlier: HashMap<String, Earlier>,
}

/// The result of an earlier run for a file.
#[derive(Clone)]
pub struct Earlier {
    pub place: u64,
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
                let place = length;
                length += read;
                let Some(record) = Record::parse(&line) else { continue };
                match (record.name().map(str::to_owned), record.options()) {
                    (None, Some(found)) => same = *found == options,
                    (Some(name), _) if same => {
                        earlier.insert(name, Earlier { place, record: record.digests_only() });
                    }
                    _ => {}
                }
            }
            file.set_len(length)?;
            let mut journal = Self { file, length, options, earlier };
            if !same {
                journal.write(&json!({ "options": journal.options }).to_string())?;
            }
            Ok(journal)
        };
        open().with_context(|| path.display().to_string())
    }

    /// The records of earlier runs, by the name of the file.
    pub fn earlier(&mut self) -> HashMap<String, Earlier> {
        std::mem::take(&mut self.earlier)
    }

    /// Appends a record and returns its position.
    pub fn append(&mut self, record: &Record) -> Result<u64> {
        self.write(&record.line()?)
    }

    fn write(&mut self, line: &str) -> Result<u64> {
        let place = self.length;
        self.file.seek(SeekFrom::Start(place))?;
        self.file.write_all(format!("{line}\n").as_bytes())?;
        self.length += line.len() as u64 + 1;
        Ok(place)
    }

    /// The record at a position, as text without the end of the line.
    pub fn line(&mut self, place: u64) -> Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(place))?;
        let mut line = vec![];
        BufReader::with_capacity(SHORT, &self.file).read_until(b'\n', &mut line)?;
        line.pop();
        Ok(line)
    }

    /// The record at a position.
    pub fn read(&mut self, place: u64) -> Result<Record> {
        Record::parse(&self.line(place)?).context("the journal was altered while it was in use")
    }
}

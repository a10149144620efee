//! The journal of a migration: a line of JSON for each finished file, from which a later run continues.

use super::record::Record;
use anyhow::{Context, Result};
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
    pub options: serde_json::Value,
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
    pub fn open(folder: &Path, options: serde_json::Value) -> Result<Self> {
        let path = folder.join(NAME);
        let open = || -> Result<Self> {
            let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
            #[cfg(target_os = "linux")]
            rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
                .context("another migration writes here")?;
            let mut earlier = HashMap::new();
            let (mut length, mut line) = (0, vec![]);
            let mut reader = BufReader::new(&file);
            loop {
                line.clear();
                let read = reader.read_until(b'\n', &mut line)? as u64;
                if read == 0 || line.last() != Some(&b'\n') {
                    break;
                }
                let place = length;
                length += read;
                if let Some(record) = Record::parse(&line)
                    && record.options() == Some(&options)
                    && let Some(name) = record.name().map(str::to_owned)
                {
                    earlier.insert(name, Earlier { place, record: record.digests_only() });
                }
            }
            file.set_len(length)?;
            Ok(Self { file, length, options, earlier })
        };
        open().with_context(|| path.display().to_string())
    }

    /// The records of earlier runs, by the name of the file.
    pub fn earlier(&mut self) -> HashMap<String, Earlier> {
        std::mem::take(&mut self.earlier)
    }

    /// Appends a record and returns its position.
    pub fn append(&mut self, record: &Record) -> Result<u64> {
        let mut line = record.with_options(&self.options);
        line.push('\n');
        let place = self.length;
        self.file.seek(SeekFrom::Start(place))?;
        self.file.write_all(line.as_bytes())?;
        self.length += line.len() as u64;
        Ok(place)
    }

    pub fn read(&mut self, place: u64) -> Result<Record> {
        self.file.seek(SeekFrom::Start(place))?;
        let mut line = vec![];
        BufReader::new(&self.file).read_until(b'\n', &mut line)?;
        Record::parse(&line).context("the journal was altered while it was in use")
    }
}

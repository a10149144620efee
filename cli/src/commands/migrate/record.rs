//! The record of one file: an object of the manifest (`docs/manifest.schema.json`).

use super::{Args, Made, pool::Ended};
use crate::{args::Common, commands::convert::hash::hex, exit, signed, terminal};
use cntk_parser::FileKind;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::Path,
    time::Duration,
};

/// The record of a file.
#[derive(Clone)]
pub struct Record(Map<String, Value>);

/// The options of a run on which results depend.
pub fn options(common: &Common, args: &Args) -> Value {
    let text = |all: &[std::ffi::OsString]| all.iter().map(|s| s.to_string_lossy().into_owned()).collect::<Vec<_>>();
    json!({
        "tool": concat!("cntk2onnx ", env!("CARGO_PKG_VERSION")),
        "to": args.to.iter().map(|t| t.word()).collect::<Vec<_>>(),
        "convert": text(&args.convert),
        "allow_udf": common.allow_udf,
        "reports": !args.no_reports,
        "limits": args.limits(common).list().iter().map(|(name, value, _)| ((*name).to_owned(), json!(value))).collect::<Map<_, _>>(),
        "budget": common.budget.words(),
        "signature": args.signed.signature.as_ref().map(|p| p.to_string_lossy().into_owned()),
    })
}

impl Record {
    fn new(name: &str, outcome: &str, code: u8, messages: &[String]) -> Self {
        let value = json!({ "path": name, "outcome": outcome, "exit": code, "messages": messages, "files": [] });
        match value {
            Value::Object(map) => Self(map),
            _ => Self(Map::new()),
        }
    }

    /// The record of a file that is not CNTK's.
    pub fn skipped(name: &str, kind: Option<FileKind>, what: &str) -> Self {
        let mut record = Self::new(name, "skipped", exit::DONE, &[what.to_owned()]);
        if let Some(kind) = kind {
            record.0.insert("kind".to_owned(), json!(kind.as_str()));
        }
        record
    }

    pub fn unreadable(name: &str, why: &str) -> Self {
        Self::new(name, "unreadable", exit::IO, &[why.to_owned()])
    }

    /// The record of a file that is not among the signed ones.
    pub fn unsigned(name: &str) -> Self {
        Self::new(name, "unsigned", exit::REJECTED, &["the bundle has no digest of this file".to_owned()])
    }

    /// The record that a worker told.
    pub fn told(name: &str, line: &[u8], took: Duration) -> Self {
        let mut record = Self::parse(line).unwrap_or_else(|| {
            Self::new(name, "crashed", exit::REJECTED, &["the worker did not tell a record".to_owned()])
        });
        record.0.insert("path".to_owned(), json!(name));
        record.took(took)
    }

    /// The record of a file that a worker did not finish.
    pub fn ended(name: &str, worker: &Ended) -> Self {
        let told: Vec<_> =
            String::from_utf8_lossy(&worker.stderr).lines().take(1000).map(terminal::printable).collect();
        let record = match &worker.status {
            Err(error) => Self::new(name, "crashed", exit::REJECTED, &[format!("no worker: {error}")]),
            _ if worker.timed_out => Self::new(name, "timeout", exit::REJECTED, &told),
            _ if told.iter().any(|line| line.contains("memory allocation")) => {
                Self::new(name, "memory", exit::REJECTED, &told)
            }
            Ok(status) => Self::new(name, "crashed", exit::REJECTED, &[&[status.to_string()], &*told].concat()),
        };
        record.took(worker.took)
    }

    fn took(mut self, took: Duration) -> Self {
        self.0.insert("milliseconds".to_owned(), json!(u64::try_from(took.as_millis()).unwrap_or(u64::MAX)));
        self
    }

    /// Adds the files that the worker wrote below `out`.
    pub fn with_files(mut self, out: &Path, outputs: &[Made]) -> Self {
        let mut files = vec![];
        for output in outputs {
            match output {
                Made::File(name) => collect(out, name, &mut files),
                Made::Onnx(name) => {
                    collect(out, name, &mut files);
                    collect(out, &format!("{name}.data"), &mut files);
                }
                Made::Folder(name) => {
                    // Remove a folder that stayed empty.
                    let _ = fs::remove_dir(out.join(name));
                    collect_all(out, name, &mut files);
                }
            }
        }
        // A worker that failed has written nothing or not everything.
        let files = if self.is_final() { files } else { vec![] };
        self.0.insert("files".to_owned(), Value::Array(files));
        self
    }

    pub fn parse(line: &[u8]) -> Option<Self> {
        match serde_json::from_slice(line) {
            Ok(Value::Object(map)) => Some(Self(map)),
            _ => None,
        }
    }

    /// The record on a single line, as in the journal and the manifest.
    pub fn line(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.0)
    }

    /// Keeps only what is needed to check whether the record still holds.
    pub fn digests_only(mut self) -> Self {
        self.0.retain(|key, _| ["outcome", "exit", "sha256", "files"].contains(&key.as_str()));
        self
    }

    pub fn get(&self, key: &str) -> &Value {
        self.0.get(key).unwrap_or(&Value::Null)
    }

    pub fn options(&self) -> Option<&Value> {
        self.0.get("options")
    }

    pub fn name(&self) -> Option<&str> {
        self.get("path").as_str()
    }

    pub fn digest(&self) -> Option<&str> {
        self.get("sha256").as_str()
    }

    pub fn outcome(&self) -> &str {
        self.get("outcome").as_str().unwrap_or("crashed")
    }

    /// Would converting the same file again have the same result?
    pub fn is_final(&self) -> bool {
        ["converted", "partly", "refused", "invalid", "skipped"].contains(&self.outcome())
    }

    /// The outputs with their digests.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.get("files").as_array().map(Vec::as_slice).unwrap_or_default();
        files.iter().filter_map(|file| Some((file["path"].as_str()?, file["sha256"].as_str()?)))
    }
}

/// Counts over all files.
#[derive(Default)]
pub struct Totals {
    pub outcomes: BTreeMap<String, u64>,
    pub worst: u8,
}

impl Totals {
    pub fn count(&mut self, record: &Record) {
        *self.outcomes.entry(record.outcome().to_owned()).or_default() += 1;
        let code = record.get("exit").as_u64().and_then(|n| u8::try_from(n).ok()).unwrap_or(exit::REJECTED);
        self.worst = self.worst.max(code);
    }

    pub fn words(&self) -> String {
        let counts: Vec<_> = self.outcomes.iter().map(|(what, n)| format!("{n} {what}")).collect();
        let all: u64 = self.outcomes.values().sum();
        format!("{all} files: {}", if counts.is_empty() { "none".to_owned() } else { counts.join(", ") })
    }
}

/// Collects the files of the folder `name` below `out`.
fn collect_all(out: &Path, name: &str, files: &mut Vec<Value>) {
    let mut inner: Vec<_> = fs::read_dir(out.join(name)).into_iter().flatten().flatten().collect();
    inner.sort_by_key(fs::DirEntry::file_name);
    for entry in inner {
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect_all(out, &name, files),
            _ => collect(out, &name, files),
        }
    }
}

/// Collects the file `name` below `out`, if there is one.
fn collect(out: &Path, name: &str, files: &mut Vec<Value>) {
    if let Ok((digest, length)) = File::open(out.join(name)).and_then(|mut file| signed::sum(&mut file)) {
        files.push(json!({ "path": name, "bytes": length, "sha256": hex(&digest) }));
    }
}

/// The SHA-256 of a file, `None` if it cannot be read.
pub fn file_digest(path: &Path) -> Option<String> {
    let sum = || -> io::Result<_> { signed::sum(&mut File::open(path)?) };
    sum().ok().map(|(digest, _)| hex(&digest))
}

/// Removes an output of an earlier run.
pub fn remove(out: &Path, output: &Made) {
    let _ = match output {
        Made::File(name) => fs::remove_file(out.join(name)),
        Made::Onnx(name) => {
            let _ = fs::remove_file(out.join(format!("{name}.data")));
            fs::remove_file(out.join(name))
        }
        Made::Folder(name) => fs::remove_dir_all(out.join(name)),
    };
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::commands::migrate::pool::Pool;
    use std::{process::Command, sync::atomic::AtomicBool, time::Duration};

    /// The record of a worker that is a shell running this script.
    fn of(script: &str) -> Record {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let pool = Pool { jobs: 1, timeout: Duration::from_millis(500), stop: &AtomicBool::new(false) };
        let mut told = None;
        let ended = pool.process(command, b"", |line, took| told = Some(Record::told("net.model", line, took)));
        told.unwrap_or_else(|| Record::ended("net.model", &ended))
    }

    #[test]
    fn however_a_worker_ends_there_is_a_record() {
        let killed = of("echo told >&2; kill -9 $$");
        assert_eq!((killed.outcome(), killed.get("exit")), ("crashed", &json!(1)));
        assert_eq!(killed.get("messages"), &json!(["signal: 9 (SIGKILL)", "told"]));
        assert_eq!(of("exec sleep 60").outcome(), "timeout");
        assert_eq!(of("echo 'memory allocation of 7 bytes failed' >&2; kill -6 $$").outcome(), "memory");
        assert_eq!(of("echo no JSON").outcome(), "crashed");
        assert_eq!(of("printf '{\"outcome\": \"converted\"}'").outcome(), "crashed", "the line is not whole");
        let said = of("echo '{\"outcome\": \"refused\", \"exit\": 3}'; kill -9 $$");
        assert_eq!((said.outcome(), said.get("exit"), said.get("path")), ("refused", &json!(3), &json!("net.model")));
        assert!(!killed.is_final() && said.is_final());
    }
}

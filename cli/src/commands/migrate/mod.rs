//! `migrate`: converts every CNTK file of a tree, each in a process of its own, and records the result of each.
//!
//! `tree` finds the files and names their outputs. `pool` runs `worker`s in parallel. `journal` records finished files,
//! so that a later run can continue one that was stopped. At the end, `manifest` and `page` are made from the journal.

mod journal;
mod manifest;
mod page;
mod pool;
mod record;
mod tree;
pub mod worker;

use crate::{
    args::Common,
    exit,
    output::Output,
    signed::SignatureArgs,
    terminal::{self, Terminal},
};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use journal::Journal;
use pool::Pool;
use record::Record;
use std::{
    cmp::Reverse,
    collections::HashMap,
    ffi::OsString,
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tree::{Found, Item};

/// Convert every CNTK file below a folder, and record the result of each
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cntk2onnx migrate /share/models -o out --dry-run
  cntk2onnx migrate /share/models -o out --to onnx,pytorch --timeout 600
  cntk2onnx migrate /share/models -o out -- --opset 13 --weights external

OUT mirrors TREE; OUT/manifest.json (an in-toto statement) and OUT/index.html say what became of each file, and each model has
a report (.report.html). A run that was stopped goes on where it was. The exit code is the worst of all files'.")]
pub struct Args {
    /// The folder to search; files are recognised by content, whatever their names
    #[arg(value_name = "TREE")]
    pub tree: PathBuf,
    /// The folder to write; it must be new, empty, or that of an earlier run
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// What to write, for each file
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', default_value = "onnx")]
    pub to: Vec<Target>,
    /// Give up on a file after this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    pub timeout: Duration,
    /// Give up on a file that needs this many MiB more than its own size (Linux)
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    pub memory: u64,
    /// How many files to convert at once [default: one for each core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Print what would be done without doing it
    #[arg(long)]
    pub dry_run: bool,
    /// Convert files again that are already converted
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub signed: SignatureArgs,
    /// Options of `convert`, for each file
    #[arg(last = true, value_name = "CONVERT OPTIONS")]
    pub convert: Vec<OsString>,
}

/// The suffix of the report on a file, after the stem.
pub const REPORT: &str = ".report.html";

/// The result of a conversion.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Target {
    Onnx,
    Pytorch,
    Safetensors,
}

impl Target {
    pub fn word(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Pytorch => "pytorch",
            Self::Safetensors => "safetensors",
        }
    }
}

impl Args {
    /// The name of a result, for outputs that begin with this stem. An ONNX model with test data gets a folder of its
    /// own, as in the ONNX Model Zoo.
    fn result(&self, stem: &str, target: Target) -> String {
        let suffix = match target {
            Target::Onnx if self.convert.iter().any(|option| option == "--test-data") => "_onnx",
            Target::Onnx => ".onnx",
            Target::Pytorch => "_pytorch",
            Target::Safetensors => ".safetensors",
        };
        format!("{stem}{suffix}")
    }
}

pub fn run(terminal: &Terminal, common: &Common, mut args: Args) -> Result<u8> {
    args.to.sort();
    args.to.dedup();
    for target in &args.to {
        worker::conversion(Path::new("model"), *target, Path::new("out"), &args.convert)?;
    }
    let root = fs::canonicalize(&args.tree).with_context(|| args.tree.display().to_string())?;
    if !root.is_dir() {
        bail!("{}: is not a folder; `convert` is for a file", args.tree.display());
    }
    let expected = expected(&args)?;
    let out = fs::canonicalize(&args.output).ok();
    let items = tree::find(&root, out.as_deref());
    if args.dry_run {
        return dry_run(&items, &args);
    }
    let out = open(&args.output)?;
    let mut journal = Journal::open(&out, record::options(common, &args))?;
    let stop = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // A second signal does not wait for running workers.
        signal_hook::flag::register_conditional_shutdown(signal, exit::IO.into(), Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let run = Run { terminal, common, args: &args, root: &root, out: &out, expected };
    let mut places = run.all(&items, &mut journal, &stop)?;
    let interrupted = stop.load(Ordering::Relaxed);
    places.sort();
    let worst = finish(terminal, &out, &mut journal, &places)?;
    if interrupted {
        terminal.error("interrupted; the same command goes on where this one stopped");
        return Ok(exit::IO);
    }
    Ok(worst)
}

/// The signed digests of files by name, if a signature is required.
fn expected(args: &Args) -> Result<Option<HashMap<String, String>>> {
    let Some(signed) = args.signed.open()? else { return Ok(None) };
    let statement = signed.statement().with_context(|| signed.name.clone())?;
    Ok(Some(statement.resources.into_iter().map(|r| (r.name, r.digest)).collect()))
}

/// The folder of results, created if necessary.
fn open(path: &Path) -> Result<PathBuf> {
    let open = || -> Result<PathBuf> {
        fs::create_dir_all(path)?;
        let empty = fs::read_dir(path)?.next().is_none();
        if !empty && !path.join(journal::NAME).exists() {
            bail!("holds files that are not of a migration");
        }
        let path = fs::canonicalize(path)?;
        tree::sweep(&path);
        Ok(path)
    };
    open().with_context(|| path.display().to_string())
}

fn dry_run(items: &[Item], args: &Args) -> Result<u8> {
    let mut text = String::new();
    for item in items {
        let what = match &item.found {
            Found::Model { stem } => {
                let outputs: Vec<_> = args.to.iter().map(|t| args.result(stem, *t)).collect();
                format!("would become {}", outputs.join(", "))
            }
            Found::Other { what, .. } => format!("skipped: {what}"),
            Found::Unreadable(why) => format!("unreadable: {why}"),
        };
        text.push_str(&terminal::printable(&format!("{}: {what}", item.name)));
        text.push('\n');
    }
    terminal::report(&text)?;
    Ok(exit::DONE)
}

/// A number of seconds, which need not be whole.
fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|time| !time.is_zero()).ok_or("a number of seconds above 0 is wanted")
}

/// The result of this run for a file.
enum Done {
    /// An earlier run finished it; the position of its record.
    Before(u64),
    Now(Record),
}

struct Run<'a> {
    terminal: &'a Terminal,
    common: &'a Common,
    args: &'a Args,
    root: &'a Path,
    out: &'a Path,
    expected: Option<HashMap<String, String>>,
}

impl Run<'_> {
    /// Converts the files that are not finished, and returns the position of each file's record in the journal.
    fn all(&self, items: &[Item], journal: &mut Journal, stop: &AtomicBool) -> Result<Vec<(String, u64)>> {
        let pool = Pool {
            jobs: self.args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into)).max(1),
            timeout: self.args.timeout,
            stop,
        };
        let mut places = vec![];
        let mut progress = pool::Progress::new(self.terminal, items.len());
        let earlier = journal.earlier();
        let work = |item: &Item| {
            let old = earlier.get(&item.name).filter(|_| !self.args.force);
            if let Some(place) = old.filter(|old| self.is_done(item, &old.record)).map(|old| old.place) {
                return Done::Before(place);
            }
            Done::Now(self.one(item, &pool))
        };
        // The largest files first, so that none is left alone at the end.
        let mut order: Vec<&Item> = items.iter().collect();
        order.sort_by_cached_key(|item| Reverse(fs::metadata(self.root.join(&item.name)).map_or(0, |file| file.len())));
        pool.run(
            &order,
            |item| work(item),
            |item, done| -> Result<()> {
                let (place, outcome) = match done {
                    Done::Before(place) => (place, "done before".to_owned()),
                    Done::Now(record) => {
                        let outcome = record.outcome().to_owned();
                        (journal.append(&record)?, outcome)
                    }
                };
                self.terminal.detail(format_args!("{}: {outcome}", item.name));
                progress.count(&outcome);
                places.push((item.name.clone(), place));
                Ok(())
            },
        )?;
        Ok(places)
    }

    /// Are the file and its outputs unchanged since the earlier run?
    fn is_done(&self, item: &Item, old: &Record) -> bool {
        matches!(item.found, Found::Model { .. })
            && old.is_final()
            && old
                .digest()
                .is_some_and(|digest| record::file_digest(&self.root.join(&item.name)).as_deref() == Some(digest))
            && old.files().all(|(name, digest)| record::file_digest(&self.out.join(name)).as_deref() == Some(digest))
    }

    fn one(&self, item: &Item, pool: &Pool<'_>) -> Record {
        let stem = match &item.found {
            Found::Model { stem } => stem,
            Found::Other { kind, what } => return Record::skipped(&item.name, *kind, what),
            Found::Unreadable(why) => return Record::unreadable(&item.name, why),
        };
        let expected = match &self.expected {
            None => None,
            Some(all) => match all.get(&item.name) {
                Some(digest) => Some(digest),
                None => return Record::unsigned(&item.name),
            },
        };
        let outputs: Vec<_> = self.args.to.iter().map(|t| (*t, self.args.result(stem, *t))).collect();
        let report = format!("{stem}{REPORT}");
        let names = || outputs.iter().map(|(_, name)| &**name).chain([&*report]);
        names().for_each(|name| record::remove(&self.out.join(name)));
        if let Some(folder) = self.out.join(stem).parent()
            && let Err(error) = fs::create_dir_all(folder)
        {
            return Record::unreadable(&item.name, &format!("{}: {error}", folder.display()));
        }
        let command = worker::command(
            self.common,
            self.args,
            &self.root.join(&item.name),
            |target| outputs.iter().find(|(t, _)| *t == target).map(|(_, name)| self.out.join(name)),
            &self.out.join(&report),
            expected.map(String::as_str),
        );
        let ended = pool.process(command);
        Record::ended(&item.name, ended, self.out, names())
    }
}

/// Writes the manifest and the page, and returns the worst exit code of all files.
fn finish(terminal: &Terminal, out: &Path, journal: &mut Journal, places: &[(String, u64)]) -> Result<u8> {
    let mut totals = record::Totals::default();
    for (_, place) in places {
        totals.count(&journal.read(*place)?);
    }
    for (name, write) in [
        (
            "manifest.json",
            manifest::write as fn(&mut dyn Write, &mut Journal, &[(String, u64)], &record::Totals) -> Result<()>,
        ),
        ("index.html", page::write),
    ] {
        let path = out.join(name);
        let output = Output::create(&path, true)?;
        let mut buffer = std::io::BufWriter::new(output.file());
        write(&mut buffer, journal, places, &totals).with_context(|| path.display().to_string())?;
        buffer.flush().with_context(|| path.display().to_string())?;
        drop(buffer);
        output.finish()?;
    }
    terminal.say(format_args!("{}", totals.words()));
    terminal.say(format_args!("wrote {}, {}", out.join("manifest.json").display(), out.join("index.html").display()));
    Ok(totals.worst)
}

//! `migrate`: converts every CNTK file of a tree in processes apart, and records the result of each.
//!
//! `tree` finds the files, `outputs` names what becomes of them. `pool` runs `worker`s in parallel. `journal` records finished files,
//! so that a later run can continue one that was stopped. At the end, `manifest` and `page` are made from the journal.

mod group;
mod journal;
mod manifest;
mod outputs;
mod page;
mod pool;
mod record;
mod tree;
pub mod worker;

use crate::{
    args::Common,
    exit,
    output::{self, Output},
    signed::SignatureArgs,
    target::Target,
    terminal::{self, Terminal},
};
use anyhow::{Context, Result, bail};
use cntk_parser::Limits;
use journal::{Earlier, Journal, Place};
pub use outputs::{Files, Made, REPORT};
use pool::Pool;
use record::{Record, Totals};
use std::{
    cmp::Reverse,
    collections::HashMap,
    ffi::OsString,
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tree::{Found, Item};
use worker::Job;

/// Convert every CNTK file below a folder, and record the result of each
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cntk2onnx migrate /share/models -o out --dry-run
  cntk2onnx migrate /share/models -o out --to onnx,pytorch --timeout 600
  cntk2onnx migrate /share/models -o out -- --opset 13 --weights external

OUT mirrors TREE; OUT/manifest.json (an in-toto statement) and OUT/index.html say what became of each file, and each model has
a report (.report.html). A run that was stopped goes on where it was. The exit code is the worst of all files'.

--timeout and --max-memory are for each file. Here --max-memory limits not only what the reader keeps, but all memory of the
process beyond the size of the file (Linux); a file that needs more has the outcome `memory`.")]
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
    /// The same as --max-memory, in MiB
    #[arg(long, value_name = "MIB", hide = true, conflicts_with = "max-memory")]
    pub memory: Option<u64>,
    /// How many files to convert at once [default: one for each core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Convert each file in a process of its own; otherwise one converts several files of up to 256 KiB
    #[arg(long)]
    pub isolate: bool,
    /// Write no report for each file; the manifest and the page hold its findings all the same
    #[arg(long)]
    pub no_reports: bool,
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

pub fn run(terminal: &Terminal, common: &Common, mut args: Args) -> Result<u8> {
    args.to.sort();
    args.to.dedup();
    for target in &args.to {
        worker::conversion(*target, &args.convert)?;
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
    let (out, fresh) = open(&args.output)?;
    let mut journal = Journal::open(&out, record::options(common, &args))?;
    let stop = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // A second signal does not wait for running workers.
        signal_hook::flag::register_conditional_shutdown(signal, exit::IO.into(), Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let run = Run { terminal, common, args: &args, root: &root, out: &out, fresh, expected };
    let (mut places, totals) = run.all(&items, &mut journal, &stop)?;
    let interrupted = stop.load(Ordering::Relaxed);
    places.sort();
    finish(terminal, &out, &journal, &places, &totals)?;
    if interrupted {
        terminal.error("interrupted; the same command goes on where this one stopped");
        return Ok(exit::IO);
    }
    Ok(totals.worst)
}

impl Args {
    /// The limits for each file.
    fn limits(&self, common: &Common) -> Limits {
        let mut limits = common.limits.parser.clone();
        if let Some(mib) = self.memory {
            limits.memory = mib.saturating_mul(1 << 20);
        }
        limits
    }
}

/// The signed digests of files by name, if a signature is required.
fn expected(args: &Args) -> Result<Option<HashMap<String, String>>> {
    let Some(signed) = args.signed.open()? else { return Ok(None) };
    let statement = signed.statement().with_context(|| signed.name.clone())?;
    Ok(Some(statement.resources.into_iter().map(|r| (r.name, r.digest)).collect()))
}

/// The folder of results, created if necessary, and whether it is empty.
fn open(path: &Path) -> Result<(PathBuf, bool)> {
    let open = || -> Result<(PathBuf, bool)> {
        fs::create_dir_all(path)?;
        let empty = fs::read_dir(path)?.next().is_none();
        if !empty && !path.join(journal::NAME).exists() {
            bail!("holds files that are not of a migration");
        }
        let path = fs::canonicalize(path)?;
        tree::sweep(&path);
        Ok((path, empty))
    };
    open().with_context(|| path.display().to_string())
}

fn dry_run(items: &[Item], args: &Args) -> Result<u8> {
    let mut text = String::new();
    for item in items {
        let what = match &item.found {
            Found::Model { stem } => {
                let files = Files::of(stem, &args.convert);
                let outputs: Vec<_> = args.to.iter().map(|target| files.result(*target)).collect();
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
enum Done<'a> {
    /// An earlier run finished it.
    Before(&'a Earlier),
    Now(Record),
}

/// A file is small if it has at most this many bytes.
const SMALL: u64 = 256 << 10;
/// The most small files that one process converts, and the most bytes that they have together.
const MOST: (usize, u64) = (256, 8 << 20);
/// A process that converts several files converts at least this many, if each core gets as many.
const LEAST: usize = 16;

struct Run<'a> {
    terminal: &'a Terminal,
    common: &'a Common,
    args: &'a Args,
    root: &'a Path,
    out: &'a Path,
    /// Was the folder of results empty?
    fresh: bool,
    expected: Option<HashMap<String, String>>,
}

impl Run<'_> {
    /// Converts the files that are not finished, and returns the position of each file's record in the journal.
    fn all(&self, items: &[Item], journal: &mut Journal, stop: &AtomicBool) -> Result<(Vec<(String, Place)>, Totals)> {
        let pool = Pool {
            jobs: self.args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into)).max(1),
            timeout: self.args.timeout,
            stop,
        };
        let (mut places, mut totals) = (vec![], Totals::default());
        let mut progress = pool::Progress::new(self.terminal, items.len());
        let earlier = journal.earlier();
        let done_before = |item: &Item| {
            let old = earlier.get(&item.name).filter(|_| !self.args.force);
            old.filter(|old| self.is_done(item, &old.record))
        };
        pool.run(
            &self.groups(items, pool.jobs),
            |group, tell| {
                let (mut jobs, mut folder) = (vec![], None);
                for item in group {
                    match done_before(item) {
                        Some(old) => tell((item.name.clone(), Done::Before(old))),
                        None => match self.job(item, &mut folder) {
                            Ok(job) => jobs.push(job),
                            Err(record) => tell((item.name.clone(), Done::Now(record))),
                        },
                    }
                }
                let command = || worker::command(self.common, self.args, self.root, self.out);
                group::convert(&jobs, &pool, command, |job, record| {
                    let record = record.with_files(self.out, &self.outputs(&job.stem));
                    tell((job.name.clone(), Done::Now(record)));
                });
            },
            |(name, done)| {
                let (record, place, outcome) = match &done {
                    Done::Before(old) => (&old.record, old.place, "done before"),
                    Done::Now(record) => (record, journal.append(record)?, record.outcome()),
                };
                self.terminal.detail(format_args!("{name}: {outcome}"));
                progress.count(outcome);
                totals.count(record);
                places.push((name, place));
                Ok(())
            },
        )?;
        Ok((places, totals))
    }

    /// The files that a process converts: one large one, or several small ones. The largest come first, and the last groups
    /// are the smallest, so that all processes end at about the same time.
    fn groups<'i>(&self, items: &'i [Item], jobs: usize) -> Vec<Vec<&'i Item>> {
        let (mut large, mut small): (Vec<&Item>, Vec<&Item>) = items.iter().partition(|item| item.size > SMALL);
        large.sort_by_key(|item| Reverse(item.size));
        let mut groups: Vec<_> = large.into_iter().map(|item| vec![item]).collect();
        let open = Files::of("", &self.args.convert).handles(&self.args.to);
        let most = if self.args.isolate { 1 } else { (worker::handles() / open).clamp(1, MOST.0) };
        // Neighbours are in the same folders.
        while !small.is_empty() {
            let share = (small.len() / (4 * jobs)).max(LEAST.min(small.len().div_ceil(jobs))).min(most);
            let mut bytes = 0;
            let fits = small[..share].iter().take_while(|item| {
                bytes += item.size;
                bytes <= MOST.1
            });
            let count = fits.count().max(1);
            groups.push(small.drain(..count).collect());
        }
        groups
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

    /// What a worker is to do for a file, with the outputs of earlier runs removed; the record of a file that is not
    /// converted.
    /// `made` is the folder of the file before, which exists.
    fn job(&self, item: &Item, made: &mut Option<PathBuf>) -> Result<Job, Record> {
        let stem = match &item.found {
            Found::Model { stem } => stem,
            Found::Other { kind, what } => return Err(Record::skipped(&item.name, *kind, what)),
            Found::Unreadable(why) => return Err(Record::unreadable(&item.name, why)),
        };
        let expected = match &self.expected {
            None => None,
            Some(all) => Some(all.get(&item.name).ok_or_else(|| Record::unsigned(&item.name))?.clone()),
        };
        if !self.fresh {
            self.outputs(stem).iter().for_each(|output| record::remove(self.out, output));
        }
        let folder = output::folder(&self.out.join(stem)).to_owned();
        if made.as_ref() != Some(&folder) {
            if let Err(error) = fs::create_dir_all(&folder) {
                return Err(Record::unreadable(&item.name, &format!("{}: {error}", folder.display())));
            }
            *made = Some(folder);
        }
        Ok(Job { name: item.name.clone(), stem: stem.clone(), expected })
    }

    /// All outputs for a file.
    fn outputs(&self, stem: &str) -> Vec<Made> {
        Files::of(stem, &self.args.convert).all(&self.args.to)
    }
}

/// Writes the manifest and the page.
fn finish(
    terminal: &Terminal,
    out: &Path,
    journal: &Journal,
    places: &[(String, Place)],
    totals: &Totals,
) -> Result<()> {
    let paths = [out.join("manifest.json"), out.join("index.html")];
    let [manifest, page] = &paths;
    let (manifest, page) = (Output::create(manifest, true)?, Output::create(page, true)?);
    let (mut json, mut html) = (BufWriter::new(manifest.file()), BufWriter::new(page.file()));
    let mut write = || -> Result<()> {
        page::begin(&mut html, totals)?;
        manifest::write(&mut json, journal, places, totals, page::row, |rows| Ok(html.write_all(rows.as_bytes())?))?;
        page::end(&mut html)?;
        html.flush()?;
        Ok(json.flush()?)
    };
    write().with_context(|| out.display().to_string())?;
    drop((json, html));
    manifest.finish()?;
    page.finish()?;
    terminal.say(format_args!("{}", totals.words()));
    terminal.say(format_args!("wrote {}", paths.each_ref().map(|path| path.display().to_string()).join(", ")));
    Ok(())
}

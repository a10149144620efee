//! The process that `migrate` starts for one file, or for several small ones. It reads the names of the files, a line of
//! JSON each, and prints the record of each as a line.

use super::Files;
use crate::{
    args::Common,
    commands::{
        Cli, Command, convert,
        inspect::{Contents, Port, digest, page},
    },
    exit,
    input::Input,
    json::Json,
    load::{self, Verdict},
    output::Output,
    sandbox::{self, Needs},
    target::Target,
    terminal::{self, Terminal},
};
use anyhow::{Context, Result, anyhow};
use clap::Parser;
use cntk_parser::{ErrorKind, FileKind, ModelFile, Severity, model::ValidatedModel};
use cntk2onnx::{Conversion, Options, Refusal};
use serde_json::json;
use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process,
};

/// Work on files of a migration, named on standard input
#[derive(clap::Args)]
pub struct Args {
    #[arg(value_name = "TREE")]
    pub tree: PathBuf,
    #[arg(value_name = "OUT")]
    pub out: PathBuf,
    #[arg(long, value_delimiter = ',', required = true)]
    pub to: Vec<Target>,
    #[arg(long)]
    pub no_reports: bool,
    #[arg(last = true)]
    pub convert: Vec<OsString>,
}

/// Handles for other purposes than the outputs of models.
const SPARE: usize = 32;

/// A file to convert.
pub struct Job {
    /// The path relative to the tree.
    pub name: String,
    /// The paths of its outputs begin with this, relative to the folder of results.
    pub stem: String,
    /// The SHA-256 that the file was signed with.
    pub expected: Option<String>,
}

impl Job {
    /// The job as a line of the worker's standard input.
    pub fn line(&self) -> String {
        format!("{}\n", json!([self.name, self.stem, self.expected]))
    }

    fn parse(line: &str) -> Result<Self> {
        let (name, stem, expected) = serde_json::from_str(line).context("the list of files")?;
        Ok(Self { name, stem, expected })
    }
}

/// The command line of a worker.
pub fn command(common: &Common, args: &super::Args, tree: &Path, out: &Path) -> process::Command {
    let mut command = process::Command::new(program());
    command.arg("migrate-worker").arg(tree).arg(out).arg("--quiet");
    command.arg("--to").arg(args.to.iter().map(|target| target.word()).collect::<Vec<_>>().join(","));
    if args.no_reports {
        command.arg("--no-reports");
    }
    if common.allow_udf {
        command.arg("--allow-udf");
    }
    if common.no_sandbox {
        command.arg("--no-sandbox");
    }
    for (name, value, _) in args.limits(common).list() {
        command.arg(format!("--max-{name}")).arg(value.to_string());
    }
    command.args(common.budget.words());
    if let Some(size) = common.limits.size {
        command.arg("--max-size").arg(size.to_string());
    }
    command.arg("--").args(&args.convert);
    // Signals of the terminal go to the parent only, which lets running workers finish.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// The path of this program, or of the script that a package runs it with.
fn program() -> PathBuf {
    let name = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains("cntk2onnx"));
    let own = std::env::current_exe().ok().filter(name);
    own.or_else(|| std::env::args_os().next().map(PathBuf::from)).unwrap_or_else(|| PathBuf::from("cntk2onnx"))
}

/// The arguments of `convert` for one target, parsed from the options after `--`. The paths are to be filled in.
pub fn conversion(target: Target, options: &[OsString]) -> Result<convert::Args> {
    let words = ["cntk2onnx", "convert", "IN", "--to", target.word(), "--force"].map(OsString::from);
    let parsed = Cli::try_parse_from(words.iter().chain(options));
    let parsed = parsed.map_err(|e| anyhow!("options of convert: {}", e.render()))?;
    let Command::Convert(mut args) = parsed.command else { return Err(anyhow!("these are no options of convert")) };
    if target != Target::Onnx {
        (args.weights, args.hash, args.expect_sha256) = (convert::Place::Embed, false, None);
    }
    if target != Target::Pytorch {
        (args.record, args.check_inputs) = (None, false);
    }
    args.test_data &= target == Target::Onnx;
    Ok(args)
}

pub fn run(terminal: &Terminal, common: &Common, args: Args) -> Result<u8> {
    let conversions = args.to.iter().map(|target| Ok((*target, conversion(*target, &args.convert)?)));
    let conversions = conversions.collect::<Result<Vec<_>>>()?;
    let jobs = io::stdin().lines().map(|line| Job::parse(&line?)).collect::<Result<Vec<_>>>()?;
    let opened: Vec<_> = jobs.iter().map(|job| Opened::open(common, &args, &conversions, job)).collect();
    let ready = || opened.iter().filter_map(|opened| opened.as_ref().ok());
    confine(common.limits.parser.memory, ready().map(|opened| opened.input.len()).sum());
    sandbox::enter(terminal, common, &ready().fold(Needs::nothing(), |needs, opened| needs.and(opened.needs())));
    for (job, opened) in jobs.iter().zip(opened) {
        terminal::report(&format!("{}\n", record(common, job, opened).line()))?;
    }
    Ok(exit::DONE)
}

/// The record of a file, which is converted if it could be opened.
fn record(common: &Common, job: &Job, opened: Result<Opened, Failed>) -> Json {
    let terminal = Terminal::keeping(common);
    let mut record = Told::default();
    let done = opened.and_then(|opened| opened.convert(&terminal, common, job, &mut record));
    let (code, outcome) = done.unwrap_or_else(|Failed { outcome, error }| {
        terminal.error(format_args!("{error:#}"));
        (exit::IO, outcome)
    });
    let messages = if record.messages.is_empty() { terminal.kept() } else { record.messages };
    record.entries.push(("messages", Json::list(messages, Json::text)));
    record.entries.push(("outcome", Json::from(outcome)));
    record.entries.push(("exit", Json::Number(code.into())));
    Json::Object(record.entries)
}

/// What is told of a file.
#[derive(Default)]
struct Told {
    entries: Vec<(&'static str, Json)>,
    /// What there is to say about the conversion; if nothing, what was printed.
    messages: Vec<String>,
}

/// A file that is not converted because of an error of usage or I/O.
struct Failed {
    outcome: &'static str,
    error: anyhow::Error,
}

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { outcome: "failed", error: error.into() }
    }
}

/// A file and its outputs.
struct Opened {
    input: Input,
    report: Option<Output>,
    prepared: Vec<(Target, convert::Prepared)>,
}

impl Opened {
    fn open(common: &Common, args: &Args, conversions: &[(Target, convert::Args)], job: &Job) -> Result<Self, Failed> {
        let path = args.tree.join(&job.name);
        let input = Input::open(&path, common).map_err(|error| Failed { outcome: "unreadable", error })?;
        let files = Files::of(&job.stem, &args.convert);
        let report = (!args.no_reports).then(|| Output::create(&args.out.join(files.report()), true)).transpose()?;
        let mut prepared = vec![];
        for (target, conversion) in conversions {
            let mut output = args.out.join(files.result(*target));
            if conversion.test_data {
                fs::create_dir_all(&output)?;
                output.push("model.onnx");
            }
            let conversion = convert::Args { input: path.clone(), output: Some(output), ..conversion.clone() };
            prepared.push((*target, convert::Prepared::open(common, conversion, &input)?));
        }
        Ok(Self { input, report, prepared })
    }

    fn needs(&self) -> Needs {
        let report = self.report.as_ref().map_or(Needs::nothing(), |report| Needs::writing([report.folder()], false));
        self.prepared.iter().fold(report, |needs, (_, one)| needs.and(one.needs()))
    }

    fn convert(
        self,
        terminal: &Terminal,
        common: &Common,
        job: &Job,
        record: &mut Told,
    ) -> Result<(u8, &'static str), Failed> {
        let Self { input, report, prepared } = self;
        let digest = digest(&input);
        record.entries.push(("bytes", Json::from(input.len())));
        record.entries.push(("sha256", Json::text(&*digest)));
        if job.expected.as_ref().is_some_and(|expected| *expected != digest) {
            terminal.error("is not the file that was signed");
            return Ok((exit::REJECTED, "unsigned"));
        }
        let file = ModelFile::new(&input);
        let model = match load::parse(common, &file) {
            Ok(model) => model,
            Err(error) => {
                let verdict = Verdict::malformed(&input, &error);
                findings(&verdict, record);
                record.messages.extend(verdict.hint.clone());
                if verdict.kind == FileKind::Checkpoint {
                    return Ok((exit::DONE, "skipped"));
                }
                if matches!(error.kind(), ErrorKind::Limit { limit: "memory", .. }) {
                    return Ok((exit::REJECTED, "memory"));
                }
                tell(report, || page(&input, &verdict, None, &digest, None))?;
                return Ok((exit::REJECTED, "invalid"));
            }
        };
        let mut contents = Contents::of(&model);
        let mut validation = load::validate(common, model, false);
        let verdict = Verdict::checked(&input, &mut validation);
        findings(&verdict, record);
        if let Some(model) = &validation.model {
            contents.infer(model);
        }
        describe(&contents, record);
        let Some(model) = &validation.model else {
            tell(report, || page(&input, &verdict, None, &digest, None))?;
            return Ok((exit::REJECTED, "invalid"));
        };
        let onnx: Vec<_> = prepared.iter().map(|(_, one)| one.onnx(model)).collect();
        let mut plain = prepared.iter().zip(&onnx).filter(|((_, one), _)| one.options() == Options::default());
        let plain = plain.find_map(|(_, onnx)| onnx.as_ref()).map(|onnx| onnx.as_ref().map(|onnx| &onnx.summary));
        tell(report, || page(&input, &verdict, Some(model), &digest, plain))?;
        if load::over_budget(terminal, common, &input.name, model).is_some() {
            return Ok((exit::REJECTED, "invalid"));
        }
        Ok(convert_all(terminal, &input, model, verdict.hint, prepared.into_iter().zip(onnx), record)?)
    }
}

/// Writes the report on the file, if there is to be one.
fn tell(output: Option<Output>, text: impl FnOnce() -> String) -> Result<()> {
    let Some(output) = output else { return Ok(()) };
    output.file().write_all(text().as_bytes())?;
    output.finish()
}

fn convert_all(
    terminal: &Terminal,
    input: &Input,
    model: &ValidatedModel<'_>,
    hint: Option<String>,
    prepared: impl ExactSizeIterator<Item = ((Target, convert::Prepared), Option<Result<Conversion, Refusal>>)>,
    record: &mut Told,
) -> Result<(u8, &'static str)> {
    let (mut dropped, mut evidence) = (vec![], vec![]);
    record.messages.extend(hint);
    let (mut worst, mut done) = (exit::DONE, 0);
    let count = prepared.len();
    for ((target, one), onnx) in prepared {
        let ended = one.finish(terminal, input, model, onnx)?;
        worst = worst.max(ended.code);
        done += usize::from(ended.code == exit::DONE);
        record.messages.extend(ended.reasons.iter().map(|reason| format!("{}: {reason}", target.word())));
        evidence.extend(ended.expected.map(|outputs| (target.word(), Json::from(outputs))));
        for what in ended.dropped {
            if !dropped.contains(&what) {
                dropped.push(what);
            }
        }
    }
    record.entries.push(("dropped", Json::list(dropped, Json::text)));
    record.entries.push(("evidence", Json::Object(evidence)));
    let outcome = match (worst, done) {
        (exit::DONE, _) => "converted",
        (_, 0) => "refused",
        (_, n) if n < count => "partly",
        _ => "failed",
    };
    Ok((worst, outcome))
}

fn findings(verdict: &Verdict<'_>, record: &mut Told) {
    let kept = verdict.findings.iter().filter(|f| f.severity != Severity::Note);
    let list = Json::list(kept, |f| {
        Json::Object(vec![
            ("rule", Json::from(f.rule)),
            ("severity", Json::from(f.severity.as_str())),
            ("offset", Json::Number(f.offset)),
            ("path", Json::text(&f.path)),
            ("message", Json::text(&f.message)),
        ])
    });
    record.entries.push(("kind", Json::from(verdict.kind.as_str())));
    record.entries.push(("verdict", Json::from(verdict.word())));
    record.entries.push(("findings", list));
    record.entries.push(("more_findings", Json::Number(verdict.more)));
}

fn describe(contents: &Contents<'_>, record: &mut Told) {
    let counts = contents.ops.iter();
    let ops =
        Json::list(counts, |(name, n)| Json::Object(vec![("name", Json::text(name)), ("count", Json::Number(*n))]));
    record.entries.push(("container", Json::from(contents.container)));
    record.entries.push(("ops", ops));
    record.entries.push(("inputs", Json::list(&contents.inputs, Port::json)));
    record.entries.push(("outputs", Json::list(&contents.outputs, Port::json)));
    record.entries.push(("parameters", Json::Number(contents.parameters.iter().map(|p| p.elements).sum())));
}

/// How many files a worker may have open.
#[cfg(target_os = "linux")]
pub fn handles() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(1024).saturating_sub(SPARE).min(1024)
}

#[cfg(not(target_os = "linux"))]
pub fn handles() -> usize {
    256 - SPARE
}

/// Limits the memory of this process to so many bytes beyond those of its files, and makes it end together with its parent.
#[cfg(target_os = "linux")]
fn confine(memory: u64, files: usize) {
    use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
    let most = memory.saturating_add(files as u64);
    // If the system refuses, the limits of the parser remain.
    let _ = setrlimit(Resource::As, Rlimit { current: Some(most), maximum: Some(most) });
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
}

#[cfg(not(target_os = "linux"))]
fn confine(_: u64, _: usize) {}

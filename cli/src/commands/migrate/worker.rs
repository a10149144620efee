//! The process that `migrate` starts for each file, which prints the file's record.

use super::Target;
use crate::{
    args::Common,
    commands::{
        Cli, Command, convert,
        inspect::{Contents, Port, page},
    },
    exit,
    input::Input,
    json::Json,
    load::{self, Verdict},
    output::Output,
    sandbox::{self, Needs},
    terminal::{self, Terminal},
};
use anyhow::{Result, anyhow};
use clap::Parser;
use cntk_parser::{FileKind, ModelFile, Severity, model::ValidatedModel};
use sha2::{Digest, Sha256};
use std::{
    ffi::OsString,
    fs,
    io::Write,
    mem::ManuallyDrop,
    path::{Path, PathBuf},
    process,
};

/// Work on one file of a migration
#[derive(clap::Args)]
pub struct Args {
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    #[arg(long)]
    pub onnx: Option<PathBuf>,
    #[arg(long)]
    pub pytorch: Option<PathBuf>,
    #[arg(long)]
    pub safetensors: Option<PathBuf>,
    /// Where to write the report on the file
    #[arg(long)]
    pub report: PathBuf,
    /// How many MiB the process may take beyond the size of the file
    #[arg(long)]
    pub memory: u64,
    /// The SHA-256 that the file was signed with
    #[arg(long)]
    pub expect: Option<String>,
    #[arg(last = true)]
    pub convert: Vec<OsString>,
}

/// The command line of the worker for `input`. `output` gives the path of each target, `report` that of the report.
pub fn command(
    common: &Common,
    args: &super::Args,
    input: &Path,
    output: impl Fn(Target) -> Option<PathBuf>,
    report: &Path,
    expect: Option<&str>,
) -> process::Command {
    let mut command = process::Command::new(program());
    command.arg("migrate-worker").arg(input).arg("--quiet");
    command.args(["--memory", &args.memory.to_string()]);
    for target in [Target::Onnx, Target::Pytorch, Target::Safetensors] {
        if let Some(path) = output(target) {
            command.arg(format!("--{}", target.word())).arg(path);
        }
    }
    command.arg("--report").arg(report);
    if let Some(digest) = expect {
        command.args(["--expect", digest]);
    }
    if common.allow_udf {
        command.arg("--allow-udf");
    }
    if common.no_sandbox {
        command.arg("--no-sandbox");
    }
    for (name, value, _) in common.limits.parser.list() {
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

/// The arguments of `convert` for one target, parsed from the options after `--`.
pub fn conversion(input: &Path, target: Target, output: &Path, options: &[OsString]) -> Result<convert::Args> {
    let words: [&std::ffi::OsStr; 8] = [
        "cntk2onnx".as_ref(),
        "convert".as_ref(),
        input.as_ref(),
        "--to".as_ref(),
        target.word().as_ref(),
        "--output".as_ref(),
        output.as_ref(),
        "--force".as_ref(),
    ];
    let words = words.iter().map(|w| (*w).to_owned()).chain(options.iter().cloned());
    let parsed = Cli::try_parse_from(words).map_err(|e| anyhow!("options of convert: {}", e.render()))?;
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
    let mut record = vec![];
    let code = match one(terminal, common, &args, &mut record) {
        Ok((code, outcome)) => {
            record.push(("outcome", Json::from(outcome)));
            code
        }
        Err(error) => {
            terminal.error(format_args!("{error:#}"));
            record.push(("outcome", Json::from("failed")));
            exit::IO
        }
    };
    terminal::report(&format!("{}\n", Json::Object(record)))?;
    Ok(code)
}

fn one(
    terminal: &Terminal,
    common: &Common,
    args: &Args,
    record: &mut Vec<(&'static str, Json)>,
) -> Result<(u8, &'static str)> {
    let input = match Input::open(&args.input, common) {
        Ok(input) => input,
        Err(error) => {
            terminal.error(format_args!("{error:#}"));
            return Ok((exit::IO, "unreadable"));
        }
    };
    confine(args.memory, input.len());
    let report = Output::create(&args.report, true)?;
    let mut prepared = vec![];
    let mut needs = Needs::writing([report.folder()], false);
    for (target, path) in
        [(Target::Onnx, &args.onnx), (Target::Pytorch, &args.pytorch), (Target::Safetensors, &args.safetensors)]
    {
        if let Some(path) = path {
            let mut conversion = conversion(&args.input, target, path, &args.convert)?;
            if target == Target::Onnx && conversion.test_data {
                fs::create_dir_all(path)?;
                conversion.output = Some(path.join("model.onnx"));
            }
            let one = convert::Prepared::open(common, conversion, &input)?;
            needs = needs.and(one.needs());
            prepared.push((target, one));
        }
    }
    sandbox::enter(terminal, common, &needs);

    let digest: String = Sha256::digest(&*input).iter().map(|b| format!("{b:02x}")).collect();
    record.push(("bytes", Json::from(input.len())));
    record.push(("sha256", Json::text(&*digest)));
    if args.expect.as_ref().is_some_and(|expected| *expected != digest) {
        terminal.error("is not the file that was signed");
        return Ok((exit::REJECTED, "unsigned"));
    }
    let file = ModelFile::new(&input);
    let model = match load::parse(common, &file) {
        Ok(model) => model,
        Err(error) => {
            let verdict = Verdict::malformed(&input, &error);
            findings(&verdict, record);
            record.push(("messages", Json::list(&verdict.hint, Json::text)));
            if verdict.kind == FileKind::Checkpoint {
                return Ok((exit::DONE, "skipped"));
            }
            tell(report, &input, &verdict, None, &digest)?;
            return Ok((exit::REJECTED, "invalid"));
        }
    };
    let mut contents = Contents::of(&model);
    let mut validation = ManuallyDrop::new(load::validate(common, model, false));
    let verdict = Verdict::checked(&input, &mut validation);
    findings(&verdict, record);
    if let Some(model) = &validation.model {
        contents.infer(model);
    }
    describe(&contents, record);
    tell(report, &input, &verdict, validation.model.as_ref(), &digest)?;
    let Some(model) = &validation.model else { return Ok((exit::REJECTED, "invalid")) };
    if load::over_budget(terminal, common, &input.name, model).is_some() {
        return Ok((exit::REJECTED, "invalid"));
    }
    convert_all(terminal, &input, model, verdict.hint, prepared, record)
}

/// Writes the report on the file.
fn tell(
    output: Output,
    input: &Input,
    verdict: &Verdict<'_>,
    model: Option<&ValidatedModel<'_>>,
    digest: &str,
) -> Result<()> {
    let text = page(input, verdict, model, digest);
    output.file().write_all(text.as_bytes())?;
    output.finish()
}

fn convert_all(
    terminal: &Terminal,
    input: &Input,
    model: &ValidatedModel<'_>,
    hint: Option<String>,
    prepared: Vec<(Target, convert::Prepared)>,
    record: &mut Vec<(&'static str, Json)>,
) -> Result<(u8, &'static str)> {
    let (mut dropped, mut messages, mut evidence) = (vec![], Vec::from_iter(hint), vec![]);
    let (mut worst, mut done) = (exit::DONE, 0);
    let count = prepared.len();
    for (target, one) in prepared {
        let ended = one.finish(terminal, input, model)?;
        worst = worst.max(ended.code);
        done += usize::from(ended.code == exit::DONE);
        messages.extend(ended.reasons.iter().map(|reason| format!("{}: {reason}", target.word())));
        evidence.extend(ended.expected.map(|outputs| (target.word(), Json::from(outputs))));
        for what in ended.dropped {
            if !dropped.contains(&what) {
                dropped.push(what);
            }
        }
    }
    record.push(("dropped", Json::list(dropped, Json::text)));
    record.push(("messages", Json::list(messages, Json::text)));
    record.push(("evidence", Json::Object(evidence)));
    let outcome = match (worst, done) {
        (exit::DONE, _) => "converted",
        (_, 0) => "refused",
        (_, n) if n < count => "partly",
        _ => "failed",
    };
    Ok((worst, outcome))
}

fn findings(verdict: &Verdict<'_>, record: &mut Vec<(&'static str, Json)>) {
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
    record.push(("kind", Json::from(verdict.kind.as_str())));
    record.push(("verdict", Json::from(verdict.word())));
    record.push(("findings", list));
    record.push(("more_findings", Json::Number(verdict.more)));
}

fn describe(contents: &Contents<'_>, record: &mut Vec<(&'static str, Json)>) {
    let counts = contents.ops.iter();
    let ops =
        Json::list(counts, |(name, n)| Json::Object(vec![("name", Json::text(name)), ("count", Json::Number(*n))]));
    record.push(("container", Json::from(contents.container)));
    record.push(("ops", ops));
    record.push(("inputs", Json::list(&contents.inputs, Port::json)));
    record.push(("outputs", Json::list(&contents.outputs, Port::json)));
    record.push(("parameters", Json::Number(contents.parameters.iter().map(|p| p.elements).sum())));
}

/// Limits the memory of this process, and makes it end together with its parent.
#[cfg(target_os = "linux")]
fn confine(memory: u64, file: usize) {
    use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
    let most = memory.saturating_mul(1 << 20).saturating_add(file as u64);
    // If the system refuses, the limits of the parser remain.
    let _ = setrlimit(Resource::As, Rlimit { current: Some(most), maximum: Some(most) });
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
}

#[cfg(not(target_os = "linux"))]
fn confine(_: u64, _: usize) {}

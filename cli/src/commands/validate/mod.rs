//! `validate`: every finding in every file.

mod sarif;

use super::diff;
use crate::{
    args::Common,
    exit,
    input::Input,
    json::Json,
    load::{self, Verdict},
    sandbox,
    signed::SignatureArgs,
    terminal::{self, Terminal},
    walk,
};
use anyhow::Result;
use clap::ValueEnum;
use cntk_parser::{Finding, Limits, ModelFile, Severity};
use std::path::{Path, PathBuf};

/// Report everything that is wrong with models
#[derive(clap::Args)]
pub struct Args {
    /// Models, and directories to search for *.model, *.dnn and *.cmf; `-` reads standard input
    #[arg(value_name = "IN", required_unless_present = "limits")]
    pub inputs: Vec<PathBuf>,
    /// Look at every weight, not only at the first 16 MiB, and note those that look unlike others
    #[arg(long)]
    pub scan_weights: bool,
    /// Print the limits in force
    #[arg(long)]
    pub limits: bool,
    /// Fail unless the model is the same as this one, which is known to be good; says what differs
    #[arg(long, value_name = "TRUSTED")]
    pub against: Option<PathBuf>,
    #[command(flatten)]
    pub signed: SignatureArgs,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ReportFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Text,
    Json,
    Sarif,
}

pub fn run(terminal: &Terminal, common: &Common, args: Args) -> Result<u8> {
    let mut report = Report { format: args.format, files: vec![] };
    if args.limits {
        report.limits(&common.limits.0)?;
    }
    let signed = args.signed.open()?;
    let paths = walk::models(&args.inputs)?;
    if paths.is_empty() && !args.inputs.is_empty() {
        anyhow::bail!("no *.model, *.dnn or *.cmf in the directories given");
    }
    if args.against.is_some() && paths.len() != 1 {
        anyhow::bail!("--against compares one model");
    }
    let trusted = args.against.as_deref().map(Input::open).transpose()?;
    // A single file is opened before the sandbox is closed; of several, each must still be openable.
    let mut first = match &*paths {
        [path] => Some(Input::open(path)),
        _ => None,
    };
    let needs = sandbox::Needs::reading(if first.is_some() { &[] } else { &paths });
    sandbox::enter(terminal, common, &needs);
    let mut worst = exit::DONE;
    for (index, path) in paths.iter().enumerate() {
        let last = index + 1 == paths.len();
        let input = first.take().unwrap_or_else(|| Input::open(path)).map(|input| input.signed_by(signed.as_ref()));
        let input = input.map(|input| (input, trusted.as_ref()));
        worst = worst.max(one(terminal, common, &args, path, input, last, &mut report)?);
    }
    if !args.inputs.is_empty() {
        report.finish(worst)?;
    }
    Ok(worst)
}

fn one(
    terminal: &Terminal,
    common: &Common,
    args: &Args,
    path: &Path,
    input: Result<(Input, Option<&Input>)>,
    last: bool,
    report: &mut Report,
) -> Result<u8> {
    let (input, trusted) = match input {
        Ok(input) => input,
        Err(error) => {
            terminal.error(format_args!("{error:#}"));
            let why = terminal::without_number(&error.root_cause().to_string());
            report.unreadable(terminal, path, &why)?;
            return Ok(exit::IO);
        }
    };
    if !load::as_signed(terminal, &input) {
        report.unreadable(terminal, path, "not the file that was signed")?;
        return Ok(exit::REJECTED);
    }
    let file = ModelFile::new(&input);
    let mut as_wanted = true;
    let verdict = match load::parse(common, &file) {
        Err(error) => Verdict::malformed(&input.name, &error),
        Ok(model) => {
            let mut validation = load::validate(common, model, args.scan_weights);
            let mut verdict = Verdict::checked(&input.name, &mut validation);
            if let (true, Some(model)) = (args.scan_weights, &validation.model) {
                verdict.findings.extend(cntk2onnx::anomalies(model.model()));
            }
            if let (Some(trusted), Some(model)) = (trusted, &validation.model) {
                as_wanted = diff::against(terminal, common, trusted, model)?;
            }
            if let Some(model) = &validation.model {
                as_wanted &= load::within_budget(terminal, common, &input.name, model);
            }
            // Before the end of the process, freeing object by object is lost time.
            if last {
                std::mem::forget(validation);
            }
            verdict
        }
    };
    verdict.tell(terminal);
    report.checked(terminal, &verdict)?;
    if let Err(error) = input.unchanged() {
        terminal.error(format_args!("{error:#}"));
        return Ok(exit::IO);
    }
    Ok(if verdict.valid && as_wanted { exit::DONE } else { exit::REJECTED })
}

/// What goes to stdout.
struct Report {
    format: ReportFormat,
    /// For the formats that are one document.
    files: Vec<File>,
}

pub struct File {
    pub name: String,
    /// `valid`, `invalid` or `unreadable`.
    pub verdict: &'static str,
    pub findings: Vec<Finding>,
    pub more: u64,
}

impl Report {
    fn checked(&mut self, terminal: &Terminal, verdict: &Verdict<'_>) -> Result<()> {
        let name = verdict.name.to_owned();
        if self.format == ReportFormat::Text {
            if !terminal.quiet {
                terminal::report(&text(verdict))?;
            }
        } else {
            let findings = verdict.findings.clone();
            let verdict_name = if verdict.valid { "valid" } else { "invalid" };
            self.files.push(File { name, verdict: verdict_name, findings, more: verdict.more });
        }
        Ok(())
    }

    fn unreadable(&mut self, terminal: &Terminal, path: &Path, why: &str) -> Result<()> {
        let name = path.display().to_string();
        if self.format == ReportFormat::Text {
            if !terminal.quiet {
                terminal::report(&format!(
                    "{}: unreadable: {}\n",
                    terminal::printable(&name),
                    terminal::printable(why)
                ))?;
            }
        } else {
            self.files.push(File { name, verdict: "unreadable", findings: vec![], more: 0 });
        }
        Ok(())
    }

    fn limits(&self, limits: &Limits) -> Result<()> {
        if self.format == ReportFormat::Text {
            let line = |(name, value, meaning)| format!("--max-{name:<12} {value:>12}  {meaning}\n");
            terminal::report(&limits.list().map(line).concat())?;
        } else {
            let entries = limits.list().map(|(name, value, _)| (name, Json::Number(value)));
            terminal::report(&format!("{}\n", Json::Object(vec![("limits", Json::Object(entries.into()))])))?;
        }
        Ok(())
    }

    fn finish(&self, code: u8) -> Result<()> {
        match self.format {
            ReportFormat::Text => {}
            ReportFormat::Json => terminal::report(&format!("{}\n", document(&self.files)))?,
            ReportFormat::Sarif => terminal::report(&format!("{}\n", sarif::document(&self.files, code)))?,
        }
        Ok(())
    }
}

/// One line for the file, and one for each note, which has no other place.
fn text(verdict: &Verdict<'_>) -> String {
    let counted = |n: usize, what: &str| match n {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {what}s")),
    };
    let errors = counted(verdict.count(Severity::Error), "error");
    let warnings = counted(verdict.count(Severity::Warning), "warning");
    let valid = verdict.valid.then(|| "valid".to_owned());
    let parts: Vec<_> = [valid, errors, warnings].into_iter().flatten().collect();
    let mut text = format!("{}: {}\n", terminal::printable(verdict.name), parts.join(", "));
    for note in verdict.findings.iter().filter(|f| f.severity == Severity::Note) {
        text.push_str(&format!("  note: {}\n", terminal::printable(&note.to_string())));
    }
    text
}

fn document(files: &[File]) -> Json {
    let finding = |f: &Finding| {
        Json::Object(vec![
            ("rule", Json::from(f.rule)),
            ("severity", Json::from(f.severity.as_str())),
            ("offset", Json::Number(f.offset)),
            ("path", Json::text(&f.path)),
            ("message", Json::text(&f.message)),
        ])
    };
    let file = |file: &File| {
        Json::Object(vec![
            ("file", Json::text(&file.name)),
            ("verdict", Json::from(file.verdict)),
            ("findings", Json::list(&file.findings, finding)),
            ("more_findings", Json::Number(file.more)),
        ])
    };
    Json::Object(vec![("files", Json::list(files, file))])
}

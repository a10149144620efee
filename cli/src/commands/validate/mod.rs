//! `validate`: reports every finding in every file.

mod sarif;

use super::diff;
use crate::{
    args::Common,
    exit,
    input::{Input, TooLarge},
    json::Json,
    load::{self, Verdict},
    outcome::{self, Outcome},
    sandbox,
    signed::SignatureArgs,
    terminal::{self, Terminal},
    walk::{self, Found},
};
use anyhow::Result;
use clap::ValueEnum;
use cntk_parser::{FileKind, Finding, ModelFile, Severity};
use std::path::{Path, PathBuf};

/// Report everything that is wrong with models
#[derive(clap::Args)]
pub struct Args {
    /// Models, and directories to search for *.model, *.dnn and *.cmf; `-` reads standard input
    #[arg(value_name = "IN", required_unless_present = "limits")]
    pub inputs: Vec<PathBuf>,
    /// Scan all weights, not only the first 16 MiB, and report those that look unlike others
    #[arg(long)]
    pub scan_weights: bool,
    /// Print the limits in force
    #[arg(long)]
    pub limits: bool,
    /// Fail unless the model equals this trusted one, and report the differences
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

pub fn run(terminal: &Terminal, common: &Common, args: Args) -> Result<Outcome> {
    let mut report = Report { format: args.format, files: vec![], skipped: 0 };
    let mut entries = vec![];
    if args.limits {
        let limits = common.limits.list();
        if args.format == ReportFormat::Text {
            let line = |(name, value, meaning)| format!("--max-{name:<12} {value:>12}  {meaning}\n");
            terminal::report(&limits.into_iter().map(line).collect::<String>())?;
        } else {
            let limits = limits.into_iter().map(|(name, value, _)| (name, Json::Number(value)));
            entries.push(("limits", Json::Object(limits.collect())));
        }
    }
    let signed = args.signed.open()?;
    let Found { paths, unreadable, skipped } = walk::models(&args.inputs);
    report.skipped = skipped;
    if paths.is_empty() && unreadable.is_empty() && !args.inputs.is_empty() {
        anyhow::bail!("no *.model, *.dnn or *.cmf in the directories given");
    }
    if args.against.is_some() && paths.len() != 1 {
        anyhow::bail!("--against compares one model");
    }
    let trusted = args.against.as_deref().map(|path| Input::open(path, common)).transpose()?;
    // A single file is opened before the sandbox is entered. For several, the sandbox must allow opening them.
    let open = |path| Input::open(path, common).map(|input| input.signed_by(signed.as_ref()));
    let mut first = match &*paths {
        [path] => Some(open(path)),
        _ => None,
    };
    let needs = sandbox::Needs::reading(if first.is_some() { &[] } else { &paths });
    sandbox::enter(terminal, common, &needs);
    let mut worst = exit::DONE;
    for (path, why) in &unreadable {
        terminal.error(format_args!("{}: {why}", path.display()));
        report.unread(terminal, path, "unreadable", &terminal::without_number(why), vec![])?;
        worst = exit::IO;
    }
    for (index, path) in paths.iter().enumerate() {
        let last = index + 1 == paths.len();
        let input = first.take().unwrap_or_else(|| open(path)).map(|input| (input, trusted.as_ref()));
        worst = worst.max(one(terminal, common, &args, path, input, last, &mut report)?);
    }
    if !args.inputs.is_empty() {
        report.finish(terminal, worst)?;
        entries.extend(report.entries());
    }
    Ok(Outcome { code: worst, entries })
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
            let Some(large) = error.downcast_ref::<TooLarge>() else {
                report.unread(terminal, path, "unreadable", &why, vec![])?;
                return Ok(exit::IO);
            };
            terminal.hint(TooLarge::HINT);
            report.unread(terminal, path, "invalid", &why, vec![large.finding()])?;
            return Ok(exit::REJECTED);
        }
    };
    if load::not_as_signed(terminal, &input).is_some() {
        report.unread(terminal, path, "invalid", "not the file that was signed", vec![])?;
        return Ok(exit::REJECTED);
    }
    let file = ModelFile::new(&input);
    let mut as_wanted = true;
    let verdict = match load::parse(common, &file) {
        Err(error) => Verdict::malformed(&input, &error),
        Ok(model) => {
            let mut validation = load::validate(common, model, args.scan_weights);
            let verdict = Verdict::checked(&input, &mut validation);
            if let (Some(trusted), Some(model)) = (trusted, &validation.model) {
                as_wanted = diff::against(terminal, common, trusted, model)?;
            }
            if let Some(model) = &validation.model {
                as_wanted &= load::over_budget(terminal, common, &input.name, model).is_none();
            }
            // At the end of the process, freeing objects is a waste of time.
            if last {
                std::mem::forget(validation);
            }
            verdict
        }
    };
    terminal.trace(format_args!("{}: {} findings", input.name, verdict.findings.len()));
    verdict.tell(terminal);
    report.checked(terminal, &verdict)?;
    if let Err(error) = input.unchanged() {
        terminal.error(format_args!("{error:#}"));
        return Ok(exit::IO);
    }
    Ok(if verdict.valid && as_wanted { exit::DONE } else { exit::REJECTED })
}

/// The report on stdout.
struct Report {
    format: ReportFormat,
    files: Vec<File>,
    /// The number of files in directories that do not have a model's suffix.
    skipped: u64,
}

pub struct File {
    pub name: String,
    /// `valid`, `invalid`, `not-cntk` or `unreadable`.
    pub verdict: &'static str,
    /// The kind of the file, if it could be read.
    pub kind: Option<FileKind>,
    /// The reason why it could not be read.
    pub error: Option<String>,
    pub findings: Vec<Finding>,
    pub more: u64,
    /// What the user can do.
    pub hint: Option<String>,
}

impl Report {
    fn checked(&mut self, terminal: &Terminal, verdict: &Verdict<'_>) -> Result<()> {
        if self.format == ReportFormat::Text && !terminal.quiet {
            terminal::report(&text(verdict))?;
        }
        // In text form, findings were already printed.
        let findings = if self.format == ReportFormat::Text { vec![] } else { verdict.findings.clone() };
        let (name, more, hint) = (verdict.name.to_owned(), verdict.more, verdict.hint.clone());
        let (verdict, kind) = (verdict.word(), Some(verdict.kind));
        self.files.push(File { name, verdict, kind, error: None, findings, more, hint });
        Ok(())
    }

    /// Adds a file that could not be read.
    fn unread(
        &mut self,
        terminal: &Terminal,
        path: &Path,
        verdict: &'static str,
        why: &str,
        findings: Vec<Finding>,
    ) -> Result<()> {
        let name = path.display().to_string();
        if self.format == ReportFormat::Text && !terminal.quiet {
            let (name, why) = (terminal::printable(&name), terminal::printable(why));
            terminal::report(&format!("{name}: {verdict}: {why}\n"))?;
        }
        self.files.push(File { name, verdict, kind: None, error: Some(why.to_owned()), findings, more: 0, hint: None });
        Ok(())
    }

    fn count(&self, verdict: &str) -> usize {
        self.files.iter().filter(|f| f.verdict == verdict).count()
    }

    fn finish(&self, terminal: &Terminal, code: u8) -> Result<()> {
        match self.format {
            ReportFormat::Text if terminal.quiet || self.files.len() < 2 => {}
            ReportFormat::Text => {
                let counts = ["valid", "invalid", "not-cntk", "unreadable"].map(|v| (self.count(v), v));
                let counts = counts.iter().filter(|(n, _)| *n > 0).map(|(n, verdict)| format!("{n} {verdict}"));
                let skipped = (self.skipped > 0).then(|| format!("; {} others skipped", self.skipped));
                let counts = counts.collect::<Vec<_>>().join(", ");
                terminal::report(&format!("{} files: {counts}{}\n", self.files.len(), skipped.unwrap_or_default()))?;
            }
            ReportFormat::Json => {}
            ReportFormat::Sarif => terminal::report(&format!("{}\n", sarif::document(&self.files, code)))?,
        }
        Ok(())
    }

    fn entries(&self) -> Vec<(&'static str, Json)> {
        let file = |file: &File| {
            let mut entries = vec![
                ("file", Json::text(&file.name)),
                ("verdict", Json::from(file.verdict)),
                ("kind", file.kind.map_or(Json::Null, |kind| Json::from(kind.as_str()))),
                ("findings", Json::list(&file.findings, outcome::finding)),
                ("more_findings", Json::Number(file.more)),
            ];
            entries.extend(file.error.as_deref().map(|error| ("error", Json::from(error))));
            entries.extend(file.hint.as_deref().map(|hint| ("hint", Json::text(hint))));
            Json::Object(entries)
        };
        vec![("files", Json::list(&self.files, file)), ("skipped", Json::Number(self.skipped))]
    }
}

/// One line for the file, and one for each note, since notes are not printed elsewhere.
fn text(verdict: &Verdict<'_>) -> String {
    let counted = |n: usize, what: &str| match n {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {what}s")),
    };
    let errors = counted(verdict.count(Severity::Error), "error");
    let warnings = counted(verdict.count(Severity::Warning), "warning");
    let word = match verdict.word() {
        "invalid" => None,
        "not-cntk" => Some(format!("not a CNTK model ({})", verdict.kind)),
        valid => Some(valid.to_owned()),
    };
    let parts: Vec<_> = [word, errors, warnings].into_iter().flatten().collect();
    let mut text = format!("{}: {}\n", terminal::printable(verdict.name), parts.join(", "));
    for note in verdict.findings.iter().filter(|f| f.severity == Severity::Note) {
        text.push_str(&format!("  note: {}\n", terminal::printable(&note.to_string())));
    }
    text
}

//! Reads and validates a model, and prints the findings.

use super::{args::Common, exit, input::Input, limits, outcome::Outcome, terminal::Terminal};
use cntk_parser::{
    Error, FileKind, Finding, ModelFile, Severity, ValidateOptions, Validation,
    model::{Model, ValidatedModel},
};

/// The result of checking a file.
pub struct Verdict<'a> {
    pub name: &'a str,
    pub findings: Vec<Finding>,
    /// The number of findings beyond the limit.
    pub more: u64,
    /// Is the model valid?
    pub valid: bool,
    /// The kind of file.
    pub kind: FileKind,
    /// What the user can do about a file that is not a model, or not the finished one.
    pub hint: Option<String>,
}

impl<'a> Verdict<'a> {
    /// The verdict on a file that could not be read as a model.
    pub fn malformed(input: &'a Input, error: &Error) -> Self {
        let kind = FileKind::of(input, Some(error));
        let hint = sibling(input, kind).or_else(|| hint(error));
        Self { name: &input.name, findings: vec![error.into()], more: 0, valid: false, kind, hint }
    }

    /// The verdict on a file that was validated.
    pub fn checked(input: &'a Input, validation: &mut Validation<'_>) -> Self {
        let kind = FileKind::of(input, None);
        let valid = validation.model.is_some();
        let findings = std::mem::take(&mut validation.findings);
        let (name, hint) = (&*input.name, sibling(input, kind));
        Self { name, findings, more: validation.more_findings, valid, kind, hint }
    }

    /// The verdict in one word: valid, invalid or not a CNTK file.
    pub fn word(&self) -> &'static str {
        match self.valid {
            true => "valid",
            false if self.kind.is_cntk() => "invalid",
            false => "not-cntk",
        }
    }

    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|f| f.severity == severity).count()
    }

    /// Prints errors and warnings, each on a line of its own.
    pub fn tell(&self, terminal: &Terminal) {
        for finding in &self.findings {
            let line = format_args!("{}: {}", self.name, finding).to_string();
            match finding.severity {
                Severity::Error => terminal.error(line),
                Severity::Warning => terminal.warning(line),
                Severity::Note => terminal.detail(format_args!("note: {line}")),
            }
        }
        if self.more > 0 {
            let line =
                format_args!("{}: {} more findings; --max-findings keeps more", self.name, self.more).to_string();
            if self.valid { terminal.warning(line) } else { terminal.error(line) }
        }
        if let Some(hint) = &self.hint {
            terminal.hint(hint);
        }
    }
}

/// What the name of a file says about a better one beside it.
fn sibling(input: &Input, kind: FileKind) -> Option<String> {
    input.sibling.as_ref()?.hint(kind)
}

/// What the user can do about a file that could not be read. If a limit stopped the reader, this names the flag.
fn hint(error: &Error) -> Option<String> {
    match limits::flag_of(error.kind()) {
        Some(flag) => Some(format!("if the file is trusted, raise the limit with {flag}")),
        None => error.hint().map(str::to_owned),
    }
}

/// Reads a model under the limits of the command line.
pub fn parse<'a>(common: &Common, file: &'a ModelFile<'_>) -> Result<Model<'a>, Error> {
    cntk_parser::parse(file, &common.limits.parser)
}

/// Validates a model with the options of the command line.
pub fn validate<'a>(common: &Common, model: Model<'a>, scan_weights: bool) -> Validation<'a> {
    let mut options = ValidateOptions::default();
    options.allow_udf = common.allow_udf;
    options.scan_weights = scan_weights;
    options.placeholders.clone_from(&common.placeholder);
    options.findings = common.limits.parser.findings;
    cntk_parser::validate(model, &options)
}

/// If a signature is required and the bytes are not the signed ones, prints the reason and returns it.
pub fn not_as_signed(terminal: &Terminal, input: &Input) -> Option<String> {
    let signed = input.signed.as_ref()?;
    let refused = signed.refuses(&input.name, input.real_path.as_deref(), input)?;
    terminal.error(&refused);
    Some(refused.to_string())
}

/// Reads and validates a model. If it is not valid, prints the reasons and returns the outcome.
pub fn valid<'a>(
    terminal: &Terminal,
    common: &Common,
    input: &Input,
    file: &'a ModelFile<'_>,
) -> Result<ValidatedModel<'a>, Outcome> {
    prepared(terminal, common, input, file, |_| Ok(()))
}

/// The same, of a model that `prepare` changes before it is validated.
pub fn prepared<'a>(
    terminal: &Terminal,
    common: &Common,
    input: &Input,
    file: &'a ModelFile<'_>,
    prepare: impl FnOnce(&mut Model<'a>) -> Result<(), Outcome>,
) -> Result<ValidatedModel<'a>, Outcome> {
    let name = &input.name;
    if let Some(why) = not_as_signed(terminal, input) {
        return Err(Outcome::failed(exit::REJECTED, &why));
    }
    let rejected = |verdict: &Verdict<'_>| Outcome::rejected(name, &verdict.findings, verdict.more);
    let mut model = match parse(common, file) {
        Ok(model) => model,
        Err(error) => {
            let verdict = Verdict::malformed(input, &error);
            verdict.tell(terminal);
            return Err(rejected(&verdict));
        }
    };
    prepare(&mut model)?;
    terminal.trace(format_args!("parsed: {} functions, {} variables", model.functions.len(), model.variables.len()));
    let mut validation = validate(common, model, false);
    let verdict = Verdict::checked(input, &mut validation);
    verdict.tell(terminal);
    terminal.trace(format_args!("validated: {} findings", verdict.findings.len()));
    let Some(model) = validation.model else { return Err(rejected(&verdict)) };
    match over_budget(terminal, common, name, &model) {
        Some(why) => Err(Outcome::failed(exit::REJECTED, &why)),
        None => Ok(model),
    }
}

/// If a model costs more than the command line allows, prints the reason and returns it.
pub fn over_budget(terminal: &Terminal, common: &Common, name: &str, model: &ValidatedModel<'_>) -> Option<String> {
    let why = format!("{name}: {}", common.budget.refuses(model)?);
    terminal.error(&why);
    Some(why)
}

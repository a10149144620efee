//! From bytes to a validated model, saying everything that there is to say about it.

use super::{args::Common, input::Input, terminal::Terminal};
use cntk_parser::{
    Error, Finding, ModelFile, Severity, ValidateOptions, Validation,
    model::{Model, ValidatedModel},
};

/// A name for messages and what was found in the file of that name.
pub struct Verdict<'a> {
    pub name: &'a str,
    pub findings: Vec<Finding>,
    /// Found, but over the limit of what is kept.
    pub more: u64,
    /// Whether the model may be used.
    pub valid: bool,
    /// What to do about a file that is no model at all.
    pub hint: Option<&'static str>,
}

impl<'a> Verdict<'a> {
    /// A file that could not be read as a model.
    pub fn malformed(name: &'a str, error: &Error) -> Self {
        Self { name, findings: vec![error.into()], more: 0, valid: false, hint: error.hint() }
    }

    /// A file that was checked.
    pub fn checked(name: &'a str, validation: &mut Validation<'_>) -> Self {
        let valid = validation.model.is_some();
        let findings = std::mem::take(&mut validation.findings);
        Self { name, findings, more: validation.more_findings, valid, hint: None }
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
        if let Some(hint) = self.hint {
            terminal.hint(hint);
        }
    }
}

/// Reads a model under the limits of the command line.
pub fn parse<'a>(common: &Common, file: &'a ModelFile<'_>) -> Result<Model<'a>, Error> {
    cntk_parser::parse(file, &common.limits.0)
}

/// Checks a model as the command line asks.
pub fn validate<'a>(common: &Common, model: Model<'a>, scan_weights: bool) -> Validation<'a> {
    let mut options = ValidateOptions::default();
    options.allow_udf = common.allow_udf;
    options.scan_weights = scan_weights;
    options.findings = common.limits.0.findings;
    cntk_parser::validate(model, &options)
}

/// Whether the bytes are those that were signed, if that was asked for; says why not.
pub fn as_signed(terminal: &Terminal, input: &Input) -> bool {
    let refused = input.signed.as_ref().and_then(|signed| signed.refuses(input));
    if let Some(why) = &refused {
        terminal.error(why);
    }
    refused.is_none()
}

/// A model that may be used, `None` after saying why it may not.
pub fn valid<'a>(
    terminal: &Terminal,
    common: &Common,
    input: &Input,
    file: &'a ModelFile<'_>,
) -> Option<ValidatedModel<'a>> {
    if !as_signed(terminal, input) {
        return None;
    }
    let name = &input.name;
    let model = match parse(common, file) {
        Ok(model) => model,
        Err(error) => {
            Verdict::malformed(name, &error).tell(terminal);
            return None;
        }
    };
    let mut validation = validate(common, model, false);
    Verdict::checked(name, &mut validation).tell(terminal);
    validation.model.filter(|model| within_budget(terminal, common, name, model))
}

/// Whether a model costs no more than the command line allows; says why not.
pub fn within_budget(terminal: &Terminal, common: &Common, name: &str, model: &ValidatedModel<'_>) -> bool {
    let over = common.budget.refuses(model);
    if let Some(why) = &over {
        terminal.error(format_args!("{name}: {why}"));
    }
    over.is_none()
}

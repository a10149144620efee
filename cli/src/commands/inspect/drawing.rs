//! `--format dot`, `svg` and `html`: draws the model as a picture or page.

use super::View;
use crate::{commands::convert::hash::hex, input::Input, load::Verdict};
use cntk_parser::model::ValidatedModel;
use cntk2onnx::{
    Refusal, Summary,
    page::{self, Report},
    picture::{Picture, dot, svg},
};
use sha2::{Digest, Sha256};

/// The picture or page, if it can be drawn of this file.
pub fn draw(view: View, input: &Input, verdict: &Verdict<'_>, model: Option<&ValidatedModel<'_>>) -> Option<String> {
    match view {
        View::Dot => Some(dot(&Picture::of(model?))),
        View::Svg => Some(svg(&Picture::of(model?))),
        View::Html => Some(page(input, verdict, model, &digest(input), None)),
        View::Text | View::Json => None,
    }
}

/// The SHA-256 of a file.
pub fn digest(input: &Input) -> String {
    hex(&Sha256::digest(&**input))
}

/// The report on any file, with its SHA-256. `conversion` is the one with default options, where the caller has it.
pub fn page(
    input: &Input,
    verdict: &Verdict<'_>,
    model: Option<&ValidatedModel<'_>>,
    sha256: &str,
    conversion: Option<Result<&Summary, &Refusal>>,
) -> String {
    let name = input.path.as_ref().and_then(|path| path.file_name());
    let name = name.map_or_else(|| input.name.clone(), |name| name.to_string_lossy().into_owned());
    let mut report = Report::bare(&name, input.len() as u64, verdict.kind, &verdict.findings);
    report.more_findings = verdict.more;
    report.hint = verdict.hint.as_deref();
    report.model = model;
    report.weights = true;
    report.sha256 = Some(sha256);
    report.conversion = conversion;
    page::document(&report)
}

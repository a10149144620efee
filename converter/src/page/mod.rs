//! The report on a file as a web page: whether it is safe, what it is, how it is built.
//!
//! ```
//! use cntk2onnx::{OwnedModel, page::{Report, document}};
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../corpus/zoo/resnet_bottleneck.model");
//! let model = OwnedModel::load(std::fs::read(path)?)?;
//! let html = document(&Report::of(&model, "resnet.model"));
//! # assert!(html.contains("id=\"verdict\""));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`document`] is one file that needs nothing else: it works offline, and its content security policy allows no request and
//! no script but its own. [`body`] is its inside for a page that has [`STYLE`] and has run [`SCRIPT`], and then calls
//! `cntk2onnxReport(element)` for the element that holds it. Whatever comes from the file is escaped, and cut where it is long,
//! so that a page is a small multiple of the file's structure.

mod interface;
mod layers;
mod next;
mod picture;
mod statistics;
pub(crate) mod text;
mod verdict;
mod weights;

use crate::{Error, OwnedModel, Refusal, Summary, graph::Interface, options::Outputs};
use cntk_parser::{FileKind, Finding, model::ValidatedModel};
use sha2::{Digest, Sha256};
use std::{fmt::Write, sync::LazyLock};
use text::Text;

/// The style sheet of a report, light and dark.
pub const STYLE: &str = concat!(include_str!("../picture/picture.css"), include_str!("report.css"));
/// The script of a report: it defines `cntk2onnxReport(element)`, which makes the picture in an element move. Without it a
/// report can be read all the same.
pub const SCRIPT: &str = include_str!("report.js");
/// The script at the end of a document.
const START: &str = "cntk2onnxReport(document);";

/// Everything before the title. The policy names the digests of style and script.
static HEAD: LazyLock<String> = LazyLock::new(|| {
    let (style, script) = (digest(STYLE), digest(&format!("{SCRIPT}{START}")));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{style}'; \
         script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n"
    )
});

/// The content of a report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report<'a> {
    /// The name of the file.
    pub name: &'a str,
    /// Its size in bytes.
    pub bytes: u64,
    /// What it is.
    pub kind: FileKind,
    /// What was found.
    pub findings: &'a [Finding],
    /// Findings that were only counted.
    pub more_findings: u64,
    /// What to do about a file that is no model.
    pub hint: Option<&'a str>,
    /// The model, if it may be used.
    pub model: Option<&'a ValidatedModel<'a>>,
    /// Look at the weights: one pass over all of them.
    pub weights: bool,
    /// The SHA-256 of the whole file in hexadecimal digits, where somebody has computed it.
    pub sha256: Option<&'a str>,
    /// The result of [`convert`](crate::convert) with the default options, where somebody has it: the report then does without a
    /// conversion of its own.
    pub conversion: Option<Result<&'a Summary, &'a Refusal>>,
}

impl<'a> Report<'a> {
    /// The report on an accepted model. It reads the weights.
    pub fn of(model: &'a OwnedModel, name: &'a str) -> Self {
        let bytes = model.bytes();
        Self {
            model: Some(model.get()),
            weights: true,
            more_findings: model.more_findings(),
            ..Self::bare(name, bytes.len() as u64, FileKind::of(bytes, None), model.findings())
        }
    }

    /// The report on bytes from which no model could be loaded, and the reason: a damaged or unsafe model, or another kind of file.
    /// The findings are empty if the error has none.
    pub fn of_rejected(bytes: &[u8], error: &'a Error, name: &'a str) -> Self {
        let Error::Invalid(rejection) = error else {
            return Self::bare(name, bytes.len() as u64, FileKind::of(bytes, None), &[]);
        };
        Self {
            more_findings: rejection.more_findings,
            hint: rejection.hint,
            ..Self::bare(name, bytes.len() as u64, rejection.kind, &rejection.findings)
        }
    }

    /// The report on a file that the caller has checked, without a model yet.
    pub fn bare(name: &'a str, bytes: u64, kind: FileKind, findings: &'a [Finding]) -> Self {
        Self {
            name,
            bytes,
            kind,
            findings,
            more_findings: 0,
            hint: None,
            model: None,
            weights: false,
            sha256: None,
            conversion: None,
        }
    }

    /// Sets [`Self::weights`].
    #[must_use]
    pub fn weights(self, weights: bool) -> Self {
        Self { weights, ..self }
    }
}

/// A whole HTML document.
pub fn document(report: &Report<'_>) -> String {
    let mut html = String::with_capacity(2 * (STYLE.len() + SCRIPT.len()));
    let title = Text(report.name);
    let _ =
        write!(html, "{}<title>{title} – CNTK model report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n", *HEAD);
    inside(&mut html, report);
    let _ = write!(html, "<script>{SCRIPT}{START}</script>\n</body>\n</html>\n");
    html
}

/// The inside of the document's body: one `main` element.
pub fn body(report: &Report<'_>) -> String {
    let mut html = String::new();
    inside(&mut html, report);
    html
}

fn inside(html: &mut String, report: &Report<'_>) {
    html.push_str("<main class=\"report\">\n");
    verdict::write(html, report);
    if let Some(model) = report.model {
        let interface = Interface::new(model, &Outputs::Inference).ok();
        if let Some(interface) = &interface {
            interface::write(html, model, interface);
        }
        picture::write(html, model);
        weights::write(html, model, report.weights);
        next::leftovers(html, model, interface.as_ref());
    }
    next::provenance(html, report);
    if let Some(model) = report.model {
        next::commands(html, report, model);
    }
    html.push_str("</main>\n");
}

/// SHA-256 in base64, as a content security policy names a script.
fn digest(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut code = String::new();
    for bytes in Sha256::digest(text).chunks(3) {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | u32::from(bytes.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            code.push(if i <= bytes.len() { char::from(digit) } else { '=' });
        }
    }
    code
}

#[cfg(test)]
mod tests;

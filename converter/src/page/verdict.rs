//! The top of the report: may the file be used, why not, and what to do.

use super::{Report, text::Text};
use crate::rules::advice;
use cntk_parser::{FileKind, Finding, Severity};
use std::fmt::Write;

pub fn write(html: &mut String, report: &Report<'_>) {
    let (class, word, sentence) = match report.model {
        Some(_) if report.findings.iter().any(|f| f.severity == Severity::Warning) => (
            "warned",
            "Valid, with warnings",
            "The file follows the format in all that was checked, and can be converted. Read the warnings first.",
        ),
        Some(_) => (
            "safe",
            "Safe",
            "The file follows the format in all that was checked. Nothing in it runs code or opens files.",
        ),
        None if report.kind.is_cntk() && report.kind != FileKind::Checkpoint => {
            ("refused", "Refused", "The file is damaged, over a limit, or unsafe. Do not load it in CNTK.")
        }
        None => ("foreign", "Not a CNTK model", "There is nothing in this file that could be converted."),
    };
    let _ = write!(
        html,
        "<header>\n<h1>{}</h1>\n<p class=\"kind\">{} · {}</p>\n\
         <div id=\"verdict\" class=\"verdict {class}\" role=\"status\"><strong>{word}</strong> <span>{sentence}</span></div>\n",
        Text(report.name),
        kind(report.kind),
        size(report.bytes),
    );
    if let Some(hint) = report.hint {
        let _ = writeln!(html, "<p class=\"hint\">{}</p>", Text(hint));
    }
    html.push_str("</header>\n");
    findings(html, report);
}

fn findings(html: &mut String, report: &Report<'_>) {
    if report.findings.is_empty() && report.more_findings == 0 {
        return;
    }
    let mut sorted: Vec<&Finding> = report.findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    html.push_str(
        "<section aria-labelledby=\"findings-title\">\n<h2 id=\"findings-title\">Findings</h2>\n<ul class=\"findings\">\n",
    );
    for finding in sorted {
        let _ = write!(
            html,
            "<li class=\"{severity}\"><span class=\"severity\">{severity}</span> <span>{}</span><br>\
             <small>at <code>{:#x}</code>",
            Text(&finding.message),
            finding.offset,
            severity = finding.severity,
        );
        if !finding.path.is_empty() {
            let _ = write!(html, " in <code>{}</code>", Text(&finding.path));
        }
        let _ = writeln!(
            html,
            " · rule <code>{}</code></small><p>{}</p></li>",
            Text(finding.rule),
            Text(advice(finding.rule))
        );
    }
    html.push_str("</ul>\n");
    if report.more_findings > 0 {
        let _ = writeln!(html, "<p>And {} more findings.</p>", report.more_findings);
    }
    html.push_str("</section>\n");
}

/// What a file is, in words.
fn kind(kind: FileKind) -> String {
    match kind {
        FileKind::CntkV2 => "CNTK 2 model".to_owned(),
        FileKind::CntkV1 => "CNTK 1 model".to_owned(),
        FileKind::Checkpoint => "state of a CNTK trainer".to_owned(),
        FileKind::Empty => "empty file".to_owned(),
        other => format!("kind of file: {other}"),
    }
}

/// A number of bytes for a person.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = None;
    for next in UNITS {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = Some(next);
    }
    match unit {
        None => format!("{bytes} bytes"),
        Some(unit) if value < 10.0 => format!("{value:.1} {unit}"),
        Some(unit) => format!("{value:.0} {unit}"),
    }
}

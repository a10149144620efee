//! What training left in the file, what a conversion would do, where the file comes from, and the next commands.

use super::{
    Report,
    layers::grouped,
    text::{Text, name},
};
use crate::{
    Options,
    graph::{Interface, needed},
    provenance::{hex, structure_digest},
};
use cntk_parser::{
    model::{Container, ValidatedModel},
    ops::Op,
};
use std::fmt::Write;

/// The most reasons, or outputs, that are listed.
const LISTED: usize = 100;

/// `interface`: that of inference, if the model has one.
pub fn leftovers(html: &mut String, model: &ValidatedModel<'_>, interface: Option<&Interface>) {
    let (dropped, notes) = interface.map_or((&[][..], &[][..]), |i| (&i.dropped[..], &i.notes[..]));
    let live = needed(model, model.outputs().iter().map(|o| o.source));
    let idle = model.order().iter().filter(|f| !live[f.index()]).count();
    let count = |op: Op| model.order().iter().filter(|f| model.operator(**f).op() == Some(op)).count();
    let mut items: Vec<String> = dropped.iter().map(|d| format!("left out by inference: {}", Text(d))).collect();
    items.extend(notes.iter().map(|note| Text(note).to_string()));
    if count(Op::Dropout) > 0 {
        items.push(format!("{} Dropout, which does nothing at inference", count(Op::Dropout)));
    }
    if count(Op::BatchNormalization) > 0 {
        let found = count(Op::BatchNormalization);
        items.push(format!("{found} BatchNormalization, which use their running statistics at inference"));
    }
    if idle > 0 {
        items.push(format!("{} functions that no output needs", grouped(idle as u64)));
    }
    if items.is_empty() {
        return;
    }
    html.push_str(
        "<section aria-labelledby=\"training-title\">\n<h2 id=\"training-title\">Left from training</h2>\n<ul>\n",
    );
    list(html, &items);
    html.push_str("</ul>\n</section>\n");
}

fn list(html: &mut String, items: &[String]) {
    for item in items.iter().take(LISTED) {
        let _ = writeln!(html, "<li>{item}</li>");
    }
    if items.len() > LISTED {
        let _ = writeln!(html, "<li>and {} more</li>", items.len() - LISTED);
    }
}

/// The identity of the file, with more details for a model.
pub fn provenance(html: &mut String, report: &Report<'_>) {
    html.push_str("<section aria-labelledby=\"origin-title\">\n<h2 id=\"origin-title\">Provenance</h2>\n<dl>");
    let mut fact = |what: &str, value: String| {
        let _ = write!(html, "<dt>{what}</dt><dd>{value}</dd>");
    };
    fact("Size", format!("{} bytes", grouped(report.bytes)));
    if let Some(sha256) = report.sha256 {
        fact("SHA-256", format!("<code>{}</code>", Text(sha256)));
    }
    if let Some(model) = report.model {
        let source = model.model();
        fact("SHA-256 of the structure, without weights", format!("<code>{}</code>", hex(&structure_digest(source))));
        fact(
            "Layout",
            match source.container {
                Container::Plain => "one message".to_owned(),
                Container::LargeLayout { .. } => "that of models over 2 GB".to_owned(),
                Container::Nodes { version } => format!("nodes of CNTK 1, model version {version}"),
            },
        );
        fact("Version of the root record", source.version.to_string());
        fact("Root", format!("<code>{}</code>", name(source.root)));
        fact("Records", {
            let (functions, variables) = (source.functions.len() as u64, source.variables.len() as u64);
            format!("{} functions, {} variables", grouped(functions), grouped(variables))
        });
    }
    fact("Report by", concat!("cntk2onnx ", env!("CARGO_PKG_VERSION")).to_owned());
    html.push_str("</dl>\n</section>\n");
}

/// What to do next with a model: convert it, or see why that cannot be done.
pub fn commands(html: &mut String, report: &Report<'_>, model: &ValidatedModel<'_>) {
    html.push_str("<section aria-labelledby=\"next-title\">\n<h2 id=\"next-title\">Next step</h2>\n");
    let file = file_name(report.name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let mut commands = vec![];
    let own;
    let conversion = match report.conversion {
        Some(given) => given,
        None => {
            own = crate::convert(model, &Options::default());
            own.as_ref().map(|conversion| &conversion.summary)
        }
    };
    match conversion {
        Ok(summary) => {
            html.push_str("<p>The model can be converted.</p>\n");
            let warnings: Vec<_> = summary.warnings.iter().map(|w| Text(w).to_string()).collect();
            if !warnings.is_empty() {
                html.push_str("<ul>\n");
                list(html, &warnings);
                html.push_str("</ul>\n");
            }
            commands.push(format!("cntk2onnx convert {file} -o {stem}.onnx"));
            commands.push(format!("cntk2onnx convert {file} --to pytorch -o {stem}"));
        }
        Err(refusal) => {
            html.push_str(
                "<p>The model cannot be converted as it is; other outputs may do without these functions:</p>\n<ul>\n",
            );
            let reasons: Vec<_> = refusal.reasons.iter().map(|r| Text(&r.to_string()).to_string()).collect();
            list(html, &reasons);
            html.push_str("</ul>\n");
            commands.push(format!("cntk2onnx inspect {file} --nodes"));
            commands.push(format!("cntk2onnx convert {file} --outputs NAME"));
        }
    }
    commands.push(format!("cntk2onnx validate {file} --scan-weights"));
    let _ = writeln!(html, "<pre tabindex=\"0\"><code>{}</code></pre>\n</section>", commands.join("\n"));
}

/// A file name that is safe in a shell command, or a placeholder for it.
fn file_name(name: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let safe = !name.is_empty() && name.chars().all(plain) && !name.starts_with(['-', '.']) && name.len() <= 100;
    if safe { name } else { "MODEL" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_holds_plain_names_only() {
        assert_eq!(file_name("net-1.model"), "net-1.model");
        for odd in ["", "-f", "a b", "$(x)", "a;b", "..", "é.model", "a\u{202e}"] {
            assert_eq!(file_name(odd), "MODEL", "{odd}");
        }
    }
}

//! Writes `index.html`, the manifest for people. It loads nothing from elsewhere, and all text from files is escaped.

use super::{
    REPORT,
    record::{Record, Totals},
};
use crate::terminal::printable;
use anyhow::Result;
use std::{fmt::Write as _, io::Write};

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><title>CNTK migration</title>
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: #222 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3em .6em; border-bottom: 1px solid #ddd; vertical-align: top }
td ul { margin: 0; padding-left: 1.2em } .converted { color: #060 } .partly, .refused { color: #850 }
.invalid, .unreadable, .timeout, .memory, .crashed, .failed, .unsigned { color: #a00 } .skipped { color: #777 }
input, select { font: inherit; margin-right: 1em }
</style></head><body><h1>CNTK migration</h1>
";

const FILTER: &str = "<p><input id=\"text\" placeholder=\"part of a path or message\" size=\"40\">
<select id=\"outcome\"><option value=\"\">all outcomes</option>";

const SCRIPT: &str = "<script>
const text = document.getElementById('text'), outcome = document.getElementById('outcome');
function filter() {
  for (const row of document.querySelectorAll('tbody tr')) {
    row.hidden = !(row.textContent.toLowerCase().includes(text.value.toLowerCase()) && (!outcome.value || row.className === outcome.value));
  }
}
text.addEventListener('input', filter); outcome.addEventListener('change', filter);
</script></body></html>
";

/// Advice on an outcome.
fn advice(outcome: &str) -> &'static str {
    match outcome {
        "converted" => "compare with recorded numbers where there are any, then use",
        "partly" => "some of the formats asked for cannot hold the model: see the reasons",
        "refused" => "valid, but cannot be converted as asked: see the reasons; --outputs may cut around the node",
        "invalid" => "malformed or unsafe: look for another copy of the file",
        "unreadable" => "check the rights of the file, or the link",
        "timeout" => "raise --timeout and run again",
        "memory" => "raise --max-memory and run again",
        "crashed" => "a defect of cntk2onnx: please report it, with the file if you can",
        "failed" => "the results could not be written, or the file changed meanwhile: run again",
        "unsigned" => "not among the files that were signed",
        _ => "nothing of CNTK's",
    }
}

/// Writes the part of the page before the first row.
pub fn begin(to: &mut dyn Write, totals: &Totals) -> Result<()> {
    write!(
        to,
        "{HEAD}<p>{}. <a href=\"manifest.json\">manifest.json</a> has it all.</p>\n<ul>",
        escaped(&totals.words())
    )?;
    for (outcome, count) in &totals.outcomes {
        let outcome = escaped(outcome);
        write!(to, "<li><b class=\"{outcome}\">{count} {outcome}</b>: {}</li>", advice(&outcome))?;
    }
    write!(to, "</ul>\n{FILTER}")?;
    for outcome in totals.outcomes.keys() {
        write!(to, "<option>{}</option>", escaped(outcome))?;
    }
    write!(
        to,
        "</select></p>\n<table><thead><tr><th>file<th>outcome<th>results<th>interface<th>messages</thead><tbody>\n"
    )?;
    Ok(())
}

/// Writes the part of the page after the last row.
pub fn end(to: &mut dyn Write) -> Result<()> {
    write!(to, "</tbody></table>\n{SCRIPT}")?;
    Ok(())
}

/// The row of a file.
pub fn row(record: &Record) -> String {
    let outcome = escaped(record.outcome());
    let mut row =
        format!("<tr class=\"{outcome}\"><td>{}<td>{outcome}<td>", escaped(record.name().unwrap_or_default()));
    let shown = |name: &str| if name.ends_with(REPORT) { "report".to_owned() } else { escaped(name) };
    let links = record.files().map(|(name, _)| format!("<a href=\"{}\">{}</a>", address(name), shown(name)));
    row.push_str(&links.collect::<Vec<_>>().join("<br>"));
    row.push_str("<td>");
    for side in ["inputs", "outputs"] {
        for port in record.get(side).as_array().into_iter().flatten() {
            let name = port["name"].as_str().filter(|n| !n.is_empty()).or(port["uid"].as_str()).unwrap_or_default();
            let shape: Vec<_> =
                port["shape"].as_array().into_iter().flatten().map(|d| d.to_string().replace("null", "?")).collect();
            let _ =
                write!(row, "{} {} [{}]<br>", side.trim_end_matches('s'), escaped(name), escaped(&shape.join(", ")));
        }
    }
    row.push_str("<td><ul>");
    let texts = ["messages", "dropped"].into_iter().flat_map(|key| record.get(key).as_array().into_iter().flatten());
    for text in texts.filter_map(|t| t.as_str()) {
        let _ = write!(row, "<li>{}</li>", escaped(text));
    }
    for finding in record.get("findings").as_array().into_iter().flatten() {
        let part = |key: &str| escaped(finding[key].as_str().unwrap_or_default());
        let _ = write!(row, "<li>{} [{}] {}</li>", part("severity"), part("rule"), part("message"));
    }
    row.push_str("</ul>\n");
    row
}

fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in printable_but_letters(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Replaces control and bidirectional characters.
fn printable_but_letters(text: &str) -> String {
    printable(text)
}

/// A relative path as part of a URL.
fn address(name: &str) -> String {
    let mut address = "./".to_owned();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            address.push(char::from(byte));
        } else {
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_file_is_markup() {
        let line = br#"{"path": "<script>alert(1)</script>\u202e", "outcome": "invalid", "messages": ["<b>'\"&"], "files": [{"path": "a b\"/\u00e9.onnx", "sha256": "0"}]}"#;
        let row = row(&Record::parse(line).unwrap());
        assert!(!row.contains("<script>") && !row.contains("<b>") && !row.contains('\u{202e}'), "{row}");
        assert!(row.contains("href=\"./a%20b%22/%C3%A9.onnx\""), "{row}");
    }
}

//! JSON text. All strings are escaped, so that no control or non-ASCII character of a model is written raw.

use std::fmt::Write;

/// A string, quoted.
pub(crate) fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(b'"') => out.push_str("\\\""),
            Ok(b'\\') => out.push_str("\\\\"),
            Ok(b) if (0x20..0x7f).contains(&b) => out.push(char::from(b)),
            _ => {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out.push('"');
    out
}

/// A list of JSON texts, one on each line.
pub(crate) fn list(items: &[String], depth: usize) -> String {
    if items.is_empty() {
        return "[]".to_owned();
    }
    let pad = "  ".repeat(depth);
    let inner: Vec<String> = items.iter().map(|i| format!("{pad}  {i}")).collect();
    format!("[\n{}\n{pad}]", inner.join(",\n"))
}

/// An object on one line.
pub(crate) fn object(entries: &[(&str, String)]) -> String {
    let all: Vec<String> = entries.iter().map(|(k, v)| format!("{}: {v}", string(k))).collect();
    format!("{{{}}}", all.join(", "))
}

/// Strings on one line.
pub(crate) fn strings(texts: &[String]) -> String {
    let all: Vec<String> = texts.iter().map(|text| string(text)).collect();
    format!("[{}]", all.join(", "))
}

/// Sizes.
pub(crate) fn sizes(dims: &[u64]) -> String {
    let all: Vec<String> = dims.iter().map(u64::to_string).collect();
    format!("[{}]", all.join(", "))
}

//! JSON text in which all unprintable characters are escaped, so that it can be shown on a terminal.

use cntk_parser::Escaped;
use std::fmt::{self, Write};

/// A JSON value.
pub enum Json {
    Null,
    Bool(bool),
    Number(u64),
    /// A number; `null` if JSON cannot express it.
    Real(f64),
    Text(String),
    List(Vec<Json>),
    /// Entries in this order.
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn list<T>(items: impl IntoIterator<Item = T>, one: impl FnMut(T) -> Self) -> Self {
        Self::List(items.into_iter().map(one).collect())
    }

    /// The value on a single line.
    pub fn line(&self) -> impl fmt::Display {
        struct Line<'a>(&'a Json);
        impl fmt::Display for Line<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write(f, None)
            }
        }
        Line(self)
    }

    /// Writes the value, indented by its depth, or on a single line.
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: Option<usize>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(n) => write!(f, "{n}"),
            Self::Real(n) if n.is_finite() => write!(f, "{n:e}"),
            Self::Real(_) => f.write_str("null"),
            Self::Text(text) => quoted(f, text),
            Self::List(items) if items.iter().all(Self::is_leaf) => {
                f.write_char('[')?;
                for (i, item) in items.iter().enumerate() {
                    f.write_str(if i > 0 { ", " } else { "" })?;
                    item.write(f, depth)?;
                }
                f.write_char(']')
            }
            Self::List(items) => Self::block(f, depth, "[", "]", items, |f, item| item.write(f, depth.map(|d| d + 1))),
            Self::Object(entries) => Self::block(f, depth, "{", "}", entries, |f, (key, value)| {
                quoted(f, key)?;
                f.write_str(": ")?;
                value.write(f, depth.map(|d| d + 1))
            }),
        }
    }

    fn is_leaf(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Object(_))
    }

    fn block<T>(
        f: &mut fmt::Formatter<'_>,
        depth: Option<usize>,
        open: &str,
        close: &str,
        items: &[T],
        mut one: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
    ) -> fmt::Result {
        f.write_str(open)?;
        for (i, item) in items.iter().enumerate() {
            f.write_str(if i > 0 { "," } else { "" })?;
            start_line(f, depth.map(|d| d + 1))?;
            one(f, item)?;
        }
        if !items.is_empty() {
            start_line(f, depth)?;
        }
        f.write_str(close)
    }
}

/// Starts a line of this depth, if there are to be several.
fn start_line(f: &mut fmt::Formatter<'_>, depth: Option<usize>) -> fmt::Result {
    match depth {
        Some(depth) => write!(f, "\n{:1$}", "", 2 * depth),
        None => Ok(()),
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Some(0))
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Json {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    let mut rest = text;
    while let Some(at) = rest.find(|c| !matches!(c, ' '..='~') || matches!(c, '"' | '\\')) {
        let (plain, special) = rest.split_at(at);
        f.write_str(plain)?;
        let Some(c) = special.chars().next() else { break };
        let (this, after) = special.split_at(c.len_utf8());
        rest = after;
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            _ => {
                let shown = Escaped(this).to_string();
                // A character that need not be escaped in a report is written as it is.
                if shown.chars().eq([c]) {
                    f.write_char(c)?;
                } else {
                    c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(f, "\\u{unit:04x}"))?;
                }
            }
        }
    }
    f.write_str(rest)?;
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_right() {
        let inner = Json::Object(vec![("a", Json::from(1u64)), ("b", Json::list(["x", "y"], Json::from))]);
        let value =
            Json::Object(vec![("list", Json::List(vec![inner])), ("none", Json::Null), ("e", Json::Object(vec![]))]);
        let text = "{\n  \"list\": [\n    {\n      \"a\": 1,\n      \"b\": [\"x\", \"y\"]\n    }\n  ],\n  \"none\": null,\n  \"e\": {}\n}";
        assert_eq!(value.to_string(), text);
    }

    #[test]
    fn hostile_text_is_escaped() {
        let text = "q\"\\\n\u{1b}\u{202e}é\u{e0001}";
        assert_eq!(Json::from(text).to_string(), "\"q\\\"\\\\\\u000a\\u001b\\u202eé\\udb40\\udc01\"");
    }
}

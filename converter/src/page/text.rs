//! Text from a file, escaped for a page.

use cntk_parser::Escaped;
use std::fmt;

/// Text between tags or in a quoted attribute: nothing of it is markup, and control, bidirectional and other invisible characters
/// are written as numbers.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(|c| !matches!(c, ' '..='~') || matches!(c, '&' | '<' | '>' | '"' | '\'')) {
            let (plain, special) = rest.split_at(at);
            f.write_str(plain)?;
            let Some(c) = special.chars().next() else { break };
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => write!(f, "{}", Escaped(&special[..c.len_utf8()]))?,
            }
            rest = &special[c.len_utf8()..];
        }
        f.write_str(rest)
    }
}

/// A name from the file: escaped as [`Text`], and cut if it is long.
pub fn name(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        None => Text(text).to_string(),
        Some((end, _)) => format!("{}…", Text(&text[..end])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        let hostile = "<script>\"'&\u{202e}\n\u{0}</style>é";
        let shown = "&lt;script&gt;&quot;&#39;&amp;\\u{202e}\\u{a}\\u{0}&lt;/style&gt;é";
        assert_eq!(Text(hostile).to_string(), shown);
        assert_eq!(name(&"<".repeat(500)), "&lt;".repeat(120) + "…");
    }
}

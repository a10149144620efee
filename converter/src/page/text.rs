//! Text from a file, escaped for a page.

use cntk_parser::Escaped;
use std::fmt::{self, Write};

/// Text between tags or in a quoted attribute: nothing of it is markup, and control, bidirectional and other invisible characters
/// are written as numbers.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                ' '..='~' => f.write_char(c)?,
                _ => write!(f, "{}", Escaped(c.encode_utf8(&mut [0; 4])))?,
            }
        }
        Ok(())
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

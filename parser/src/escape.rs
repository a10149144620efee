//! Escaping of text from the file, so that it is safe in one line of a report.

use std::fmt::{self, Write};

/// Shows text with control, bidirectional and other invisible characters escaped, cut after 80 characters.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a str);

const LONGEST: usize = 80;

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() <= LONGEST && self.0.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return f.write_str(self.0);
        }
        for (i, c) in self.0.chars().enumerate() {
            if i == LONGEST {
                return f.write_char('…');
            }
            if is_unsafe(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Could this character start a line, control a terminal or reorder the text around it?
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_raw() {
        let text = "a\u{1b}[31m\nerror: none\u{202e}é";
        assert_eq!(Escaped(text).to_string(), "a\\u{1b}[31m\\u{a}error: none\\u{202e}é");
        assert_eq!(Escaped(&"x".repeat(500)).to_string().chars().count(), 81);
    }
}

//! The width of text. Fonts are not available here, so the widths are those of wide fonts (Verdana, DejaVu Sans), with
//! which any font fits.

use cntk_parser::Escaped;

/// The width of a text in this font size.
pub fn width(text: &str, size: f64, bold: bool) -> f64 {
    let em: f64 = text.chars().map(char_width).sum();
    em * size * if bold { 1.1 } else { 1.0 }
}

fn char_width(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.34,
        ' ' | '.' | ',' | ':' | ';' | '!' | 'I' | 'f' | 't' | '(' | ')' | '[' | ']' | '·' => 0.4,
        'r' | '-' | '/' | '\\' | '"' => 0.46,
        'm' | 'M' | 'W' | 'w' | '@' | '%' | '…' => 1.02,
        '0'..='9' | 'a'..='z' | '_' | '?' | '$' => 0.645,
        'A'..='Z' | '&' | '#' => 0.77,
        '+' | '=' | '<' | '>' | '~' | '×' | '−' | '^' => 0.85,
        '\u{0}'..='\u{7f}' => 0.65,
        '\u{80}'..='\u{58f}' => 0.85,
        _ => 1.15,
    }
}

/// The text, shortened to this width, with control and bidirectional characters as numbers.
pub fn fit(text: &str, size: f64, bold: bool, room: f64) -> String {
    let shown = Escaped(text).to_string();
    if width(&shown, size, bold) <= room {
        return shown;
    }
    let mut cut = String::new();
    let mut used = width("…", size, bold);
    for c in shown.chars() {
        used += width(c.encode_utf8(&mut [0; 4]), size, bold);
        if used > room {
            break;
        }
        cut.push(c);
    }
    cut + "…"
}

/// Breaks a text at spaces into at most two lines.
pub fn lines(text: &str, size: f64, bold: bool, room: f64) -> Vec<String> {
    let shown = Escaped(text).to_string();
    if width(&shown, size, bold) <= room {
        return vec![shown];
    }
    let mut end = 0;
    for (i, _) in shown.match_indices(' ') {
        if width(&shown[..i], size, bold) <= room {
            end = i;
        }
    }
    if end == 0 {
        return vec![fit(&shown, size, bold, room)];
    }
    vec![shown[..end].to_owned(), fit(shown[end..].trim_start(), size, bold, room)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits() {
        let long = "Convolution 3×3, stride 2, BatchNormalization, ReLU, and so on for a while";
        for line in lines(long, 13.0, true, 200.0) {
            assert!(width(&line, 13.0, true) <= 200.0, "{line}");
        }
        assert_eq!(lines("Plus", 13.0, true, 200.0), ["Plus"]);
        assert!(fit(&"W".repeat(300), 13.0, false, 100.0).ends_with('…'));
        assert_eq!(fit("a\u{202e}b", 11.0, false, 200.0), "a\\u{202e}b");
    }
}

//! Prints reports to stdout and everything else to stderr.
//!
//! All text from a model, a path or an error is printed here, so this is where control and bidirectional characters are
//! replaced, even if that was done before.

use super::args::{Color, Common};
use cntk_parser::Escaped;
use std::{
    fmt,
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// The most characters of a line of a message.
const LONGEST: usize = 2000;

/// The most lines that are kept.
const MOST: usize = 1000;

/// How much to print, and how.
pub struct Terminal {
    pub quiet: bool,
    pub verbose: u8,
    color: bool,
    start: Instant,
    /// The lines, if they are kept instead of printed.
    kept: Option<Mutex<Vec<String>>>,
}

#[derive(Clone, Copy)]
enum Label {
    Error,
    Warning,
    Hint,
    None,
}

impl Terminal {
    pub fn new(common: &Common) -> Self {
        let plain = || std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let color = match common.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => !plain() && io::stderr().is_terminal(),
        };
        Self { quiet: common.quiet, verbose: common.verbose, color, start: Instant::now(), kept: None }
    }

    /// Keeps the lines instead of printing them.
    pub fn keeping(common: &Common) -> Self {
        let (quiet, verbose) = (common.quiet, common.verbose);
        Self { quiet, verbose, color: false, start: Instant::now(), kept: Some(Mutex::default()) }
    }

    /// The lines that were kept.
    pub fn kept(self) -> Vec<String> {
        self.kept.map_or_else(Vec::new, |kept| kept.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn error(&self, message: impl fmt::Display) {
        self.line(Label::Error, &message);
    }

    pub fn hint(&self, message: impl fmt::Display) {
        if !self.quiet {
            self.line(Label::Hint, &message);
        }
    }

    pub fn warning(&self, message: impl fmt::Display) {
        if !self.quiet {
            self.line(Label::Warning, &message);
        }
    }

    /// Prints what a command did.
    pub fn say(&self, message: impl fmt::Display) {
        if !self.quiet {
            self.line(Label::None, &message);
        }
    }

    /// Prints a detail, only with `-v`.
    pub fn detail(&self, message: impl fmt::Display) {
        if self.verbose > 0 {
            self.line(Label::None, &message);
        }
    }

    /// Prints a stage that is done and the time since the start, only with `-vv`.
    pub fn trace(&self, message: impl fmt::Display) {
        if self.verbose > 1 {
            let spent = self.start.elapsed().as_secs_f64() * 1e3;
            self.line(Label::None, &format_args!("{spent:9.1} ms  {message}"));
        }
    }

    fn line(&self, label: Label, message: &dyn fmt::Display) {
        let (name, style) = match label {
            Label::Error => ("error: ", "\x1b[1;31m"),
            Label::Warning => ("warning: ", "\x1b[1;33m"),
            Label::Hint => ("hint: ", "\x1b[1;36m"),
            Label::None => ("", ""),
        };
        let mut text = String::new();
        if self.color && !name.is_empty() {
            text.extend([style, name, "\x1b[0m"]);
        } else {
            text.push_str(name);
        }
        text.push_str(&printable(&without_number(&message.to_string())));
        if let Some(kept) = &self.kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < MOST {
                kept.push(text);
            }
            return;
        }
        text.push('\n');
        // A single write, so that lines of several processes do not mix. A failure cannot be reported anywhere.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// Prints a report. It is not an error if the reader closes the pipe early.
pub fn report(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// The system's message without the number that the standard library adds.
pub fn without_number(text: &str) -> String {
    match text.rsplit_once(" (os error ") {
        Some((message, number)) if number.trim_end_matches(')').parse::<i32>().is_ok() => message.to_owned(),
        _ => text.to_owned(),
    }
}

/// The text as one line that is safe to print.
pub fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for (i, c) in text.chars().enumerate() {
        if i == LONGEST {
            line.push('…');
            break;
        }
        match c {
            ' '..='~' => line.push(c),
            _ => line.push_str(&Escaped(c.encode_utf8(&mut [0; 4])).to_string()),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_messages_lose_their_numbers() {
        assert_eq!(without_number("x: No such file or directory (os error 2)"), "x: No such file or directory");
        assert_eq!(without_number("x (os error 2): y"), "x (os error 2): y");
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(printable("a\nerror: b\u{1b}[0m\u{202e}é"), "a\\u{a}error: b\\u{1b}[0m\\u{202e}é");
        assert_eq!(printable(&"x".repeat(5000)).chars().count(), LONGEST + 1);
    }
}

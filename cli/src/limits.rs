//! `--max-…`: a flag for each of the parser's limits, and one for the size of a file.

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};
use cntk_parser::{ErrorKind, Limits};

/// The limits in force.
#[derive(Clone, Default)]
pub struct LimitArgs {
    pub parser: Limits,
    /// `--max-size`: bytes of a file. Without it, only inputs that are held in memory are limited, to [`STREAM`].
    pub size: Option<u64>,
}

/// The most bytes that are read from standard input, a pipe or a device without `--max-size`.
pub const STREAM: u64 = 2 << 30;

impl LimitArgs {
    /// Name, value and meaning of each limit.
    pub fn list(&self) -> Vec<(&'static str, u64, &'static str)> {
        let size = (
            "size",
            self.size.unwrap_or(STREAM),
            "bytes of a file; by default of standard input, pipes and devices only",
        );
        self.parser.list().into_iter().chain([size]).collect()
    }

    /// Sets a limit by its name. False if there is no such limit or the value is out of its range.
    fn set(&mut self, name: &str, value: u64) -> bool {
        if name == "size" {
            self.size = Some(value);
            return true;
        }
        self.parser.set(name, value)
    }
}

/// The flag that raises the limit that stopped the reader, if there is one.
pub fn flag_of(kind: &ErrorKind) -> Option<String> {
    match kind {
        ErrorKind::Limit { limit, .. } => Some(format!("--max-{limit}")),
        ErrorKind::Rank { .. } => Some("--max-tensor-rank or --max-shape-rank".to_owned()),
        _ => None,
    }
}

/// The flag of a limit, leaked because clap needs definitions that live as long as the program.
fn flag(name: &str) -> &'static str {
    format!("max-{name}").leak()
}

/// A number, perhaps followed by K, M, G or T for powers of 1024.
pub fn number(text: &str) -> Result<u64, &'static str> {
    const WRONG: &str = "a whole number is wanted, with K, M, G or T after it if you like";
    let upper = text.to_ascii_uppercase();
    let digits = upper.trim_end_matches("IB").trim_end_matches('B').trim_end_matches(['K', 'M', 'G', 'T']);
    let shift = match &upper[digits.len()..] {
        "" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        _ => return Err(WRONG),
    };
    let number: u64 = digits.parse().map_err(|_| WRONG)?;
    number.checked_mul(1 << shift).ok_or("the number is too large")
}

impl Args for LimitArgs {
    fn augment_args(command: Command) -> Command {
        let one = |(name, value, meaning): (&str, u64, &str)| {
            let flag = flag(name);
            let text = format!("Limit on {meaning} [default: {value}]");
            Arg::new(flag)
                .long(flag)
                .global(true)
                .value_name("N")
                .value_parser(number)
                .long_help(text.clone())
                .help(text)
                .help_heading("Limits (K, M, G and T stand for powers of 1024)")
                .hide_short_help(true)
        };
        command.args(Self::default().list().into_iter().map(one))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LimitArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut limits = Self::default();
        limits.update_from_arg_matches(matches)?;
        Ok(limits)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        for (name, _, _) in Self::default().list() {
            if let Some(value) = matches.get_one::<u64>(flag(name))
                && !self.set(name, *value)
            {
                let message = format!("--{} cannot be {value}\n", flag(name));
                return Err(Error::raw(clap::error::ErrorKind::ValueValidation, message));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_can_be_set() {
        for (index, (name, _, _)) in LimitArgs::default().list().into_iter().enumerate() {
            let mut limits = LimitArgs::default();
            assert!(limits.set(name, 7), "{name}");
            assert_eq!(limits.list()[index].1, 7, "{name}");
        }
        assert!(!LimitArgs::default().set("nesting", 101));
    }

    #[test]
    fn numbers_have_suffixes() {
        let all = ["7", "2k", "3M", "1GiB", "1TB", "0"].map(|t| number(t).unwrap());
        assert_eq!(all, [7, 2048, 3 << 20, 1 << 30, 1 << 40, 0]);
        for wrong in ["", "K", "1.5G", "-1", "3X", "3KK", "99999999999G"] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }
}

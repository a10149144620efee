//! `--max-…`: one flag for each of the parser's limits.

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};
use cntk_parser::Limits;

/// The limits in force.
#[derive(Clone, Default)]
pub struct LimitArgs(pub Limits);

/// The flag of a limit. Leaked, as clap borrows its definitions for the life of the program.
fn flag(name: &str) -> &'static str {
    format!("max-{name}").leak()
}

/// Sets the limit of this name, as [`Limits::list`] has it. False when there is none or the value is beyond its type.
fn set(limits: &mut Limits, name: &str, value: u64) -> bool {
    let narrow = u32::try_from(value);
    match (name, narrow) {
        ("nesting", Ok(n)) if n <= Limits::MAX_NESTING => limits.nesting = n,
        ("tensor-rank", Ok(n)) => limits.tensor_rank = n,
        ("shape-rank", Ok(n)) => limits.shape_rank = n,
        ("functions", _) => limits.functions = value,
        ("variables", _) => limits.variables = value,
        ("findings", Ok(n)) => limits.findings = n,
        ("memory", _) => limits.memory = value,
        _ => return false,
    }
    true
}

impl Args for LimitArgs {
    fn augment_args(command: Command) -> Command {
        let one = |(name, value, meaning): (&str, u64, &str)| {
            let flag = flag(name);
            Arg::new(flag)
                .long(flag)
                .global(true)
                .value_name("N")
                .value_parser(value_parser!(u64))
                .help(format!("Limit on {meaning} [default: {value}]"))
                .help_heading("Limits")
                .hide_short_help(true)
        };
        command.args(Limits::default().list().map(one))
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
        for (name, _, _) in Limits::default().list() {
            if let Some(value) = matches.get_one::<u64>(flag(name))
                && !set(&mut self.0, name, *value)
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
        for (index, (name, _, _)) in Limits::default().list().into_iter().enumerate() {
            let mut limits = Limits::default();
            assert!(set(&mut limits, name, 7), "{name}");
            assert_eq!(limits.list()[index].1, 7, "{name}");
        }
        assert!(!set(&mut Limits::default(), "nesting", 101));
    }
}

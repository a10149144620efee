//! The options that were typed, so that one without effect can be refused.

use crate::target::{ONLY_FOR, Target};
use anyhow::{Result, bail};
use clap::{ArgMatches, Command, Error, FromArgMatches, parser::ValueSource};

/// The ids of the options on the command line.
#[derive(Clone, Default)]
pub struct Typed(Vec<String>);

impl Typed {
    /// Refuses options without effect for `target`.
    pub fn check(&self, target: Target) -> Result<()> {
        for (id, targets) in ONLY_FOR.iter().filter(|(_, targets)| !targets.contains(&target)) {
            if self.0.iter().any(|typed| typed == id) {
                let targets: Vec<_> = targets.iter().map(|t| format!("--to {}", t.word())).collect();
                bail!("--{} is for {}", id.replace('_', "-"), targets.join(" and "));
            }
        }
        Ok(())
    }
}

impl clap::Args for Typed {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

impl FromArgMatches for Typed {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let typed = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
        Ok(Self(matches.ids().map(|id| id.as_str()).filter(typed).map(str::to_owned).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Args as _;

    /// Every option in the list exists, so that a renamed option is not forgotten there.
    #[test]
    fn listed_options_exist() {
        let command = super::super::Args::augment_args(Command::new("convert"));
        for (id, targets) in ONLY_FOR {
            assert!(command.get_arguments().any(|a| a.get_id() == id), "{id}");
            assert!(!targets.is_empty() && targets.len() < 3, "{id}");
        }
    }
}

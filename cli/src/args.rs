//! The arguments that all commands share. The arguments of a single command are beside its code.

use super::{budget::Budget, limits::LimitArgs};
use clap::{Args, ValueEnum};
use cntk_parser::PlaceholderType;

/// The arguments of every command.
#[derive(Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print notes and the state of the sandbox; twice: also each stage with its time
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Colour what is printed
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: Color,
    /// Accept models with user-defined functions; they are never run
    #[arg(long, global = true)]
    pub allow_udf: bool,
    /// Give the type of a placeholder that nothing binds: NAME=float, or NAME=float[batch, sequence, 3, ?]
    #[arg(long, global = true, value_name = "NAME=TYPE", value_parser = super::placeholder::parse)]
    pub placeholder: Vec<PlaceholderType>,
    /// Do not give up the rights to open files and sockets (Linux)
    #[arg(long, global = true)]
    pub no_sandbox: bool,
    #[command(flatten)]
    pub budget: Budget,
    #[command(flatten)]
    pub limits: LimitArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

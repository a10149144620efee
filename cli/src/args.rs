//! The command line as it is typed: what all commands share. Each command has its own arguments beside its code.

use super::{commands::Command, limits::LimitArgs};
use clap::{Args, Parser, ValueEnum};

/// Turns CNTK v2 models into ONNX that gives the same numbers. Needs no CNTK; runs nothing that a model names.
#[derive(Parser)]
#[command(name = "cntk2onnx", version, max_term_width = 100, after_help = EXAMPLES, subcommand_required = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub common: Common,
}

const EXAMPLES: &str = "\
Examples:
  cntk2onnx convert resnet.model                    writes resnet.onnx
  cntk2onnx validate --format sarif models/         every finding in every model of a folder
  cntk2onnx inspect tagger.model                    inputs, outputs, parameters, ops

Exit codes:
  0  done
  1  the file is malformed, unsafe, or over a limit
  2  usage, or a file that cannot be read or written
  3  valid, but cannot be converted as asked";

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print more; twice: everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Colour what is printed
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: Color,
    /// Accept models with user-defined functions; they are never run
    #[arg(long, global = true)]
    pub allow_udf: bool,
    /// Do not give up the rights to open files and sockets (Linux)
    #[arg(long, global = true)]
    pub no_sandbox: bool,
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn definitions_are_sound() {
        Cli::command().debug_assert();
    }
}

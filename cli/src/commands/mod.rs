//! The command line and its commands. Each is a module with `Args` and a `run` that returns an exit code or an
//! [`Outcome`], and is listed once here. A command with `--format json` returns the JSON entries in the outcome and
//! does not print them.

use crate::{args::Common, outcome::Outcome, terminal::Terminal};
use anyhow::Result;
use clap::Parser;

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
  cntk2onnx eval net.model --inputs in.npz          what it computes, without CNTK

Exit codes:
  0  done
  1  the file is malformed, unsafe, or over a limit
  2  usage, or a file that cannot be read or written
  3  valid, but cannot be converted as asked";

/// Declares the enum that clap parses, and the function that runs each variant.
macro_rules! commands {
    ($($(#[$attribute:meta])* $variant:ident => $module:ident),* $(,)?) => {
        #[derive(clap::Subcommand)]
        pub enum Command {
            $($(#[$attribute])* $variant($module::Args),)*
        }

        impl Command {
            /// Runs the command. An error is one of usage or I/O.
            pub fn run(self, terminal: &Terminal, common: &Common) -> Result<Outcome> {
                match self {
                    $(Self::$variant(args) => $module::run(terminal, common, args).map(Into::into),)*
                }
            }
        }
    };
}

mod check;
mod completions;
mod convert;
mod diff;
mod eval;
mod explain;
mod inspect;
mod man;
mod migrate;
mod ops;
mod sign;
mod validate;

use migrate::worker as migrate_worker;

commands! {
    Convert => convert,
    Eval => eval,
    Validate => validate,
    Inspect => inspect,
    Diff => diff,
    Migrate => migrate,
    #[command(hide = true)]
    MigrateWorker => migrate_worker,
    Sign => sign,
    Check => check,
    Explain => explain,
    Ops => ops,
    Completions => completions,
    Man => man,
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

//! The commands. Each is a module with its `Args` and a `run`, listed once here.

use crate::{args::Common, terminal::Terminal};
use anyhow::Result;

/// Declares the enum that clap parses into and what runs each of its variants.
macro_rules! commands {
    ($($variant:ident => $module:ident),* $(,)?) => {
        #[derive(clap::Subcommand)]
        pub enum Command {
            $($variant($module::Args),)*
        }

        impl Command {
            /// The exit code, or an error of usage or I/O.
            pub fn run(self, terminal: &Terminal, common: &Common) -> Result<u8> {
                match self {
                    $(Self::$variant(args) => $module::run(terminal, common, args),)*
                }
            }
        }
    };
}

mod completions;
mod convert;
mod inspect;
mod man;
mod ops;
mod validate;

commands! {
    Convert => convert,
    Validate => validate,
    Inspect => inspect,
    Ops => ops,
    Completions => completions,
    Man => man,
}

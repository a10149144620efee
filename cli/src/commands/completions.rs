//! `completions`: prints shell completions, generated from the definitions of the arguments.

use crate::{
    args::Common,
    commands::Cli,
    exit,
    terminal::{self, Terminal},
};
use anyhow::Result;
use clap::CommandFactory;

/// Print completions for a shell
#[derive(clap::Args)]
pub struct Args {
    /// The shell
    pub shell: clap_complete::Shell,
}

pub fn run(_: &Terminal, _: &Common, args: Args) -> Result<u8> {
    let mut text = vec![];
    clap_complete::generate(args.shell, &mut Cli::command(), "cntk2onnx", &mut text);
    terminal::report(&String::from_utf8_lossy(&text))?;
    Ok(exit::DONE)
}

//! `man`: prints the manual page, generated from the definitions of the arguments.

use crate::{
    args::Common,
    commands::Cli,
    exit,
    terminal::{self, Terminal},
};
use anyhow::Result;
use clap::CommandFactory;

/// Print the manual page
#[derive(clap::Args)]
pub struct Args {}

/// One page with all commands.
pub fn run(_: &Terminal, _: &Common, _: Args) -> Result<u8> {
    let mut text = vec![];
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
        let page = clap_mangen::Man::new(sub.clone());
        text.extend(format!(".SH COMMAND {}\n", sub.get_name().to_uppercase()).as_bytes());
        page.render_description_section(&mut text)?;
        page.render_synopsis_section(&mut text)?;
        page.render_options_section(&mut text)?;
    }
    terminal::report(&String::from_utf8_lossy(&text))?;
    Ok(exit::DONE)
}

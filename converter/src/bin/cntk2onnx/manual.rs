//! `completions` and `man`: made from the definitions of the arguments.

use super::{args, exit, terminal};
use anyhow::Result;
use clap::CommandFactory;

pub fn completions(args: args::Completions) -> Result<u8> {
    let mut text = vec![];
    clap_complete::generate(args.shell, &mut args::Cli::command(), "cntk2onnx", &mut text);
    terminal::report(&String::from_utf8_lossy(&text))?;
    Ok(exit::DONE)
}

/// One page with all commands.
pub fn man() -> Result<u8> {
    let mut text = vec![];
    let mut command = args::Cli::command();
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

//! The command line of cntk2onnx, as a function: for its program, and for packages that bring it along.
//!
//! `args` says what all commands share, `commands` has a module for each, and the rest are the tools that they use. Reports
//! go to stdout, everything else to stderr; [`exit`] lists how a command can end.

mod args;
mod budget;
mod commands;
mod directory;
mod exit;
mod file_sink;
mod guard;
mod input;
mod json;
mod limits;
mod load;
mod output;
mod progress;
mod sandbox;
mod signed;
mod terminal;
mod walk;

use clap::Parser;
use commands::Cli;
use std::{
    ffi::OsString,
    io::{self, Write},
};
use terminal::Terminal;

/// Runs a command line, the first of whose `arguments` is the program's name, and returns the exit code. Meant to be
/// called once, at the end of a process: it gives up rights of the process, installs handlers, and wrong usage ends it.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    std::panic::set_hook(Box::new(|panic| defect(&panic.to_string())));
    let Cli { command, common } = Cli::parse_from(arguments);
    let terminal = Terminal::new(&common);
    command.run(&terminal, &common).unwrap_or_else(|error| {
        terminal.error(format_args!("{error:#}"));
        if error.is::<output::Exists>() {
            terminal.hint("--force overwrites it");
        }
        exit::IO
    })
}

/// A panic is a defect of this program, and still no reason to end like one. Nothing is left behind: outputs have no
/// name yet.
fn defect(what: &str) -> ! {
    let what = terminal::printable(what);
    // Not `eprintln`, which panics when it cannot write.
    let _ = writeln!(
        io::stderr(),
        "error: internal: {what}\nhint: this is a defect of cntk2onnx; please report it, with the model if you can"
    );
    std::process::exit(exit::REJECTED.into())
}

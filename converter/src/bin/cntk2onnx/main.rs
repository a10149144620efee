//! The command line of cntk2onnx.
//!
//! `args` says what can be typed, a module per command does it, and the rest are the tools that they share. Reports go to
//! stdout, everything else to stderr; [`exit`] lists how a command can end.

mod args;
mod convert;
mod destination;
mod directory;
mod exit;
mod file_sink;
mod guard;
mod hash;
mod in_place;
mod input;
mod inspect;
mod json;
mod limits;
mod load;
mod manual;
mod ops;
mod opset;
mod output;
mod progress;
mod sandbox;
mod sarif;
mod summary;
mod terminal;
mod torch;
mod validate;
mod walk;

use args::{Cli, Command};
use clap::Parser;
use std::{
    io::{self, Write},
    process::ExitCode,
};
use terminal::Terminal;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| defect(&panic.to_string())));
    let Cli { command, common } = Cli::parse();
    let terminal = Terminal::new(&common);
    let done = match command {
        Command::Convert(args) => convert::run(&terminal, &common, args),
        Command::Validate(args) => validate::run(&terminal, &common, args),
        Command::Inspect(args) => inspect::run(&terminal, &common, args),
        Command::Ops(args) => ops::run(args),
        Command::Completions(args) => manual::completions(args),
        Command::Man(_) => manual::man(),
    };
    let code = done.unwrap_or_else(|error| {
        terminal.error(format_args!("{error:#}"));
        if error.is::<output::Exists>() {
            terminal.hint("--force overwrites it");
        }
        exit::IO
    });
    ExitCode::from(code)
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

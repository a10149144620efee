//! The command line of cntk2onnx as a function, for the program and for packages that include it.
//!
//! `args` has the arguments that all commands share, `commands` has a module for each command, and the other modules
//! are tools that they use. Reports go to stdout, everything else to stderr. `exit` lists the exit codes.

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
mod outcome;
mod output;
mod placeholder;
mod progress;
mod sandbox;
mod sibling;
mod signed;
mod target;
mod terminal;
mod walk;

/// Files that are mapped, and files that appear complete or not at all, for packages that include the program.
pub mod files {
    pub use crate::{
        guard::Mapping,
        output::{Exists, Output},
    };
}

use clap::{ArgMatches, CommandFactory, FromArgMatches};
use commands::Cli;
use json::Json;
use outcome::{Outcome, finding};
use std::{
    ffi::OsString,
    io::{self, Write},
};
use terminal::Terminal;

/// Runs a command line and returns the exit code. The first of the `arguments` is the program's name. Must be called at
/// most once, at the end of a process: it enters the sandbox, installs handlers, and ends the process on wrong usage.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    std::panic::set_hook(Box::new(|panic| defect(&panic.to_string())));
    let matches = Cli::command().get_matches_from(arguments);
    let parsed = Cli::from_arg_matches(&matches);
    let Cli { command, common } = parsed.unwrap_or_else(|error| error.format(&mut Cli::command()).exit());
    let terminal = Terminal::new(&common);
    let outcome = command.run(&terminal, &common).unwrap_or_else(|error| failed(&terminal, &error));
    let code = outcome.code;
    if let Some((name, args)) = matches.subcommand()
        && wants_json(args)
        && let Err(error) = terminal::report(&format!("{}\n", outcome.document(name)))
    {
        return failed(&terminal, &error.into()).code;
    }
    code
}

fn wants_json(args: &ArgMatches) -> bool {
    let given = args.try_get_raw("format").ok().flatten().and_then(|mut given| given.next());
    given.is_some_and(|format| format == "json")
}

/// Prints an error of usage or I/O.
fn failed(terminal: &Terminal, error: &anyhow::Error) -> Outcome {
    let message = format!("{error:#}");
    terminal.error(&message);
    if error.is::<output::Exists>() {
        terminal.hint("--force overwrites it");
    }
    if let Some(large) = error.downcast_ref::<input::TooLarge>() {
        terminal.hint(input::TooLarge::HINT);
        return Outcome {
            code: exit::REJECTED,
            entries: vec![("findings", Json::list([large.finding()], |f| finding(&f)))],
        };
    }
    Outcome::failed(exit::IO, &terminal::without_number(&message))
}

/// Ends the process after a panic, with a message that this is a defect of the program. No outputs are left behind,
/// because they have no names yet.
fn defect(what: &str) -> ! {
    let what = terminal::printable(what);
    // Not `eprintln`, which panics if it cannot write.
    let _ = writeln!(
        io::stderr(),
        "error: internal: {what}\nhint: this is a defect of cntk2onnx; please report it, with the model if you can"
    );
    std::process::exit(exit::REJECTED.into())
}

//! `check`: verifies that files are those that were signed.

use crate::{
    args::{Common, Format},
    exit,
    json::Json,
    outcome::Outcome,
    sandbox,
    signed::{self, Hashing, Signed, TrustArgs},
    terminal::Terminal,
};
use anyhow::{Context, Result};
use cntk2onnx_signing::{Difference, Error, Statement};
use std::{fs, path::PathBuf};

/// Verify the signature of a model or a folder, and that its files are the signed ones
#[derive(clap::Args)]
pub struct Args {
    /// The file or folder
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// The bundle (OpenSSF Model Signing v1.0)
    #[arg(long, value_name = "BUNDLE", requires = "trust")]
    pub signature: PathBuf,
    #[command(flatten)]
    pub trust: TrustArgs,
    /// Accept files that did not exist when the model was signed
    #[arg(long)]
    pub ignore_unsigned_files: bool,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

pub fn run(terminal: &Terminal, common: &Common, args: Args) -> Result<Outcome> {
    let root = fs::canonicalize(&args.path).with_context(|| args.path.display().to_string())?;
    let signed = Signed::open(&args.signature, &args.trust)?;
    let files = signed::list(&root, &args.signature)?;
    let needs = sandbox::Needs::reading(std::slice::from_ref(&root)).and_threads();
    sandbox::enter(terminal, common, &needs);
    let statement = match signed.statement() {
        Ok(statement) => statement,
        Err(error) => return Ok(refused(terminal, &signed, &error)),
    };
    let how = &statement.serialization;
    let hashing = Hashing { ignore: &how.ignore_paths, links: how.allow_symlinks, shard: how.shard_size };
    let mut found = signed::hash(&files, &hashing)?;
    if let ([only], [.., "."]) = (&mut *found, &*names(&statement)) {
        only.name = ".".to_owned();
    }
    let mut differences = statement.differences(&found);
    if args.ignore_unsigned_files {
        differences.retain(|d| !matches!(d, Difference::Added(_)));
    }
    for difference in &differences {
        let (what, name) = described(difference);
        terminal.error(format_args!("{what} since it was signed: {name}"));
    }
    if args.format == Format::Text && differences.is_empty() {
        let count = statement.resources.len();
        terminal.say(format_args!("{}: signed, {count} files as they were", args.path.display()));
    }
    let code = if differences.is_empty() { exit::DONE } else { exit::REJECTED };
    Ok(Outcome { code, entries: json(&statement, &differences) })
}

fn names(statement: &Statement) -> Vec<&str> {
    statement.resources.iter().map(|r| &*r.name).collect()
}

fn refused(terminal: &Terminal, signed: &Signed, error: &Error) -> Outcome {
    let message = format!("{}: {error}", signed.name);
    terminal.error(&message);
    if matches!(error, Error::Unsupported(_)) {
        terminal
            .hint("the Python package model-signing verifies such bundles; `sign` makes bundles by key or certificate");
        return Outcome::failed(exit::REFUSED, &message);
    }
    Outcome::failed(exit::REJECTED, &message)
}

fn described(difference: &Difference) -> (&'static str, &str) {
    match difference {
        Difference::Changed(name) => ("changed", name),
        Difference::Removed(name) => ("removed", name),
        Difference::Added(name) => ("added", name),
    }
}

fn json(statement: &Statement, differences: &[Difference]) -> Vec<(&'static str, Json)> {
    let of = |kind: &str| {
        let names = differences.iter().map(described).filter(|(what, _)| *what == kind);
        Json::list(names, |(_, name)| Json::text(name))
    };
    vec![
        ("model", Json::text(&statement.model)),
        ("as_signed", Json::from(differences.is_empty())),
        ("files", Json::from(statement.resources.len())),
        ("changed", of("changed")),
        ("removed", of("removed")),
        ("added", of("added")),
    ]
}

//! `diff`: shows the differences between two models.

mod compare;
mod matching;
mod weights;

use crate::{
    args::{Common, Format},
    exit,
    input::Input,
    json::Json,
    load,
    outcome::Outcome,
    sandbox,
    terminal::{self, Terminal},
};
use anyhow::{Result, anyhow};
use cntk_parser::{ModelFile, model::ValidatedModel};
pub use compare::{Comparison, Difference};
use std::path::PathBuf;
use weights::{Change, Numbers};

/// Show the differences between two models: interface, structure, weights
#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0 equal, 1 different or invalid, 2 usage or a file that cannot be read")]
pub struct Args {
    /// The first model
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// The second model
    #[arg(value_name = "B")]
    pub b: PathBuf,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

pub fn run(terminal: &Terminal, common: &Common, args: Args) -> Result<Outcome> {
    let (a, b) = (Input::open(&args.a, common)?, Input::open(&args.b, common)?);
    sandbox::enter(terminal, common, &sandbox::Needs::nothing());
    let (file_a, file_b) = (ModelFile::new(&a), ModelFile::new(&b));
    let models = (load::valid(terminal, common, &a, &file_a), load::valid(terminal, common, &b, &file_b));
    let (model_a, model_b) = match models {
        (Ok(model_a), Ok(model_b)) => (model_a, model_b),
        (Err(outcome), _) | (_, Err(outcome)) => return Ok(outcome),
    };
    let comparison = Comparison::of(&model_a, &model_b);
    if args.format == Format::Text && !terminal.quiet {
        terminal::report(&lines(&comparison).iter().map(|line| terminal::printable(line) + "\n").collect::<String>())?;
    }
    a.unchanged()?;
    b.unchanged()?;
    let code = if comparison.is_equal() { exit::DONE } else { exit::REJECTED };
    Ok(Outcome { code, entries: json(&comparison) })
}

/// Reports each difference from a trusted model as an error; returns true if there are none.
pub fn against(terminal: &Terminal, common: &Common, trusted: &Input, model: &ValidatedModel<'_>) -> Result<bool> {
    let file = ModelFile::new(trusted);
    let trusted =
        load::valid(terminal, common, trusted, &file).map_err(|_| anyhow!("the trusted model is not valid"))?;
    let comparison = Comparison::of(&trusted, model);
    if !comparison.is_equal() {
        lines(&comparison).iter().for_each(|line| terminal.error(line.trim_start()));
    }
    Ok(comparison.is_equal())
}

fn lines(comparison: &Comparison) -> Vec<String> {
    let mut lines = vec![];
    for (title, list) in [("interface", &comparison.interface), ("structure", &comparison.structure)] {
        if !list.is_empty() {
            lines.push(format!("{title}:"));
            lines.extend(list.iter().map(|difference| format!("  {}", words(difference))));
        }
    }
    let (equal, changed) = (comparison.equal_weights, comparison.weights.len());
    if changed > 0 {
        lines.push(format!("weights: {equal} equal, {changed} changed"));
        lines.extend(comparison.weights.iter().map(|(who, change)| format!("  {who}: {}", change.words())));
    }
    if lines.is_empty() {
        lines.push(format!("equal: interface, structure, and {equal} tensors of weights"));
    }
    lines
}

fn words(difference: &Difference) -> String {
    match difference {
        Difference::Added(what) => format!("added {what}"),
        Difference::Removed(what) => format!("removed {what}"),
        Difference::Changed { what, from, to } => format!("changed {what}: {from} became {to}"),
    }
}

fn json(comparison: &Comparison) -> Vec<(&'static str, Json)> {
    let difference = |difference: &Difference| {
        let (kind, what, from, to) = match difference {
            Difference::Added(what) => ("added", what, Json::Null, Json::Null),
            Difference::Removed(what) => ("removed", what, Json::Null, Json::Null),
            Difference::Changed { what, from, to } => ("changed", what, Json::text(from), Json::text(to)),
        };
        Json::Object(vec![("kind", Json::from(kind)), ("what", Json::text(what)), ("from", from), ("to", to)])
    };
    let weights = |(who, change): &(String, Change)| {
        let numbers = match change {
            Change::Numbers(numbers) => numbers_json(numbers),
            Change::Form { .. } => Json::Null,
        };
        Json::Object(vec![("what", Json::text(who)), ("description", Json::text(change.words())), ("numbers", numbers)])
    };
    vec![
        ("equal", Json::from(comparison.is_equal())),
        ("interface", Json::list(&comparison.interface, difference)),
        ("structure", Json::list(&comparison.structure, difference)),
        ("equal_weights", Json::from(comparison.equal_weights)),
        ("weights", Json::list(&comparison.weights, weights)),
    ]
}

fn numbers_json(numbers: &Numbers) -> Json {
    Json::Object(vec![
        ("elements", Json::from(numbers.elements)),
        ("changed", Json::from(numbers.changed)),
        ("first_changed", Json::list(&numbers.first, |i| Json::from(*i))),
        ("largest_change", Json::Real(numbers.largest)),
        ("largest_at", Json::list(&numbers.largest_at, |i| Json::from(*i))),
        ("mean_change", Json::Real(numbers.mean)),
        ("cosine", Json::Real(numbers.cosine)),
        ("norm_before", Json::Real(numbers.norm_before)),
        ("norm_after", Json::Real(numbers.norm_after)),
        ("new_nan", Json::from(numbers.new_nan)),
        ("few", Json::from(numbers.few())),
    ])
}

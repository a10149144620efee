//! `explain`: explains what a rule requires, and what to do about a violation.

use crate::{
    args::{Common, Format},
    json::Json,
    outcome::Outcome,
    terminal::{self, Terminal},
};
use anyhow::{Result, bail};
use cntk_parser::{Rule, rules};
use cntk2onnx::rules::{advice, consequence, find};

/// Explain a rule of `validate`, such as `wire.truncated`
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cntk2onnx explain wire.truncated                  one rule
  cntk2onnx explain                                 all rules, a line each")]
pub struct Args {
    /// The id in brackets at the end of a finding [default: all, a line each]
    #[arg(value_name = "RULE")]
    pub rule: Option<String>,
    /// Form of the text
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

pub fn run(_: &Terminal, _: &Common, args: Args) -> Result<Outcome> {
    let chosen: Vec<&Rule> = match args.rule.as_deref() {
        None => rules().to_vec(),
        Some(id) => match find(id.trim_matches(['[', ']'])) {
            Some(rule) => vec![rule],
            None => bail!("no rule is called {id:?}; `cntk2onnx explain` lists them"),
        },
    };
    if args.format == Format::Text {
        let text = match (&*chosen, &args.rule) {
            ([rule], Some(_)) => text(rule),
            _ => chosen.iter().map(|r| format!("{:<34} {:<8} {}\n", r.id, r.severity.as_str(), r.summary)).collect(),
        };
        terminal::report(&text)?;
    }
    let entry = |rule: &Rule| {
        Json::Object(vec![
            ("rule", Json::from(rule.id)),
            ("severity", Json::from(rule.severity.as_str())),
            ("summary", Json::from(rule.summary)),
            ("advice", Json::from(advice(rule.id))),
        ])
    };
    Ok(Outcome::done(vec![("rules", Json::list(chosen, entry))]))
}

fn text(rule: &Rule) -> String {
    format!(
        "{}\n\nIn a sound file {}.\nWhere that does not hold it is {}.\n\n{}\n",
        rule.id,
        rule.summary,
        consequence(rule.severity),
        advice(rule.id)
    )
}

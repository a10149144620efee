//! `inspect`: what is in a model.

use super::convert::size;
use crate::{
    args::{Common, Format},
    exit,
    input::Input,
    json::Json,
    load::{self, Verdict},
    outcome::{self, Outcome},
    sandbox,
    terminal::{self, Terminal},
};
use anyhow::Result;
use cntk_parser::ModelFile;
use cntk2onnx::{Amount, Cost};
use std::{collections::BTreeMap, mem::ManuallyDrop, path::PathBuf};

mod contents;
mod details;

pub use contents::{Contents, Port};
use details::Details;

/// Show what is in a model
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cntk2onnx inspect net.model --tree                parameters below the layers that own them
  cntk2onnx inspect net.model --nodes --format json every node that convert --outputs can name")]
pub struct Args {
    /// The CNTK model; `-` reads standard input
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// List the nodes, which `convert --outputs` can name: uid, name, operator, type, path of layers
    #[arg(long)]
    pub nodes: bool,
    /// Show the parameters below the layers that own them
    #[arg(long)]
    pub tree: bool,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

pub fn run(terminal: &Terminal, common: &Common, args: Args) -> Result<Outcome> {
    let input = Input::open(&args.input, common)?;
    sandbox::enter(terminal, common, &sandbox::Needs::nothing());
    let file = ModelFile::new(&input);
    let model = match load::parse(common, &file) {
        Ok(model) => model,
        Err(error) => {
            let verdict = Verdict::malformed(&input.name, &input, &error);
            verdict.tell(terminal);
            return Ok(Outcome::rejected(&input.name, &verdict.findings, verdict.more));
        }
    };
    let mut contents = Contents::of(&model);
    // The process ends soon: no time is spent on freeing object by object.
    let mut validation = ManuallyDrop::new(load::validate(common, model, false));
    let verdict = Verdict::checked(&input.name, &input, &mut validation);
    verdict.tell(terminal);
    let mut details = Details::default();
    if let Some(model) = &validation.model {
        contents.infer(model);
        details = Details::of(model, &args);
    }
    if args.format == Format::Text {
        let text = text(&input, &contents, terminal.verbose > 0) + &details.text();
        terminal::report(&text)?;
    }
    input.unchanged()?;
    let code = if verdict.valid { exit::DONE } else { exit::REJECTED };
    let mut entries = json(&input, &contents);
    entries.extend(details.json());
    entries.push(("findings", Json::list(&verdict.findings, outcome::finding)));
    entries.push(("more_findings", Json::Number(verdict.more)));
    Ok(Outcome { code, entries })
}

/// Parameters listed unless more is asked for.
const FEW: usize = 20;

fn text(input: &Input, contents: &Contents<'_>, all: bool) -> String {
    let mut lines = vec![
        format!("file        {}, {}, {}", input.name, size(input.len() as u64), contents.container),
        format!("root        {}", contents.root),
    ];
    let port = |role: &str, port: &Port<'_>| format!("{role:<11} {}", port.text());
    lines.extend(contents.inputs.iter().map(|p| port("input", p)));
    lines.extend(contents.outputs.iter().map(|p| port("output", p)));
    let elements: u64 = contents.parameters.iter().map(|p| p.elements).sum();
    lines.push(format!(
        "parameters  {} tensors, {elements} elements, {}",
        contents.parameters.len(),
        size(contents.parameters.iter().map(|p| p.bytes).sum())
    ));
    let shown = if all { contents.parameters.len() } else { FEW };
    for parameter in contents.parameters.iter().take(shown) {
        lines.push(format!("  {} {}", parameter.kind, parameter.port.text()));
    }
    if contents.parameters.len() > shown {
        lines.push(format!("  and {} more (-v lists all)", contents.parameters.len() - shown));
    }
    let counts = |title: &str, counts: &BTreeMap<String, u64>| {
        let all: Vec<_> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
        format!("{title:<11} {}", if all.is_empty() { "none".to_owned() } else { all.join(", ") })
    };
    lines.push(counts("ops", &contents.ops));
    lines.push(counts("blocks", &contents.blocks));
    if let Some(cost) = &contents.cost {
        let peaks: Vec<_> = cost.peaks().iter().map(ToString::to_string).collect();
        let peak = if peaks.len() > 1 { format!("the largest of {}", peaks.join(", ")) } else { peaks.concat() };
        lines.push(format!("cost        {} multiply-adds", cost.multiply_adds));
        lines.push(format!("            {peak} bytes of values at once"));
        if cost.unknown > 0 {
            lines.push(format!("            and {} functions whose sizes are free", cost.unknown));
        }
    }
    lines.iter().map(|line| terminal::printable(line) + "\n").collect()
}

fn json(input: &Input, contents: &Contents<'_>) -> Vec<(&'static str, Json)> {
    let counts = |counts: &BTreeMap<String, u64>| {
        Json::list(counts, |(name, n)| Json::Object(vec![("name", Json::text(name)), ("count", Json::Number(*n))]))
    };
    vec![
        ("input", Json::text(&input.name)),
        ("bytes", Json::from(input.len())),
        ("container", Json::from(contents.container)),
        ("root", Json::text(contents.root)),
        ("inputs", Json::list(&contents.inputs, Port::json)),
        ("outputs", Json::list(&contents.outputs, Port::json)),
        ("parameters", Json::list(&contents.parameters, contents::Parameter::json)),
        ("ops", counts(&contents.ops)),
        ("blocks", counts(&contents.blocks)),
        ("cost", contents.cost.as_ref().map_or(Json::Null, cost_json)),
    ]
}

fn cost_json(cost: &Cost) -> Json {
    let amount = |amount: &Amount| {
        Json::Object(vec![
            ("fixed", Json::Number(amount.fixed)),
            ("per_sample", Json::Number(amount.per_sample)),
            ("per_step", Json::Number(amount.per_step)),
        ])
    };
    Json::Object(vec![
        ("multiply_adds", amount(&cost.multiply_adds)),
        ("peak_activation_bytes", Json::list(cost.peaks(), amount)),
        ("parameters", Json::Number(cost.parameters)),
        ("functions_of_free_size", Json::Number(cost.unknown)),
    ])
}

//! `inspect`: shows what is in a model.

use super::convert::size;
use crate::{
    args::Common,
    exit,
    input::Input,
    json::Json,
    load::{self, Verdict},
    outcome::{self, Outcome},
    output::Output,
    sandbox,
    terminal::{self, Terminal},
};
use anyhow::{Context, Result, bail};
use cntk_parser::ModelFile;
use cntk2onnx::{Amount, Cost};
use std::{collections::BTreeMap, io::Write, mem::ManuallyDrop, path::PathBuf};

mod contents;
mod details;
mod drawing;

pub use contents::{Contents, Port};
use details::Details;
pub use drawing::{digest, page};

/// Show what is in a model
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cntk2onnx inspect net.model --tree                parameters below the layers that own them
  cntk2onnx inspect net.model --nodes --format json
                                                    every node that convert --outputs can name
  cntk2onnx inspect net.model --format html -o net.html
                                                    a page to look at and to pass on")]
pub struct Args {
    /// The CNTK model; `-` reads standard input
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// List the nodes, which `convert --outputs` accepts: uid, name, operator, type, path of layers
    #[arg(long)]
    pub nodes: bool,
    /// Show the parameters below the layers that own them
    #[arg(long)]
    pub tree: bool,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: View,
    /// Where to write a picture or page [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// Overwrite OUT
    #[arg(long)]
    pub force: bool,
}

/// The form of the report.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum View {
    /// Lines of text
    Text,
    /// One document for programs
    Json,
    /// The layers as a graph for Graphviz
    Dot,
    /// The layers as a picture
    Svg,
    /// A self-contained page with verdict, picture, layers and weights
    Html,
}

pub fn run(terminal: &Terminal, common: &Common, args: Args) -> Result<Outcome> {
    let drawn = matches!(args.format, View::Dot | View::Svg | View::Html);
    if args.output.is_some() && !drawn {
        bail!("--output is for --format dot, svg and html");
    }
    if drawn && (args.nodes || args.tree) {
        bail!("--nodes and --tree are for --format text and json");
    }
    let input = Input::open(&args.input, common)?;
    let path = args.output.as_deref().filter(|path| path.as_os_str() != "-");
    let output = path.map(|path| Output::create(path, args.force)).transpose()?;
    sandbox::enter(terminal, common, &sandbox::Needs::writing(output.as_ref().map(Output::folder), false));
    let file = ModelFile::new(&input);
    let model = match load::parse(common, &file) {
        Ok(model) => model,
        Err(error) => {
            let verdict = Verdict::malformed(&input, &error);
            verdict.tell(terminal);
            if args.format == View::Html {
                write(terminal, &args, output, &page(&input, &verdict, None, &digest(&input), None))?;
            }
            return Ok(Outcome::rejected(&input.name, &verdict.findings, verdict.more));
        }
    };
    let mut contents = (!drawn).then(|| Contents::of(&model));
    // The process ends soon, so no time is spent on freeing objects.
    let mut validation = ManuallyDrop::new(load::validate(common, model, false));
    let verdict = Verdict::checked(&input, &mut validation);
    verdict.tell(terminal);
    let code = if verdict.valid { exit::DONE } else { exit::REJECTED };
    let model = validation.model.as_ref();
    let Some(contents) = &mut contents else {
        if let Some(text) = drawing::draw(args.format, &input, &verdict, model) {
            write(terminal, &args, output, &text)?;
        }
        input.unchanged()?;
        return Ok(code.into());
    };
    let mut details = Details::default();
    if let Some(model) = model {
        contents.infer(model);
        contents.cost = Some(Cost::of(model));
        details = Details::of(model, &args);
    }
    if args.format == View::Text {
        let text = text(&input, contents, terminal.verbose > 0) + &details.text();
        terminal::report(&text)?;
    }
    input.unchanged()?;
    let mut entries = json(&input, contents);
    entries.extend(details.json());
    entries.push(("findings", Json::list(&verdict.findings, outcome::finding)));
    entries.push(("more_findings", Json::Number(verdict.more)));
    entries.extend(verdict.hint.as_deref().map(|hint| ("hint", Json::text(hint))));
    Ok(Outcome { code, entries })
}

/// Writes the picture or page to its file, or to standard output.
fn write(terminal: &Terminal, args: &Args, output: Option<Output>, text: &str) -> Result<()> {
    let (Some(output), Some(path)) = (output, &args.output) else { return Ok(terminal::report(text)?) };
    output.file().write_all(text.as_bytes()).with_context(|| path.display().to_string())?;
    output.finish()?;
    terminal.say(format_args!("wrote {}, {}", path.display(), size(text.len() as u64)));
    Ok(())
}

/// The number of parameters listed without `-v`.
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

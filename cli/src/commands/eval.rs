//! `eval`: evaluates a model, without CNTK and without converting it.

use super::convert::outputs;
use crate::{
    args::{Common, Format},
    exit,
    input::Input,
    json::Json,
    limits::number,
    load,
    outcome::Outcome,
    output::Output,
    sandbox,
    terminal::{self, Terminal},
};
use anyhow::{Context, Result, anyhow};
use clap::builder::NonEmptyStringValueParser;
use cntk_parser::ModelFile;
use cntk2onnx::{
    EvaluateError, Evaluated, Record, evaluate,
    evaluator::{EvaluationError, Limits, Options},
};
use std::{io::Write, path::PathBuf};

/// Evaluate a model on arrays, as CNTK would
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cntk2onnx eval net.model --inputs in.npz                       a line for each output
  cntk2onnx eval net.model --inputs in.npz -o out.npz --outputs all")]
pub struct Args {
    /// The CNTK model; `-` reads standard input
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// Arrays for the inputs, a .npz or .safetensors file
    ///
    /// Each array has the CNTK name or uid of an input and the layout of CNTK's Python API: [batch, sequence, *static],
    /// with each of the first two only if the variable has it. NAME_lengths (int64, one for each sample) is needed if
    /// sequences have several lengths.
    #[arg(long, value_name = "FILE")]
    pub inputs: PathBuf,
    /// Where to write the outputs: a .npz file with names and layout like those of the inputs
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// `inference` (without training criteria), `all`, or names
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "inference")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub outputs: Vec<String>,
    /// The seed of random operators; without it they are refused
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The most multiply-adds that the evaluation may take
    #[arg(long, value_name = "N", default_value_t = Limits::default().work, value_parser = number)]
    pub max_work: u64,
    /// Overwrite OUT
    #[arg(long)]
    pub force: bool,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

pub fn run(terminal: &Terminal, common: &Common, args: Args) -> Result<Outcome> {
    let input = Input::open(&args.input, common)?;
    let arrays = Input::open(&args.inputs, common)?;
    let output = args.output.as_deref().map(|path| Output::create(path, args.force)).transpose()?;
    sandbox::enter(terminal, common, &sandbox::Needs::writing(output.as_ref().map(Output::folder), false));
    let file = ModelFile::new(&input);
    let model = match load::valid(terminal, common, &input, &file) {
        Ok(model) => model,
        Err(outcome) => return Ok(outcome),
    };
    let mut record = Record::open(&arrays).with_context(|| arrays.name.clone())?;
    let limits = Limits { work: args.max_work, memory: common.limits.parser.memory };
    let options = Options { limits, seed: args.seed, jitter: None };
    let made = match evaluate(&model, &outputs(&args.outputs), &mut record, &options) {
        Ok(made) => made,
        Err(error) => return failed(terminal, &input, &arrays, error),
    };
    for name in &made.unread {
        terminal.detail(format_args!("{}: {name} is no input of the model", arrays.name));
    }
    match output {
        None if args.format == Format::Json => {}
        None => terminal::report(&made.outputs.iter().map(line).collect::<String>())?,
        Some(output) => {
            let name = || args.output.as_ref().map_or_else(String::new, |p| p.display().to_string());
            output.file().write_all(&made.to_npz()?).with_context(name)?;
            output.finish()?;
            terminal.say(format_args!("wrote {}, {} outputs", name(), made.outputs.len()));
        }
    }
    input.unchanged()?;
    Ok(Outcome::done(vec![("input", Json::text(&input.name)), ("outputs", Json::list(&made.outputs, entry))]))
}

/// Reports an error, which is about the arrays, the model, or neither.
fn failed(terminal: &Terminal, input: &Input, arrays: &Input, error: EvaluateError) -> Result<Outcome> {
    match error {
        EvaluateError::Record(error) => Err(anyhow!(error).context(arrays.name.clone())),
        EvaluateError::Evaluation(error @ (EvaluationError::Missing { .. } | EvaluationError::Input { .. })) => {
            Err(anyhow!(error).context(arrays.name.clone()))
        }
        EvaluateError::Evaluation(error @ (EvaluationError::Work { .. } | EvaluationError::Memory { .. })) => {
            let message = format!("{}: {error}", input.name);
            terminal.error(&message);
            terminal.hint("--max-work and --max-memory set the limits");
            Ok(Outcome::failed(exit::REJECTED, &message))
        }
        other => {
            let message = format!("{}: cannot be evaluated: {other}", input.name);
            terminal.error(&message);
            Ok(Outcome::failed(exit::REFUSED, &message))
        }
    }
}

/// An output as JSON: name, shape, and the extent of its numbers.
fn entry(output: &Evaluated) -> Json {
    let (least, mean, most) = extent(output);
    Json::Object(vec![
        ("name", Json::text(&output.name)),
        ("type", Json::text(format!("{:?}", output.elem))),
        ("shape", Json::list(&output.shape, |n| Json::from(*n))),
        ("lengths", output.lengths.as_ref().map_or(Json::Null, |l| Json::list(l, |n| Json::from(*n)))),
        ("min", Json::Real(least)),
        ("mean", Json::Real(mean)),
        ("max", Json::Real(most)),
    ])
}

/// Minimum, mean and maximum of the numbers that are not padding.
fn extent(output: &Evaluated) -> (f64, f64, f64) {
    let valid = valid(output);
    let (least, most) = valid.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
    (least, valid.iter().sum::<f64>() / valid.len() as f64, most)
}

/// An output in one line: name, shape, and the extent of its numbers.
fn line(output: &Evaluated) -> String {
    let (least, mean, most) = extent(output);
    let name = terminal::printable(&output.name);
    let lengths = output.lengths.as_ref().map_or_else(String::new, |l| format!("  lengths {l:?}"));
    format!("{name}  {:?} {:?}  min {least:.6}  mean {mean:.6}  max {most:.6}{lengths}\n", output.elem, output.shape)
}

/// The numbers that are not padding.
fn valid(output: &Evaluated) -> Vec<f64> {
    let (Some(lengths), [samples, steps, ..]) = (&output.lengths, output.shape.as_slice()) else {
        return output.values.clone();
    };
    let width = output.values.len() / (samples * steps).max(1);
    let rows = output.values.chunks((steps * width).max(1)).zip(lengths);
    rows.flat_map(|(row, n)| &row[..n * width]).copied().collect()
}

//! Compares what generated models compute: `cntk-semantic --runtime libonnxruntime.so --first 0 --count 1000`.
//!
//! Each seed is a valid model. It is converted, and made-up inputs go through the evaluator and through the ONNX model in ONNX
//! Runtime, or through the PyTorch module in a worker process (`--torch python3`). Outputs have to agree within a tolerance that grows with
//! the number of operators. A model whose own numbers change by more than that when its inputs are nudged is unstable: there, a
//! rounding decides (ties, comparisons, steps). Anything else is a disagreement, written to `--keep` and ends with exit code 1,
//! unless `--known` lists its seed; a listed seed that does not disagree ends so as well, so that the list shrinks.

mod compare;
mod runtime;
mod torch;

use anyhow::{Context, Result, anyhow};
use arbitrary::Unstructured;
use clap::Parser;
use cntk_fuzz::generate::{Generated, Options as Kind, generate};
use cntk_fuzz::mutate::{Choice, Random};
use cntk_parser::{Limits, ModelFile, ValidateOptions, model::ValidatedModel, parse, validate};
use cntk2onnx::{
    Converter, Options, Outputs,
    internals::{evidence, graph::Interface},
};
use compare::{Verdict, compare};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

#[derive(Parser)]
struct Args {
    /// The shared library of ONNX Runtime
    #[arg(long, required_unless_present = "torch")]
    runtime: Option<PathBuf>,
    /// Compare with PyTorch instead: a Python interpreter with torch and safetensors
    #[arg(long)]
    torch: Option<PathBuf>,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many seeds
    #[arg(long, default_value_t = u64::MAX)]
    count: u64,
    /// Take every N-th seed only, for several processes in parallel
    #[arg(long, default_value_t = 1)]
    stride: u64,
    /// Stop after this many seconds
    #[arg(long, default_value_t = u64::MAX)]
    seconds: u64,
    /// Where to write models that disagree
    #[arg(long)]
    keep: Option<PathBuf>,
    /// A list of seeds known to disagree: on each line a seed and the reason
    #[arg(long)]
    known: Option<PathBuf>,
}

/// Bytes of decisions for a model.
const DECISIONS: usize = 512;

/// The counts of results.
#[derive(Default)]
struct Tally {
    compared: u64,
    unstable: u64,
    skipped: BTreeMap<String, u64>,
    disagree: u64,
    /// The disagreeing seeds that are listed.
    known: u64,
    /// Listed seeds that do not disagree.
    stale: Vec<u64>,
    /// Models that agree, and all, by operator.
    operators: BTreeMap<&'static str, [u64; 2]>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let known = args.known.as_deref().map(listed).transpose()?.unwrap_or_default();
    let mut other = match (&args.torch, &args.runtime) {
        (Some(python), _) => Other::Torch(torch::Worker::start(python)?),
        (None, Some(library)) => {
            runtime::load(library)?;
            Other::Runtime
        }
        (None, None) => return Err(anyhow!("name the library of ONNX Runtime")),
    };
    let start = Instant::now();
    let mut tally = Tally::default();
    let seeds = (args.first..args.first.saturating_add(args.count)).step_by(usize::try_from(args.stride)?);
    for seed in seeds {
        if start.elapsed() >= Duration::from_secs(args.seconds) {
            break;
        }
        let model = generated(seed);
        let bytes = model.file.encode();
        let verdict = one(&bytes, &mut other);
        let is_known = known.contains(&seed);
        if is_known && !matches!(verdict, Ok(Verdict::Disagrees(_))) {
            tally.stale.push(seed);
        }
        if let Err(why) = tally.count(&model, verdict) {
            if is_known {
                tally.known += 1;
                continue;
            }
            println!("seed {seed}: {why}\n  {}", model.operators.join(" "));
            if let Some(folder) = &args.keep {
                std::fs::create_dir_all(folder)?;
                std::fs::write(folder.join(format!("{seed}.model")), &bytes).context("--keep")?;
            }
        }
    }
    tally.print(start.elapsed());
    std::process::exit(i32::from(tally.disagree > tally.known || !tally.stale.is_empty()));
}

/// Reads a list of seeds: on each line a seed and the reason; `#` begins a comment.
fn listed(path: &Path) -> Result<BTreeSet<u64>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let seed = |line: &str| line.split_whitespace().next().unwrap_or(line).parse().with_context(|| line.to_owned());
    lines.map(seed).collect()
}

/// What the evaluator is compared with.
enum Other {
    Runtime,
    Torch(torch::Worker),
}

/// The model of a seed.
fn generated(seed: u64) -> Generated {
    let mut random = Random::new(seed);
    let bytes: Vec<u8> = (0..DECISIONS).map(|_| random.below(256) as u8).collect();
    generate(&mut Unstructured::new(&bytes), Kind { runnable: true })
}

/// Computes one model in both ways. The error is the reason why it cannot be compared.
fn one(bytes: &[u8], other: &mut Other) -> Result<Verdict, String> {
    let file = ModelFile::new(bytes);
    let parsed = parse(&file, &Limits::default()).map_err(|e| format!("not parsed: {e}"))?;
    let found = validate(parsed, &ValidateOptions::default());
    let model: ValidatedModel<'_> = found.model.ok_or("not valid")?;
    let options = Options::default().outputs(Outputs::All).keep_sequence_axis(true);
    let arrays = evidence::make(&model, &options, true).map_err(|why| general(&why))?;
    let converter = Converter::new(options);
    let made = match other {
        Other::Runtime => {
            let onnx = converter.to_onnx(&model).map_err(|_| "refused by the converter".to_owned())?;
            runtime::run(&onnx, &arrays)
        }
        Other::Torch(worker) => {
            let files = converter.to_pytorch(&model).map_err(|_| "refused by the converter".to_owned())?;
            let interface = Interface::new(&model, &Outputs::All).map_err(|_| "refused by the converter".to_owned())?;
            let names: Vec<&str> = interface.outputs.iter().map(|o| o.name.as_str()).collect();
            match worker.check(&files, &names)? {
                torch::Tested::Passed => return Ok(Verdict::Agrees),
                torch::Tested::Made(made) => Ok(made),
                torch::Tested::Failed(why) => Err(why),
            }
        }
    };
    Ok(match made {
        Ok(made) => compare(&model, &arrays, &made),
        Err(why) => Verdict::Disagrees(format!("does not run: {why}")),
    })
}

/// A reason without the parts that are specific to one model.
fn general(why: &str) -> String {
    let why = why.rsplit_once(": ").map_or(why, |(_, why)| why);
    why.split(|c: char| c.is_ascii_digit() || c == '[').next().unwrap_or(why).trim().to_owned()
}

impl Tally {
    /// Counts a model. The error is a result that has to be examined.
    fn count(&mut self, model: &Generated, verdict: Result<Verdict, String>) -> Result<(), String> {
        let agrees = match &verdict {
            Err(why) => {
                *self.skipped.entry(why.clone()).or_default() += 1;
                return Ok(());
            }
            Ok(Verdict::Unstable) => {
                self.unstable += 1;
                return Ok(());
            }
            Ok(Verdict::Agrees) => true,
            Ok(Verdict::Disagrees(_)) => false,
        };
        self.compared += 1;
        let mut operators = model.operators.clone();
        operators.sort_unstable();
        operators.dedup();
        for operator in operators {
            let row = self.operators.entry(operator).or_default();
            row[0] += u64::from(agrees);
            row[1] += 1;
        }
        match verdict {
            Ok(Verdict::Disagrees(why)) => {
                self.disagree += 1;
                Err(why)
            }
            _ => Ok(()),
        }
    }

    fn print(&self, elapsed: Duration) {
        let all = self.compared + self.unstable + self.skipped.values().sum::<u64>();
        let rate = all as f64 / elapsed.as_secs_f64();
        println!("{all} models, {rate:.0} a second: {} compared, {} of them disagree", self.compared, self.disagree);
        println!("{} of these are known", self.known);
        for seed in &self.stale {
            println!("seed {seed} is listed as known to disagree, and does not: take it off the list");
        }
        println!("{} unstable; not compared:", self.unstable);
        let mut reasons: Vec<_> = self.skipped.iter().collect();
        reasons.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        reasons.iter().take(20).for_each(|(why, n)| println!("  {n} {why}"));
        for (operator, [agree, all]) in self.operators.iter().filter(|(_, [agree, all])| agree < all) {
            println!("  {operator}: {agree} of {all} agree");
        }
        println!("{} operators", self.operators.len());
    }
}

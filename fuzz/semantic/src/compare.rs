//! Compares two computations of one model.

use super::runtime::Made;
use cntk_evaluator::{Options, evaluate};
use cntk_fuzz::mutate::{Choice, Random};
use cntk_parser::model::{DataType, Output, ValidatedModel};
use cntk2onnx::{
    ElemType, Outputs,
    internals::{
        evidence::Array,
        graph::{Argument, Interface},
    },
};
use std::collections::{BTreeMap, HashMap};

/// The result of comparing, with a description unless both agree.
pub enum Verdict {
    Agrees,
    Unstable,
    Disagrees(String),
}

type Arrays = [(String, Array)];

/// Roundings that each operator may add, in units of the last place.
const ROUNDINGS: f64 = 32.0;
/// Below this, runtimes flush to zero and approximate.
const TINY: f64 = 1e-30;
/// How far inputs are perturbed, relative to their size.
const NUDGE: f64 = 4e-7;
/// How often the evaluator computes a model in another way.
const TRIES: u64 = 256;

/// Where an output differs, each with a description.
#[derive(Default)]
struct Differences {
    /// Its sizes, so that all of it differs.
    sizes: Option<String>,
    elements: BTreeMap<usize, String>,
}

impl Differences {
    fn is_empty(&self) -> bool {
        self.sizes.is_none() && self.elements.is_empty()
    }

    /// The first difference that is not among those of `unstable`.
    fn beyond(&self, unstable: &Self) -> Option<&str> {
        if unstable.sizes.is_some() {
            return None;
        }
        let mut elements = self.elements.iter().filter(|(i, _)| !unstable.elements.contains_key(i)).map(|(_, why)| why);
        self.sizes.as_ref().or_else(|| elements.next()).map(String::as_str)
    }

    fn join(&mut self, other: Self) {
        self.sizes = self.sizes.take().or(other.sizes);
        self.elements.extend(other.elements);
    }
}

/// Compares outputs with the evaluator's, which stand among the arrays.
pub fn compare(model: &ValidatedModel<'_>, arrays: &Arrays, made: &Made) -> Verdict {
    let Ok(interface) = Interface::new(model, &Outputs::All) else {
        return Verdict::Disagrees("no outputs".to_owned());
    };
    let mut all = Vec::new();
    for output in &interface.outputs {
        let (Some(expected), Some((shape, numbers))) = (find(arrays, &output.name), made.get(&output.name)) else {
            return Verdict::Disagrees(format!("no output {}", output.name));
        };
        let steps = find(arrays, &format!("{}_lengths", output.name)).map(Array::numbers);
        all.push(differences(model, expected, steps.as_deref(), shape, numbers));
    }
    if all.iter().all(Differences::is_empty) {
        return Verdict::Agrees;
    }
    let unstable = unstable(model, arrays, &interface);
    // Only what changes by itself may differ.
    let outputs = interface.outputs.iter().zip(all.iter().zip(&unstable));
    let mut beyond = outputs.filter_map(|(output, (found, unstable))| Some((output, found.beyond(unstable)?)));
    match beyond.next() {
        None => Verdict::Unstable,
        Some((output, why)) => Verdict::Disagrees(format!("{}: {why}", output.name)),
    }
}

fn find<'a>(arrays: &'a Arrays, name: &str) -> Option<&'a Array> {
    arrays.iter().find(|(n, _)| n == name).map(|(_, array)| array)
}

/// The differences from the expected numbers in valid steps.
fn differences(
    model: &ValidatedModel<'_>,
    expected: &Array,
    steps: Option<&[f64]>,
    shape: &[usize],
    numbers: &[f64],
) -> Differences {
    let dims: Vec<usize> = expected.dims.iter().map(|n| *n as usize).collect();
    // A sequence may have more steps than are valid.
    let fits = dims.len() == shape.len()
        && dims.iter().zip(shape).enumerate().all(|(i, (a, b))| a == b || i == 1 && steps.is_some() && a <= b);
    if !fits {
        let sizes = Some(format!("shape {shape:?}, expected {dims:?}"));
        return Differences { sizes, ..Differences::default() };
    }
    let wanted = expected.numbers();
    let largest = wanted.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let tolerance = tolerance(model, expected.elem);
    let width: usize = dims.iter().skip(2).product();
    let mut all = Differences::default();
    for (i, x) in wanted.iter().enumerate() {
        let mut at = i;
        if let (Some(steps), [_, most, ..], [_, room, ..]) = (steps, dims.as_slice(), shape) {
            let (sample, step) = (i / width / most, i / width % most);
            if step as f64 >= steps[sample] {
                continue;
            }
            at = (sample * room + step) * width + i % width;
        }
        let got = numbers[at];
        if (got - x).abs() > tolerance * (x.abs() + largest) + TINY || got.is_nan() {
            all.elements.insert(i, format!("element {i} is {got}, expected {x}"));
        }
    }
    all
}

/// The tolerance relative to the largest number, which grows with the number of operators.
fn tolerance(model: &ValidatedModel<'_>, elem: ElemType) -> f64 {
    // ONNX Runtime computes some doubles in single precision.
    let last = if elem == ElemType::Float16 { 2f64.powi(-10) } else { 2f64.powi(-23) };
    let halves = model.order().iter().flat_map(|id| model.output_types(*id)).any(|t| t.data_type == DataType::Float16);
    let last = if halves { 2f64.powi(-10) } else { last };
    last * ROUNDINGS * (model.order().len() as f64 + 2.0)
}

/// What changes in each output if the evaluator computes it as another implementation may: with inputs nudged, with every number
/// moved by a rounding error, or with both.
fn unstable(model: &ValidatedModel<'_>, arrays: &Arrays, interface: &Interface) -> Vec<Differences> {
    let wanted: Vec<Output<'_>> = interface.outputs.iter().filter_map(|o| model.find(&o.uid)).collect();
    let mut all: Vec<Differences> = interface.outputs.iter().map(|_| Differences::default()).collect();
    for seed in 0..TRIES {
        let (nudges, jitters) = (seed % 2 == 0, seed % 4 != 0);
        let feeds = inputs(model, arrays, interface, nudges.then_some(seed));
        let options = Options { jitter: jitters.then_some(seed), ..Options::default() };
        let Ok(found) = evaluate(model, &feeds, &wanted, &options) else {
            // An index that leaves its table by a rounding error, for example.
            all.iter_mut().for_each(|output| output.sizes = Some("not computed".to_owned()));
            return all;
        };
        for ((output, found), all) in interface.outputs.iter().zip(found.outputs).zip(&mut all) {
            let Some(expected) = find(arrays, &output.name) else { continue };
            let own = find(arrays, &format!("{}_lengths", output.name)).map(Array::numbers);
            let steps = found.array.lengths.as_ref().map(|l| l.iter().map(|n| *n as f64).collect::<Vec<_>>());
            let mut made = differences(model, expected, steps.as_deref(), &found.array.shape, &found.array.values);
            if own != steps {
                made.sizes = Some("other lengths".to_owned());
            }
            all.join(made);
        }
    }
    all
}

/// The inputs among the arrays; with a seed, every number is moved by a little. Whole numbers may be indices, and stay.
fn inputs(
    model: &ValidatedModel<'_>,
    arrays: &Arrays,
    interface: &Interface,
    nudged: Option<u64>,
) -> HashMap<String, cntk_evaluator::Array> {
    let mut random = nudged.map(Random::new);
    let input = |argument: &Argument| {
        let array = find(arrays, &argument.name)?;
        let lengths = find(arrays, &format!("{}_lengths", argument.name))
            .map(|l| l.numbers().iter().map(|n| *n as usize).collect());
        let size = if array.elem == ElemType::Float16 { NUDGE * 8192.0 } else { NUDGE };
        let nudge = |x: f64| match &mut random {
            Some(random) if x.fract() != 0.0 => x * if random.below(2) == 0 { 1.0 - size } else { 1.0 + size },
            _ => x,
        };
        let values = array.numbers().into_iter().map(nudge).collect();
        let shape = array.dims.iter().map(|n| *n as usize).collect();
        Some((model.variable(argument.variable).uid.to_owned(), cntk_evaluator::Array { shape, values, lengths }))
    };
    interface.arguments.iter().filter_map(input).collect()
}

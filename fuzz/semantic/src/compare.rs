//! Compares two computations of one model.

use super::runtime::Made;
use cntk_evaluator::{Options, evaluate};
use cntk_fuzz::mutate::{Choice, Random};
use cntk_parser::model::{DataType, Output, ValidatedModel};
use cntk2onnx::{
    ElemType, Outputs,
    internals::{evidence::Array, graph::Interface},
};
use std::collections::HashMap;

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
/// How often a perturbation is tried.
const NUDGES: u64 = 16;

/// Compares outputs with the evaluator's, which stand among the arrays.
pub fn compare(model: &ValidatedModel<'_>, arrays: &Arrays, made: &Made) -> Verdict {
    let Ok(interface) = Interface::new(model, &Outputs::All) else {
        return Verdict::Disagrees("no outputs".to_owned());
    };
    for output in &interface.outputs {
        let get = |name: &str| arrays.iter().find(|(n, _)| n == name).map(|(_, array)| array);
        let (Some(expected), Some((shape, numbers))) = (get(&output.name), made.get(&output.name)) else {
            return Verdict::Disagrees(format!("no output {}", output.name));
        };
        let steps = get(&format!("{}_lengths", output.name)).map(Array::numbers);
        let differs = differs(model, expected, steps.as_deref(), shape, numbers);
        let Some(why) = differs else { continue };
        let why = format!("{}: {why}", output.name);
        return if is_unstable(model, arrays) { Verdict::Unstable } else { Verdict::Disagrees(why) };
    }
    Verdict::Agrees
}

/// The difference from the expected numbers in valid steps.
fn differs(
    model: &ValidatedModel<'_>,
    expected: &Array,
    steps: Option<&[f64]>,
    shape: &[usize],
    numbers: &[f64],
) -> Option<String> {
    let dims: Vec<usize> = expected.dims.iter().map(|n| *n as usize).collect();
    // A sequence may have more steps than are valid.
    let fits = dims.len() == shape.len()
        && dims.iter().zip(shape).enumerate().all(|(i, (a, b))| a == b || i == 1 && steps.is_some() && a <= b);
    if !fits {
        return Some(format!("shape {shape:?}, expected {dims:?}"));
    }
    let wanted = expected.numbers();
    let largest = wanted.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let tolerance = tolerance(model, expected.elem);
    let width: usize = dims.iter().skip(2).product();
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
            return Some(format!("element {i} is {got}, expected {x}"));
        }
    }
    None
}

/// The tolerance relative to the largest number, which grows with the number of operators.
fn tolerance(model: &ValidatedModel<'_>, elem: ElemType) -> f64 {
    // ONNX Runtime computes some doubles in single precision.
    let last = if elem == ElemType::Float16 { 2f64.powi(-10) } else { 2f64.powi(-23) };
    let halves = model.order().iter().flat_map(|id| model.output_types(*id)).any(|t| t.data_type == DataType::Float16);
    let last = if halves { 2f64.powi(-10) } else { last };
    last * ROUNDINGS * (model.order().len() as f64 + 2.0)
}

/// Do the evaluator's own numbers change by more than the tolerance if its inputs are perturbed?
pub fn is_unstable(model: &ValidatedModel<'_>, arrays: &Arrays) -> bool {
    let Ok(interface) = Interface::new(model, &Outputs::All) else { return false };
    let wanted: Vec<Output<'_>> = interface.outputs.iter().filter_map(|o| model.find(&o.uid)).collect();
    (0..NUDGES).any(|seed| {
        let mut random = Random::new(seed);
        let feeds = interface.arguments.iter().filter_map(|argument| {
            let get = |name: &str| arrays.iter().find(|(n, _)| n == name).map(|(_, array)| array);
            let array = get(&argument.name)?;
            let lengths =
                get(&format!("{}_lengths", argument.name)).map(|l| l.numbers().iter().map(|n| *n as usize).collect());
            let size = if array.elem == ElemType::Float16 { NUDGE * 8192.0 } else { NUDGE };
            // Whole numbers may be indices, and stay.
            let mut nudged = |x: f64| {
                let step = if random.below(2) == 0 { 1.0 - size } else { 1.0 + size };
                if x.fract() == 0.0 { x } else { x * step }
            };
            let values = array.numbers().into_iter().map(&mut nudged).collect();
            let shape = array.dims.iter().map(|n| *n as usize).collect();
            Some((model.variable(argument.variable).uid.to_owned(), cntk_evaluator::Array { shape, values, lengths }))
        });
        let feeds: HashMap<String, cntk_evaluator::Array> = feeds.collect();
        // Half of the tries move what is computed, too.
        let options = Options { jitter: (seed % 2 == 1).then_some(seed), ..Options::default() };
        let Ok(found) = evaluate(model, &feeds, &wanted, &options) else { return true };
        interface.outputs.iter().zip(found.outputs).any(|(output, found)| {
            let expected = arrays.iter().find(|(name, _)| *name == output.name).map(|(_, array)| array);
            let steps = found.array.lengths.as_ref().map(|l| l.iter().map(|n| *n as f64).collect::<Vec<_>>());
            expected.is_none_or(|expected| {
                differs(model, expected, steps.as_deref(), &found.array.shape, &found.array.values).is_some()
            })
        })
    })
}

//! What the options of an evaluation do: with a seed, random operators have the moments of CNTK's distributions, and samples are drawn by
//! their weights; a limit on memory counts what is held at one time; jitter moves numbers by a little. And what is refused.

use cntk_evaluator::{Array, Evaluation, EvaluationError, Limits, Options, evaluate};
use cntk_parser::{Limits as FileLimits, ModelFile, ValidateOptions, parse, validate};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Evaluates a model of `corpus/`, with this shape and number for its inputs.
fn run(name: &str, x: Option<(&[usize], f64)>, options: &Options) -> Result<Evaluation, EvaluationError> {
    run_with(name, x.map(|(shape, fill)| array(shape, fill, None)), options)
}

fn array(shape: &[usize], fill: f64, lengths: Option<Vec<usize>>) -> Array {
    Array { shape: shape.to_vec(), values: vec![fill; shape.iter().product()], lengths }
}

fn run_with(name: &str, x: Option<Array>, options: &Options) -> Result<Evaluation, EvaluationError> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name).with_extension("model");
    let bytes = fs::read(path).unwrap();
    let file = ModelFile::new(&bytes);
    let model = validate(parse(&file, &FileLimits::default()).unwrap(), &ValidateOptions::default()).model.unwrap();
    let inputs = cntk_evaluator::inputs(&model, model.outputs());
    let uids = inputs.iter().map(|id| model.variable(*id).uid.to_owned());
    let feeds: HashMap<String, Array> = uids.filter_map(|uid| Some((uid, x.clone()?))).collect();
    evaluate(&model, &feeds, model.outputs(), options)
}

/// The sizes are free in the model, so only an evaluation knows them.
#[test]
fn a_vector_that_does_not_suit_the_matrices_of_a_sequence_is_refused() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/attributes/times_over_sequence_of_free_matrices.model");
    let bytes = fs::read(path).unwrap();
    let file = ModelFile::new(&bytes);
    let model = validate(parse(&file, &FileLimits::default()).unwrap(), &ValidateOptions::default()).model.unwrap();
    let result = |width: usize| {
        let feeds = cntk_evaluator::inputs(&model, model.outputs()).into_iter().map(|id| {
            let variable = model.variable(id);
            let shape: &[usize] = if variable.name == "w" { &[1, 2, 3, 4] } else { &[1, 2, width] };
            (variable.uid.to_owned(), array(shape, 0.5, None))
        });
        evaluate(&model, &feeds.collect(), model.outputs(), &Options::default())
    };
    assert_eq!(result(3).unwrap().outputs[0].array.values, [1.5; 4]);
    for width in [2, 4] {
        assert!(result(width).unwrap_err().to_string().contains("do not suit a product"));
    }
}

fn numbers(name: &str, x: Option<(&[usize], f64)>, seed: u64) -> Vec<f64> {
    let options = Options { seed: Some(seed), ..Options::default() };
    run(name, x, &options).unwrap().outputs.swap_remove(0).array.values
}

/// The mean and the variance.
fn moments(numbers: &[f64]) -> (f64, f64) {
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    (mean, numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / numbers.len() as f64)
}

#[test]
fn distributions_have_their_moments() {
    // uniform(-1, 2), normal(1, 0.5), gumbel(0.5, 2), bernoulli(0.3)
    for (name, mean, variance) in
        [("uniform", 0.5, 0.75), ("normal", 1.0, 0.25), ("gumbel", 1.6544, 6.5797), ("bernoulli", 0.3, 0.21)]
    {
        let like = numbers(&format!("attributes/random_{name}_like"), Some((&[4000, 2, 3], 1.0)), 5);
        let alone = |seed| numbers(&format!("attributes/random_{name}"), Some((&[1, 2, 3], 0.0)), seed);
        let alone: Vec<f64> = (0..1500).flat_map(alone).collect();
        for found in [like, alone] {
            let (m, v) = moments(&found);
            assert!((m - mean).abs() < 0.06 && (v / variance - 1.0).abs() < 0.06, "{name}: {m}, {v}");
            match name {
                "uniform" => assert!(found.iter().all(|x| (-1.0..=2.0).contains(x))),
                "bernoulli" => assert!(found.iter().all(|x| [0.0, 1.0].contains(x))),
                _ => assert!(found.iter().all(|x| x.is_finite())),
            }
        }
    }
}

#[test]
fn samples_without_duplicates_are_distinct_and_others_need_not_be() {
    let rows = |name, seed| -> Vec<Vec<f64>> {
        numbers(name, Some((&[1, 4], 0.0)), seed).chunks(4).map(<[f64]>::to_vec).collect()
    };
    let mut seen: Vec<Vec<f64>> = Vec::new();
    let mut repeats = 0;
    for seed in 0..200 {
        let distinct = rows("attributes/random_sample_without_duplicates", seed);
        assert_eq!(distinct.len(), 3);
        assert!((0..3).all(|i| (0..i).all(|j| distinct[i] != distinct[j])), "{distinct:?}");
        seen.extend(distinct.into_iter().filter(|row| row.iter().any(|x| *x != 0.0)));
        let any = rows("attributes/random_sample_with_duplicates", seed);
        repeats += usize::from((0..3).any(|i| (0..i).any(|j| any[i] == any[j])));
    }
    seen.sort_by(|a, b| a.partial_cmp(b).unwrap());
    seen.dedup();
    assert_eq!(seen.len(), 4, "every class is drawn at times");
    assert!((20..200).contains(&repeats), "{repeats}");
}

#[test]
fn inclusion_frequencies_are_those_of_the_weights() {
    let of = |i| numbers(&format!("ops/random_sample_test__test_random_sample_inclusion_frequency__{i}"), None, 3);
    assert_eq!(of(2), [7.0, 14.0, 21.0]);
    // 200 different ones of 300: the sum is their number, but for the estimate.
    let sum: f64 = of(3).iter().sum();
    assert!((sum - 200.0).abs() < 5.0, "{sum}");
}

#[test]
fn what_nothing_reads_any_more_is_freed() {
    let memory = |memory| Options { limits: Limits { memory, ..Limits::default() }, ..Options::default() };
    let x: (&[usize], f64) = (&[2, 3, 32, 32], 0.5);
    let fits = |bytes| run("zoo/resnet_bottleneck", Some(x), &memory(bytes)).is_ok();
    // With all results held, it would be 4 times as much.
    let least = (8..24).map(|power| 1 << power).find(|bytes| fits(*bytes)).unwrap();
    assert!(least <= 1 << 18, "{least}");
}

#[test]
fn another_rounding_leaves_a_stable_network_where_it_is() {
    let x: (&[usize], f64) = (&[2, 3, 32, 32], 0.5);
    let with = |jitter| {
        let options = Options { jitter, ..Options::default() };
        run("zoo/resnet_bottleneck", Some(x), &options).unwrap().outputs.swap_remove(0).array.values
    };
    let (exact, moved) = (with(None), with(Some(1)));
    assert!(exact.iter().zip(&moved).all(|(a, b)| (a - b).abs() <= 1e-3 * a.abs().max(1.0)), "{exact:?} {moved:?}");
    assert_ne!(exact, moved);
}

#[test]
fn padding_of_computed_operands_is_not_made_up() {
    let loss = |lengths| {
        let x = array(&[2, 3, 1], 0.25, Some(lengths));
        run_with("attributes/logistic_of_computed_sequences", Some(x), &Options::default())
    };
    assert!(loss(vec![3, 3]).is_ok());
    let refused = loss(vec![3, 2]).unwrap_err().to_string();
    assert!(refused.contains("padding of a computed operand"), "{refused}");
}

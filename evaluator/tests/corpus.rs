//! The evaluator gives CNTK's numbers: every recorded output of every case of `corpus/`.
//!
//! `ONLY=text` runs the cases whose names contain it.

use cntk_evaluator::{Array, Evaluated, Options, evaluate};
use cntk_parser::{Limits, ModelFile, ValidateOptions, model::DataType, parse, validate};
use flate2::bufread::DeflateDecoder;
use npyz::NpyFile;
use rawzip::{CompressionMethod, ZipArchive};
use serde_json::Value;
use std::{
    collections::HashMap,
    env, fs,
    io::Read,
    iter,
    num::NonZero,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Folders of `corpus/` that hold cases.
const FOLDERS: [&str; 4] = ["ops", "zoo", "attributes", "v1"];

/// The `.npy` files of an archive by name.
type Arrays = HashMap<String, Vec<u8>>;

#[test]
fn recorded_outputs_are_computed() {
    let (cases, next) = (cases(), AtomicUsize::new(0));
    let work = || {
        let own = iter::from_fn(|| cases.get(next.fetch_add(1, Ordering::Relaxed)));
        own.map(|case| check(case).map_err(|why| format!("{}: {why}", case.display()))).collect::<Vec<_>>()
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let results: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|w| w.join().expect("a check does not panic")).collect()
    });
    let compared: usize = results.iter().flatten().sum();
    let failures: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
    assert!(compared > 0, "nothing was compared");
    println!("{compared} outputs compared");
}

/// The descriptions of cases that have a model and numbers.
fn cases() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let only = env::var("ONLY").unwrap_or_default();
    let folders = FOLDERS.iter().filter_map(|folder| fs::read_dir(corpus.join(folder)).ok());
    let files = folders.flatten().map(|entry| entry.unwrap().path());
    let is_case = |path: &PathBuf| {
        path.extension().is_some_and(|e| e == "json")
            && path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains(&only))
            && path.with_extension("model").exists()
            && path.with_extension("npz").exists()
    };
    let mut cases: Vec<PathBuf> = files.filter(is_case).collect();
    cases.sort();
    cases
}

/// The number of compared outputs of a case, or the reason why it fails.
fn check(path: &Path) -> Result<usize, String> {
    let case: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    if case["deterministic"] == false || case["udf"] == true || case["kind"] == "checkpoint" {
        return Ok(0);
    }
    let bytes = fs::read(path.with_extension("model")).unwrap();
    let file = ModelFile::new(&bytes);
    let validation =
        validate(parse(&file, &Limits::default()).map_err(|e| e.to_string())?, &ValidateOptions::default());
    let model = validation.model.ok_or("is not valid")?;
    let arrays = unpacked(&fs::read(path.with_extension("npz")).unwrap());
    let feeds: HashMap<String, Array> =
        list(&case["inputs"]).iter().map(|v| (key(&case, v).to_owned(), described(&arrays, v))).collect();
    let evaluation = evaluate(&model, &feeds, model.outputs(), &Options::default()).map_err(|e| e.to_string())?;
    for (place, v) in list(&case["outputs"]).iter().enumerate() {
        // CNTK's order of a v1 file's outputs may differ, so they are matched by name.
        let mut named = evaluation.outputs.iter().filter(|o| !o.name.is_empty() && o.name == text(&v["name"]));
        let Some(output) = named.next().filter(|_| named.next().is_none()).or(evaluation.outputs.get(place)) else {
            return Err(format!("no output {}", text(&v["uid"])));
        };
        compare(&case, v, &described(&arrays, v), output).map_err(|why| format!("{}: {why}", output.uid))?;
    }
    Ok(evaluation.outputs.len())
}

/// The key of an input: its name if that is unique, because a v1 file does not contain the uids; else its uid.
fn key<'c>(case: &'c Value, v: &'c Value) -> &'c str {
    let name = text(&v["name"]);
    let unique = list(&case["inputs"]).iter().filter(|other| text(&other["name"]) == name).count() == 1;
    if unique && !name.is_empty() { name } else { text(&v["uid"]) }
}

fn unpacked(archive: &[u8]) -> Arrays {
    let archive = ZipArchive::from_slice(archive).unwrap();
    let (mut all, mut entries) = (Arrays::new(), archive.entries());
    while let Some(header) = entries.next_entry().unwrap() {
        let name = String::from_utf8(header.file_path().as_bytes().to_vec()).unwrap();
        let data = archive.get_entry(header.wayfinder()).unwrap();
        let mut bytes = Vec::new();
        match header.compression_method() {
            CompressionMethod::STORE => bytes.extend(data.data()),
            _ => drop(DeflateDecoder::new(data.data()).read_to_end(&mut bytes).unwrap()),
        }
        all.insert(name, bytes);
    }
    all
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The array of an input or output, with its lengths.
fn described(arrays: &Arrays, v: &Value) -> Array {
    let lengths = v["lengths"].as_str().map(|key| numbers(arrays, key).1.iter().map(|n| *n as usize).collect());
    let (shape, values) = numbers(arrays, text(&v["array"]));
    Array { shape, values, lengths }
}

fn numbers(arrays: &Arrays, key: &str) -> (Vec<usize>, Vec<f64>) {
    fn all<T: npyz::Deserialize, R: Read>(file: NpyFile<R>, number: impl Fn(T) -> f64) -> Vec<f64> {
        file.into_vec::<T>().unwrap().into_iter().map(number).collect()
    }
    let bytes = arrays.get(&format!("{key}.npy")).unwrap_or_else(|| panic!("no array {key}"));
    let file = NpyFile::new(bytes.as_slice()).unwrap();
    let shape = file.shape().iter().map(|n| *n as usize).collect();
    let values = match file.dtype().descr().trim_matches('\'') {
        "<f8" => all::<f64, _>(file, |x| x),
        "<f4" => all::<f32, _>(file, f64::from),
        "<f2" => all::<half::f16, _>(file, f64::from),
        "<i8" => all::<i64, _>(file, |x| x as f64),
        other => panic!("{key}: {other}"),
    };
    (shape, values)
}

/// Compares the type, shape, lengths and numbers of an output with CNTK's.
fn compare(case: &Value, v: &Value, wanted: &Array, got: &Evaluated) -> Result<(), String> {
    let data_type = match text(&v["dtype"]) {
        "float64" => DataType::Double,
        "float16" => DataType::Float16,
        _ => DataType::Float,
    };
    if got.data_type != data_type || got.array.shape != wanted.shape {
        return Err(format!("{:?} {:?}, CNTK {data_type:?} {:?}", got.data_type, got.array.shape, wanted.shape));
    }
    if wanted.lengths.is_some() && got.array.lengths != wanted.lengths {
        return Err(format!("lengths {:?}, CNTK {:?}", got.array.lengths, wanted.lengths));
    }
    let (relative, absolute) = tolerance(case);
    let width = wanted.shape.iter().skip(2).product::<usize>().max(1);
    let valid = |i: usize| match &wanted.lengths {
        Some(lengths) => i / width % wanted.shape[1] < lengths[i / width / wanted.shape[1]],
        None => true,
    };
    let near = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= absolute + relative * b.abs();
    let pairs = got.array.values.iter().zip(&wanted.values).enumerate();
    match pairs.filter(|(i, _)| valid(*i)).find(|(_, (a, b))| !near(**a, **b)) {
        None => Ok(()),
        Some((i, (a, b))) => Err(format!("element {i} is {a}, CNTK's is {b}")),
    }
}

/// The tolerance of the case, limited; 1e-2 in half precision.
fn tolerance(case: &Value) -> (f64, f64) {
    let ports = list(&case["inputs"]).iter().chain(list(&case["outputs"]));
    let (relative, absolute) =
        if ports.into_iter().any(|v| v["dtype"] == "float16") { (1e-2, 1e-2) } else { (1e-4, 1e-5) };
    let own = |key: &str, most: f64| case[key].as_f64().unwrap_or(0.0).min(most);
    (own("rtol", 1e-3).max(relative), own("atol", 1e-4).max(absolute))
}

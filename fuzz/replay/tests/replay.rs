//! Runs every fuzz target over every stored input: seeds, regressions, labelled hostile files and real models.
//! `TARGET=parse` runs one target alone.

use cntk_fuzz::targets;
use std::io::Read;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// Targets whose input is a model file. The others have formats of their own.
const READ_MODELS: [&str; 9] =
    ["wire", "container", "dictionary", "parse", "validate", "convert", "pytorch", "differential", "roundtrip"];
/// The largest model in bytes. Larger ones take long and show nothing new.
const LARGEST: usize = 64 << 10;

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn seeds() {
    // A campaign has larger corpora than the repository.
    let folder = std::env::var_os("SEEDS").map_or_else(|| corpus().join("seeds"), PathBuf::from);
    replay(|target| {
        let archive = folder.join(format!("{target}_seed_corpus.zip"));
        if archive.is_file() { unpacked(&archive) } else { contents(files(&folder.join(target))) }
    });
}

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn regressions() {
    replay(|target| contents(files(&corpus().join("regress").join(target))));
}

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn hostile_files() {
    let models = contents(models("hostile"));
    replay(|target| if READ_MODELS.contains(&target) { models.clone() } else { Vec::new() });
}

#[test]
#[cfg_attr(debug_assertions, ignore = "part of the whole: cargo test --workspace --profile fast")]
fn real_models() {
    let models = contents(["ops", "attributes", "zoo", "v1"].into_iter().flat_map(models).collect());
    // One in eight is enough for the cheap targets: the rest differ in their numbers only.
    let some: Vec<_> = models.iter().step_by(8).cloned().collect();
    replay(|target| match target {
        "convert" | "pytorch" | "roundtrip" => models.clone(),
        target if READ_MODELS.contains(&target) => some.clone(),
        _ => Vec::new(),
    });
}

/// A name, and the bytes.
type Input = (String, Vec<u8>);

/// Runs the targets over their inputs and lists all failures.
fn replay(inputs: impl Fn(&str) -> Vec<Input>) {
    let only = std::env::var("TARGET").ok();
    let mut failed = Vec::new();
    for (name, target) in targets::ALL.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name)) {
        let inputs = inputs(name);
        for (input, bytes) in &inputs {
            if catch_unwind(|| target(bytes)).is_err() {
                failed.push(format!("{name}: {input}"));
            }
        }
        println!("{name}: {} inputs", inputs.len());
    }
    assert!(failed.is_empty(), "{} inputs break a promise:\n{}", failed.len(), failed.join("\n"));
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus")
}

/// The files of a folder, in order; none if there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

fn models(folder: &str) -> Vec<PathBuf> {
    let mut found = files(&corpus().join(folder));
    let is_model = |name: &str| name.ends_with(".model") || name.ends_with(".model.gz");
    found
        .retain(|path| path.to_str().is_some_and(is_model) && path.metadata().is_ok_and(|m| m.len() <= LARGEST as u64));
    assert!(!found.is_empty(), "no models in {folder}");
    found
}

fn contents(paths: Vec<PathBuf>) -> Vec<Input> {
    paths.into_iter().map(|path| (path.display().to_string(), read(&path))).collect()
}

/// The files of an archive, which are deflated.
fn unpacked(archive: &Path) -> Vec<Input> {
    let bytes = std::fs::read(archive).unwrap();
    let zip = rawzip::ZipArchive::from_slice(bytes.as_slice()).unwrap();
    let mut inputs = Vec::new();
    let mut entries = zip.entries();
    while let Some(entry) = entries.next_entry().unwrap() {
        let name = format!("{} in {}", String::from_utf8_lossy(entry.file_path().as_bytes()), archive.display());
        let stored = zip.get_entry(entry.wayfinder()).unwrap();
        let mut input = Vec::new();
        stored.verifying_reader(flate2::bufread::DeflateDecoder::new(stored.data())).read_to_end(&mut input).unwrap();
        inputs.push((name, input));
    }
    assert!(!inputs.is_empty(), "{} is empty", archive.display());
    inputs
}

fn read(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_some_and(|e| e == "gz") {
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).unwrap();
        return unpacked;
    }
    bytes
}

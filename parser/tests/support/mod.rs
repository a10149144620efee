//! The corpus, as the tests see it.

pub mod nodes;

use std::io::Read;
use std::path::{Path, PathBuf};

/// A file of the corpus, unpacked.
#[allow(dead_code, reason = "not every test reads every field")]
pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
    pub label: serde_json::Value,
}

/// Every `.model` and `.model.gz` of a folder of the corpus with its label, in order.
pub fn cases(folder: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let cases: Vec<Case> = paths.iter().filter_map(|path| case(path)).collect();
    assert!(!cases.is_empty(), "no models in {}", folder.display());
    cases
}

fn case(path: &Path) -> Option<Case> {
    let file = path.file_name()?.to_str()?;
    let (name, bytes) = if let Some(name) = file.strip_suffix(".model") {
        (name, std::fs::read(path).unwrap())
    } else {
        let name = file.strip_suffix(".model.gz")?;
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
        (name, bytes)
    };
    let label = std::fs::read(path.with_file_name(format!("{name}.json"))).unwrap();
    Some(Case { name: name.to_owned(), bytes, label: serde_json::from_slice(&label).unwrap() })
}

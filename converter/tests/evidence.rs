//! What evidence costs for the models of `corpus/zoo`, in the evaluator's own count. It has to stay a small part of a conversion, which no
//! test can time on a busy machine; `benches/evidence.py` does. A change of `evidence.txt` is a change of that cost. `BLESS=1` writes it.

use cntk_parser::{Limits, ModelFile, ValidateOptions, parse, validate};
use cntk2onnx::Options;
use cntk2onnx::internals::evidence::{WORK, within_budget};
use std::fmt::Write;
use std::fs;
use std::path::Path;

#[test]
fn evidence_for_real_networks_costs_what_is_recorded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut models: Vec<_> = fs::read_dir(root.join("../corpus/zoo"))
        .expect("the corpus is here")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|e| e == "model"))
        .collect();
    models.sort_unstable();
    let (mut text, mut all) = (String::new(), 0);
    for path in &models {
        let bytes = fs::read(path).expect("it can be read");
        let file = ModelFile::new(&bytes);
        let parsed = parse(&file, &Limits::default()).expect("a real model");
        let model = validate(parsed, &ValidateOptions::default()).model.expect("a sound model");
        let cost = match within_budget(&model, &Options::default(), true) {
            Ok(sampled) => {
                assert!(sampled.work <= WORK, "{}: {}", path.display(), sampled.work);
                all += sampled.work;
                format!("{} multiply-adds", sampled.work)
            }
            Err(why) => format!("none: {why}"),
        };
        let name = path.file_stem().expect("it has a name").to_string_lossy();
        writeln!(text, "{name}: {cost}").expect("it is a string");
    }
    // A conversion of one of these takes as long as millions of multiply-adds.
    assert!(all / models.len() as u64 <= WORK / 4, "{all} for {} models", models.len());
    cntk_testing::golden::check(root.join("tests/evidence.txt"), &text);
}

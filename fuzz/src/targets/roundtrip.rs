//! Round trip: a model that is read, written by prost and read again is the same model.

use crate::nodes::{File, compare};
use crate::tree;
use cntk_parser::fuzzing;
use cntk_parser::model::Container;
use cntk_parser::{Limits, ModelFile, ValidateOptions, Validation, parse, validate};
use prost::Message;

/// Reads `data`, writes it anew and reads that.
pub fn run(data: &[u8]) {
    if data.starts_with(b"B\0C\0N\0") {
        return nodes(data);
    }
    let limits = Limits::default();
    let tail = data.starts_with(b"ktnc");
    let Ok((read, _)) = fuzzing::dictionary(data, tail, &limits) else { return };
    let message = tree::dictionary(read);
    let bytes = message.encode_to_vec();
    let (again, _) = fuzzing::dictionary(&bytes, tail, &limits)
        .unwrap_or_else(|e| panic!("what prost wrote of a sound dictionary is refused: {e}"));
    assert_eq!(tree::dictionary(again).encode_to_vec(), bytes);
    let file = ModelFile::new(data);
    let Ok(model) = parse(&file, &limits) else { return };
    if model.container != Container::Plain {
        return;
    }
    let file = ModelFile::new(&bytes);
    let second = parse(&file, &limits).unwrap_or_else(|e| panic!("what prost wrote of a model is refused: {e}"));
    let counts = (model.functions.len(), model.variables.len());
    assert_eq!(counts, (second.functions.len(), second.variables.len()));
    let options = ValidateOptions::default();
    assert_eq!(rules(validate(model, &options)), rules(validate(second, &options)));
}

/// The same for a file of CNTK 1, whose other reader and writer are those of [`crate::nodes`].
fn nodes(data: &[u8]) {
    let (file, limits) = (ModelFile::new(data), Limits::default());
    let Ok(model) = parse(&file, &limits) else { return };
    let tree = File::decode(data).unwrap_or_else(|| panic!("the other reader refuses what was read"));
    compare(&model, &tree);
    let bytes = tree.encode();
    assert_eq!(bytes, data, "what was read is written as it was");
    let file = ModelFile::new(&bytes);
    let second = parse(&file, &limits).unwrap_or_else(|e| panic!("what was written is refused: {e}"));
    let options = ValidateOptions::default();
    assert_eq!(rules(validate(model, &options)), rules(validate(second, &options)));
}

/// The verdict without the places, which move.
fn rules(verdict: Validation<'_>) -> (bool, Vec<(&'static str, String, String)>) {
    let findings = verdict.findings.into_iter().map(|f| (f.rule, f.path, f.message)).collect();
    (verdict.model.is_some(), findings)
}

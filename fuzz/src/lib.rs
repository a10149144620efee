//! What is fuzzed, and how: targets as plain functions of bytes, a mutator that knows the format, a generator of valid
//! models, and the meter that watches memory and time.
//!
//! A target returns when all is well and panics when a promise is broken. `fuzz_targets/` gives them to libFuzzer,
//! `replay/` runs them over the stored corpora under plain `cargo test`.

#[allow(missing_docs, reason = "inside, names say it")]
pub mod generate;
pub mod meter;
pub mod mutate;
pub mod onnx;
pub mod python;
pub mod schema;
pub mod targets;
pub mod tree;

/// Runs a target over the files that the command line names: for a look at one input without a fuzzing engine.
pub fn run_files(target: fn(&[u8])) {
    for path in std::env::args_os().skip(1) {
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        target(&bytes);
    }
}

//! Fuzzing: targets as plain functions of bytes, a mutator that knows the format, a generator of valid models, and a
//! meter of memory and time.
//!
//! A target panics if a check fails. `fuzz_targets/` makes the targets available to libFuzzer; `replay/` runs them over
//! the stored corpora in `cargo test`.

#[allow(missing_docs, reason = "inside, names say it")]
pub mod generate;
pub mod meter;
pub mod mutate;
#[allow(missing_docs, reason = "inside, names say it")]
pub mod nodes;
pub mod onnx;
pub mod python;
pub mod schema;
pub mod targets;
pub mod tree;

/// Runs a target over the files on the command line, to examine single inputs without a fuzzing engine.
pub fn run_files(target: fn(&[u8])) {
    for path in std::env::args_os().skip(1) {
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        target(&bytes);
    }
}

//! Entry point of libFuzzer to [`cntk_fuzz::targets::parse`].
#![cfg_attr(fuzzing, no_main)]
#![allow(missing_docs, unsafe_code, reason = "what libFuzzer's macros make")]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| cntk_fuzz::targets::parse::run(data));

cntk_fuzz::model_mutator!();

#[cfg(not(fuzzing))]
fn main() {
    cntk_fuzz::run_files(cntk_fuzz::targets::parse::run);
}

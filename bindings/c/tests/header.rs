//! The header says what the library exports.

use std::{env, fs, path::Path};

#[test]
fn the_header_is_that_of_the_source() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(crate_folder.join("cbindgen.toml")).unwrap();
    let made = cbindgen::Builder::new()
        .with_config(config)
        .with_src(crate_folder.join("src/lib.rs"))
        .generate()
        .expect("the source is valid Rust");
    let mut text = Vec::new();
    made.write(&mut text);
    let text = String::from_utf8(text).unwrap();
    let path = crate_folder.join("include/cntk2onnx.h");
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "include/cntk2onnx.h is old: BLESS=1 cargo test -p cntk2onnx-c --test header");
}

//! `bundle LIBRARY.wasm FOLDER`: writes `engine.js` and `engine_bg.wasm`, what wasm-bindgen makes of the library.

use anyhow::{Context, Result};
use std::env;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = env::args_os().skip(1);
    let mut next = || arguments.next().context("bundle LIBRARY.wasm FOLDER");
    let (library, folder) = (next()?, next()?);
    let mut bindgen = Bindgen::new();
    bindgen.input_path(library).out_name("engine").typescript(false).omit_default_module_path(true).web(true)?;
    bindgen.remove_name_section(true).remove_producers_section(true).generate(folder)
}

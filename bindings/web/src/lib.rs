//! The library for a page: a file that JavaScript reads piece by piece goes in, a report or the parts of a download come out.
//!
//! Most of a file are weights, which are not needed to examine the model. So only the parts are read on which a result
//! depends: see [`mod@skim`] and [`Loaded`].
#![allow(
    unsafe_code,
    reason = "wasm-bindgen writes the boundary, and memory that is only reserved has to be had by hand"
)]
#![deny(unsafe_op_in_unsafe_fn)]

mod arena;
mod download;
mod loaded;
mod settings;
pub mod skim;
#[cfg(test)]
mod tests;

pub use arena::{Arena, Read};
pub use download::{Parts, Target};
pub use loaded::Loaded;
pub use settings::Settings;

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A file of the page.
    pub type Source;
    /// `length` of its bytes from `offset` on.
    #[wasm_bindgen(method, catch)]
    fn read(this: &Source, offset: f64, length: u32) -> Result<Vec<u8>, JsValue>;

    /// Receives the files of a download, one after another.
    pub type Sink;
    /// Begins a file of this name.
    #[wasm_bindgen(method)]
    fn file(this: &Sink, name: &str);
    /// Appends bytes.
    #[wasm_bindgen(method, catch)]
    fn write(this: &Sink, bytes: &[u8]) -> Result<(), JsValue>;
    /// Appends `length` bytes of the source from `offset` on.
    #[wasm_bindgen(method, catch)]
    fn copy(this: &Sink, offset: f64, length: f64) -> Result<(), JsValue>;
}

/// A defect of the library becomes an exception that says where it is.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|panic| wasm_bindgen::throw_str(&panic.to_string())));
}

/// One file that was opened.
#[wasm_bindgen]
pub struct Session {
    source: Source,
    loaded: Loaded,
}

#[wasm_bindgen]
impl Session {
    /// Reads the parts of a file that its verdict needs. `settings` are lines `name=value`.
    #[wasm_bindgen(constructor)]
    pub fn new(source: Source, size: f64, name: String, settings: &str) -> Result<Self, JsError> {
        let settings = Settings::parse(settings).map_err(|e| JsError::new(&e))?;
        let loaded = Loaded::open(&source, size as u64, name, settings).map_err(|e| JsError::new(&e))?;
        Ok(Self { source, loaded })
    }

    /// The report: the inside of a page's body.
    pub fn report(&mut self) -> String {
        self.loaded.report()
    }

    /// May the model be used?
    pub fn valid(&self) -> bool {
        self.loaded.valid()
    }

    /// Have all bytes of the file been looked at?
    pub fn complete(&self) -> bool {
        self.loaded.complete()
    }

    /// Writes the files of a download: `onnx`, `pytorch` or `safetensors`. Gives what is worth knowing about it, one thing a
    /// line.
    pub fn download(&mut self, target: &str, sink: &Sink) -> Result<String, JsError> {
        let target = Target::parse(target).ok_or_else(|| JsError::new("there is no such download"))?;
        self.loaded.download(&self.source, target, &mut JsParts(sink)).map_err(|e| JsError::new(&e))
    }
}

/// Names, values and meanings of the limits, one a line, with tabs between.
#[wasm_bindgen]
pub fn limits() -> String {
    let list = cntk_parser::Limits::default().list();
    list.map(|(name, value, meaning)| format!("{name}\t{value}\t{meaning}")).join("\n")
}

/// The style sheet of reports.
#[wasm_bindgen]
pub fn style() -> String {
    cntk2onnx::page::STYLE.to_owned()
}

/// The script of reports.
#[wasm_bindgen]
pub fn script() -> String {
    cntk2onnx::page::SCRIPT.to_owned()
}

/// The version of the library.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

impl Read for Source {
    fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, String> {
        Source::read(self, offset as f64, length).map_err(|error| said(&error))
    }
}

struct JsParts<'s>(&'s Sink);

impl Parts for JsParts<'_> {
    fn file(&mut self, name: &str) {
        self.0.file(name);
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.0.write(bytes).map_err(|error| said(&error))
    }

    fn copy(&mut self, offset: u64, length: u64) -> Result<(), String> {
        self.0.copy(offset as f64, length as f64).map_err(|error| said(&error))
    }
}

/// The message of a JavaScript exception.
fn said(error: &JsValue) -> String {
    error.as_string().unwrap_or_else(|| "the browser could not read the file; has it been moved or changed?".to_owned())
}

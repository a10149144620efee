//! The outputs of a migration and their names.

use crate::{commands::convert, target::Target};
use std::ffi::OsString;

/// The suffix of the report on a file, after the stem.
pub const REPORT: &str = ".report.html";

/// An output for a file, by its name below the folder of results.
pub enum Made {
    File(String),
    /// A model, perhaps with its weights in `NAME.data`.
    Onnx(String),
    Folder(String),
}

/// The names of the outputs for a file.
pub struct Files<'a> {
    stem: &'a str,
    test_data: bool,
}

impl<'a> Files<'a> {
    /// The names that begin with `stem`, for these options of `convert`.
    pub fn of(stem: &'a str, convert: &[OsString]) -> Self {
        Self { stem, test_data: convert.iter().any(|option| option == "--test-data") }
    }

    /// The name of a result. An ONNX model with test data gets a folder of its own, as in the ONNX Model Zoo.
    pub fn result(&self, target: Target) -> String {
        let suffix = match target {
            Target::Onnx if self.test_data => "_onnx",
            Target::Onnx => ".onnx",
            Target::Pytorch => "_pytorch",
            Target::Safetensors => ".safetensors",
        };
        format!("{}{suffix}", self.stem)
    }

    /// The name of the report on the file.
    pub fn report(&self) -> String {
        format!("{}{REPORT}", self.stem)
    }

    /// Everything that is made for these targets.
    pub fn all(&self, targets: &[Target]) -> Vec<Made> {
        let made = |target: &Target| {
            let name = self.result(*target);
            match target {
                Target::Onnx if !self.test_data => Made::Onnx(name),
                Target::Onnx | Target::Pytorch => Made::Folder(name),
                Target::Safetensors => Made::File(name),
            }
        };
        targets.iter().map(made).chain([Made::File(self.report())]).collect()
    }

    /// The most files that are open at once for these targets, with the report.
    pub fn handles(&self, targets: &[Target]) -> usize {
        let handles = |target: &Target| match target {
            Target::Onnx if self.test_data => convert::TEST_DATA + 2,
            Target::Onnx => 2,
            Target::Pytorch => convert::PYTORCH,
            Target::Safetensors => 1,
        };
        targets.iter().map(handles).sum::<usize>() + 1
    }
}

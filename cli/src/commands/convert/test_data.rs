//! `convert --test-data`: writes `test_data_set_0/` beside the model.

use super::destination::Destination;
use crate::{
    output::{Output, folder},
    terminal::Terminal,
};
use anyhow::{Context, Result, bail};
use cntk2onnx::TestFile;
use std::{fs, io::Write, path::PathBuf};

/// The name of the folder for which `onnx_test_runner` searches.
const NAME: &str = "test_data_set_0";
/// The most inputs, and the most outputs. Their files are opened before the model is examined.
const MOST: usize = 64;

/// How many files are open for the test data of a model.
pub const FILES: usize = 2 * MOST;

/// A folder of tensors being written.
pub struct TestData {
    path: PathBuf,
    /// Is the folder new? Then it is removed if nothing is written.
    made: bool,
    files: Vec<(String, Output)>,
    finished: bool,
}

impl TestData {
    /// Opens all files that may be written.
    pub fn create(destination: &Destination, force: bool) -> Result<Self> {
        if destination.model.is_none() {
            bail!("--test-data goes beside a file: name one with -o");
        }
        let path = folder(&destination.path).join(NAME);
        let made = !path.exists();
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        let names = ["input", "output"].iter().flat_map(|role| (0..MOST).map(move |i| format!("{role}_{i}.pb")));
        let mut data = Self { path, made, files: Vec::new(), finished: false };
        for name in names {
            let file = Output::create(&data.path.join(&name), force)?;
            data.files.push((name, file));
        }
        Ok(data)
    }

    /// Writes the files and gives them their names.
    pub fn finish(mut self, terminal: &Terminal, files: Vec<TestFile>) -> Result<()> {
        let count = files.len();
        for (name, bytes) in files {
            let Some(place) = self.files.iter().position(|(n, _)| *n == name) else {
                bail!("test data of more than {MOST} inputs or outputs");
            };
            let (_, output) = self.files.swap_remove(place);
            output.file().write_all(&bytes)?;
            output.finish()?;
        }
        self.finished = count > 0;
        terminal.say(format_args!("wrote {}, {count} tensors", self.path.display()));
        Ok(())
    }
}

impl Drop for TestData {
    fn drop(&mut self) {
        self.files.clear();
        if self.made && !self.finished {
            let _ = fs::remove_dir(&self.path);
        }
    }
}

//! PyTorch in a worker process, which runs the emitted tests.

use super::runtime::Made;
use anyhow::{Context, Result, anyhow};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A Python process that gets folders and answers with the results of their tests.
pub struct Worker {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    folder: PathBuf,
}

/// What a test of outputs says.
pub enum Tested {
    Passed,
    /// The outputs, which differ from the expected ones.
    Made(Made),
    Failed(String),
}

impl Worker {
    /// Starts the interpreter.
    pub fn start(python: &Path) -> Result<Self> {
        let script = include_str!("worker.py");
        let mut child = Command::new(python)
            .args(["-W", "ignore", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| python.display().to_string())?;
        let to = child.stdin.take().context("no standard input")?;
        let from = BufReader::new(child.stdout.take().context("no standard output")?);
        let folder = std::env::temp_dir().join(format!("cntk-semantic-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self { child, to, from, folder })
    }

    /// What a module's test of outputs says, where the outputs have these names. The error is the reason why it was not run.
    pub fn check(&mut self, files: &[(&'static str, Vec<u8>)], names: &[&str]) -> Result<Tested, String> {
        let answer = self.ask(files).map_err(|e| e.to_string())?;
        match answer.trim_end().split_once(' ') {
            None if answer.trim_end() == "passed" => Ok(Tested::Passed),
            Some(("skipped", why)) => Err(why.to_owned()),
            Some(("failed", why)) => Ok(Tested::Failed(why.to_owned())),
            Some(("differs", _)) => self.made(names).map(Tested::Made).map_err(|e| e.to_string()),
            _ => Err(format!("the worker says {answer:?}")),
        }
    }

    /// The outputs that the worker stored.
    fn made(&self, names: &[&str]) -> Result<Made> {
        let bytes = fs::read(self.folder.join("made.safetensors"))?;
        let stored = SafeTensors::deserialize(&bytes)?;
        let output = |(i, name): (usize, &&str)| {
            let tensor = stored.tensor(&i.to_string())?;
            Ok(((*name).to_owned(), (tensor.shape().to_vec(), numbers(&tensor)?)))
        };
        names.iter().enumerate().map(output).collect()
    }

    fn ask(&mut self, files: &[(&'static str, Vec<u8>)]) -> Result<String> {
        for (name, bytes) in files {
            fs::write(self.folder.join(name), bytes)?;
        }
        writeln!(self.to, "{}", self.folder.display())?;
        self.to.flush()?;
        let mut answer = String::new();
        self.from.read_line(&mut answer)?;
        Ok(answer)
    }
}

fn numbers(tensor: &TensorView<'_>) -> Result<Vec<f64>> {
    fn all<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes.as_chunks::<N>().0.iter().map(|chunk| number(*chunk)).collect()
    }
    Ok(match tensor.dtype() {
        Dtype::F64 => all(tensor.data(), f64::from_le_bytes),
        Dtype::F32 => all(tensor.data(), |x| f64::from(f32::from_le_bytes(x))),
        Dtype::F16 => all(tensor.data(), |x| half::f16::from_le_bytes(x).to_f64()),
        Dtype::I64 => all(tensor.data(), |x| i64::from_le_bytes(x) as f64),
        other => return Err(anyhow!("an output of {other:?}")),
    })
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

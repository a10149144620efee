//! PyTorch in a worker process, which runs the emitted tests.

use anyhow::{Context, Result};
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

    /// The failure of a module's test of outputs; `None` if it passes. The error is the reason why it was not run.
    pub fn check(&mut self, files: &[(&'static str, Vec<u8>)]) -> Result<Option<String>, String> {
        let answer = self.ask(files).map_err(|e| e.to_string())?;
        match answer.trim_end().split_once(' ') {
            None if answer.trim_end() == "passed" => Ok(None),
            Some(("skipped", why)) => Err(why.to_owned()),
            Some(("failed", why)) => Ok(Some(why.to_owned())),
            _ => Err(format!("the worker says {answer:?}")),
        }
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

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

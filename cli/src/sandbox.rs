//! Gives up what a command no longer needs once its files are open, before it looks at a byte of them: a defect in the
//! reader could then neither open another file, nor reach the network, nor start a program.
//!
//! On Linux by Landlock (files, network, signals) and seccomp (system calls), each where the kernel has it. Elsewhere
//! nothing is given up. The library neither needs this nor knows of it.

use super::{args::Common, terminal::Terminal};
use std::path::{Path, PathBuf};

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
mod calls;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
mod linux;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))))]
mod linux {
    pub(super) fn enter(_: &super::Needs) -> String {
        "none on this system".to_owned()
    }
}

/// What is needed beyond the files that are open already.
#[derive(Default)]
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))),
    allow(dead_code, reason = "nothing is given up there")
)]
pub struct Needs {
    /// Files yet to be opened for reading.
    read: Vec<PathBuf>,
    /// Where finished outputs get their names.
    folders: Vec<PathBuf>,
    /// A second thread.
    threads: bool,
}

impl Needs {
    pub fn nothing() -> Self {
        Self::default()
    }

    pub fn reading(paths: &[PathBuf]) -> Self {
        Self { read: paths.to_vec(), ..Self::default() }
    }

    /// And these files, or those below these folders.
    pub fn and_reading(mut self, paths: &[PathBuf]) -> Self {
        self.read.extend_from_slice(paths);
        self
    }

    /// And these.
    pub fn and(mut self, more: Self) -> Self {
        self.read.extend(more.read);
        self.folders.extend(more.folders);
        self.threads |= more.threads;
        self
    }

    pub fn and_threads(mut self) -> Self {
        self.threads = true;
        self
    }

    pub fn writing<'p>(folders: impl IntoIterator<Item = &'p Path>, threads: bool) -> Self {
        let folders = folders.into_iter().map(Path::to_owned).collect();
        Self { folders, threads, ..Self::default() }
    }
}

/// Gives up everything else, for this thread and those it starts. With `-v` says what could be given up.
pub fn enter(terminal: &Terminal, common: &Common, needs: &Needs) {
    if common.no_sandbox {
        terminal.detail("sandbox: off");
    } else {
        let state = linux::enter(needs);
        terminal.detail(format_args!("sandbox: {state}"));
    }
}

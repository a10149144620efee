//! Once a command has opened its files and before it examines them, gives up all rights that it no longer needs. A
//! defect in the reader then cannot open another file, use the network or start a program.
//!
//! On Linux this uses Landlock (files, network, signals) and seccomp (system calls), as far as the kernel supports
//! them. On other systems it does nothing. The library neither needs this nor knows of it.

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

/// The rights that are still needed, besides the files that are already open.
#[derive(Default)]
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))),
    allow(dead_code, reason = "nothing is given up there")
)]
pub struct Needs {
    /// Files that will be opened for reading.
    read: Vec<PathBuf>,
    /// Folders in which finished outputs get their names.
    folders: Vec<PathBuf>,
    /// Is a second thread needed?
    threads: bool,
}

impl Needs {
    pub fn nothing() -> Self {
        Self::default()
    }

    pub fn reading(paths: &[PathBuf]) -> Self {
        Self { read: paths.to_vec(), ..Self::default() }
    }

    /// Adds these files, or the files below these folders.
    pub fn and_reading(mut self, paths: &[PathBuf]) -> Self {
        self.read.extend_from_slice(paths);
        self
    }

    /// Adds the rights in `more`.
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

/// Gives up all other rights, for this thread and those that it starts. With `-v`, prints what could be given up.
pub fn enter(terminal: &Terminal, common: &Common, needs: &Needs) {
    if common.no_sandbox {
        terminal.detail("sandbox: off");
    } else {
        let state = linux::enter(needs);
        terminal.detail(format_args!("sandbox: {state}"));
    }
}

//! Gives up rights that a conversion does not need, so that a defect in it could not use them.

use super::{args::Common, terminal::Terminal};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// What is still needed after the files are open.
pub struct Needs {
    folder: Option<PathBuf>,
    threads: bool,
}

impl Needs {
    pub fn nothing() -> Self {
        Self { folder: None, threads: false }
    }

    pub fn reading(_paths: &[PathBuf]) -> Self {
        Self { folder: None, threads: false }
    }

    pub fn writing(_path: &Path, threads: bool) -> Self {
        Self { folder: None, threads }
    }
}

pub fn enter(_terminal: &Terminal, _common: &Common, _needs: &Needs) -> Result<()> {
    Ok(())
}

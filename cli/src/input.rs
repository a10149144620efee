//! The model file, which is read if small and mapped if large.

use super::{args::Common, guard::Mapping, limits::STREAM, sibling::Sibling, signed::Signed, terminal};
use anyhow::{Context, Result, bail};
use cntk_parser::{Finding, Severity};
use std::{
    error, fmt,
    fs::{self, File, Metadata},
    io::{self, Read},
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Larger files are mapped. Reading this much takes a few milliseconds, and the content then cannot change any more.
const READ_WHOLE: u64 = 16 << 20;

/// An open model.
pub struct Input {
    /// The name that the user gave.
    pub name: String,
    /// `None` for standard input.
    pub path: Option<PathBuf>,
    /// `path` without links and relative parts, if a signature is required; `None` for standard input.
    pub real_path: Option<PathBuf>,
    /// What its name says about a better file beside it.
    pub sibling: Option<Sibling>,
    /// The bundle that must contain the digest of the bytes.
    pub signed: Option<Arc<Signed>>,
    bytes: Bytes,
    /// The file and its metadata when it was opened, if it is mapped.
    mapped: Option<(File, Metadata)>,
}

enum Bytes {
    Read(Vec<u8>),
    Mapped(Mapping),
}

impl Input {
    /// Opens a model; `-` is standard input. A file over the limit of the command line is not read and gives
    /// [`TooLarge`].
    pub fn open(path: &Path, common: &Common) -> Result<Self> {
        let limit = common.limits.size;
        if path.as_os_str() == "-" {
            let name = "<stdin>".to_owned();
            let bytes = read(&mut io::stdin().lock(), 0, limit.unwrap_or(STREAM)).context("<stdin>")?;
            return Ok(Self {
                name,
                path: None,
                real_path: None,
                sibling: None,
                signed: None,
                bytes: Bytes::Read(bytes),
                mapped: None,
            });
        }
        let name = path.display().to_string();
        Self::open_file(path, &name, limit).with_context(|| name)
    }

    fn open_file(path: &Path, name: &str, limit: Option<u64>) -> Result<Self> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            bail!("is a directory");
        }
        let regular = metadata.is_file();
        let limit = limit.unwrap_or(if regular { u64::MAX } else { STREAM });
        if metadata.len() > limit {
            bail!(TooLarge { limit });
        }
        let bytes = if regular && metadata.len() > READ_WHOLE {
            let shown = terminal::printable(name);
            let cut = format!("error: {shown}: the file was cut short while it was being read\n");
            match Mapping::new(&file, Some(cut)) {
                Ok(map) => Bytes::Mapped(map),
                // Some file systems do not support mapping.
                Err(_) => Bytes::Read(read(&mut file, metadata.len(), limit)?),
            }
        } else {
            Bytes::Read(read(&mut file, metadata.len(), limit)?)
        };
        Ok(Self {
            name: name.to_owned(),
            path: Some(path.to_owned()),
            real_path: None,
            sibling: Sibling::of(path),
            signed: None,
            mapped: matches!(bytes, Bytes::Mapped(_)).then_some((file, metadata)),
            bytes,
        })
    }

    /// Requires that the bundle contains the digest of the bytes.
    pub fn signed_by(mut self, signed: Option<&Arc<Signed>>) -> Self {
        self.signed = signed.cloned();
        self.real_path = self.path.as_ref().filter(|_| signed.is_some()).and_then(|path| fs::canonicalize(path).ok());
        self
    }

    /// The file, if it is so large that its weights should not be read into this process.
    pub fn mapped(&self) -> Option<&File> {
        self.mapped.as_ref().map(|(file, _)| file)
    }

    /// Checks that a mapped file was not written to since it was opened.
    pub fn unchanged(&self) -> Result<()> {
        let Some((file, then)) = &self.mapped else { return Ok(()) };
        let now = file.metadata()?;
        if now.len() != then.len() || now.modified().ok() != then.modified().ok() {
            bail!("{}: the file was altered while it was being read", self.name);
        }
        Ok(())
    }
}

impl Deref for Input {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Read(bytes) => bytes,
            Bytes::Mapped(map) => map,
        }
    }
}

/// Reads everything if it is at most `limit` bytes. No memory is used for more than that.
fn read(from: &mut dyn Read, length: u64, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length.min(READ_WHOLE) as usize);
    let mut from = from.take(limit);
    from.read_to_end(&mut bytes)?;
    let rest = from.into_inner();
    if bytes.len() as u64 == limit && rest.read(&mut [0])? > 0 {
        bail!(TooLarge { limit });
    }
    Ok(bytes)
}

/// A file of more bytes than `--max-size` allows.
#[derive(Debug)]
pub struct TooLarge {
    limit: u64,
}

impl TooLarge {
    pub const HINT: &str = "if the file is trusted, raise the limit with --max-size";

    /// The error as a finding.
    pub fn finding(&self) -> Finding {
        let message = format!("the file is over the limit `size` of {} bytes", self.limit);
        Finding { rule: "limit", severity: Severity::Error, offset: self.limit, path: String::new(), message }
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.finding().fmt(f)
    }
}

impl error::Error for TooLarge {}

/// Reads at an offset, whoever else reads the file.
#[cfg(unix)]
pub fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

/// Reads at an offset, whoever else reads the file.
#[cfg(windows)]
pub fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

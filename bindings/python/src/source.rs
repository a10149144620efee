//! The source of a model's bytes: a path, `bytes`, any buffer, or an open file.

use cntk2onnx_cli::files::Mapping;
use pyo3::{
    exceptions::{PyOSError, PyTypeError, PyValueError},
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyBytes, PyMemoryView},
};
use std::{
    fs::{File, Metadata},
    io::{self, Read},
    ops::Deref,
    path::{Path, PathBuf},
};

/// Larger files are mapped. Reading this much takes a few milliseconds, and the content then cannot change any more.
const READ_WHOLE: u64 = 1 << 20;

/// The bytes of a model, and the file that they are mapped from.
pub struct Source {
    bytes: Bytes,
    /// The name of the file without its suffix; empty without a file.
    pub stem: String,
    path: Option<PathBuf>,
}

enum Bytes {
    Python(PyBackedBytes),
    Read(Vec<u8>),
    Mapped { mapping: Mapping, file: File, opened: Metadata },
}

impl Source {
    /// Takes `str`, `os.PathLike`, `bytes`, an object with the buffer protocol, or one with `read()`. `most` bounds what
    /// is read into memory.
    pub fn of(object: &Bound<'_, PyAny>, most: u64) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::memory(Bytes::Python(bytes.clone().into())));
        }
        if let Ok(view) = PyMemoryView::from(object) {
            // A copy, as it may change: what is checked must be what is used.
            let bytes = view.call_method0("tobytes")?.cast_into::<PyBytes>()?;
            return Ok(Self::memory(Bytes::Python(bytes.into())));
        }
        if let Ok(path) = object.extract::<PathBuf>() {
            let shown = path.clone();
            let opened = object.py().detach(|| Self::open(path, most));
            return opened.map_err(|e| with_path(e, &shown));
        }
        if object.hasattr("read")? {
            let mut all = Vec::new();
            loop {
                let piece = object.call_method1("read", (READ_WHOLE,))?;
                let Ok(piece) = piece.cast_into::<PyBytes>() else {
                    return Err(PyTypeError::new_err("the file is open in text mode: open it with 'rb'"));
                };
                if piece.as_bytes().is_empty() {
                    return Ok(Self::memory(Bytes::Read(all)));
                }
                all.extend_from_slice(piece.as_bytes());
                if all.len() as u64 > most {
                    return Err(PyValueError::new_err(format!("the file holds more than max_size, {most} bytes")));
                }
            }
        }
        let kind = object.get_type().name()?;
        Err(PyTypeError::new_err(format!("a model is a path, bytes, a buffer or a binary file, not {kind}")))
    }

    fn memory(bytes: Bytes) -> Self {
        Self { bytes, stem: String::new(), path: None }
    }

    fn open(path: PathBuf, most: u64) -> io::Result<Self> {
        let mut file = File::open(&path)?;
        let opened = file.metadata()?;
        if opened.is_dir() {
            return Err(is_a_directory());
        }
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        if opened.is_file()
            && opened.len() > READ_WHOLE
            && let Ok(mapping) = Mapping::new(&file, None)
        {
            return Ok(Self { bytes: Bytes::Mapped { mapping, file, opened }, stem, path: Some(path) });
        }
        let mut bytes = Vec::new();
        (&mut file).take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(io::Error::other(format!("holds more than max_size, {most} bytes")));
        }
        Ok(Self { bytes: Bytes::Read(bytes), stem, path: Some(path) })
    }

    /// The path that it was loaded from.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Raises `OSError` if the file was altered since it was opened.
    pub fn unchanged(&self) -> PyResult<()> {
        let (Bytes::Mapped { mapping, file, opened }, Some(path)) = (&self.bytes, &self.path) else { return Ok(()) };
        let now = file.metadata().map_err(|e| with_path(e, path))?;
        if mapping.is_lost() || now.len() != opened.len() || now.modified().ok() != opened.modified().ok() {
            return Err(PyOSError::new_err(format!("{}: the file was altered while it was in use", path.display())));
        }
        Ok(())
    }
}

impl Deref for Source {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Python(bytes) => bytes,
            Bytes::Read(bytes) => bytes,
            Bytes::Mapped { mapping, .. } => mapping,
        }
    }
}

#[cfg(unix)]
fn is_a_directory() -> io::Error {
    io::Error::from_raw_os_error(libc::EISDIR)
}

#[cfg(not(unix))]
fn is_a_directory() -> io::Error {
    io::ErrorKind::IsADirectory.into()
}

/// The `OSError` subclass that Python itself would raise.
fn with_path(error: io::Error, path: &Path) -> PyErr {
    match error.raw_os_error() {
        Some(number) => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((number, text, path.display().to_string()))
        }
        None => PyOSError::new_err(format!("{}: {error}", path.display())),
    }
}

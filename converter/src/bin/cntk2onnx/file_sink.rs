//! A sink that is a file and lets the kernel copy weights.

use cntk2onnx::onnx::write::{Sink, WriteError};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
};

/// Appends to a file or to standard output.
pub struct FileSink<'f, W> {
    out: W,
    /// The file behind the source bytes. Without it, weights are written from memory.
    source: Option<&'f File>,
}

impl<'f, W: Write> FileSink<'f, W> {
    pub fn new(out: W, source: Option<&'f File>) -> Self {
        Self { out, source }
    }
}

impl Sink for FileSink<'_, &File> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.out.write_all(bytes).map_err(WriteError::Sink)
    }

    fn copy_from_source(&mut self, source: &[u8], range: Range<usize>) -> Result<(), WriteError> {
        let Some(mut file) = self.source else { return self.write(&source[range]) };
        file.seek(SeekFrom::Start(range.start as u64)).map_err(WriteError::Source)?;
        // The standard library does this by copy_file_range, sendfile or splice where the system has them.
        let wanted = range.len() as u64;
        match io::copy(&mut file.take(wanted), &mut self.out).map_err(WriteError::Sink)? {
            copied if copied == wanted => Ok(()),
            _ => Err(WriteError::Source(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

impl Sink for FileSink<'_, io::StdoutLock<'_>> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.out.write_all(bytes).map_err(WriteError::Sink)
    }
}

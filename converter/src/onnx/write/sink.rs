//! Where the bytes go.

use super::WriteError;
use std::ops::Range;

/// Receives a file from its beginning to its end.
pub trait Sink {
    /// Appends `bytes`.
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError>;

    /// Appends `source[range]`. A sink that knows the file behind `source` can let the operating system copy it, so that
    /// the weights never pass through this process.
    fn copy_from_source(&mut self, source: &[u8], range: Range<usize>) -> Result<(), WriteError> {
        self.write(&source[range])
    }
}

impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// Any [`std::io::Write`] as a [`Sink`].
#[derive(Debug)]
pub struct IoSink<W>(pub W);

impl<W: std::io::Write> Sink for IoSink<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.0.write_all(bytes).map_err(WriteError::Sink)
    }
}

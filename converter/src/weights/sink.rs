//! Where the bytes go.

use super::WriteError;
use std::ops::Range;

/// Is called with all bytes that are copied, in order and in pieces of any size.
pub type Passing<'p> = &'p mut dyn FnMut(&[u8]);

/// Receives a file from its beginning to its end.
pub trait Sink {
    /// Appends `bytes`.
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError>;

    /// Appends `source[range]`. A sink that knows the file behind `source` can copy from that file without touching the
    /// mapping. If there is a `passing`, it must be called with all bytes; otherwise the bytes need not pass through
    /// this process at all.
    fn copy_from_source(
        &mut self,
        source: &[u8],
        range: Range<usize>,
        passing: Option<Passing<'_>>,
    ) -> Result<(), WriteError> {
        let bytes = &source[range];
        if let Some(passing) = passing {
            passing(bytes);
        }
        self.write(bytes)
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

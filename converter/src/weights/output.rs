//! A buffered writer on a sink: it collects small writes, passes large ones on, and reports progress.

use super::{Sink, WriteError};
use std::ops::{ControlFlow, Range};

/// Copies smaller than this go through the buffer, because a system call costs more.
const DIRECT: usize = 64 << 10;
/// How many bytes are copied between two reports of progress.
const STRIDE: usize = 32 << 20;
const BUFFER: usize = 256 << 10;

/// Is called from time to time with the number of bytes written to a file, and may stop the work.
pub type Progress<'p> = dyn FnMut(u64) -> ControlFlow<()> + 'p;

pub(crate) struct Output<'s> {
    sink: &'s mut dyn Sink,
    progress: &'s mut Progress<'s>,
    buffer: Vec<u8>,
    written: u64,
}

impl<'s> Output<'s> {
    pub(crate) fn new(sink: &'s mut dyn Sink, progress: &'s mut Progress<'s>) -> Self {
        Self { sink, progress, buffer: Vec::new(), written: 0 }
    }

    /// How much has been written so far.
    pub(crate) fn position(&self) -> u64 {
        self.written
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.written += bytes.len() as u64;
        if bytes.len() >= DIRECT {
            self.drain()?;
            self.sink.write(bytes)?;
            return self.report();
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER { self.drain() } else { Ok(()) }
    }

    pub(crate) fn zeros(&mut self, count: usize) -> Result<(), WriteError> {
        self.written += count as u64;
        self.buffer.resize(self.buffer.len() + count, 0);
        Ok(())
    }

    pub(crate) fn copy(&mut self, source: &[u8], range: Range<usize>) -> Result<(), WriteError> {
        if range.len() < DIRECT {
            return self.write(&source[range]);
        }
        self.drain()?;
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start + STRIDE);
            self.sink.copy_from_source(source, start..end, None)?;
            self.written += (end - start) as u64;
            self.report()?;
            start = end;
        }
        Ok(())
    }

    /// Writes out the buffer. Must be called at the end.
    pub(crate) fn drain(&mut self) -> Result<(), WriteError> {
        if !self.buffer.is_empty() {
            self.sink.write(&self.buffer)?;
            self.buffer.clear();
            self.report()?;
        }
        Ok(())
    }

    fn report(&mut self) -> Result<(), WriteError> {
        match (self.progress)(self.written) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(WriteError::Cancelled),
        }
    }
}

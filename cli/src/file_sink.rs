//! A sink that is a file and copies weights directly from another file.
//!
//! Weights are copied by `pread` and `write` through one small buffer and not through the mapping, whose pages would
//! count as memory of this process and raise SIGBUS if the file shrank. `copy_file_range` would not need the buffer,
//! but takes half as long again: where source and target have different offsets within a page, as tensors of the two
//! formats nearly always do, Linux (6.18, ext4) copies page by page. With pieces that end at a multiple of [`PIECE`] in
//! the output, copying takes at most a tenth longer than `cp`; larger pieces are much slower (`docs/performance.md`).

use super::input::read_at;
use cntk2onnx::{Passing, Sink, WriteError};
use std::{fs::File, io, io::Write, ops::Range};

/// The most bytes that are read and written at a time.
const PIECE: usize = 512 << 10;

/// Appends to a file or to standard output.
pub struct FileSink<'f, W> {
    out: W,
    /// The file behind the source bytes. Without it, weights are written from memory.
    source: Option<&'f File>,
    buffer: Vec<u8>,
    position: usize,
}

impl<'f, W: Write> FileSink<'f, W> {
    pub fn new(out: W, source: Option<&'f File>) -> Self {
        Self { out, source, buffer: vec![], position: 0 }
    }

    /// The part of `wanted` bytes up to the next multiple of [`PIECE`].
    fn piece(&self, wanted: usize) -> usize {
        wanted.min(PIECE - self.position % PIECE)
    }
}

impl<W: Write> Sink for FileSink<'_, W> {
    fn write(&mut self, mut bytes: &[u8]) -> Result<(), WriteError> {
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(self.piece(bytes.len()));
            self.out.write_all(piece).map_err(WriteError::Sink)?;
            self.position += piece.len();
            bytes = rest;
        }
        Ok(())
    }

    fn copy_from_source(
        &mut self,
        source: &[u8],
        range: Range<usize>,
        mut passing: Option<Passing<'_>>,
    ) -> Result<(), WriteError> {
        let Some(file) = self.source else {
            if let Some(passing) = passing {
                passing(&source[range.clone()]);
            }
            return self.write(&source[range]);
        };
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(PIECE, 0);
        let mut at = range.start;
        while at < range.end {
            let wanted = self.piece(range.end - at);
            let read = match read_at(file, &mut buffer[..wanted], at as u64) {
                Ok(0) => return Err(WriteError::Source(io::ErrorKind::UnexpectedEof.into())),
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(WriteError::Source(e)),
            };
            if let Some(passing) = &mut passing {
                passing(&buffer[..read]);
            }
            self.out.write_all(&buffer[..read]).map_err(WriteError::Sink)?;
            self.position += read;
            at += read;
        }
        self.buffer = buffer;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_come_from_the_file() {
        let path = std::env::temp_dir().join(format!("cntk2onnx-sink-{}", std::process::id()));
        let bytes: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let file = File::open(&path).unwrap();
        let mut out = vec![];
        let mut sink = FileSink::new(&mut out, Some(&file));
        sink.write(b"head").unwrap();
        sink.copy_from_source(&[], 7..2_000_000, None).unwrap();
        sink.write(&bytes[2_000_000..]).unwrap();
        let beyond = sink.copy_from_source(&[], 2_999_999..3_000_001, None);
        assert!(matches!(beyond, Err(WriteError::Source(_))));
        assert!(out[..4] == *b"head" && out[4..bytes.len() - 3] == bytes[7..]);
        std::fs::remove_file(path).unwrap();
    }
}

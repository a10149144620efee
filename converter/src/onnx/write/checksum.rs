//! The SHA-1 of a written file, for ONNX's `checksum`. It is computed on a second thread if possible, since hashing
//! takes longer than copying.

use crate::weights::{Passing, Sink, WriteError};
use sha1::{Digest, Sha1};
use std::{
    ops::Range,
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread::{self, Builder},
};

/// The size of the pieces in which bytes are copied for the other thread. Only a few wait at a time.
const PIECE: usize = 1 << 20;
const WAITING: usize = 2;

/// Runs `write` on a sink that passes everything on to `sink`, and returns the SHA-1 of all bytes.
pub(super) fn of(
    sink: &mut dyn Sink,
    write: impl FnOnce(&mut dyn Sink) -> Result<(), WriteError>,
) -> Result<[u8; 20], WriteError> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING);
        let (spent, returned) = channel();
        let thread = Builder::new().spawn_scoped(scope, move || digest(&receiver, &spent));
        let Ok(thread) = thread else {
            let mut inline = Inline { sink, state: Sha1::new() };
            write(&mut inline)?;
            return Ok(inline.state.finalize().into());
        };
        // The sink owns the sender, and the thread ends when the sender is dropped.
        write(&mut Tee { sink, pieces: Pieces { sender, returned } })?;
        thread.join().map_err(|_| WriteError::Source(std::io::Error::other("the hashing thread stopped")))
    })
}

fn digest(pieces: &Receiver<Vec<u8>>, spent: &Sender<Vec<u8>>) -> [u8; 20] {
    let mut state = Sha1::new();
    for piece in pieces {
        state.update(&piece);
        // At the end, nothing receives it.
        let _ = spent.send(piece);
    }
    state.finalize().into()
}

/// The channels to the other thread and back, which returns the memory of pieces.
struct Pieces {
    sender: SyncSender<Vec<u8>>,
    returned: Receiver<Vec<u8>>,
}

impl Pieces {
    fn send(&self, bytes: &[u8]) {
        for bytes in bytes.chunks(PIECE) {
            let mut piece = self.returned.try_recv().unwrap_or_default();
            piece.clear();
            piece.extend_from_slice(bytes);
            // If the thread has ended, joining it reports the error.
            let _ = self.sender.send(piece);
        }
    }
}

struct Tee<'s> {
    sink: &'s mut dyn Sink,
    pieces: Pieces,
}

impl Sink for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.pieces.send(bytes);
        self.sink.write(bytes)
    }

    fn copy_from_source(
        &mut self,
        source: &[u8],
        range: Range<usize>,
        _: Option<&mut dyn FnMut(&[u8])>,
    ) -> Result<(), WriteError> {
        let Self { sink, pieces } = self;
        sink.copy_from_source(source, range, Some(&mut |bytes| pieces.send(bytes)))
    }
}

struct Inline<'s> {
    sink: &'s mut dyn Sink,
    state: Sha1,
}

impl Sink for Inline<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.state.update(bytes);
        self.sink.write(bytes)
    }

    fn copy_from_source(
        &mut self,
        source: &[u8],
        range: Range<usize>,
        _: Option<Passing<'_>>,
    ) -> Result<(), WriteError> {
        self.sink.copy_from_source(source, range, Some(&mut |bytes| self.state.update(bytes)))
    }
}

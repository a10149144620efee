//! The SHA-1 of what goes to a sink, which is what ONNX's `checksum` holds: computed on a second thread where there can
//! be one, since hashing takes longer than copying.

use super::{Passing, Sink, WriteError};
use sha1::{Digest, Sha1};
use std::{
    ops::Range,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, Builder},
};

/// Bytes are copied for the other thread in pieces of at most this size, of which few wait at a time.
const PIECE: usize = 1 << 20;
const WAITING: usize = 2;

/// Runs `write` on a sink that passes everything on to `sink`, and returns the SHA-1 of it all.
pub(super) fn of(
    sink: &mut dyn Sink,
    write: impl FnOnce(&mut dyn Sink) -> Result<(), WriteError>,
) -> Result<[u8; 20], WriteError> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING);
        let thread = Builder::new().spawn_scoped(scope, move || digest(&receiver));
        let Ok(thread) = thread else {
            let mut inline = Inline { sink, state: Sha1::new() };
            write(&mut inline)?;
            return Ok(inline.state.finalize().into());
        };
        // The sender goes with the sink, and the thread ends with the sender.
        write(&mut Tee { sink, sender })?;
        thread.join().map_err(|_| WriteError::Source(std::io::Error::other("the hashing thread stopped")))
    })
}

fn digest(pieces: &Receiver<Vec<u8>>) -> [u8; 20] {
    let mut state = Sha1::new();
    pieces.iter().for_each(|piece| state.update(piece));
    state.finalize().into()
}

struct Tee<'s> {
    sink: &'s mut dyn Sink,
    sender: SyncSender<Vec<u8>>,
}

/// Hands bytes to the other thread. If it is gone, joining it tells.
fn send(sender: &SyncSender<Vec<u8>>, bytes: &[u8]) {
    for piece in bytes.chunks(PIECE) {
        let _ = sender.send(piece.to_vec());
    }
}

impl Sink for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        send(&self.sender, bytes);
        self.sink.write(bytes)
    }

    fn copy_from_source(
        &mut self,
        source: &[u8],
        range: Range<usize>,
        _: Option<Passing<'_>>,
    ) -> Result<(), WriteError> {
        self.sink.copy_from_source(source, range, Some(&mut |bytes| send(&self.sender, bytes)))
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

//! Reads a file without its large tensors.
//!
//! This only guesses: it follows the two formats roughly and leaves out what looks like the elements of a tensor. Whether it was
//! right is for [`Loaded`](crate::Loaded) to check, which reads the rest where it was not.

mod v1;
mod v2;

use crate::arena::{Arena, Read};
use std::ops::Range;

/// Tensors from this size on are left out.
pub const LARGE: u64 = 256 << 10;

/// Fills an arena with a file, leaving out the elements of tensors of at least `large` bytes.
///
/// # Errors
///
/// The file cannot be read.
pub fn skim(arena: &mut Arena, source: &(impl Read + ?Sized), large: u64) -> Result<(), String> {
    let size = arena.bytes().len() as u64;
    let mut walk = Walk { arena, source, large };
    walk.bytes(0..START)?;
    let begin = &walk.arena.bytes()[..START.min(size) as usize];
    let understood = match begin {
        [b'k', b't', b'n', b'c', a, b, c, d, ..] => {
            let metadata = u32::from_le_bytes([*a, *b, *c, *d]);
            walk.bytes(0..START + u64::from(metadata)).map(|_| true)
        }
        begin if begin.starts_with(v1::BEGIN) => v1::walk(&mut walk, size),
        _ => v2::walk(&mut walk, size),
    }?;
    if understood { Ok(()) } else { arena.fill(source, 0..size) }
}

/// The first bytes, which tell the format of a file.
const START: u64 = 64;

struct Walk<'w, R: ?Sized> {
    arena: &'w mut Arena,
    source: &'w R,
    large: u64,
}

impl<R: Read + ?Sized> Walk<'_, R> {
    /// The bytes of a range, up to the end of the file.
    fn bytes(&mut self, range: Range<u64>) -> Result<&[u8], String> {
        self.arena.fill(self.source, range.clone())?;
        let all = self.arena.bytes();
        let place = |at: u64| usize::try_from(at).unwrap_or(all.len()).min(all.len());
        Ok(&all[place(range.start)..place(range.end).max(place(range.start))])
    }
}

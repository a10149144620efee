//! Memory for a whole file, of which only the parts that are asked for are read.

use std::ops::Range;

/// A file that can be read piece by piece.
pub trait Read {
    /// `length` bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// The message for the user.
    fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, String>;
}

/// As many bytes as the file has. Those that were not read are 0 and, in WebAssembly, take address space but no memory.
pub struct Arena {
    bytes: Bytes,
    block: usize,
    /// Whether each block was read.
    filled: Vec<bool>,
    bound: usize,
}

/// Blocks are read together up to this length.
const LONGEST_READ: usize = 4 << 20;
/// The size of a block: small against a tensor that is worth leaving out.
pub const BLOCK: usize = 64 << 10;

impl Arena {
    /// The largest file that fits, by WebAssembly's pointers.
    pub const MAX: u64 = (1 << 31) - (256 << 20);

    /// Room for `size` bytes, in blocks of `block`.
    ///
    /// # Errors
    ///
    /// The file is too large for a page, or there is no room.
    pub fn new(size: u64, block: usize) -> Result<Self, String> {
        let fits = usize::try_from(size).ok().filter(|_| size <= Self::MAX);
        let size = fits.ok_or("the file is too large for a browser; use the program cntk2onnx")?;
        let bytes = Bytes::zeroed(size).ok_or("the browser has no memory for a file of this size")?;
        Ok(Self { bytes, block, filled: vec![false; size.div_ceil(block)], bound: size })
    }

    /// The bytes; 0 where nothing was read.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get()
    }

    /// The size of a block.
    pub fn block(&self) -> u64 {
        self.block as u64
    }

    /// How many bytes were read.
    pub fn read(&self) -> u64 {
        (self.bytes().len() as u64).saturating_sub(self.missing().iter().map(|r| r.end - r.start).sum())
    }

    /// Reads what is in this range and was not read yet.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn fill(&mut self, source: &(impl Read + ?Sized), range: Range<u64>) -> Result<(), String> {
        let size = self.bytes().len();
        let end = usize::try_from(range.end).unwrap_or(size).min(size);
        let start = usize::try_from(range.start).unwrap_or(size).min(end);
        let (mut block, last) = (start / self.block, end.div_ceil(self.block));
        while block < last {
            let most = (LONGEST_READ / self.block).max(1);
            let run = self.filled[block..last].iter().take(most).take_while(|filled| !**filled).count();
            if run > 0 {
                let from = block * self.block;
                let to = (from + run * self.block).min(size);
                let read = source.read(from as u64, (to - from) as u32)?;
                if read.len() != to - from {
                    return Err("the file has become shorter; open it again".to_owned());
                }
                self.bytes.get_mut()[from..to].copy_from_slice(&read);
                self.filled[block..block + run].fill(true);
            }
            block += run.max(1);
        }
        Ok(())
    }

    /// The ranges that were not read.
    pub fn missing(&self) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = vec![];
        for (i, _) in self.filled.iter().enumerate().filter(|(_, filled)| !**filled) {
            let (start, end) = ((i * self.block) as u64, ((i + 1) * self.block).min(self.bound) as u64);
            match ranges.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => ranges.push(start..end),
            }
        }
        ranges
    }
}

#[cfg(target_arch = "wasm32")]
use fresh::Bytes;
#[cfg(not(target_arch = "wasm32"))]
use plain::Bytes;

/// Pages that a WebAssembly memory grows by are 0, and browsers give them memory when they are first touched. An allocator would
/// touch them all.
#[cfg(target_arch = "wasm32")]
mod fresh {
    use core::arch::wasm32::memory_grow;
    use std::slice;

    const PAGE: usize = 64 << 10;

    /// Never given back: a worker opens one file and ends.
    pub struct Bytes {
        start: *mut u8,
        size: usize,
    }

    impl Bytes {
        pub fn zeroed(size: usize) -> Option<Self> {
            let before = memory_grow::<0>(size.div_ceil(PAGE).max(1));
            (before != usize::MAX).then(|| Self { start: (before * PAGE) as *mut u8, size })
        }

        pub fn get(&self) -> &[u8] {
            // SAFETY: the pages were grown for this value alone and last as long as the program; they are 0 at first.
            unsafe { slice::from_raw_parts(self.start, self.size) }
        }

        pub fn get_mut(&mut self) -> &mut [u8] {
            // SAFETY: as above, and nobody else has the value.
            unsafe { slice::from_raw_parts_mut(self.start, self.size) }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod plain {
    pub struct Bytes(Vec<u8>);

    impl Bytes {
        pub fn zeroed(size: usize) -> Option<Self> {
            Some(Self(vec![0; size]))
        }

        pub fn get(&self) -> &[u8] {
            &self.0
        }

        pub fn get_mut(&mut self) -> &mut [u8] {
            &mut self.0
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::cell::RefCell;

    /// A file in memory that notes what is read of it.
    pub struct File {
        pub bytes: Vec<u8>,
        pub reads: RefCell<Vec<(u64, u32)>>,
    }

    impl File {
        pub fn new(bytes: Vec<u8>) -> Self {
            Self { bytes, reads: RefCell::default() }
        }
    }

    impl Read for File {
        fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, String> {
            self.reads.borrow_mut().push((offset, length));
            let rest = &self.bytes[offset as usize..];
            Ok(rest[..rest.len().min(length as usize)].to_vec())
        }
    }

    #[test]
    fn blocks_are_read_once_and_only_where_needed() {
        let file = File::new((0..100).collect());
        let mut arena = Arena::new(100, 8).unwrap();
        arena.fill(&file, 9..10).unwrap();
        arena.fill(&file, 3..25).unwrap();
        arena.fill(&file, 98..1000).unwrap();
        assert_eq!(*file.reads.borrow(), [(8, 8), (0, 8), (16, 16), (96, 4)]);
        assert_eq!(arena.missing().as_slice(), std::slice::from_ref(&(32..96)));
        assert_eq!(arena.read(), 36);
        assert_eq!(arena.bytes()[31..33], [31, 0]);
        arena.fill(&file, 0..100).unwrap();
        assert_eq!(arena.bytes(), file.bytes);
        assert!(arena.missing().is_empty());
    }

    #[test]
    fn a_file_that_shrinks_or_is_too_large_is_an_error() {
        let file = File::new(vec![1; 50]);
        assert!(Arena::new(60, 8).unwrap().fill(&file, 0..60).is_err());
        assert!(Arena::new(1 << 40, 8).is_err());
        assert!(Arena::new(0, 8).unwrap().missing().is_empty());
    }
}

//! Maps files, and handles a mapped file that becomes shorter while views of it exist.
//!
//! A large model is mapped, so that only the parts that are used are read. If another process truncates the file, an
//! access to a page that no longer exists raises SIGBUS, which would end the interpreter. The handler here replaces the
//! page by zeros and marks the mapping as lost; every later use of the model then raises `OSError`. A fault outside of
//! these mappings is passed on to the previous handler of SIGBUS (for example Python's `faulthandler`).

#![allow(unsafe_code, reason = "mmap and sigaction have no safe interface; the reasons are stated at each use")]

use memmap2::{Mmap, MmapOptions};
use std::{fs::File, io, ops::Deref};

/// A private, read-only mapping of a whole file. Reading it never ends the process.
pub struct Mapping {
    map: Mmap,
    #[cfg(unix)]
    watch: bus::Watch,
}

impl Mapping {
    /// Maps a file.
    ///
    /// # Errors
    ///
    /// The file cannot be mapped, or too many files are mapped already; it can be read instead.
    pub fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the mapping is private and read-only. If the file is truncated, access raises SIGBUS, which `bus`
        // handles. If someone changes its bytes, references into it may see them change: nothing but parsing of plain
        // bytes is done with them, and every index is checked against lengths held outside of the mapping.
        let map = unsafe { MmapOptions::new().map_copy_read_only(file)? };
        #[cfg(unix)]
        let watch = bus::watch(&map).ok_or_else(|| io::Error::other("too many mapped models"))?;
        Ok(Self {
            map,
            #[cfg(unix)]
            watch,
        })
    }

    /// Was the file truncated while it was read?
    pub fn is_lost(&self) -> bool {
        #[cfg(unix)]
        return self.watch.is_lost();
        #[cfg(not(unix))]
        false
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

#[cfg(unix)]
mod bus {
    use std::{
        ffi::c_int,
        ptr,
        sync::{
            OnceLock,
            atomic::{AtomicBool, AtomicUsize, Ordering},
        },
    };

    /// A mapping that the handler knows. A start of 0 is a free slot.
    struct Slot {
        start: AtomicUsize,
        length: AtomicUsize,
        lost: AtomicBool,
    }

    /// The number of slots, which is fixed because the handler may neither lock nor allocate.
    static SLOTS: [Slot; 256] =
        [const { Slot { start: AtomicUsize::new(0), length: AtomicUsize::new(0), lost: AtomicBool::new(false) } }; 256];
    static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

    /// Keeps a slot for as long as the mapping lives.
    pub(super) struct Watch(&'static Slot);

    impl Watch {
        pub(super) fn is_lost(&self) -> bool {
            self.0.lost.load(Ordering::Acquire)
        }
    }

    impl Drop for Watch {
        fn drop(&mut self) {
            self.0.length.store(0, Ordering::Release);
            self.0.start.store(0, Ordering::Release);
        }
    }

    /// Registers a mapping with the handler; `None` if there is no free slot.
    pub(super) fn watch(map: &[u8]) -> Option<Watch> {
        install();
        let start = map.as_ptr() as usize;
        let take = |s: &&Slot| s.start.compare_exchange(0, start, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        let slot = SLOTS.iter().find(take)?;
        slot.lost.store(false, Ordering::Release);
        slot.length.store(map.len(), Ordering::Release);
        Some(Watch(slot))
    }

    fn install() {
        BEFORE.get_or_init(|| {
            // SAFETY: both structures are valid and fully initialised, and `handler` does nothing that is not
            // async-signal-safe.
            unsafe {
                let mut before: libc::sigaction = std::mem::zeroed();
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = handler as extern "C" fn(_, _, _) as libc::sighandler_t;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigaction(libc::SIGBUS, &action, &mut before);
                before
            }
        });
    }

    extern "C" fn handler(_: c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: the kernel passes a valid siginfo to a handler installed with SA_SIGINFO. The page replaced lies in a
        // mapping of ours, which is alive as long as its slot is taken, and is only read. mmap, sysconf, signal and
        // sigaction are plain system calls on the systems that we build for.
        unsafe {
            let at = (*info).si_addr() as usize;
            let ours = |s: &&Slot| at.wrapping_sub(s.start.load(Ordering::Acquire)) < s.length.load(Ordering::Acquire);
            if let Some(slot) = SLOTS.iter().find(ours) {
                let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap_or(4096);
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
                let place = (at & !(page - 1)) as *mut libc::c_void;
                if libc::mmap(place, page, libc::PROT_READ, flags, -1, 0) != libc::MAP_FAILED {
                    slot.lost.store(true, Ordering::Release);
                    return;
                }
            }
            // Not ours: the instruction runs again, under the handler that was there before.
            match BEFORE.get() {
                Some(before) => libc::sigaction(libc::SIGBUS, before, ptr::null_mut()),
                None => libc::signal(libc::SIGBUS, libc::SIG_DFL) as c_int,
            };
        }
    }
}

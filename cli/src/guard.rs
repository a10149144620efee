//! Maps files, and handles a mapped file that becomes shorter.
//!
//! A large model is mapped, not read: only the pages with its structure are ever touched. The drawback is that, if
//! another process truncates the file, an access to a page that no longer exists raises SIGBUS. A lease does not
//! prevent this (owner only, not on every file system), nor does `pread` (the parser borrows one slice). Therefore a
//! signal handler ends the program as other read errors do; outputs are unnamed or temporary until they are complete, so
//! none is left behind. In the Python package, which must not end the interpreter, it replaces the page by zeros and marks
//! the mapping as lost. A fault outside of these mappings is passed on to the previous handler of SIGBUS.
//!
//! A process that *alters* bytes of a mapped file can still make the reader see both versions. Callers detect this
//! afterwards by the file's size and times, and discard the result. Small files are read as a whole and have neither
//! problem.

#![allow(unsafe_code, reason = "mmap and sigaction have no safe interface; the reasons are stated at each use")]

use memmap2::{Mmap, MmapOptions};
use std::{fs::File, io, ops::Deref};

/// A private, read-only mapping of a whole file.
pub struct Mapping {
    map: Mmap,
    #[cfg(unix)]
    watch: bus::Watch,
}

impl Mapping {
    /// Maps a file. If it is truncated while it is read, the process prints `last_words` and ends; without them, the
    /// mapping reads as zeros there and [is lost](Self::is_lost).
    ///
    /// # Errors
    ///
    /// The file cannot be mapped, or too many files are mapped already; it can be read instead.
    pub fn new(file: &File, last_words: Option<String>) -> io::Result<Self> {
        // SAFETY: the mapping is private and read-only. If the file is truncated, access raises SIGBUS, which `bus`
        // handles. If someone changes its bytes, references into it may see them change: nothing but parsing of plain
        // bytes is done with them, and every index is checked against lengths held outside of the mapping.
        let map = unsafe { MmapOptions::new().map_copy_read_only(file)? };
        #[cfg(unix)]
        let watch = bus::watch(&map, last_words).ok_or_else(|| io::Error::other("too many mapped files"))?;
        #[cfg(not(unix))]
        let _ = last_words;
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
            atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering},
        },
    };

    /// A mapping that the handler knows. A start of 0 is a free slot.
    struct Slot {
        start: AtomicUsize,
        length: AtomicUsize,
        lost: AtomicBool,
        /// Leaked, because the handler must not take a lock. Null if the process goes on.
        last_words: AtomicPtr<String>,
    }

    impl Slot {
        const fn free() -> Self {
            Self {
                start: AtomicUsize::new(0),
                length: AtomicUsize::new(0),
                lost: AtomicBool::new(false),
                last_words: AtomicPtr::new(ptr::null_mut()),
            }
        }
    }

    /// The number of slots, which is fixed because the handler may neither lock nor allocate.
    static SLOTS: [Slot; 256] = [const { Slot::free() }; 256];
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
    pub(super) fn watch(map: &[u8], last_words: Option<String>) -> Option<Watch> {
        install();
        let start = map.as_ptr() as usize;
        let take = |s: &&Slot| s.start.compare_exchange(0, start, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        let slot = SLOTS.iter().find(take)?;
        slot.lost.store(false, Ordering::Release);
        let words = last_words.map_or(ptr::null_mut(), |words| Box::into_raw(Box::new(words)));
        slot.last_words.store(words, Ordering::Release);
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
        // SAFETY: the kernel passes a valid siginfo to a handler installed with SA_SIGINFO. Words were leaked and are
        // never changed. The page replaced lies in a mapping of ours, which is alive as long as its slot is taken, and is
        // only read. write, _exit, mmap, sysconf, signal and sigaction are plain system calls on the systems that we
        // build for.
        unsafe {
            let at = (*info).si_addr() as usize;
            let ours = |s: &&Slot| at.wrapping_sub(s.start.load(Ordering::Acquire)) < s.length.load(Ordering::Acquire);
            if let Some(slot) = SLOTS.iter().find(ours) {
                let words = slot.last_words.load(Ordering::Acquire);
                if let Some(words) = words.as_ref() {
                    libc::write(libc::STDERR_FILENO, words.as_ptr().cast(), words.len());
                    libc::_exit(c_int::from(crate::exit::IO));
                }
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{env, fs, process::Command};

    /// Not a test of its own, but the child process of the next test.
    #[test]
    #[ignore = "run by a_file_that_shrinks_is_an_error"]
    fn child() {
        let path = env::temp_dir().join(format!("cntk2onnx-shrinks-{}", std::process::id()));
        fs::write(&path, vec![1; 1 << 20]).unwrap();
        let file = File::open(&path).unwrap();
        let [spoken, silent] =
            [Some("error: cut short\n".to_owned()), None].map(|words| Mapping::new(&file, words).unwrap());
        assert_eq!([spoken[1 << 19], silent[1 << 19]], [1; 2]);
        File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!((std::hint::black_box(&silent)[1 << 19], silent.is_lost(), spoken.is_lost()), (0, true, false));
        let byte = std::hint::black_box(&spoken)[1 << 19];
        unreachable!("read {byte} from beyond the end");
    }

    #[test]
    fn a_file_that_shrinks_is_an_error() {
        let child = Command::new(env::current_exe().unwrap())
            .args(["guard::tests::child", "--exact", "--ignored", "--nocapture"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stderr);
        assert_eq!(child.status.code(), Some(2), "{said}");
        assert_eq!(said.trim(), "error: cut short");
    }
}

//! Maps files, and handles a mapped file that becomes shorter.
//!
//! A large model is mapped, not read: only the pages with its structure are ever touched. The drawback is that, if
//! another process truncates the file, an access to a page that no longer exists raises SIGBUS. A lease does not
//! prevent this (owner only, not on every file system), nor does `pread` (the parser borrows one slice). Therefore a
//! signal handler prints an error and ends the process as other read errors do. Outputs are unnamed or temporary until
//! they are complete, so none is left behind.
//!
//! A process that *alters* bytes of a mapped file can still make the reader see both versions.
//! [`Input::unchanged`](super::input::Input::unchanged) detects this afterwards, and the result is discarded. Small
//! files are read as a whole ([`super::input`]) and have neither problem.

#![allow(unsafe_code, reason = "mmap and sigaction have no safe interface; the reasons are stated at each use")]

use memmap2::{Mmap, MmapOptions};
use std::{fs::File, io};

/// Maps a whole file, read-only. `name` is used in the message if the file shrinks.
pub fn map(file: &File, name: &str) -> io::Result<Mmap> {
    #[cfg(unix)]
    bus::install(name);
    #[cfg(not(unix))]
    let _ = name;
    // SAFETY: the mapping is private and read-only. If the file is truncated, access raises SIGBUS, which the handler
    // turns into an error. If its bytes are changed by someone else, references into it may see them change: nothing
    // but parsing of plain bytes is done with them, every index is checked against lengths held outside the mapping,
    // and the run is discarded if the file's times or size differ at the end.
    let map = unsafe { MmapOptions::new().map_copy_read_only(file)? };
    #[cfg(unix)]
    bus::watch(&map);
    Ok(map)
}

#[cfg(unix)]
mod bus {
    use std::{
        ffi::c_int,
        ptr,
        sync::{
            OnceLock,
            atomic::{AtomicPtr, AtomicUsize, Ordering},
        },
    };

    static START: AtomicUsize = AtomicUsize::new(0);
    static LENGTH: AtomicUsize = AtomicUsize::new(0);
    /// The message, leaked because the handler must not take a lock. Null until there is one.
    static MESSAGE: AtomicPtr<Vec<u8>> = AtomicPtr::new(ptr::null_mut());
    static INSTALLED: OnceLock<()> = OnceLock::new();

    pub(super) fn install(name: &str) {
        let name = crate::terminal::printable(name);
        let text = format!("error: {name}: the file was cut short while it was being read\n").into_bytes();
        // Leaked because a signal may arrive at any time. There is one for each large file of the command line.
        MESSAGE.store(Box::into_raw(Box::new(text)), Ordering::Release);
        INSTALLED.get_or_init(|| {
            // SAFETY: `action` is a valid, fully initialised sigaction, and `handler` does nothing that is not
            // async-signal-safe.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = handler as extern "C" fn(_, _, _) as libc::sighandler_t;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigaction(libc::SIGBUS, &action, ptr::null_mut());
            }
        });
    }

    pub(super) fn watch(map: &[u8]) {
        START.store(map.as_ptr() as usize, Ordering::Release);
        LENGTH.store(map.len(), Ordering::Release);
    }

    extern "C" fn handler(_: c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: the kernel passes a valid siginfo to a handler installed with SA_SIGINFO; the message was leaked and
        // is never changed; write, _exit, signal and raise are async-signal-safe.
        unsafe {
            let at = (*info).si_addr() as usize;
            let message = MESSAGE.load(Ordering::Acquire);
            let ours = at.wrapping_sub(START.load(Ordering::Acquire)) < LENGTH.load(Ordering::Acquire);
            if ours && !message.is_null() {
                libc::write(libc::STDERR_FILENO, (*message).as_ptr().cast(), (*message).len());
                libc::_exit(c_int::from(crate::exit::IO));
            }
            libc::signal(libc::SIGBUS, libc::SIG_DFL);
            libc::raise(libc::SIGBUS);
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
        let map = map(&File::open(&path).unwrap(), "shrinking\n.model").unwrap();
        assert_eq!(map[1 << 19], 1);
        File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        fs::remove_file(&path).unwrap();
        let byte = std::hint::black_box(&map)[1 << 19];
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
        assert_eq!(said.trim(), "error: shrinking\\u{a}.model: the file was cut short while it was being read");
    }
}

//! A mapping of a file, and what happens when the file shrinks beneath it.
//!
//! A large model is mapped, not read: only the pages that hold its structure are ever touched, and weights go from file
//! to file inside the kernel. The price is that a file that another process truncates makes an access to a vanished
//! page a SIGBUS. Neither a lease (owner only, not on every file system) nor `pread` (the parser borrows one slice)
//! closes that hole; a signal handler does: it prints an error and ends the process as any other failure to read does.
//! Outputs are unnamed or temporary until they are complete, so none is left behind.
//!
//! What remains: a process that *alters* bytes of a mapped file while we read it can make us see both versions.
//! [`Input::unchanged`](super::input::Input::unchanged) detects it afterwards and the result is thrown away. Files small
//! enough to be read whole ([`super::input`]) are not exposed to either.

#![allow(unsafe_code, reason = "mmap and sigaction have no safe interface; the reasons are stated at each use")]

use memmap2::{Mmap, MmapOptions};
use std::{fs::File, io};

/// Maps a whole file, read-only. `name` is for the message should the file shrink.
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
    /// A leaked message: the handler must not take a lock. Null until there is one.
    static MESSAGE: AtomicPtr<Vec<u8>> = AtomicPtr::new(ptr::null_mut());
    static INSTALLED: OnceLock<()> = OnceLock::new();

    pub(super) fn install(name: &str) {
        let name = crate::terminal::printable(name);
        let text = format!("error: {name}: the file was cut short while it was being read\n").into_bytes();
        // Leaked, as a signal may arrive at any time; one for each large file of the command line.
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

    /// Not a test of its own: what the child of the next one does.
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

//! Measures the heap and processor time of a call, and compares both with bounds that grow with the input.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The bounds for a call, depending on the length of the input.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Heap bytes for each byte of the input.
    pub factor: usize,
    /// Further heap bytes.
    pub constant: usize,
    /// Nanoseconds of processor time for each byte of the input.
    pub nanoseconds: u64,
}

/// The time that any call may take, because the machine is shared.
const GRACE: u64 = 250_000_000;
/// Builds without optimisation are slower.
const SLOWNESS: u64 = if cfg!(fuzzing) { 1 } else { 20 };

thread_local! {
    static USED: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// Runs `call` and checks the bounds. Calls must not be nested.
///
/// # Panics
///
/// If a bound is exceeded.
pub fn within<T>(bound: Bound, input: &[u8], call: impl FnOnce() -> T) -> T {
    let before = USED.get();
    PEAK.set(before);
    let start = now();
    let result = call();
    let time = now() - start;
    let heap = usize::try_from(PEAK.get() - before).unwrap_or(0);
    let most = bound.factor * input.len() + bound.constant;
    assert!(heap <= most, "{heap} bytes of heap for an input of {}, more than {most}", input.len());
    let most = (GRACE + bound.nanoseconds * input.len() as u64) * SLOWNESS;
    assert!(time <= most, "{time} ns for an input of {}, more than {most}", input.len());
    result
}

/// The thread's processor time in nanoseconds.
#[cfg(unix)]
fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Time where there is no better clock.
#[cfg(not(unix))]
fn now() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

struct Counting;

fn count(change: isize) {
    // Fails only while a thread ends.
    let _ = USED.try_with(|used| {
        used.set(used.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(used.get())));
    });
}

#[expect(unsafe_code, reason = "an allocator that counts can be had in no other way")]
// SAFETY: the functions only count and hand over to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

//! Processor time, which other work on the machine does not change.

use std::time::Duration;

/// The result of `work` and the processor time of this thread that it took; `None` if the system has no such clock.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Option<Duration>) {
    let start = now();
    let made = work();
    let took = now().zip(start).map(|(end, start)| end.saturating_sub(start));
    (made, took)
}

#[cfg(unix)]
fn now() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Some(Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap_or(0)))
}

#[cfg(not(unix))]
fn now() -> Option<Duration> {
    None
}

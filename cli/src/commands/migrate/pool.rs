//! Runs processes in parallel, each with a time limit.

use crate::terminal::Terminal;
use anyhow::Result;
use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, IsTerminal, Read, Write},
    process::{Command, ExitStatus, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The most that is read of each output of a process.
const LONGEST: u64 = 64 << 20;
/// How often time limits and the stop flag are checked.
const WATCH: Duration = Duration::from_millis(50);

/// The settings of the pool.
pub struct Pool<'a> {
    pub jobs: usize,
    pub timeout: Duration,
    /// Set when no further process is to be started.
    pub stop: &'a AtomicBool,
}

/// The end of a process.
pub struct Ended {
    pub status: io::Result<ExitStatus>,
    pub stderr: Vec<u8>,
    pub timed_out: bool,
    /// How long it ran after its last line of output.
    pub took: Duration,
}

impl Pool<'_> {
    /// Works on the items, several at once. `work` tells its results one by one; `end` is called for each, one after the
    /// other.
    pub fn run<T: Sync, D>(
        &self,
        items: &[T],
        work: impl Fn(&T, &dyn Fn(D)) + Sync,
        end: impl FnMut(D) -> Result<()> + Send,
    ) -> Result<()> {
        let next = AtomicUsize::new(0);
        let end = Mutex::new((end, Ok(())));
        let tell = |done| {
            let (end, ended) = &mut *lock(&end);
            if ended.is_ok() {
                *ended = end(done);
            }
            if ended.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.jobs.min(items.len()) {
                scope.spawn(|| {
                    while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if self.stop.load(Ordering::Relaxed) {
                            return;
                        }
                        work(item, &tell);
                    }
                });
            }
        });
        end.into_inner().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Runs a process with this standard input to its end, or until it takes longer than the time limit for a line of
    /// output. Calls `line` for each line with the time that it took.
    pub fn process(&self, mut command: Command, input: &[u8], mut line: impl FnMut(&[u8], Duration)) -> Ended {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Ended { status: Err(error), stderr: vec![], timed_out: false, took: Duration::ZERO },
        };
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let child = Mutex::new(child);
        let last = Mutex::new(Instant::now());
        let (finished, timed_out) = (AtomicBool::new(false), AtomicBool::new(false));
        let mut told = vec![];
        thread::scope(|scope| {
            let watch = scope.spawn(|| {
                while !finished.load(Ordering::Acquire) {
                    if lock(&last).elapsed() >= self.timeout && !timed_out.swap(true, Ordering::AcqRel) {
                        let _ = lock(&child).kill();
                    }
                    thread::park_timeout(WATCH);
                }
            });
            // Read both pipes in parallel, so that the process does not block on a full one.
            scope.spawn(|| stderr.map(|pipe| pipe.take(LONGEST).read_to_end(&mut told)));
            // A process that ends without reading is noticed below.
            let _ = stdin.map(|mut pipe| pipe.write_all(input));
            if let Some(pipe) = stdout {
                let mut lines = BufReader::new(pipe.take(LONGEST));
                let mut text = vec![];
                while lines.read_until(b'\n', &mut text).is_ok() && text.last() == Some(&b'\n') {
                    let took = std::mem::replace(&mut *lock(&last), Instant::now()).elapsed();
                    line(&text, took);
                    text.clear();
                }
            }
            finished.store(true, Ordering::Release);
            watch.thread().unpark();
        });
        let status = lock(&child).wait();
        let took = lock(&last).elapsed();
        Ended { status, stderr: told, timed_out: timed_out.into_inner(), took }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows counts and the remaining time on a terminal.
pub struct Progress {
    shown: bool,
    total: usize,
    done: usize,
    outcomes: BTreeMap<String, usize>,
    start: Instant,
    next: Instant,
}

impl Progress {
    pub fn new(terminal: &Terminal, total: usize) -> Self {
        let shown = !terminal.quiet && io::stderr().is_terminal();
        let now = Instant::now();
        Self { shown, total, done: 0, outcomes: BTreeMap::new(), start: now, next: now }
    }

    pub fn count(&mut self, outcome: &str) {
        self.done += 1;
        *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
        let now = Instant::now();
        if !self.shown || now < self.next && self.done < self.total {
            return;
        }
        self.next = now + Duration::from_millis(100);
        let left = self.start.elapsed().as_secs_f64() / self.done as f64 * (self.total - self.done) as f64;
        let counts: Vec<_> = self.outcomes.iter().map(|(what, n)| format!("{n} {what}")).collect();
        let (done, total) = (self.done, self.total);
        let line = format!("\r\x1b[K{done} of {total} files: {}; {left:.0} s left", counts.join(", "));
        let _ = io::stderr().write_all(line.as_bytes());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}

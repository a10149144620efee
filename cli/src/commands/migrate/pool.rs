//! Runs processes in parallel, each with a time limit.

use crate::terminal::Terminal;
use anyhow::Result;
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

/// The most output that is read from a process.
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

/// The exit status of a process and its output.
pub struct Process {
    pub status: io::Result<ExitStatus>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub timed_out: bool,
    pub took: Duration,
}

impl Pool<'_> {
    /// Processes the items, several at once, and calls `end` for each, one after the other.
    pub fn run<T: Sync, D: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> D + Sync,
        mut end: impl FnMut(&T, D) -> Result<()>,
    ) -> Result<()> {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..self.jobs.min(items.len()) {
                let (sender, next, work) = (sender.clone(), &next, &work);
                scope.spawn(move || {
                    while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if self.stop.load(Ordering::Relaxed) {
                            return;
                        }
                        if sender.send((item, work(item))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let ended = receiver.iter().try_for_each(|(item, done)| end(item, done));
            if ended.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            ended
        })
    }

    /// Runs a process to its end, or to the time limit.
    pub fn process(&self, mut command: Command) -> Process {
        let start = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |error: io::Error| Process {
            status: Err(error),
            stdout: vec![],
            stderr: vec![],
            timed_out: false,
            took: start.elapsed(),
        };
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return failed(error),
        };
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let child = Arc::new(Mutex::new(child));
        let (finished, timed_out) = (AtomicBool::new(false), AtomicBool::new(false));
        let (mut out, mut err) = (vec![], vec![]);
        thread::scope(|scope| {
            let watch = scope.spawn(|| {
                let deadline = start + self.timeout;
                while !finished.load(Ordering::Acquire) {
                    if Instant::now() >= deadline && !timed_out.swap(true, Ordering::AcqRel) {
                        let _ = lock(&child).kill();
                    }
                    thread::park_timeout(WATCH);
                }
            });
            // Read both pipes in parallel, so that the process does not block on a full one.
            scope.spawn(|| stderr.map(|pipe| pipe.take(LONGEST).read_to_end(&mut err)));
            if let Some(pipe) = stdout {
                let _ = pipe.take(LONGEST).read_to_end(&mut out);
            }
            finished.store(true, Ordering::Release);
            watch.thread().unpark();
        });
        let status = lock(&child).wait();
        Process { status, stdout: out, stderr: err, timed_out: timed_out.into_inner(), took: start.elapsed() }
    }
}

fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
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

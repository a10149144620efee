//! Shows progress on a terminal during longer work.

use super::terminal::Terminal;
use std::{
    io::{IsTerminal, Write},
    ops::ControlFlow,
    time::{Duration, Instant},
};

/// How long work must last before progress is shown.
const PATIENCE: Duration = Duration::from_millis(700);
const INTERVAL: Duration = Duration::from_millis(100);

/// A percentage on stderr, which is removed at the end.
pub struct Progress {
    total: u64,
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    pub fn new(terminal: &Terminal, total: u64) -> Self {
        let wanted = !terminal.quiet && std::io::stderr().is_terminal();
        Self { total, next: wanted.then(|| Instant::now() + PATIENCE), shown: false }
    }

    pub fn update(&mut self, done: u64) -> ControlFlow<()> {
        if let Some(next) = self.next
            && Instant::now() >= next
        {
            let percent = done.saturating_mul(100) / self.total.max(1);
            let _ = write!(std::io::stderr(), "\r{percent:3} % of {} MB", self.total / 1_000_000);
            self.next = Some(Instant::now() + INTERVAL);
            self.shown = true;
        }
        ControlFlow::Continue(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r{:30}\r", "");
        }
    }
}

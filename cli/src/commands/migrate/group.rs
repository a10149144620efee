//! Several files in one process. A file that ends the process is tried again in one of its own, so that it is not
//! charged with what the files before it left behind, and another process goes on after it.

use super::{pool::Pool, record::Record, worker::Job};
use std::process::Command;

/// Has `command` do these jobs, and calls `tell` for each with its record, in this order.
pub fn convert<'j>(jobs: &'j [Job], pool: &Pool<'_>, command: impl Fn() -> Command, tell: impl Fn(&'j Job, Record)) {
    let (mut left, mut alone) = (jobs, false);
    while !left.is_empty() {
        let group = if alone { &left[..1] } else { left };
        let lines: String = group.iter().map(Job::line).collect();
        let mut done = 0;
        let ended = pool.process(command(), lines.as_bytes(), |line, took| {
            if let Some(job) = group.get(done) {
                done += 1;
                tell(job, Record::told(&job.name, line, took));
            }
        });
        alone = false;
        if let Some(job) = group.get(done) {
            // The time is measured for each file, the memory is not.
            if ended.timed_out || group.len() == 1 {
                done += 1;
                tell(job, Record::ended(&job.name, &ended));
            } else {
                alone = true;
            }
        }
        left = &left[done..];
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{cell::RefCell, sync::atomic::AtomicBool, time::Duration};

    /// A worker that takes only what its shell script says; it gets a job on each line.
    fn outcomes(names: &[&str], script: &str) -> (Vec<(String, String)>, usize) {
        let job = |name: &&str| Job { name: (*name).to_owned(), stem: (*name).to_owned(), expected: None };
        let jobs: Vec<_> = names.iter().map(job).collect();
        let pool = Pool { jobs: 1, timeout: Duration::from_millis(500), stop: &AtomicBool::new(false) };
        let (found, started) = (RefCell::new(vec![]), RefCell::new(0));
        let command = || {
            *started.borrow_mut() += 1;
            let mut command = Command::new("sh");
            let told = "echo '{\"outcome\": \"converted\", \"exit\": 0}'";
            command.args(["-c", &format!("while read -r job; do {script}; {told}; done")]);
            command
        };
        convert(&jobs, &pool, command, |job, record| {
            assert_eq!(record.name(), Some(&*job.name));
            found.borrow_mut().push((job.name.clone(), record.outcome().to_owned()));
        });
        (found.into_inner(), started.into_inner())
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn one_process_does_all_that_it_can() {
        let all = pairs(&[("a", "converted"), ("b", "converted"), ("c", "converted")]);
        assert_eq!(outcomes(&["a", "b", "c"], ":"), (all, 1));
        assert_eq!(outcomes(&[], ":"), (vec![], 0));
    }

    #[test]
    fn one_that_ends_its_process_stops_nothing_else() {
        let crash = "case $job in *bad*) kill -9 $$;; esac";
        let all = pairs(&[("a", "converted"), ("bad", "crashed"), ("c", "converted"), ("d", "converted")]);
        // All four, then the bad one, then the rest.
        assert_eq!(outcomes(&["a", "bad", "c", "d"], crash), (all, 3));
        let all = pairs(&[("bad", "crashed"), ("bad2", "crashed")]);
        assert_eq!(outcomes(&["bad", "bad2"], crash), (all, 3));
    }

    #[test]
    fn one_that_takes_too_long_is_not_tried_again() {
        let all = pairs(&[("a", "converted"), ("slow", "timeout"), ("c", "converted")]);
        assert_eq!(outcomes(&["a", "slow", "c"], "case $job in *slow*) exec sleep 60;; esac"), (all, 2));
    }

    /// A file that fails only after others in the same process.
    #[test]
    fn one_is_not_charged_with_others() {
        let third = "n=$((n+1)); [ $n -lt 3 ] || { echo memory allocation of 9 bytes failed >&2; exit 1; }";
        let all = pairs(&["a", "b", "c", "d", "e"].map(|name| (name, "converted")));
        // a and b; c alone; d and e.
        assert_eq!(outcomes(&["a", "b", "c", "d", "e"], third), (all, 3));
    }
}

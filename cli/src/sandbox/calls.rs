//! The system calls that stay allowed. Any other fails with EPERM, an ordinary error instead of a signal.

use super::Needs;
use libc::c_long;
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::collections::BTreeMap;

/// Calls for reading, writing and copying open files, for memory, time, and ending the process.
const ALWAYS: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_fcntl,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_splice,
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_sigaltstack,
    libc::SYS_tgkill,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Calls that name a finished file, and remove an unfinished one, or a folder for files that were not written.
const FINISH: &[c_long] =
    &[libc::SYS_linkat, libc::SYS_renameat2, libc::SYS_unlinkat, libc::SYS_readlinkat, libc::SYS_faccessat];
/// Older calls for the same, which newer architectures do not have.
#[cfg(target_arch = "x86_64")]
const FINISH_OLD: &[c_long] =
    &[libc::SYS_rename, libc::SYS_renameat, libc::SYS_unlink, libc::SYS_rmdir, libc::SYS_readlink];
#[cfg(target_arch = "aarch64")]
const FINISH_OLD: &[c_long] = &[libc::SYS_renameat];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const FINISH_OLD: &[c_long] = &[];

/// Calls that start a second thread. The arguments of `clone3` cannot be checked, but `execve` stays forbidden in any
/// case.
const THREADS: &[c_long] =
    &[libc::SYS_clone, libc::SYS_clone3, libc::SYS_set_robust_list, libc::SYS_rseq, libc::SYS_sched_getaffinity];

/// The request by which the C library asks whether a file is a terminal.
#[allow(clippy::unnecessary_cast, reason = "musl's type is another one than glibc's")]
const IS_TERMINAL: u64 = libc::TCGETS as u64;

/// Allows only these calls, for this thread and those that it starts.
pub(super) fn restrict(needs: &Needs) -> Result<(), Error> {
    let mut rules = BTreeMap::new();
    let mut allow = |calls: &[c_long]| rules.extend(calls.iter().map(|call| (*call, vec![])));
    allow(ALWAYS);
    if !needs.folders.is_empty() {
        allow(FINISH);
        allow(FINISH_OLD);
    }
    if !needs.read.is_empty() {
        allow(&[libc::SYS_openat]);
    }
    if needs.threads {
        allow(THREADS);
    }
    // Memory that is not executable.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        let executable = libc::PROT_EXEC as u64;
        rules.insert(call, vec![only(2, SeccompCmpOp::MaskedEq(executable), 0)?]);
    }
    // The question whether a file is a terminal.
    rules.insert(libc::SYS_ioctl, vec![only(1, SeccompCmpOp::Eq, IS_TERMINAL)?]);

    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, denied, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?;
    seccompiler::apply_filter(&BpfProgram::try_from(filter)?)
}

fn only(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Qword, operator, value)?])
}

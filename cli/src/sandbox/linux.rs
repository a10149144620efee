//! Enters Landlock and then seccomp. A failure is not an error, because old kernels have neither.

use super::{Needs, calls};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, RestrictionStatus,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use std::{collections::BTreeSet, path::Path};

pub(super) fn enter(needs: &Needs) -> String {
    let files = match landlock(needs) {
        Ok(RestrictionStatus { ruleset: RulesetStatus::FullyEnforced, .. }) => "on",
        Ok(RestrictionStatus { ruleset: RulesetStatus::PartiallyEnforced, .. }) => "on, with what the kernel has of it",
        Ok(_) => "not in this kernel",
        Err(_) => "refused by the kernel",
    };
    let calls = match calls::restrict(needs) {
        Ok(()) => "on",
        Err(_) => "not available",
    };
    format!("landlock {files}; seccomp {calls}")
}

fn landlock(needs: &Needs) -> Result<RestrictionStatus, RulesetError> {
    let all = AccessFs::from_all(ABI::V5);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .handle_access(AccessNet::from_all(ABI::V5))?
        .scope(Scope::from_all(ABI::V6))?
        .create()?;
    for path in &needs.read {
        rules = allow(rules, path, AccessFs::ReadFile.into())?;
    }
    let folders: BTreeSet<_> = needs.folders.iter().collect();
    for folder in folders {
        rules =
            allow(rules, folder, AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::MakeDir | AccessFs::RemoveDir)?;
    }
    rules.restrict_self()
}

/// Adds a rule for a path. One that cannot be opened now gets no rule; opening it later reports the reason.
fn allow(
    rules: landlock::RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<landlock::RulesetCreated, RulesetError> {
    match PathFd::new(path) {
        Ok(open) => rules.add_rule(PathBeneath::new(open, access)),
        Err(_) => Ok(rules),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, fs::File, io, net::UdpSocket, process::Command, thread};

    /// Actions that the sandbox must prevent, and whether each succeeded.
    fn attempts() -> Vec<(&'static str, bool)> {
        let target = env::temp_dir().join(format!("cntk2onnx-escape-{}", std::process::id()));
        vec![
            ("read another file", File::open("/etc/passwd").is_ok()),
            ("make a file", File::create(target).is_ok()),
            ("list a directory", std::fs::read_dir("/").is_ok()),
            ("open a socket", UdpSocket::bind("127.0.0.1:0").is_ok()),
            ("start a program", Command::new("true").status().is_ok()),
            ("start a thread", thread::Builder::new().spawn(|| ()).is_ok()),
        ]
    }

    /// Not a test of its own: what the child of the next one does.
    #[test]
    #[ignore = "run by the_rest_is_given_up"]
    fn child() {
        let held = File::open("/etc/hostname").or_else(|_| File::open("/etc/passwd")).unwrap();
        assert!(attempts().iter().all(|(_, done)| *done), "{:?}", attempts());
        let state = enter(&Needs::nothing());
        let after = attempts();
        let readable = io::read_to_string(held).is_ok();
        println!("state {state}; {after:?}; held {readable}");
        assert!(readable, "an open file stays readable");
        assert!(!state.contains("seccomp on") || after.iter().all(|(_, done)| !done), "{after:?}");
        assert!(!state.contains("landlock on") || !after[0].1 && !after[1].1, "{after:?}");
        println!("the sandbox holds");
    }

    #[test]
    fn the_rest_is_given_up() {
        let child = Command::new(env::current_exe().unwrap())
            .args(["sandbox::linux::tests::child", "--exact", "--ignored", "--nocapture"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(said.contains("the sandbox holds"), "{said}\n{}", String::from_utf8_lossy(&child.stderr));
    }
}

//! What a user asks of the interface: other names, inputs that are indices.

use super::Interface;
use crate::options::Options;
use crate::report::Reason;
use cntk_parser::model::{Source, ValidatedModel};
use std::collections::HashSet;

/// Changes the interface, and gives what cannot be done.
pub(super) fn apply(model: &ValidatedModel<'_>, options: &Options, interface: &mut Interface) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let uid = |v| model.variable(v).uid;
    let inputs =
        interface.arguments.iter_mut().map(|a| Port { uid: uid(a.variable), given: &a.given, name: &mut a.name });
    rename("rename_inputs", "input", &options.rename_inputs, inputs.collect(), &mut reasons);
    let outputs = interface.outputs.iter_mut().map(|o| Port { uid: &o.uid, given: &o.given, name: &mut o.name });
    rename("rename_outputs", "output", &options.rename_outputs, outputs.collect(), &mut reasons);
    if !options.rename_inputs.is_empty() || !options.rename_outputs.is_empty() {
        let mut names = HashSet::new();
        let inputs = interface.arguments.iter().map(|a| &a.name);
        for name in inputs.chain(interface.outputs.iter().map(|o| &o.name)) {
            if !names.insert(name) {
                reasons.push(Reason::new(
                    "rename",
                    format!("two inputs or outputs would be called `{}`", name.escape_debug()),
                ));
            }
        }
    }
    for name in &options.ids {
        if let Err(reason) = take_as_ids(model, interface, name) {
            reasons.push(reason);
        }
    }
    reasons
}

/// An input or output.
struct Port<'i> {
    uid: &'i str,
    given: &'i str,
    name: &'i mut String,
}

fn rename(place: &str, role: &str, pairs: &[(String, String)], mut ports: Vec<Port<'_>>, reasons: &mut Vec<Reason>) {
    for (old, new) in pairs {
        if new.is_empty() {
            reasons.push(Reason::new(place, format!("`{}` needs a name", old.escape_debug())));
        }
        match ports.iter_mut().find(|port| port.given == old || port.uid == old) {
            Some(port) => port.name.clone_from(new),
            None => reasons.push(unknown(place, role, old, ports.iter().map(|port| port.given))),
        }
    }
}

/// Names listed where one is unknown.
const LISTED: usize = 10;

/// The reason that no input or output has this name.
pub(crate) fn unknown<'n>(place: &str, role: &str, name: &str, all: impl Iterator<Item = &'n str>) -> Reason {
    let all: Vec<_> = all.take(LISTED).map(|name| name.escape_debug().to_string()).collect();
    Reason::new(place, format!("no {role} is called `{}`; there are {}", name.escape_debug(), all.join(", ")))
}

/// Marks an input as one-hot on its last axis.
fn take_as_ids(model: &ValidatedModel<'_>, interface: &mut Interface, name: &str) -> Result<(), Reason> {
    let all = &mut interface.arguments;
    let is_it = |a: &super::Argument| a.given == name || a.name == name || model.variable(a.variable).uid == name;
    let Some(i) = all.iter().position(is_it) else {
        return Err(unknown("ids", "input", name, all.iter().map(|a| a.given.as_str())));
    };
    let last = model.type_of(Source::Variable(all[i].variable)).shape.last().and_then(|dim| dim.known());
    match last.filter(|n| (1..=i64::MAX as u64).contains(n)) {
        Some(n) => all[i].classes = Some(n),
        None => {
            let why = "has no last axis of a known size: what is one-hot has the classes there";
            return Err(Reason::new("ids", format!("`{}` {why}", name.escape_debug())));
        }
    }
    Ok(())
}

//! Generates blocks, each a graph of its own whose arguments are placeholders.

use super::maker::{Maker, Value};
use super::values::{dictionary, entry, list, number, text};
use crate::mutate::Choice;
use crate::schema::{DictionaryValue, Member};
use cntk_parser::ops::Op;
use std::collections::HashSet;

/// Blocks within blocks.
const DEEPEST: u32 = 3;

/// A block over one or two values.
pub(super) fn block(maker: &mut Maker<'_, '_>, step: fn(&mut Maker<'_, '_>)) -> Option<()> {
    if maker.depth >= DEEPEST {
        return None;
    }
    let first = maker.pick(|_| true)?;
    let second = if maker.choice.one_in(2) { maker.pick(|v| v.uid != first.uid) } else { None };
    let actual: Vec<Value> = [Some(first), second].into_iter().flatten().collect();
    let formal: Vec<Value> = actual.iter().map(|a| maker.placeholder(a, None)).collect();

    let outer = std::mem::replace(&mut maker.pool, formal.clone());
    let (functions, stored, all) = (maker.functions.len(), maker.stored.len(), maker.all.len());
    maker.depth += 1;
    for _ in 0..=maker.choice.below(4) {
        step(maker);
    }
    if maker.functions.len() == functions {
        super::ops::identity(maker);
    }
    maker.depth -= 1;
    let inner = std::mem::replace(&mut maker.pool, outer);

    // The inner root is the last function's first output; what it does not need goes away.
    let root = inner.iter().rfind(|v| v.uid.ends_with("_Output_0"))?.clone();
    let root_uid = root.function.clone()?;
    let needed = needed(&maker.functions[functions..], &root_uid);
    let mut place = 0;
    maker.functions.retain(|f| {
        place += 1;
        place <= functions || field(f, "uid").is_some_and(|uid| needed.contains(uid))
    });
    let mut place = 0;
    maker.all.retain(|v| {
        place += 1;
        place <= all || v.function.as_ref().is_some_and(|f| needed.contains(f))
    });

    let used: Vec<(&Value, &Value)> = formal.iter().zip(&actual).filter(|(f, _)| needed.contains(&f.uid)).collect();
    let mut inputs: Vec<DictionaryValue> =
        maker.stored[stored..].iter().filter(|uid| needed.contains(*uid)).map(|uid| text(uid)).collect();
    inputs.extend(used.iter().map(|(_, a)| text(&a.uid)));
    let composite = dictionary(vec![
        entry("version", number(3)),
        entry("type", text("CompositeFunction")),
        entry("root", text(&root_uid)),
        entry("uid", text(&format!("Composite_{root_uid}"))),
    ]);
    let keys = vec![
        entry("block_function_op_name", text(["Dense", "Softmax", "Custom"][maker.choice.below(3)])),
        entry("block_function_composite", composite),
        entry("block_function_composite_arguments_map_keys", list(used.iter().map(|(f, _)| text(&f.uid)).collect())),
        entry("block_function_composite_arguments_map_values", list(used.iter().map(|(_, a)| text(&a.uid)).collect())),
    ];
    let outputs = vec![root.like()];
    let uid = maker.uid("Block");
    maker.record(Op::Block.spec(), &uid, inputs, Vec::new(), keys);
    maker.outputs(&uid, outputs);
    Some(())
}

/// The uids of everything in `functions` that `root` needs, and the references to them.
fn needed(functions: &[DictionaryValue], root: &str) -> HashSet<String> {
    let mut needed: HashSet<String> = [root.to_owned()].into();
    let mut grown = true;
    // Loops make more than one round necessary.
    while grown {
        grown = false;
        for function in functions.iter().rev() {
            if !field(function, "uid").is_some_and(|uid| needed.contains(uid)) {
                continue;
            }
            if let Some(root) = inner_root(function) {
                grown |= needed.insert(root.clone());
            }
            let arguments = strings(function, "block_function_composite_arguments_map_values");
            for input in strings(function, "inputs").chain(arguments) {
                let producer = input.rsplit_once("_Output_").map(|(f, _)| f.to_owned());
                grown |= needed.insert(input.to_owned());
                grown |= producer.is_some_and(|f| needed.insert(f));
            }
        }
    }
    needed
}

fn member<'v>(record: &'v DictionaryValue, key: &str) -> Option<&'v Member> {
    let Some(Member::Dictionary(record)) = &record.value else { return None };
    record.data.iter().find(|e| e.key == key)?.value.as_ref()?.value.as_ref()
}

fn field<'v>(record: &'v DictionaryValue, key: &str) -> Option<&'v String> {
    match member(record, key)? {
        Member::String(s) => Some(s),
        _ => None,
    }
}

/// The root inside, if the function is a block.
fn inner_root(function: &DictionaryValue) -> Option<&String> {
    match member(function, "block_function_composite")? {
        Member::Dictionary(composite) => match composite.data.iter().find(|e| e.key == "root")?.value.as_ref()?.value {
            Some(Member::String(ref root)) => Some(root),
            _ => None,
        },
        _ => None,
    }
}

fn strings<'v>(record: &'v DictionaryValue, key: &str) -> impl Iterator<Item = &'v str> {
    let list = match member(record, key) {
        Some(Member::Vector(v)) => v.value.as_slice(),
        _ => &[],
    };
    list.iter().filter_map(|v| if let Some(Member::String(s)) = &v.value { Some(s.as_str()) } else { None })
}

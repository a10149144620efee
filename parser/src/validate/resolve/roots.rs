//! Finds the roots of the model and of each block, and the number of outputs of every function.

use super::NO_FUNCTION;
use super::index::{Index, block, split_output_uid};
use crate::model::{FunctionId, FunctionKind, Model};
use crate::ops::{Op, Operator};
use crate::validate::arena::{Id, PerId, ids};
use crate::validate::findings::{Findings, Place, Quoted};
use crate::validate::operators::Operators;
use crate::validate::rules;

/// The most outputs of a user-defined function, whose record does not give their number.
const MAX_USER_OUTPUTS: u32 = 32;

/// Roots and output counts.
pub(super) struct Roots {
    /// The root of the model.
    pub(super) root: Option<FunctionId>,
    /// The inner root of each block.
    pub(super) inner: PerId<FunctionId, FunctionId>,
    /// See [`super::Resolution::terminals`].
    pub(super) terminals: PerId<FunctionId, FunctionId>,
    /// See [`super::Resolution::output_counts`].
    pub(super) output_counts: PerId<FunctionId, u32>,
}

/// Finds the roots and counts the outputs.
pub(super) fn find<'a>(
    model: &Model<'a>,
    operators: &Operators<'a>,
    index: &Index<'_, 'a>,
    findings: &mut Findings<'_, 'a>,
) -> Roots {
    let root = index.function(model.root);
    if root.is_none() {
        let what = if split_output_uid(model.root).is_some() { "an output, not a function" } else { "nothing" };
        findings.add(
            &rules::UNKNOWN_ROOT,
            Place::ModelKey("root"),
            format!("the root {} is {what}", Quoted(model.root)),
        );
    }
    let mut inner = PerId::filled(model.functions.len(), NO_FUNCTION);
    for (id, function) in ids::<FunctionId, _>(&model.functions) {
        let FunctionKind::Block(block) = &function.kind else { continue };
        match index.function(block.root) {
            Some(found) => inner.set(id, found),
            None => findings.add(
                &rules::UNKNOWN_BLOCK_ROOT,
                Place::FunctionKey(id, "block_function_composite"),
                format!("the inner root {} of block {} does not exist", Quoted(block.root), Quoted(function.uid)),
            ),
        }
    }
    let terminals = terminals(model, &inner, findings);
    let output_counts = output_counts(model, operators, index, &terminals);
    Roots { root, inner, terminals, output_counts }
}

/// Follows blocks to the innermost root. The result is written to every block of a chain, so each function is visited
/// once.
fn terminals(
    model: &Model<'_>,
    inner: &PerId<FunctionId, FunctionId>,
    findings: &mut Findings<'_, '_>,
) -> PerId<FunctionId, FunctionId> {
    /// Marks a block of the chain that is being followed.
    const OPEN: FunctionId = FunctionId(u32::MAX - 1);
    /// Marks a function that was not visited yet.
    const NEW: FunctionId = FunctionId(u32::MAX - 2);

    let mut terminals = PerId::filled(model.functions.len(), NEW);
    let mut chain = Vec::new();
    for (start, _) in ids::<FunctionId, _>(&model.functions) {
        let mut at = start;
        let end = loop {
            match terminals.get(at).copied() {
                None => break NO_FUNCTION,
                Some(OPEN) => {
                    let names = chain.iter().map(|f: &FunctionId| name(model, *f));
                    findings.add(
                        &rules::BLOCK_RECURSION,
                        Place::Function(at),
                        ring("each the inner root of the next", names),
                    );
                    break NO_FUNCTION;
                }
                Some(NEW) if block(model, at).is_some() => {
                    terminals.set(at, OPEN);
                    chain.push(at);
                    at = inner.get(at).copied().unwrap_or(NO_FUNCTION);
                }
                Some(NEW) => {
                    terminals.set(at, at);
                    break at;
                }
                Some(known) => break known,
            }
        };
        for link in chain.drain(..) {
            terminals.set(link, end);
        }
    }
    terminals
}

/// The message about blocks that form a ring; it names the first few.
pub(super) fn ring<'a>(how: &str, names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 8;
    let mut text = format!("blocks that contain themselves, {how}: ");
    let mut separator = "";
    for (i, name) in names.enumerate() {
        if i == SHOWN {
            text.push_str(", …");
            break;
        }
        text.push_str(separator);
        text.push_str(&Quoted(name).to_string());
        separator = ", ";
    }
    text
}

/// A function's uid.
pub(super) fn name<'a>(model: &Model<'a>, id: FunctionId) -> &'a str {
    model.functions.get(id.place()).map_or("", |f| f.uid)
}

fn output_counts(
    model: &Model<'_>,
    operators: &Operators<'_>,
    index: &Index<'_, '_>,
    terminals: &PerId<FunctionId, FunctionId>,
) -> PerId<FunctionId, u32> {
    let mut counts = PerId::filled(model.functions.len(), 0);
    let mut user = false;
    for (id, function) in ids::<FunctionId, _>(&model.functions) {
        let count = match &function.kind {
            FunctionKind::Primitive(Op::Combine) => u32::try_from(function.inputs.len()).unwrap_or(u32::MAX),
            FunctionKind::Primitive(Op::TopK) => 2,
            FunctionKind::Primitive(_) => match operators.get(id) {
                Some(Operator::UnpackSequence(unpack)) if !unpack.suppress_mask_output => 2,
                _ => 1,
            },
            FunctionKind::User(_) => {
                user = true;
                1
            }
            FunctionKind::Foreign(_) => 1,
            FunctionKind::Block(_) => 0,
        };
        counts.set(id, count);
    }
    if user {
        count_user_outputs(model, index, &mut counts);
    }
    for (id, function) in ids::<FunctionId, _>(&model.functions) {
        if matches!(function.kind, FunctionKind::Block(_)) {
            let count = terminals.get(id).and_then(|t| counts.get(*t)).copied().unwrap_or(0);
            counts.set(id, count);
        }
    }
    counts
}

/// Counts the outputs of user-defined functions: up to the highest one that a reference names.
fn count_user_outputs(model: &Model<'_>, index: &Index<'_, '_>, counts: &mut PerId<FunctionId, u32>) {
    let inputs = model.functions.iter().flat_map(|f| f.inputs.iter().copied());
    let arguments = model.functions.iter().flat_map(|f| match &f.kind {
        FunctionKind::Block(block) => block.arguments.as_slice(),
        _ => &[],
    });
    for uid in inputs.chain(arguments.map(|(_, value)| *value)) {
        let Some((f, i)) = index.output(uid) else { continue };
        let is_user = model.functions.get(f.place()).is_some_and(|f| matches!(f.kind, FunctionKind::User(_)));
        let Some(count) = counts.get_mut(f) else { continue };
        if is_user && i < MAX_USER_OUTPUTS {
            *count = (*count).max(i.saturating_add(1));
        }
    }
}

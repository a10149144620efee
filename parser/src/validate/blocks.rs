//! Checks block records without regard to their inner graphs (B6).

use super::arena::ids;
use super::findings::{Findings, Place, Quoted};
use super::rules;
use crate::model::{FunctionId, FunctionKind, Model, Part};
use hashbrown::HashSet;

/// Checks that a block's `inputs` lists its actual arguments. CNTK ignores the list; other readers may rely on it.
pub(super) fn check<'a>(model: &Model<'a>, findings: &mut Findings<'_, 'a>) {
    for (id, function) in ids::<FunctionId, _>(&model.functions) {
        let FunctionKind::Block(block) = &function.kind else { continue };
        if function.origin.offset(Part::Key("attributes")).is_none() {
            let text = "the block lacks the key `attributes`".to_owned();
            findings.add(&rules::RECORD_MISSING, Place::Function(id), text);
        }
        let listed: HashSet<&str> = function.inputs.iter().copied().collect();
        if let Some((_, missing)) = block.arguments.iter().find(|(_, value)| !listed.contains(value)) {
            let text = format!("the block's inputs lack its argument {}", Quoted(missing));
            findings.add(&rules::BLOCK_INPUTS, Place::FunctionKey(id, "inputs"), text);
        }
    }
}

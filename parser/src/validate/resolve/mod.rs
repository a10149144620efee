//! Resolution: every reference becomes a [`Source`], blocks, `Combine` and placeholders seen through.
//!
//! Nothing here recurses: chains of aliases (a block's output is its inner root's, a formal placeholder is the actual
//! argument, an output of `Combine` is its input) are followed in a loop, and what was found is written back to every
//! link on the way, so that the whole is linear. A reference that cannot be resolved was reported and becomes
//! [`BROKEN`], which has no record and no type.

mod index;
mod references;
mod roots;
mod scopes;
mod settle;

use index::Index;
pub(crate) use index::split_output_uid;
pub(crate) use roots::output;

use super::arena::{PerId, ids};
use super::findings::Findings;
use super::operators::Operators;
use crate::model::{FunctionId, Model, Output, Source, VariableId, VariableKind};
use smallvec::SmallVec;

/// A reference that was reported as unresolved.
pub(crate) const BROKEN: Source = Source::Variable(VariableId(u32::MAX));

/// A function that was reported as missing.
pub(crate) const NO_FUNCTION: FunctionId = FunctionId(u32::MAX);

/// The inputs of each function.
pub(crate) type Inputs = PerId<FunctionId, SmallVec<[Source; 3]>>;

/// What resolution finds out.
pub(crate) struct Resolution<'a> {
    /// The resolved inputs of every record.
    pub(crate) inputs: Inputs,
    /// The resolved actual argument of each formal placeholder.
    pub(crate) arguments: PerId<VariableId, Option<Source>>,
    /// The function that computes: of a block, the innermost root that is no block; of others, itself.
    pub(crate) terminals: PerId<FunctionId, FunctionId>,
    /// How many outputs a function has.
    pub(crate) output_counts: PerId<FunctionId, u32>,
    /// The block that owns each function.
    pub(crate) parents: PerId<FunctionId, Option<FunctionId>>,
    /// Whether the root needs a function.
    pub(crate) reachable: PerId<FunctionId, bool>,
    /// The placeholder record that stands for output 0 of a function (a forward reference): its type is what CNTK knew.
    pub(crate) hints: PerId<FunctionId, Option<VariableId>>,
    /// Placeholders that stand for nothing.
    pub(crate) unbound: Vec<VariableId>,
    /// The outputs of the root.
    pub(crate) outputs: Vec<Output<'a>>,
}

/// Resolves every reference of `model`.
pub(crate) fn resolve<'a>(
    model: &Model<'a>,
    operators: &Operators<'a>,
    findings: &mut Findings<'_, 'a>,
) -> Resolution<'a> {
    let index = Index::new(model, findings);
    index.check_output_uids(findings);
    let roots = roots::find(model, operators, &index, findings);
    let mut references = references::collect(model, &index, &roots, findings);
    let scopes = scopes::walk(model, &roots, &references, findings);
    let mut outputs = roots::outputs(model, &roots, &references, findings);
    settle::settle(model, &roots, &mut references, &mut outputs, findings);
    let (hints, unbound) = placeholders(model, &index, &roots, &references);
    Resolution {
        hints,
        unbound,
        inputs: references.inputs,
        arguments: references.arguments,
        terminals: roots.terminals,
        output_counts: roots.output_counts,
        parents: scopes.parents,
        reachable: scopes.reachable,
        outputs,
    }
}

/// What placeholders are that no block binds: forward references, or open arguments of the model.
fn placeholders(
    model: &Model<'_>,
    index: &Index<'_, '_>,
    roots: &roots::Roots,
    references: &references::References,
) -> (PerId<FunctionId, Option<VariableId>>, Vec<VariableId>) {
    let mut hints = PerId::filled(model.functions.len(), None);
    let mut unbound = Vec::new();
    for (id, variable) in ids::<VariableId, _>(&model.variables) {
        if variable.kind != VariableKind::Placeholder || references.binders.get(id).copied().flatten().is_some() {
            continue;
        }
        match index.output(variable.uid) {
            None => unbound.push(id),
            Some((f, 0)) => {
                if let Some(terminal) = roots.terminals.get(f) {
                    hints.set(*terminal, Some(id));
                }
            }
            Some(_) => {}
        }
    }
    (hints, unbound)
}

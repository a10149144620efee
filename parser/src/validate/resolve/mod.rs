//! Resolution: turns every reference into a [`Source`], looking through blocks, `Combine` and placeholders.
//!
//! Nothing here recurses. Chains of aliases (a block's output is its inner root's, a formal placeholder is the actual
//! argument, an output of `Combine` is its input) are followed in a loop, and the result is written back to every link
//! on the way, so resolution takes linear time. A reference that cannot be resolved is reported and becomes [`BROKEN`],
//! which has no record and no type.

mod index;
mod outputs;
mod references;
mod roots;
mod scopes;
mod settle;

use index::Index;
pub(crate) use index::split_output_uid;
pub(crate) use outputs::output;

use super::arena::{Id, PerId, ids};
use super::findings::Findings;
use super::operators::Operators;
use crate::model::{FunctionId, FunctionKind, Model, Output, Source, VariableId, VariableKind};
use crate::ops::Op;
use smallvec::SmallVec;

/// A reference that was reported as unresolved.
pub(crate) const BROKEN: Source = Source::Variable(VariableId(u32::MAX));

/// A function that was reported as missing.
pub(crate) const NO_FUNCTION: FunctionId = FunctionId(u32::MAX);

/// The inputs of each function.
pub(crate) type Inputs = PerId<FunctionId, SmallVec<[Source; 3]>>;

/// The result of resolution.
pub(crate) struct Resolution<'a> {
    /// The resolved inputs of every record.
    pub(crate) inputs: Inputs,
    /// The resolved actual argument of each formal placeholder.
    pub(crate) arguments: PerId<VariableId, Option<Source>>,
    /// The function that computes a function's outputs: for a block, the innermost root that is not a block; for
    /// another function, the function itself.
    pub(crate) terminals: PerId<FunctionId, FunctionId>,
    /// How many outputs a function has.
    pub(crate) output_counts: PerId<FunctionId, u32>,
    /// The block that owns each function.
    pub(crate) parents: PerId<FunctionId, Option<FunctionId>>,
    /// Whether the root needs a function.
    pub(crate) reachable: PerId<FunctionId, bool>,
    /// The placeholders that are forward references, and the values that they stand for.
    pub(crate) forward: Vec<(VariableId, Source)>,
    /// The placeholders that nothing binds.
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
    let mut outputs = outputs::outputs(model, &roots, &references, findings);
    settle::settle(model, &roots, &mut references, &mut outputs, findings);
    let (forward, unbound) = placeholders(model, &index, &roots, &references);
    Resolution {
        forward,
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

/// Sorts the placeholders that no block binds into forward references and unbound ones.
fn placeholders(
    model: &Model<'_>,
    index: &Index<'_, '_>,
    roots: &roots::Roots,
    references: &references::References,
) -> (Vec<(VariableId, Source)>, Vec<VariableId>) {
    let (mut forward, mut unbound) = (Vec::new(), Vec::new());
    for (id, variable) in ids::<VariableId, _>(&model.variables) {
        if variable.kind != VariableKind::Placeholder || references.binders.get(id).copied().flatten().is_some() {
            continue;
        }
        let Some((f, i)) = index.output(variable.uid) else {
            unbound.push(id);
            continue;
        };
        let Some(terminal) = roots.terminals.get(f).copied() else { continue };
        let function = model.functions.get(terminal.place());
        let source = match function.map(|f| &f.kind) {
            Some(FunctionKind::Primitive(Op::Combine)) => references.input(terminal, i),
            _ => Some(Source::Output(terminal, i)),
        };
        forward.extend(source.map(|source| (id, source)));
    }
    (forward, unbound)
}

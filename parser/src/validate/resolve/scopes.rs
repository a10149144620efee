//! Finds the block that owns each function. A block owns all functions that its inner root reaches, up to its formal
//! placeholders.
//!
//! Every function is visited once, in the scope that reaches it first. Reaching it from a second scope is an error: the
//! two would share a graph, and CNTK gives each block a graph of its own.

use super::references::References;
use super::roots::{Roots, name, ring};
use crate::model::{FunctionId, FunctionKind, Model, Source, VariableId, VariableKind};
use crate::validate::arena::{Id, PerId, ids};
use crate::validate::findings::{Findings, Place, Quoted};
use crate::validate::rules;

/// Ownership and reachability.
pub(super) struct Scopes {
    /// See [`super::Resolution::parents`].
    pub(super) parents: PerId<FunctionId, Option<FunctionId>>,
    /// See [`super::Resolution::reachable`].
    pub(super) reachable: PerId<FunctionId, bool>,
}

struct Walk<'m, 'a> {
    model: &'m Model<'a>,
    references: &'m References,
    /// The scope of each function that was reached; `Some(None)` is the top level.
    scopes: PerId<FunctionId, Option<Option<FunctionId>>>,
    /// Blocks whose inner graphs are still to be visited.
    blocks: Vec<FunctionId>,
    /// Functions still to be visited.
    stack: Vec<FunctionId>,
    /// Formal placeholders that the inner graph of their block uses.
    used: PerId<VariableId, bool>,
    /// Functions that were already reported as shared.
    shared: PerId<FunctionId, bool>,
}

/// Visits every scope.
pub(super) fn walk<'a>(
    model: &Model<'a>,
    roots: &Roots,
    references: &References,
    findings: &mut Findings<'_, 'a>,
) -> Scopes {
    let count = model.functions.len();
    let mut walk = Walk {
        model,
        references,
        scopes: PerId::filled(count, None),
        blocks: Vec::new(),
        stack: Vec::new(),
        used: PerId::filled(model.variables.len(), false),
        shared: PerId::filled(count, false),
    };
    if let Some(root) = roots.root {
        walk.scope(None, root, findings);
    }
    walk.inside(roots, findings);
    let reachable: Vec<bool> = walk.scopes.iter().map(|(_, scope)| scope.is_some()).collect();
    // Functions that the root does not need have scopes, too.
    for (id, function) in ids::<FunctionId, _>(&model.functions) {
        let is_block = matches!(function.kind, FunctionKind::Block(_));
        if is_block && reachable.get(id.place()) == Some(&false) {
            walk.blocks.push(id);
        }
    }
    walk.inside(roots, findings);
    walk.unused_keys(roots, findings);
    let parents: Vec<_> = walk.scopes.iter().map(|(_, scope)| scope.flatten()).collect();
    let mut parents = PerId::from(parents);
    break_rings(model, &mut parents, findings);
    Scopes { parents, reachable: PerId::from(reachable) }
}

impl<'a> Walk<'_, 'a> {
    /// Visits the inner graphs of the waiting blocks, and of the blocks found in them.
    fn inside(&mut self, roots: &Roots, findings: &mut Findings<'_, 'a>) {
        while let Some(block) = self.blocks.pop() {
            if let Some(root) = roots.inner.get(block) {
                self.scope(Some(block), *root, findings);
            }
        }
    }

    /// Visits the functions that `root` reaches within `scope`.
    fn scope(&mut self, scope: Option<FunctionId>, root: FunctionId, findings: &mut Findings<'_, 'a>) {
        self.reach(scope, root, findings);
        let references = self.references;
        while let Some(id) = self.stack.pop() {
            let Some(function) = self.model.functions.get(id.place()) else { continue };
            if matches!(function.kind, FunctionKind::Block(_)) {
                self.blocks.push(id);
                for (i, (_, source)) in references.maps.get(id).into_iter().flatten().enumerate() {
                    self.follow(scope, *source, Place::MapValue(id, i), findings);
                }
            } else {
                for (i, source) in references.inputs.get(id).into_iter().flatten().enumerate() {
                    self.follow(scope, *source, Place::Input(id, i), findings);
                }
            }
        }
    }

    fn follow(&mut self, scope: Option<FunctionId>, source: Source, place: Place, findings: &mut Findings<'_, 'a>) {
        let v = match source {
            Source::Output(f, _) => return self.reach(scope, f, findings),
            Source::Variable(v) => v,
        };
        let Some(variable) = self.model.variables.get(v.place()) else { return };
        if variable.kind != VariableKind::Placeholder {
            return;
        }
        let binder = self.references.binders.get(v).copied().flatten();
        self.used.set(v, true);
        if binder == scope {
            return;
        }
        let uid = Quoted(variable.uid);
        let text = match (binder, scope) {
            (Some(binder), Some(scope)) => format!(
                "block {} uses the placeholder {uid} of block {}",
                Quoted(name(self.model, scope)),
                Quoted(name(self.model, binder))
            ),
            (Some(binder), None) => {
                format!("the placeholder {uid} is used outside of its block {}", Quoted(name(self.model, binder)))
            }
            (None, Some(scope)) => {
                format!("block {} does not bind the placeholder {uid}", Quoted(name(self.model, scope)))
            }
            (None, None) => return,
        };
        findings.add(&rules::BLOCK_SCOPE, place, text);
    }

    /// Records that `scope` reaches a function.
    fn reach(&mut self, scope: Option<FunctionId>, id: FunctionId, findings: &mut Findings<'_, 'a>) {
        match self.scopes.get(id).copied() {
            None => {}
            Some(None) => {
                self.scopes.set(id, Some(scope));
                self.stack.push(id);
            }
            Some(Some(known)) if known == scope => {}
            Some(Some(known)) => {
                if self.shared.get(id) == Some(&true) {
                    return;
                }
                self.shared.set(id, true);
                if scope == Some(id) {
                    let names = std::iter::once(name(self.model, id));
                    return findings.add(&rules::BLOCK_RECURSION, Place::Function(id), ring("through an input", names));
                }
                let text = format!(
                    "the function {} is part of {} and of {}",
                    Quoted(name(self.model, id)),
                    self.scope_name(known),
                    self.scope_name(scope)
                );
                findings.add(&rules::BLOCK_SHARED, Place::Function(id), text);
            }
        }
    }

    fn scope_name(&self, scope: Option<FunctionId>) -> String {
        scope.map_or_else(|| "the model's own graph".to_owned(), |b| format!("block {}", Quoted(name(self.model, b))))
    }

    /// Reports map keys that are not placeholders of the block's inner graph.
    fn unused_keys(&self, roots: &Roots, findings: &mut Findings<'_, 'a>) {
        for (id, map) in self.references.maps.iter() {
            let has_root = roots.inner.get(id).and_then(|r| self.model.functions.get(r.place())).is_some();
            for (i, (key, _)) in map.iter().enumerate() {
                if has_root && self.used.get(*key) == Some(&false) {
                    let key = self.model.variables.get(key.place()).map_or("", |v| v.uid);
                    let block = Quoted(name(self.model, id));
                    let text = format!("the key {} of block {block} is not a placeholder of its graph", Quoted(key));
                    findings.add(&rules::BLOCK_MAP_KEY, Place::MapKey(id, i), text);
                }
            }
        }
    }
}

/// Reports blocks that own themselves through other blocks, and breaks the ring. Visits each function once.
fn break_rings(
    model: &Model<'_>,
    parents: &mut PerId<FunctionId, Option<FunctionId>>,
    findings: &mut Findings<'_, '_>,
) {
    const NEW: u32 = u32::MAX;
    let mut walked_from = PerId::<FunctionId, u32>::filled(parents.len(), NEW);
    for (start, _) in ids::<FunctionId, _>(&model.functions) {
        let mut at = start;
        while let Some(&mark) = walked_from.get(at) {
            if mark == start.0 {
                let names =
                    std::iter::successors(Some(at), |f| parents.get(*f).copied().flatten().filter(|next| *next != at));
                let names = names.map(|f| name(model, f));
                findings.add(&rules::BLOCK_RECURSION, Place::Function(at), ring("each inside the next", names));
                parents.set(at, None);
            }
            if mark != NEW {
                break;
            }
            walked_from.set(at, start.0);
            match parents.get(at).copied().flatten() {
                Some(parent) => at = parent,
                None => break,
            }
        }
    }
}

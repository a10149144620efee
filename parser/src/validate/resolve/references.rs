//! Finds the value that each reference in the file names; aliases are not yet resolved.

use super::index::Index;
use super::roots::Roots;
use super::{BROKEN, Inputs};
use crate::model::{Block, FunctionId, FunctionKind, Model, Source, VariableId, VariableKind};
use crate::ops::Op;
use crate::validate::arena::{Id, PerId, ids};
use crate::validate::findings::{Findings, Place, Quoted};
use crate::validate::rules;
use smallvec::SmallVec;

/// The references, by the record that contains them.
pub(super) struct References {
    /// The inputs of each function.
    pub(super) inputs: Inputs,
    /// The actual argument of each formal placeholder.
    pub(super) arguments: PerId<VariableId, Option<Source>>,
    /// The block whose argument map binds a placeholder.
    pub(super) binders: PerId<VariableId, Option<FunctionId>>,
    /// For each block, its formal placeholders with their actual arguments.
    pub(super) maps: PerId<FunctionId, Vec<(VariableId, Source)>>,
}

impl References {
    /// An input of a function.
    pub(super) fn input(&self, id: FunctionId, i: u32) -> Option<Source> {
        self.inputs.get(id)?.get(usize::try_from(i).ok()?).copied()
    }
}

/// Collects all references and reports those that name nothing.
pub(super) fn collect<'a>(
    model: &Model<'a>,
    index: &Index<'_, 'a>,
    roots: &Roots,
    findings: &mut Findings<'_, 'a>,
) -> References {
    let mut inputs = Vec::with_capacity(model.functions.len());
    let mut references = References {
        inputs: Inputs::from(Vec::new()),
        arguments: PerId::filled(model.variables.len(), None),
        binders: PerId::filled(model.variables.len(), None),
        maps: PerId::from(Vec::new()),
    };
    let mut maps = Vec::with_capacity(model.functions.len());
    for (id, function) in ids::<FunctionId, _>(&model.functions) {
        let resolved: SmallVec<[Source; 3]> = function
            .inputs
            .iter()
            .enumerate()
            .map(|(i, uid)| reference(model, index, roots, id, uid, Place::Input(id, i), findings))
            .collect();
        inputs.push(resolved);
        maps.push(match &function.kind {
            FunctionKind::Block(block) => arguments(model, index, roots, id, block, &mut references, findings),
            _ => Vec::new(),
        });
    }
    references.inputs = Inputs::from(inputs);
    references.maps = PerId::from(maps);
    references
}

/// The value that `uid` names in `reader`'s record at `place`; [`BROKEN`] after reporting that there is none.
fn reference<'a>(
    model: &Model<'a>,
    index: &Index<'_, 'a>,
    roots: &Roots,
    reader: FunctionId,
    uid: &str,
    place: Place,
    findings: &mut Findings<'_, 'a>,
) -> Source {
    let Some(source) = index.reference(uid) else {
        findings.add(&rules::UNRESOLVED_INPUT, place, format!("nothing has the uid {}", Quoted(uid)));
        return BROKEN;
    };
    let Source::Output(f, i) = source else { return source };
    if f >= reader && index.variable(uid).is_none() {
        let text = format!("{} is made only later in the file, and no placeholder stands for it", Quoted(uid));
        findings.add(&rules::FORWARD_REFERENCE, place, text);
    }
    let count = roots.output_counts.get(f).copied().unwrap_or(0);
    let function = model.functions.get(f.place());
    let is_combine = function.is_some_and(|f| matches!(f.kind, FunctionKind::Primitive(Op::Combine)));
    if is_combine {
        let text = format!("{} names an output of Combine, which has none of its own", Quoted(uid));
        findings.add(&rules::OUTPUT_INDEX, place, text);
        return BROKEN;
    }
    if i >= count {
        // The outputs of a block without a root are not known; the missing root was reported.
        if roots.terminals.get(f).and_then(|t| model.functions.get(t.place())).is_some() {
            let text = format!("{} does not exist: the function has {count} output{}", Quoted(uid), plural(count));
            findings.add(&rules::OUTPUT_INDEX, place, text);
        }
        return BROKEN;
    }
    source
}

fn plural(count: u32) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The argument map of a block.
fn arguments<'a>(
    model: &Model<'a>,
    index: &Index<'_, 'a>,
    roots: &Roots,
    id: FunctionId,
    block: &Block<'a>,
    references: &mut References,
    findings: &mut Findings<'_, 'a>,
) -> Vec<(VariableId, Source)> {
    let mut map = Vec::with_capacity(block.arguments.len());
    let uid = super::roots::name(model, id);
    for (i, (key, value)) in block.arguments.iter().enumerate() {
        let value = reference(model, index, roots, id, value, Place::MapValue(id, i), findings);
        let place = Place::MapKey(id, i);
        let formal = index
            .variable(key)
            .filter(|v| model.variables.get(v.place()).is_some_and(|v| v.kind == VariableKind::Placeholder));
        let Some(formal) = formal else {
            let text = format!("the key {} of block {} is not one of its placeholders", Quoted(key), Quoted(uid));
            findings.add(&rules::BLOCK_MAP_KEY, place, text);
            continue;
        };
        if references.binders.get(formal).copied().flatten().is_some() {
            let text = format!("the placeholder {} is bound a second time, by block {}", Quoted(key), Quoted(uid));
            findings.add(&rules::BLOCK_MAP_KEY, place, text);
            continue;
        }
        references.binders.set(formal, Some(id));
        references.arguments.set(formal, Some(value));
        map.push((formal, value));
    }
    map
}

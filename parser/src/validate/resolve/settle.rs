//! Follows every reference through aliases to the value that it stands for.
//!
//! An alias is an output of a block, an output of `Combine` (as a block's root) or a formal placeholder. The last two
//! have a slot with the value that they stand for. A chain is followed from slot to slot and its end is written into
//! each slot, so that no link is followed twice.

use super::BROKEN;
use super::references::References;
use super::roots::Roots;
use crate::model::{FunctionId, FunctionKind, Model, Output, Source, VariableId};
use crate::ops::Op;
use crate::validate::arena::{Id, ids};
use crate::validate::findings::{Findings, Place, Quoted};
use crate::validate::rules;

/// The content of a slot while the chain through it is followed.
const OPEN: Source = Source::Variable(VariableId(u32::MAX - 1));

/// The slot that holds the value of an alias.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Slot {
    /// The argument of a formal placeholder.
    Argument(VariableId),
    /// An input of `Combine`.
    Input(FunctionId, u32),
}

/// Follows the aliases in all inputs, arguments and outputs.
pub(super) fn settle<'a>(
    model: &Model<'a>,
    roots: &Roots,
    references: &mut References,
    outputs: &mut [Output<'a>],
    findings: &mut Findings<'_, 'a>,
) {
    let mut settler = Settler { model, roots, references, findings, trail: Vec::new() };
    for (id, function) in ids::<FunctionId, _>(&model.functions) {
        for i in 0..function.inputs.len() {
            let source = settler.references.inputs.get(id).and_then(|inputs| inputs.get(i)).copied();
            let end = settler.follow(source.unwrap_or(BROKEN));
            if let Some(slot) = settler.references.inputs.get_mut(id).and_then(|inputs| inputs.get_mut(i)) {
                *slot = end;
            }
        }
    }
    for (id, _) in ids::<VariableId, _>(&model.variables) {
        settler.follow(Source::Variable(id));
    }
    for output in outputs {
        output.source = settler.follow(output.source);
    }
}

struct Settler<'s, 'm, 'a> {
    model: &'s Model<'a>,
    roots: &'s Roots,
    references: &'s mut References,
    findings: &'s mut Findings<'m, 'a>,
    trail: Vec<Slot>,
}

impl Settler<'_, '_, '_> {
    /// The value at the end of the chain of aliases that begins with `start`.
    fn follow(&mut self, start: Source) -> Source {
        let mut at = start;
        let end = loop {
            let slot = match at {
                Source::Variable(v) => Slot::Argument(v),
                Source::Output(f, i) => {
                    let Some(terminal) = self.roots.terminals.get(f).copied() else { break BROKEN };
                    let Some(function) = self.model.functions.get(terminal.place()) else { break BROKEN };
                    if !matches!(function.kind, FunctionKind::Primitive(Op::Combine)) {
                        break Source::Output(terminal, i);
                    }
                    Slot::Input(terminal, i)
                }
            };
            let Some(content) = self.slot(slot) else { break at };
            let next = std::mem::replace(content, OPEN);
            if next == OPEN {
                self.report_ring(slot);
                break BROKEN;
            }
            self.trail.push(slot);
            at = next;
        };
        let trail = std::mem::take(&mut self.trail);
        for slot in &trail {
            if let Some(content) = self.slot(*slot) {
                *content = end;
            }
        }
        self.trail = trail;
        self.trail.clear();
        end
    }

    fn slot(&mut self, slot: Slot) -> Option<&mut Source> {
        match slot {
            Slot::Argument(v) => self.references.arguments.get_mut(v)?.as_mut(),
            Slot::Input(f, i) => self.references.inputs.get_mut(f)?.get_mut(usize::try_from(i).ok()?),
        }
    }

    fn report_ring(&mut self, slot: Slot) {
        let (place, uid) = match slot {
            Slot::Argument(v) => (Place::Variable(v), self.model.variables.get(v.place()).map(|v| v.uid)),
            Slot::Input(f, _) => (Place::Function(f), self.model.functions.get(f.place()).map(|f| f.uid)),
        };
        let blocks: Vec<String> = self
            .trail
            .iter()
            .filter_map(|slot| match slot {
                Slot::Argument(v) => self.references.binders.get(*v).copied().flatten(),
                Slot::Input(..) => None,
            })
            .take(4)
            .map(|block| Quoted(super::roots::name(self.model, block)).to_string())
            .collect();
        let through =
            if blocks.is_empty() { String::new() } else { format!(" (a loop through {})", blocks.join(", ")) };
        let text = format!("{} stands for itself{through}", Quoted(uid.unwrap_or_default()));
        self.findings.add(&rules::ALIAS_RING, place, text);
    }
}

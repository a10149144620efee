//! Reports graphs that are valid and yet dangerous to load, or a sign of tampering.

use super::arena::{Id, PerId};
use super::findings::{Findings, Place};
use super::gather::Gathers;
use super::graph::Order;
use super::operators::Operators;
use super::resolve::{Inputs, Resolution};
use super::rules;
use super::types::Types;
use crate::model::{FunctionId, Model, Source, VariableKind};
use crate::ops::Operator;

/// CNTK 2.7 loads chains of 3000 functions and overflows its stack on 10 000.
const DEEP_CHAIN: u32 = 3000;
/// Each level of blocks doubles CNTK's loading time.
const DEEP_BLOCKS: u32 = 16;

/// Reports long chains, deep blocks and hidden branches.
pub(super) fn check<'a>(
    model: &Model<'a>,
    operators: &Operators<'a>,
    resolution: &Resolution<'a>,
    order: &Order,
    types: &Types<'a>,
    findings: &mut Findings<'_, 'a>,
) {
    let mut branches = (None, 0u64);
    let mut gathers = Gathers::default();
    for (id, operator) in operators.iter() {
        let inputs = resolution.inputs.get(id).map(|i| i.as_slice()).unwrap_or_default();
        match operator {
            Operator::Gather => gathers.check(model, id, inputs, types, findings),
            Operator::Select if is_trigger(model, operators, &resolution.inputs, inputs) => {
                branches = (branches.0.or(Some(id)), branches.1.saturating_add(1));
            }
            _ => {}
        }
    }
    if let (Some(first), count) = branches {
        let more = if count > 1 { format!(", and {} more do", count.saturating_sub(1)) } else { String::new() };
        let text = format!("it chooses by comparing with a stored number{more}");
        findings.add(&rules::HIDDEN_BRANCH, Place::Function(first), text);
    }
    chain(model, resolution, order, findings);
    nesting(resolution, findings);
}

/// Does a Select choose by comparing a value with a stored number?
fn is_trigger(model: &Model<'_>, operators: &Operators<'_>, all: &Inputs, inputs: &[Source]) -> bool {
    let Some(Source::Output(condition, _)) = inputs.first() else { return false };
    let compares = matches!(
        operators.get(*condition),
        Some(
            Operator::Equal
                | Operator::NotEqual
                | Operator::Less
                | Operator::LessEqual
                | Operator::Greater
                | Operator::GreaterEqual
        )
    );
    let stored = |source: &Source| match source {
        Source::Variable(v) => model
            .variables
            .get(v.place())
            .is_some_and(|v| matches!(v.kind, VariableKind::Constant | VariableKind::Parameter)),
        Source::Output(..) => false,
    };
    compares && all.get(*condition).is_some_and(|inputs| inputs.iter().any(stored))
}

/// Reports a chain of functions that is so long that a recursive reader overflows its stack.
fn chain<'a>(model: &Model<'a>, resolution: &Resolution<'a>, order: &Order, findings: &mut Findings<'_, 'a>) {
    let mut depths = PerId::<FunctionId, u32>::filled(model.functions.len(), 0);
    let mut deepest = (0, None);
    for id in &order.order {
        let below = resolution.inputs.get(*id).into_iter().flatten().map(|source| match source {
            Source::Output(f, _) => depths.get(*f).copied().unwrap_or(0),
            Source::Variable(_) => 0,
        });
        let depth = below.max().unwrap_or(0).saturating_add(1);
        depths.set(*id, depth);
        if depth > deepest.0 {
            deepest = (depth, Some(*id));
        }
    }
    if let (depth @ DEEP_CHAIN.., Some(id)) = deepest {
        let text = format!("a chain of {depth} functions: recursive readers overflow their stack");
        findings.add(&rules::DEEP_CHAIN, Place::Function(id), text);
    }
}

/// Reports blocks that are nested too deep. The parents form a forest: cycles were removed before.
fn nesting(resolution: &Resolution<'_>, findings: &mut Findings<'_, '_>) {
    const NEW: u32 = u32::MAX;
    let parents = &resolution.parents;
    let mut levels = PerId::<FunctionId, u32>::filled(parents.len(), NEW);
    let mut deepest = (0, None);
    let mut path = Vec::new();
    for (start, _) in parents.iter() {
        let mut at = Some(start);
        let mut level = 0;
        while let Some(id) = at {
            match levels.get(id).copied() {
                None => break,
                Some(NEW) => path.push(id),
                Some(known) => {
                    level = known.saturating_add(1);
                    break;
                }
            }
            at = parents.get(id).copied().flatten();
        }
        while let Some(id) = path.pop() {
            levels.set(id, level);
            if level > deepest.0 {
                deepest = (level, Some(id));
            }
            level = level.saturating_add(1);
        }
    }
    if let (level @ DEEP_BLOCKS.., Some(id)) = deepest {
        let text = format!("blocks nested {level} deep: each level doubles CNTK's loading time");
        findings.add(&rules::DEEP_BLOCKS, Place::Function(id), text);
    }
}

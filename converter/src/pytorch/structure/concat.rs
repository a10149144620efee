//! Concatenations that go on from earlier ones: `torch.cat([a, b, c], 1)` after `ab = torch.cat([a, b], 1)` is
//! `torch.cat([ab, c], 1)`, so that layers which read all earlier ones read one value that grows. Sums that are computed anew
//! are the earlier ones: after `ab = a + b`, `a + b + c` is `ab + c`.

use super::Network;
use super::beside::added;
use crate::pytorch::python::body::{Item, each};
use crate::pytorch::python::expr::{Expr, Module, ValueId};
use crate::pytorch::python::uses::Uses;
use std::collections::{HashMap, HashSet};

/// Writes them so.
pub(super) fn go_on(network: &mut Network<'_>, uses: &Uses) {
    let mut known: HashMap<(i128, u32, Vec<ValueId>), ValueId> = HashMap::new();
    for v in uses.needed() {
        let value = &mut network.body.values[v.0 as usize];
        let Some((axis, operands)) = concatenated(&value.expr) else { continue };
        let block = value.block;
        if operands.len() > 2 {
            let before = |operands: &[ValueId]| known.get(&(axis, block, operands.to_vec())).copied();
            let (first, last) = (operands[0], operands[operands.len() - 1]);
            let shorter = before(&operands[..operands.len() - 1])
                .map(|all| [all, last])
                .or_else(|| before(&operands[1..]).map(|all| [first, all]));
            if let Some(shorter) = shorter {
                value.expr = with_operands(&value.expr, &shorter).into();
            }
        }
        known.entry((axis, block, operands)).or_insert(v);
    }
}

/// Lets what reads a sum that was computed before read the earlier one.
pub(super) fn add_once(network: &mut Network<'_>, uses: &Uses) {
    // What outputs and statements read stays.
    let mut kept: HashSet<ValueId> = network.outputs.iter().copied().collect();
    each(network.body.items(), &mut |item| match item {
        Item::Unpack(_, e) => kept.extend(e.values()),
        other => kept.extend(other.kept().into_iter().flat_map(|e| e.values())),
    });
    let mut known: HashMap<(u32, [ValueId; 2]), ValueId> = HashMap::new();
    let mut earlier: HashMap<ValueId, ValueId> = HashMap::new();
    for v in uses.needed() {
        let value = &mut network.body.values[v.0 as usize];
        if value.expr.values().any(|read| earlier.contains_key(&read)) {
            let expr = value.expr.rewrite(&mut |e| match e {
                Expr::Value(read) => earlier.get(read).map(|v| Expr::Value(*v)),
                _ => None,
            });
            value.expr = expr.into();
        }
        let Some(operands) = added(&value.expr) else { continue };
        let first = *known.entry((value.block, operands)).or_insert(v);
        if first != v && !kept.contains(&v) {
            earlier.insert(v, first);
        }
    }
}

/// The axis and the operands of a concatenation of values.
fn concatenated(expr: &Expr) -> Option<(i128, Vec<ValueId>)> {
    let Expr::Call(function, arguments) = expr else { return None };
    let Expr::Torch(Module::Torch, name) = &**function else { return None };
    let [list, axis] = arguments.as_slice() else { return None };
    let (true, Expr::List(all), Expr::Int(axis)) = (name == "cat", &list.value, &axis.value) else { return None };
    let operands: Option<Vec<ValueId>> = all
        .iter()
        .map(|e| match e {
            Expr::Value(v) => Some(*v),
            _ => None,
        })
        .collect();
    Some((*axis, operands?))
}

fn with_operands(expr: &Expr, operands: &[ValueId]) -> Expr {
    expr.rewrite(&mut |e| matches!(e, Expr::List(_)).then(|| crate::pytorch::python::expr::list(operands)))
}

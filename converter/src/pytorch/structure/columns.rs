//! The numbers in which equal units differ: what a constructor takes, and how a run is made with it.

use super::form::Slot;
use crate::pytorch::python::expr::{Argument, Expr, nn};
use crate::pytorch::python::names::Names;
use crate::pytorch::python::print::constant;
use std::collections::HashMap;

/// Fewer equal modules in a row are written one by one.
const FEWEST: usize = 2;

/// An argument of the constructor.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) ty: String,
}

/// The numbers of all units, slot by slot.
pub(super) struct Columns {
    /// For each slot the parameter that it is, if units differ in it.
    pub(super) parameter: Vec<Option<usize>>,
    pub(super) parameters: Vec<Parameter>,
    /// A slot of each parameter.
    slot: Vec<usize>,
}

impl Columns {
    pub(super) fn new(slots: &[Vec<Slot>]) -> Self {
        let mut all = Self { parameter: Vec::new(), parameters: Vec::new(), slot: Vec::new() };
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut labels: Vec<Vec<&'static str>> = Vec::new();
        for (j, first) in slots[0].iter().enumerate() {
            if slots.iter().all(|s| s[j].value == first.value) {
                all.parameter.push(None);
                continue;
            }
            let column: Vec<String> = slots.iter().map(|s| constant(&s[j].value)).collect();
            let p = *known.entry(column.join(";")).or_insert_with(|| {
                all.slot.push(j);
                labels.push(Vec::new());
                labels.len() - 1
            });
            labels[p].push(first.name);
            all.parameter.push(Some(p));
        }
        let mut names = Names::of_variables();
        for (labels, j) in labels.iter().zip(&all.slot) {
            let ty = ty(slots.iter().map(|s| &s[*j].value));
            all.parameters.push(Parameter { name: names.unique(called(labels)), ty });
        }
        all
    }

    /// The arguments of one unit.
    fn arguments(&self, slots: &[Slot]) -> Vec<Expr> {
        self.slot.iter().map(|j| slots[*j].value.clone()).collect()
    }

    /// What makes the units of a run.
    pub(super) fn container(&self, class: &Expr, units: &[Vec<Slot>], listed: bool) -> Expr {
        let call = |values: Vec<Expr>| class.clone().call(values.into_iter().map(Argument::from).collect());
        let all: Vec<Vec<Expr>> = units.iter().map(|u| self.arguments(u)).collect();
        if let [one] = all.as_slice() {
            return call(one.clone());
        }
        let mut items = Vec::new();
        let mut rest = all.as_slice();
        while let Some((first, _)) = rest.split_first() {
            let same = rest.iter().take_while(|u| *u == first).count();
            let rising = rising(rest);
            if same >= FEWEST && same + 1 >= rising {
                items.push(Expr::Repeat(Box::new(call(first.clone())), "_", same as u64));
                rest = &rest[same..];
            } else if rising > FEWEST {
                let values = first.iter().zip(&rest[1]).map(|(a, b)| match (a, b) {
                    (Expr::Int(a), Expr::Int(b)) if a != b => stepped(*a, b - a),
                    _ => a.clone(),
                });
                items.push(Expr::Repeat(Box::new(call(values.collect())), "i", rising as u64));
                rest = &rest[rising..];
            } else {
                items.push(call(first.clone()));
                rest = &rest[1..];
            }
        }
        if listed {
            nn("ModuleList", vec![Expr::List(items).into()])
        } else {
            nn("Sequential", items.into_iter().map(Argument::from).collect())
        }
    }
}

/// `first + step * i`
fn stepped(first: i128, step: i128) -> Expr {
    let i = Expr::local("i");
    let times = if step.abs() == 1 { i } else { Expr::Int(step.abs()) * i };
    if step < 0 { Expr::Int(first) - times } else { Expr::Int(first) + times }
}

/// How many units from the first on have arguments that rise or fall by the same steps.
fn rising(units: &[Vec<Expr>]) -> usize {
    let [a, b, ..] = units else { return 1 };
    let step = |x: &Expr, y: &Expr| match (x, y) {
        (Expr::Int(x), Expr::Int(y)) => Some(y - x),
        _ => (x == y).then_some(0),
    };
    let steps: Option<Vec<i128>> = a.iter().zip(b).map(|(x, y)| step(x, y)).collect();
    let Some(steps) = steps else { return 1 };
    let follows =
        |pair: &[Vec<Expr>]| pair[0].iter().zip(&pair[1]).zip(&steps).all(|((x, y), s)| step(x, y) == Some(*s));
    1 + units.windows(2).take_while(|pair| follows(pair)).count()
}

/// The type of an argument that has all these values.
fn ty<'v>(values: impl Iterator<Item = &'v Expr>) -> String {
    let mut all: Vec<&str> = values
        .map(|v| match v {
            Expr::Int(_) => "int",
            Expr::Bool(_) => "bool",
            Expr::Tuple(_) => "tuple[int, ...]",
            _ => "float",
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    all.join(" | ")
}

/// What to call a parameter that stands for all these arguments.
fn called(labels: &[&'static str]) -> &'static str {
    let has = |name: &str| labels.contains(&name);
    match labels {
        _ if has("in_channels") && has("out_channels") => "channels",
        _ if has("in_features") && has("out_features") => "features",
        [first, ..] => first,
        [] => "size",
    }
}

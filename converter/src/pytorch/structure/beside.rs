//! Equal branches side by side: the heads of an attention, the experts of a mixture. What joins them calls each of a list.

use super::Network;
use super::branches::Chains;
use super::form::{self, Form, Slot};
use super::segments::Segment;
use crate::pytorch::python::expr::{Argument, Binary, Expr, Module, StateId, ValueId, args, torch};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// What calls each module of a list.
const BRANCH: &str = "branch";

/// What joins branches.
pub(super) struct Join {
    how: How,
    /// What the branches make.
    operands: Vec<ValueId>,
}

enum How {
    /// A value concatenates them.
    Cat(ValueId),
    /// A value is their sum, with others.
    Sum(ValueId, Vec<ValueId>),
    /// The model gives them away.
    Outputs,
}

/// A join, and the segments of its branches, one branch after the other.
pub(super) struct Branches {
    pub(super) join: Join,
    pub(super) segments: Vec<Segment>,
    pub(super) forms: Vec<Option<Form>>,
    /// How many segments a branch has.
    pub(super) period: usize,
}

/// Where equal branches join, the last joins first.
pub(super) fn find(network: &Network<'_>, chains: &Chains) -> Vec<Branches> {
    let joins = joins(network);
    joins.into_iter().filter_map(|join| branches(network, chains, join)).collect()
}

/// Values that join others, which nothing else reads.
fn joins(network: &Network<'_>) -> Vec<Join> {
    let uses = network.body.uses(network.outputs);
    let once = |v: &ValueId| uses.of(*v) == 1;
    let outputs: Vec<ValueId> = network.outputs.iter().copied().filter(once).collect();
    let mut found = vec![Join { how: How::Outputs, operands: outputs }];
    let mut inner = vec![false; network.body.values.len()];
    for v in uses.needed().rev() {
        if inner[v.0 as usize] {
            continue;
        }
        if let Some(operands) = concatenated(network.body.expr(v)) {
            if operands.iter().all(once) {
                found.push(Join { how: How::Cat(v), operands });
            }
        } else if added(network.body.expr(v)).is_some() {
            let mut operands = Vec::new();
            let mut stack = vec![v];
            while let Some(w) = stack.pop() {
                match added(network.body.expr(w)).filter(|_| w == v || once(&w)) {
                    Some([a, b]) => {
                        inner[w.0 as usize] = true;
                        stack.extend([b, a]);
                    }
                    None => operands.push(w),
                }
            }
            let (operands, rest) = operands.into_iter().partition(once);
            found.push(Join { how: How::Sum(v, rest), operands });
        }
    }
    found
}

/// A branch: the chain that ends with a value.
struct Branch {
    end: ValueId,
    segments: Vec<Segment>,
    forms: Vec<Option<Form>>,
}

impl Branch {
    /// What is equal for equal branches: where they part, and what they compute.
    fn key(&self) -> Option<(ValueId, Vec<Rc<str>>)> {
        let entry = self.segments.first()?.entry?;
        let shapes: Vec<Rc<str>> = self.forms.iter().flatten().map(|f| f.shape.clone()).collect();
        let whole = shapes.len() == self.segments.len() && self.segments.iter().any(|s| !s.states.is_empty());
        whole.then_some((entry, shapes))
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.forms.iter().flatten().flat_map(|f| &f.slots)
    }
}

/// The branches of a join, if enough of them are equal.
fn branches(network: &Network<'_>, chains: &Chains, join: Join) -> Option<Branches> {
    if join.operands.len() < 2 {
        return None;
    }
    let mut places: HashMap<(ValueId, Vec<Rc<str>>), usize> = HashMap::new();
    let mut equal: Vec<Vec<Branch>> = Vec::new();
    for v in &join.operands {
        let segments: Vec<Segment> = chains.to(*v).into_iter().cloned().collect();
        let forms = segments.iter().map(|s| form::of(network, s)).collect();
        let branch = Branch { end: *v, segments, forms };
        let Some(key) = branch.key() else { continue };
        let place = *places.entry(key).or_insert_with(|| {
            equal.push(Vec::new());
            equal.len() - 1
        });
        equal[place].push(branch);
    }
    let all = equal.into_iter().rev().max_by_key(Vec::len).filter(|all| all.len() > 1)?;
    let operands: Vec<ValueId> = all.iter().map(|b| b.end).collect();
    let how = match join.how {
        How::Cat(_) if operands.len() < join.operands.len() => return None,
        // Sums of other shapes are not those of a stack.
        How::Sum(..) if !all.iter().all(|b| b.slots().eq(all[0].slots())) => return None,
        How::Sum(v, mut rest) => {
            let known: HashSet<ValueId> = operands.iter().copied().collect();
            rest.extend(join.operands.into_iter().filter(|o| !known.contains(o)));
            How::Sum(v, rest)
        }
        how => how,
    };
    let period = all[0].segments.len();
    let (mut segments, mut forms) = (Vec::new(), Vec::new());
    for branch in all {
        segments.extend(branch.segments);
        forms.extend(branch.forms);
    }
    Some(Branches { join: Join { how, operands }, segments, forms, period })
}

/// Lets a join call each module of a list.
pub(super) fn write(network: &mut Network<'_>, join: &Join, list: StateId, arguments: Vec<Argument>) {
    let call = Expr::local(BRANCH).call(arguments);
    let each = Expr::List(vec![Expr::Repeat(Box::new(call), BRANCH.to_owned(), Box::new(Expr::State(list)))]);
    match &join.how {
        How::Cat(v) => {
            let value = &mut network.body.values[v.0 as usize];
            value.expr = value.expr.rewrite(&mut |e| matches!(e, Expr::List(_)).then(|| each.clone())).into();
        }
        How::Sum(v, rest) => {
            let sum = torch("stack", args![each]).method("sum", args![0]);
            let all = rest.iter().map(|v| Expr::Value(*v)).chain([sum]).reduce(|a, b| a + b);
            if let Some(all) = all {
                network.body.values[v.0 as usize].expr = all.into();
            }
        }
        How::Outputs => network.body.unpack_later(&join.operands, each),
    }
}

/// The values that an expression concatenates.
pub(super) fn concatenated(expr: &Expr) -> Option<Vec<ValueId>> {
    let Expr::Call(function, arguments) = expr else { return None };
    let (Expr::Torch(Module::Torch, name), [list, _]) = (&**function, arguments.as_slice()) else { return None };
    let (true, Expr::List(all)) = (name == "cat", &list.value) else { return None };
    let value = |e: &Expr| match e {
        Expr::Value(v) => Some(*v),
        _ => None,
    };
    all.iter().map(value).collect()
}

/// The two values that an expression adds.
pub(super) fn added(expr: &Expr) -> Option<[ValueId; 2]> {
    match expr {
        Expr::Binary(Binary::Plus, a, b) => match (&**a, &**b) {
            (Expr::Value(a), Expr::Value(b)) => Some([*a, *b]),
            _ => None,
        },
        _ => None,
    }
}

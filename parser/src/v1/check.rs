//! Checks of the graph of nodes that CNTK makes when it loads a file.

use super::nodes::path;
use super::relations::{Child, Graph};
use super::said::{Composition, Said};
use crate::components;
use crate::error::{Error, ErrorKind};
use crate::ops::Op;

/// Checks delays by no step and the operands of ranking criteria.
pub(super) fn graph(graph: &Graph<'_>) -> Result<(), Error> {
    delays(graph)?;
    rankings(graph)
}

/// A delay by no step reads what is computed in the same step. In a cycle, that is what CNTK's memory happens to hold.
fn delays(graph: &Graph<'_>) -> Result<(), Error> {
    let stands_still = |node: &usize| {
        let said = graph.nodes.get(*node).map(|node| &node.said);
        matches!(said, Some(Said::Composed(composed)) if matches!(**composed, Composition::Delay { offset: 0, .. }))
    };
    let count = graph.nodes.len();
    if !(0..count).any(|node| stands_still(&node)) {
        return Ok(());
    }
    let child = |node: usize, i: usize| graph.children(node).get(i).map(|child| place(*child));
    let mut found: Option<usize> = None;
    components::each(count, child, |members| {
        let cyclic = members.len() > 1 || members.iter().any(|node| reads(graph, *node, *node));
        if cyclic {
            found = found.into_iter().chain(members.iter().copied().filter(stands_still)).min();
        }
    });
    let Some(node) = found else { return Ok(()) };
    let expected = "a delay of at least one step, as it is part of a cycle";
    Err(at(graph, node, ErrorKind::BadValue { expected, found: "0".to_owned() }, "offset"))
}

/// Ranking criteria have no gradient for their gains and groups, so CNTK refuses parameters before them.
fn rankings(graph: &Graph<'_>) -> Result<(), Error> {
    let is_ranking = |said: &Said<'_>| matches!(said, Said::Plain(Op::LambdaRank | Op::NDCG));
    if !graph.nodes.iter().any(|node| is_ranking(&node.said)) {
        return Ok(());
    }
    let learns = learning(graph);
    for (node, _) in graph.nodes.iter().enumerate().filter(|(_, node)| is_ranking(&node.said)) {
        let inputs = graph.inputs(node);
        for (input, what) in [(1, GAINS), (2, GROUPS)] {
            let child = inputs.get(input).copied().and_then(place);
            if child.is_some_and(|child| learns.get(child) == Some(&true)) {
                return Err(at(graph, node, ErrorKind::Forbidden { what }, "inputs"));
            }
        }
    }
    Ok(())
}

const GAINS: &str = "a ranking criterion whose gains depend on a parameter";
const GROUPS: &str = "a ranking criterion whose groups depend on a parameter";

/// Which nodes training would change: parameters, and all that depends on them.
fn learning(graph: &Graph<'_>) -> Vec<bool> {
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    for node in 0..graph.nodes.len() {
        for child in graph.children(node).iter().copied().filter_map(place) {
            if let Some(readers) = readers.get_mut(child) {
                readers.push(node);
            }
        }
    }
    let is_leaf = |said: &Said<'_>| match said {
        Said::Input(input) => input.learns,
        Said::Parameter(parameter) => parameter.learns,
        _ => false,
    };
    let mut learns: Vec<bool> = graph.nodes.iter().map(|node| is_leaf(&node.said)).collect();
    let mut todo: Vec<usize> = (0..).zip(&learns).filter(|(_, learns)| **learns).map(|(node, _)| node).collect();
    while let Some(node) = todo.pop() {
        for reader in readers.get(node).into_iter().flatten().copied() {
            let passes = graph.nodes.get(reader).is_some_and(|n| !matches!(n.said, Said::Plain(Op::StopGradient)));
            if let Some(slot) = learns.get_mut(reader).filter(|learns| passes && !**learns) {
                *slot = true;
                todo.push(reader);
            }
        }
    }
    learns
}

/// The nodes that a root needs, if there is a root. CNTK leaves out the others: cycles that nothing reads.
pub(super) fn needed(graph: &Graph<'_>, roots: &[u32]) -> Vec<bool> {
    let mut needed = vec![roots.is_empty(); graph.nodes.len()];
    let mut todo: Vec<usize> = roots.iter().map(|root| *root as usize).collect();
    while let Some(node) = todo.pop() {
        if let Some(slot) = needed.get_mut(node).filter(|needed| !**needed) {
            *slot = true;
            todo.extend(graph.children(node).iter().copied().filter_map(place));
        }
    }
    needed
}

fn reads(graph: &Graph<'_>, reader: usize, child: usize) -> bool {
    graph.children(reader).iter().any(|c| place(*c) == Some(child))
}

fn place(child: Child<'_>) -> Option<usize> {
    match child {
        Child::Node(node) => Some(node as usize),
        Child::Unknown(_) => None,
    }
}

fn at(graph: &Graph<'_>, node: usize, kind: ErrorKind, key: &'static str) -> Error {
    let uid = graph.names.get(node).map_or("", |names| names.uid);
    let place = match key {
        "inputs" => graph.relation_at(node),
        _ => graph.nodes.get(node).map_or(0, |node| node.body),
    };
    Error::new(kind, place).in_key(key).in_record(path(node, uid))
}

//! Builds the model from nodes and relations: variables first, then functions, each after the functions that it reads.

use super::body::dynamic_axes;
use super::check;
use super::compose;
use super::emit::Emitter;
use super::nodes::path;
use super::relations::{Child, Graph};
use super::said::Said;
use crate::context::Context;
use crate::dictionary::Dictionary;
use crate::error::{Error, ErrorKind};
use crate::escape::Escaped;
use crate::file::ModelFile;
use crate::model::{Array, Axis, Container, DataType, Function, Listed, Model, Origin, Shape, Variable, VariableKind};
use std::mem;

/// Builds the model.
pub(super) fn model<'a>(
    file: &'a ModelFile<'a>,
    version: u64,
    mut graph: Graph<'a>,
    mut context: Context<'_>,
) -> Result<Model<'a>, Error> {
    let tensors = mem::take(&mut graph.tensors);
    let mut emitter = Emitter::new(file, &graph);
    for node in 0..graph.nodes.len() {
        emitter.start(node);
        context.budget.spend::<Variable<'a>>(1, 0)?;
        variable(&mut emitter).map_err(|e| named(&graph, node, e))?;
    }
    check::graph(&graph)?;
    let roots = roots(&graph);
    let needed = check::needed(&graph, &roots);
    left_out(&graph, &needed, &mut context)?;
    functions(&mut emitter, &needed, &mut context)?;
    let root = root(&mut emitter, &roots);
    context.budget.spend::<&str>(graph.outputs.len().saturating_add(graph.criteria.len()), 0)?;
    let listed = Listed { outputs: listed(&emitter, &graph.outputs), criteria: listed(&emitter, &graph.criteria) };
    let Emitter { variables, functions, .. } = emitter;
    Ok(Model {
        input: file.bytes(),
        container: Container::Nodes { version },
        version: NEWEST_COMPOSITE,
        uid: "CompositeFunction",
        name: "",
        root,
        variables,
        functions,
        listed,
        origin: Origin::Record(Dictionary::default()),
        warnings: context.warnings,
        more_warnings: context.more_warnings,
        tensors,
    })
}

/// The composite version that the model gets.
const NEWEST_COMPOSITE: u64 = 3;

fn named(graph: &Graph<'_>, node: usize, error: Error) -> Error {
    error.in_record(path(node, graph.names.get(node).map_or("", |names| names.uid)))
}

/// Adds a variable, if the node is one.
fn variable<'a>(emitter: &mut Emitter<'_, 'a>) -> Result<(), Error> {
    let graph = emitter.graph;
    let Some(node) = graph.nodes.get(emitter.node) else { return Ok(()) };
    let wanted = match &node.said {
        Said::Input(_) | Said::Parameter(_) | Said::Axis => Some(0),
        Said::Statistic(_) => Some(1),
        _ => None,
    };
    let found = graph.children(emitter.node).len();
    if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
        return Err(emitter.wrong_count(found, wanted, wanted));
    }
    let made = match &node.said {
        Said::Input(input) => {
            let (shape, axes) = (input.shape.clone(), dynamic_axes(input.axis));
            described(emitter, VariableKind::Input, shape, axes, input.sparse)
        }
        Said::Parameter(parameter) => {
            let kind = if parameter.learns { VariableKind::Parameter } else { VariableKind::Constant };
            let value = parameter.matrix.tensor(parameter.shape.clone()).map_err(|e| e.in_key("value"))?;
            stored(emitter, kind, value)
        }
        Said::Statistic(statistic) if statistic.computed => {
            let layout = match graph.children(emitter.node).first() {
                Some(Child::Node(child)) => graph.layout(*child),
                _ => None,
            };
            let value = statistic.matrix.list(layout).map_err(|e| e.in_key("value"))?;
            stored(emitter, VariableKind::Constant, value)
        }
        _ => return Ok(()),
    };
    let place = u32::try_from(emitter.variables.len()).ok();
    if let Some(slot) = emitter.variable_of.get_mut(emitter.node) {
        *slot = place;
    }
    emitter.variables.push(made);
    Ok(())
}

fn stored<'a>(emitter: &Emitter<'_, 'a>, kind: VariableKind, value: Array<'a>) -> Variable<'a> {
    let shape = value.shape.clone();
    Variable { value: Some(value), ..described(emitter, kind, shape, Vec::new(), false) }
}

fn described<'a>(
    emitter: &Emitter<'_, 'a>,
    kind: VariableKind,
    shape: Shape,
    dynamic_axes: Vec<Axis<'a>>,
    is_sparse: bool,
) -> Variable<'a> {
    let names = emitter.graph.names.get(emitter.node);
    let node = emitter.graph.nodes.get(emitter.node);
    Variable {
        uid: names.map_or("", |names| names.uid),
        name: names.map_or("", |names| names.name),
        kind,
        data_type: node.map_or(DataType::Float, |node| node.data_type),
        shape,
        dynamic_axes,
        is_sparse,
        needs_gradient: kind == VariableKind::Parameter,
        value: None,
        version: 1,
        at: node.map_or(0, |node| node.at),
        origin: emitter.origin(),
    }
}

/// The values that a group of the file lists. Files that CNTK 2 saved, whose nodes have other names than their uids, list
/// at most one of the outputs, so their lists do not count.
fn listed<'a>(emitter: &Emitter<'_, 'a>, group: &[u32]) -> Vec<&'a str> {
    let graph = emitter.graph;
    let own = |node: &&u32| graph.names.get(**node as usize).is_some_and(|names| names.key == names.uid);
    group.iter().filter(own).map(|node| emitter.reference(Child::Node(*node))).collect()
}

/// How far a node has been added.
#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    /// Its children are being added.
    Open,
    Done,
}

/// Warns of nodes that the model does without.
fn left_out(graph: &Graph<'_>, needed: &[bool], context: &mut Context<'_>) -> Result<(), Error> {
    let is_left_out = |node: &usize| needed.get(*node) == Some(&false) && !graph.children(*node).is_empty();
    let nodes = (0..graph.nodes.len()).filter(is_left_out);
    let Some(first) = nodes.clone().next() else { return Ok(()) };
    let unknown = nodes.clone().find_map(|node| {
        graph.children(node).iter().find_map(|child| match child {
            Child::Unknown(name) => Some((node, *name)),
            Child::Node(_) => None,
        })
    });
    if let Some((node, name)) = unknown {
        let kind = ErrorKind::NoSuchNode { name: name.to_owned() };
        return Err(named(graph, node, Error::new(kind, graph.relation_at(node)).in_key("inputs")));
    }
    let name = graph.names.get(first).map_or("", |names| names.uid);
    let text = match nodes.skip(1).count() {
        0 => format!("\"{}\" is left out, as in CNTK, because nothing else reads it", Escaped(name)),
        others => format!(
            "\"{}\" and {others} more nodes are left out, as in CNTK, because nothing else reads them",
            Escaped(name)
        ),
    };
    context.warn("v1.ignored", graph.relation_at(first), path(first, name), text);
    Ok(())
}

/// Adds all functions that are needed, children first. A node that is read while its own children are being added is in a loop; as in
/// v2 files, a placeholder stands for it there.
fn functions<'a>(emitter: &mut Emitter<'_, 'a>, needed: &[bool], context: &mut Context<'_>) -> Result<(), Error> {
    let graph = emitter.graph;
    let mut states = vec![State::New; graph.nodes.len()];
    let mut stands_in = vec![false; graph.nodes.len()];
    for (state, variable) in states.iter_mut().zip(&emitter.variable_of) {
        if variable.is_some() {
            *state = State::Done;
        }
    }
    let mut open: Vec<(usize, usize)> = Vec::new();
    for start in 0..graph.nodes.len() {
        if states.get(start) != Some(&State::New) || needed.get(start) == Some(&false) {
            continue;
        }
        set(&mut states, start, State::Open);
        open.push((start, 0));
        while let Some((node, next)) = open.last_mut() {
            let node = *node;
            let child = graph.children(node).get(*next).copied();
            *next = next.saturating_add(1);
            let child = match child {
                Some(Child::Node(child)) => child as usize,
                Some(Child::Unknown(_)) => continue,
                None => {
                    open.pop();
                    set(&mut states, node, State::Done);
                    emitter.start(node);
                    context.budget.spend::<Function<'a>>(1, 0)?;
                    compose::node(emitter).map_err(|e| named(graph, node, e))?;
                    continue;
                }
            };
            match states.get(child) {
                Some(State::New) => {
                    set(&mut states, child, State::Open);
                    open.push((child, 0));
                }
                Some(State::Open) if stands_in.get(child) == Some(&false) => {
                    if let Some(slot) = stands_in.get_mut(child) {
                        *slot = true;
                    }
                    emitter.start(child);
                    let output = emitter.reference(Child::Node(u32::try_from(child).unwrap_or(u32::MAX)));
                    emitter.placeholder(output);
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn set(states: &mut [State], node: usize, state: State) {
    if let Some(slot) = states.get_mut(node) {
        *slot = state;
    }
}

/// The outputs of the root. As in CNTK, these are the criteria, evaluation nodes and outputs, and all nodes that no other
/// node reads, except for nodes without children.
fn roots(graph: &Graph<'_>) -> Vec<u32> {
    let mut is_root = vec![true; graph.nodes.len()];
    for node in 0..graph.nodes.len() {
        for child in graph.children(node) {
            if let Child::Node(child) = child
                && let Some(slot) = is_root.get_mut(*child as usize)
            {
                *slot = false;
            }
        }
    }
    // Statistics of the training data are outputs even if nodes read them, because CNTK evaluates them separately.
    for (slot, node) in is_root.iter_mut().zip(&graph.nodes) {
        *slot |= matches!(node.said, Said::Statistic(_));
    }
    for wanted in graph.criteria.iter().chain(&graph.outputs) {
        if let Some(slot) = is_root.get_mut(*wanted as usize) {
            *slot = true;
        }
    }
    let roots = (0..).zip(is_root).filter(|(_, is)| *is).map(|(node, _)| node);
    roots.filter(|node| !graph.children(*node as usize).is_empty()).collect()
}

/// Adds the root, unless it is the only output.
fn root<'a>(emitter: &mut Emitter<'_, 'a>, roots: &[u32]) -> &'a str {
    let graph = emitter.graph;
    if let [only] = roots
        && let Some(function) = graph.names.get(*only as usize)
        && emitter.functions.iter().rev().any(|f| f.uid == function.uid)
    {
        return function.uid;
    }
    let inputs = roots.iter().map(|node| emitter.reference(Child::Node(*node))).collect();
    emitter.combine(inputs)
}

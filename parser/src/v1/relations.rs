//! Relations (the children of each node) and groups (criteria, evaluation nodes, outputs).

use super::names::Names;
use super::nodes::{Node, Nodes, path};
use super::reader::Reader;
use super::said::Said;
use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::escape::Escaped;
use crate::model::Shape;
use smallvec::SmallVec;
use std::ops::Range;

/// A child of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Child<'a> {
    Node(u32),
    /// A name that no node of the file has.
    Unknown(&'a str),
}

/// The relations of a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Relation {
    /// Offset of its entry; 0 for a node without one.
    pub(super) at: u64,
    first: u32,
    count: u32,
}

/// The nodes with their relations and groups.
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) names: Vec<Names<'a>>,
    pub(super) tensors: Vec<Range<u64>>,
    relations: Vec<Relation>,
    children: Vec<Child<'a>>,
    /// Members of the groups of criteria and evaluation nodes.
    pub(super) criteria: Vec<u32>,
    /// Members of the group of outputs.
    pub(super) outputs: Vec<u32>,
}

impl<'a> Graph<'a> {
    /// The children of a node, in the file's order.
    pub(super) fn children(&self, node: usize) -> &[Child<'a>] {
        let Some(relation) = self.relations.get(node) else { return &[] };
        let first = relation.first as usize;
        self.children.get(first..first.saturating_add(relation.count as usize)).unwrap_or(&[])
    }

    /// The children of a node in v2's order of inputs.
    pub(super) fn inputs(&self, node: usize) -> SmallVec<[Child<'a>; 4]> {
        let children = self.children(node);
        let order = self.nodes.get(node).map_or(&[][..], |node| node.order);
        let placed = order.iter().filter_map(|place| children.get(usize::from(*place)));
        placed.chain(children.iter().skip(order.len())).copied().collect()
    }

    /// The shape of a node's value, if the node's own body contains it.
    pub(super) fn layout(&self, node: u32) -> Option<&Shape> {
        match &self.nodes.get(node as usize)?.said {
            Said::Input(input) => Some(&input.shape),
            Said::Parameter(parameter) => Some(&parameter.shape),
            _ => None,
        }
    }

    /// Offset of the relations of a node.
    pub(super) fn relation_at(&self, node: usize) -> u64 {
        self.relations.get(node).map_or(0, |relation| relation.at)
    }
}

/// Reads relations and groups.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    nodes: Nodes<'a>,
    context: &mut Context<'_>,
) -> Result<Graph<'a>, Error> {
    let Nodes { list, names, mut index, tensors } = nodes;
    let mut graph = Graph {
        relations: vec![Relation::default(); list.len()],
        children: Vec::new(),
        criteria: Vec::new(),
        outputs: Vec::new(),
        nodes: list,
        names,
        tensors,
    };
    axes(&graph, &index)?;
    let mut scratch = String::new();
    reader.marker("BRelation")?;
    for _ in 0..graph.nodes.len() {
        let at = reader.at();
        let node = existing(reader, &graph.names, &mut index, &mut scratch);
        let unknown = node.as_ref().is_err_and(|e| matches!(e.kind(), ErrorKind::NoSuchNode { .. }));
        if unknown && reader.clone().u64().is_ok_and(|count| count == 0) {
            let message =
                format!("CNTK ignores relations of \"{}\", which is no node, without children", Escaped(&scratch));
            context.warn("v1.ignored", at, "relations".to_owned(), message);
            reader.u64()?;
            continue;
        }
        let node = node.map_err(|e| e.in_key("relations"))?;
        let seen = |e: Error| {
            e.in_key("inputs").in_record(path(node as usize, graph.names.get(node as usize).map_or("", |n| n.uid)))
        };
        let count = reader.count("children", 2).map_err(seen)?;
        let first = u32::try_from(graph.children.len()).unwrap_or(u32::MAX);
        for _ in 0..count {
            context.budget.spend::<Child<'_>>(1, reader.at())?;
            scratch.clear();
            reader.text_into(&mut scratch).map_err(seen)?;
            graph.children.push(match index.find(&graph.names, &scratch) {
                Some(child) => Child::Node(child),
                None => Child::Unknown(reader.file().keep_text(scratch.clone())),
            });
        }
        if let Some(relation) = graph.relations.get_mut(node as usize) {
            *relation = Relation { at, first, count: u32::try_from(count).unwrap_or(u32::MAX) };
        }
    }
    reader.marker("ERelation")?;
    groups(reader, &mut graph, &mut index).map_err(|e| e.in_key("roots"))?;
    Ok(graph)
}

/// Checks that the dynamic axis of each input is a node.
fn axes(graph: &Graph<'_>, index: &super::names::Index) -> Result<(), Error> {
    for (place, (node, names)) in graph.nodes.iter().zip(&graph.names).enumerate() {
        if let Said::Input(input) = &node.said
            && !input.axis.is_empty()
        {
            let found = index.find(&graph.names, input.axis).and_then(|axis| graph.nodes.get(axis as usize));
            let kind = match found {
                None => ErrorKind::NoSuchNode { name: input.axis.to_owned() },
                Some(found) if matches!(found.said, Said::Axis) => continue,
                Some(found) => ErrorKind::BadValue { expected: "a DynamicAxis", found: found.op.to_owned() },
            };
            return Err(Error::new(kind, node.body).in_key("dynamic_axis").in_record(path(place, names.uid)));
        }
    }
    Ok(())
}

/// The groups, each a list of nodes. Criteria, evaluation nodes and outputs are always outputs of the model; others
/// follow from the graph.
fn groups(reader: &mut Reader<'_>, graph: &mut Graph<'_>, index: &mut super::names::Index) -> Result<(), Error> {
    reader.marker("BRootNodes")?;
    if reader.next_is("BFeatureNodes") {
        group(reader, graph, index)?;
        reader.marker("EFeatureNodes")?;
    }
    if reader.next_is("BLabelNodes") {
        group(reader, graph, index)?;
    }
    reader.marker("ELabelNodes")?;
    for (begin, ends) in [
        ("BCriterionNodes", ["ECriterionNodes", "ECriteriaNodes"]),
        ("BCriteriaNodes", ["ECriterionNodes", "ECriteriaNodes"]),
        ("BNodesReqMultiSeqHandling", ["ENodesReqMultiSeqHandling"; 2]),
        ("BEvalNodes", ["EEvalNodes"; 2]),
        ("BOutputNodes", ["EOutputNodes"; 2]),
    ] {
        if reader.next_is(begin) {
            let members = group(reader, graph, index)?;
            match begin {
                "BNodesReqMultiSeqHandling" => {}
                "BOutputNodes" => graph.outputs = members,
                _ => graph.criteria.extend(members),
            }
            if !reader.next_is(ends[0]) {
                reader.marker(ends[1])?;
            }
        }
    }
    if reader.next_is("BPairNodes") {
        let at = reader.at();
        if reader.u64()? != 0 {
            return Err(Error::new(ErrorKind::Forbidden { what: "a list of pair nodes" }, at));
        }
        reader.marker("EPairNodes")?;
    }
    reader.marker("ERootNodes")
}

fn group(reader: &mut Reader<'_>, graph: &Graph<'_>, index: &mut super::names::Index) -> Result<Vec<u32>, Error> {
    let mut scratch = String::new();
    (0..reader.count("nodes", 2)?).map(|_| existing(reader, &graph.names, index, &mut scratch)).collect()
}

/// Looks up a node that must exist.
fn existing(
    reader: &mut Reader<'_>,
    names: &[Names<'_>],
    index: &mut super::names::Index,
    scratch: &mut String,
) -> Result<u32, Error> {
    let at = reader.at();
    scratch.clear();
    reader.text_into(scratch)?;
    index.find(names, scratch).ok_or_else(|| Error::new(ErrorKind::NoSuchNode { name: scratch.clone() }, at))
}

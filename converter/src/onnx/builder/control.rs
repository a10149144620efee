//! Subgraphs and Scan.

use super::super::graph::{Attribute, Dims, ElemType, Node, Subgraph, ValueId};
use super::Builder;
use smallvec::SmallVec;

/// A value that a Scan carries or maps.
pub(crate) struct ScanPart {
    /// The value inside the body.
    pub(crate) inner: ValueId,
    /// The value outside: the initial state, or the sequence to scan.
    pub(crate) outer: ValueId,
    /// For a scanned input, the time axis of `outer`.
    pub(crate) axis: usize,
}

impl Builder {
    /// Opens a subgraph, to which all nodes are added from now on.
    pub(crate) fn open(&mut self) {
        self.scopes.push(Vec::new());
    }

    /// Closes the innermost subgraph and returns its nodes.
    pub(crate) fn close(&mut self) -> Vec<Node> {
        assert!(self.scopes.len() > 1, "a subgraph is open");
        self.scopes.pop().unwrap_or_default()
    }

    /// A value of the current subgraph that equals `x`, which may come from outside.
    pub(crate) fn local(&mut self, x: ValueId) -> ValueId {
        let (elem, dims) = (self.elem(x), self.dims(x).clone());
        let id = self.value(None, elem, dims);
        self.push(Node {
            op: "Identity",
            name: String::new(),
            origin: self.origin,
            inputs: smallvec::smallvec![Some(x)],
            outputs: smallvec::smallvec![Some(id)],
            attributes: vec![],
        });
        id
    }

    /// Is a value computed inside a subgraph?
    pub(crate) fn is_inside(&self, x: ValueId) -> bool {
        self.inside[x.0 as usize]
    }

    /// Adds a Scan over the nodes of a closed subgraph.
    ///
    /// `states` are carried values, each with its next value inside the body; `scanned` are inputs that are split along
    /// their time axis; `produced` are values of the body that are collected along `axis` of a result with these
    /// dimensions.
    pub(crate) fn scan(
        &mut self,
        body: Vec<Node>,
        states: &[(ScanPart, ValueId)],
        scanned: &[ScanPart],
        produced: &[(ValueId, usize, Dims)],
        reverse: bool,
    ) -> SmallVec<[ValueId; 2]> {
        let name = format!("body{}", self.model.values.len());
        let inputs = states.iter().map(|(s, _)| s.inner).chain(scanned.iter().map(|s| s.inner)).collect();
        let outputs = states.iter().map(|(_, next)| *next).chain(produced.iter().map(|(v, _, _)| *v)).collect();
        let body = Subgraph { name, inputs, outputs, nodes: body };
        let mut attributes =
            vec![("body", Attribute::Graph(Box::new(body))), ("num_scan_inputs", Attribute::Int(scanned.len() as i64))];
        if scanned.iter().any(|s| s.axis != 0) {
            attributes.push(("scan_input_axes", Attribute::Ints(scanned.iter().map(|s| s.axis as i64).collect())));
        }
        if produced.iter().any(|p| p.1 != 0) {
            attributes.push(("scan_output_axes", Attribute::Ints(produced.iter().map(|p| p.1 as i64).collect())));
        }
        if reverse {
            attributes.push(("scan_input_directions", Attribute::Ints(vec![1; scanned.len()])));
            attributes.push(("scan_output_directions", Attribute::Ints(vec![1; produced.len()])));
        }
        let ins = states.iter().map(|(s, _)| Some(s.outer)).chain(scanned.iter().map(|s| Some(s.outer))).collect();
        let outs: Vec<(ElemType, Dims)> = states
            .iter()
            .map(|(s, _)| (self.elem(s.outer), self.dims(s.outer).clone()))
            .chain(produced.iter().map(|(v, _, dims)| (self.elem(*v), dims.clone())))
            .collect();
        self.emit_all("Scan", ins, attributes, &outs)
    }
}

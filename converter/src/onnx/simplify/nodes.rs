//! Names the nodes, uniquely and deterministically.
//!
//! The node that computes a CNTK function has the function's path as its name; other nodes of the function have the
//! path and the operator. A node without a function is named after its output.

use super::super::graph::{Attribute, Node, OnnxModel, Origin, Value};
use hashbrown::{HashMap, HashSet};

pub(super) fn name(model: &mut OnnxModel) {
    let mut names = Names { taken: HashSet::new(), next: HashMap::new() };
    let OnnxModel { nodes, origins, values, .. } = model;
    names.walk(nodes, origins, values);
}

struct Names {
    taken: HashSet<String>,
    /// For each name, the next number to try.
    next: HashMap<String, u64>,
}

impl Names {
    /// Names nodes, including those of subgraphs, since names must be unique among all of them.
    fn walk(&mut self, nodes: &mut [Node], origins: &[Origin], values: &[Value]) {
        for node in nodes {
            let wanted = match node.origin.and_then(|i| origins.get(i as usize)) {
                _ if !node.name.is_empty() => std::mem::take(&mut node.name),
                Some(origin) => format!("{}/{}", origin.path, node.op),
                None => {
                    let made = node.outputs.iter().flatten().find_map(|id| values[id.0 as usize].name.as_deref());
                    made.map_or_else(|| node.op.to_owned(), |made| format!("{made}/{}", node.op))
                }
            };
            node.name = self.single(wanted);
            for (_, attribute) in &mut node.attributes {
                if let Attribute::Graph(body) = attribute {
                    self.walk(&mut body.nodes, origins, values);
                }
            }
        }
    }

    /// `wanted`, with a number if it is taken.
    fn single(&mut self, wanted: String) -> String {
        if self.taken.insert(wanted.clone()) {
            return wanted;
        }
        let next = self.next.entry(wanted.clone()).or_insert(2);
        loop {
            let name = format!("{wanted}_{next}");
            *next += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

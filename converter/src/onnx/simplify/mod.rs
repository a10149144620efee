//! Makes the lowered graph look as if written by hand: removes views that cancel and unused nodes and weights, and
//! moves biases into products. Each rewrite is local and exact.

mod dead;
mod fuse;
mod moved;
mod names;
mod nodes;
mod views;

use super::graph::{Attribute, Data, Dim, Dims, ElemType, Initializer, Node, OnnxModel, ValueId};

/// Simplifies a finished model. The first `keep_inputs` inputs are kept even if they are not used.
pub(crate) fn simplify(model: &mut OnnxModel, keep_inputs: usize) {
    dead::remove(model, keep_inputs);
    let mut pass = Pass::new(model);
    views::collapse(&mut pass);
    fuse::biases(&mut pass);
    pass.finish();
    moved::products(model);
    dead::remove(model, keep_inputs);
    names::settle(model);
    nodes::name(model);
}

/// The state of one pass over the main graph: the producer and the number of uses of each value.
struct Pass<'m> {
    model: &'m mut OnnxModel,
    /// For each value, the node of the main graph of which it is the first output.
    producer: Vec<Option<u32>>,
    uses: Vec<u32>,
    /// For each value, its index among the initializers.
    initializers: Vec<Option<u32>>,
}

impl<'m> Pass<'m> {
    fn new(model: &'m mut OnnxModel) -> Self {
        let mut producer = vec![None; model.values.len()];
        let mut uses = vec![0; model.values.len()];
        for (i, node) in model.nodes.iter().enumerate() {
            for out in node.outputs.iter().flatten() {
                producer[out.0 as usize] = u32::try_from(i).ok();
            }
        }
        count_uses(&model.nodes, &mut uses);
        for out in &model.outputs {
            uses[out.0 as usize] += 1;
        }
        let mut initializers = vec![None; model.values.len()];
        for (i, init) in model.initializers.iter().enumerate() {
            initializers[init.value.0 as usize] = u32::try_from(i).ok();
        }
        Self { model, producer, uses, initializers }
    }

    /// The node that computes a value.
    fn maker(&self, id: ValueId) -> Option<(usize, &Node)> {
        let i = (*self.producer.get(id.0 as usize)?)? as usize;
        Some((i, &self.model.nodes[i]))
    }

    /// The node that computes a value, if it is an `op` and nothing else uses the value.
    fn sole(&self, id: ValueId, op: &str) -> Option<(usize, &Node)> {
        self.maker(id).filter(|(_, node)| node.op == op && self.uses[id.0 as usize] == 1)
    }

    /// Turns a node into a unary operator.
    fn become_unary(&mut self, node: usize, op: &'static str, x: ValueId, attributes: Vec<(&'static str, Attribute)>) {
        let changed = &mut self.model.nodes[node];
        changed.op = op;
        changed.attributes = attributes;
        for old in std::mem::replace(&mut changed.inputs, [Some(x)].as_slice().into()).into_iter().flatten() {
            self.uses[old.0 as usize] -= 1;
        }
        self.uses[x.0 as usize] += 1;
    }

    fn dims(&self, id: ValueId) -> &Dims {
        &self.model.values[id.0 as usize].dims
    }

    fn input(&self, node: usize, i: usize) -> Option<ValueId> {
        self.model.nodes[node].inputs.get(i).copied().flatten()
    }

    fn is_weight(&self, id: ValueId) -> bool {
        self.initializers[id.0 as usize].is_some()
    }

    /// Changes one input of a node and updates the numbers of uses.
    fn set_input(&mut self, node: usize, i: usize, id: ValueId) {
        if let Some(old) = self.model.nodes[node].inputs[i].replace(id) {
            self.uses[old.0 as usize] -= 1;
        }
        self.uses[id.0 as usize] += 1;
    }

    /// A value that the pass adds.
    fn value_like(&mut self, like: ValueId, dims: Dims) -> ValueId {
        let mut value = self.model.values[like.0 as usize].clone();
        value.name = None;
        value.dims = dims;
        self.push_value(value)
    }

    fn push_value(&mut self, value: super::graph::Value) -> ValueId {
        let id = ValueId(u32::try_from(self.model.values.len()).expect("fewer than 2^32 values"));
        self.model.values.push(value);
        self.know(None);
        id
    }

    /// Extends the tables for the newest value.
    fn know(&mut self, initializer: Option<usize>) {
        self.producer.push(None);
        self.uses.push(0);
        self.initializers.push(initializer.and_then(|i| u32::try_from(i).ok()));
    }

    fn data(&self, id: ValueId) -> Option<&Data> {
        Some(&self.model.initializers[self.initializers[id.0 as usize]? as usize].data)
    }

    /// A new initializer with the bytes of a weight and other dimensions. Unused initializers are removed later.
    fn reshaped_weight(&mut self, id: ValueId, dims: &[u64]) -> Option<ValueId> {
        let data = self.data(id)?.clone();
        let new = self.value_like(id, dims.iter().map(|n| Dim::Known(*n)).collect());
        let name = self.model.values[id.0 as usize].name.clone();
        self.model.values[new.0 as usize].name = name;
        self.initializers[new.0 as usize] = u32::try_from(self.model.initializers.len()).ok();
        self.model.initializers.push(Initializer { value: new, data });
        Some(new)
    }

    /// An int64 vector as a new initializer.
    fn ints(&mut self, values: &[i64]) -> ValueId {
        let id = names::literal_ints(self.model, values);
        self.know(Some(self.model.initializers.len() - 1));
        id
    }

    /// The int64 elements of a literal.
    fn literal_ints(&self, id: ValueId) -> Option<Vec<i64>> {
        let Data::Owned(bytes) = self.data(id)? else { return None };
        if self.model.values[id.0 as usize].elem != ElemType::Int64 {
            return None;
        }
        Some(bytes.chunks_exact(8).map(|c| i64::from_le_bytes(c.try_into().unwrap_or_default())).collect())
    }

    /// Removes the nodes that rewrites emptied.
    fn finish(self) {
        self.model.nodes.retain(|n| !n.outputs.is_empty());
    }

    /// Empties a node whose result is now computed elsewhere or not needed.
    fn drop_node(&mut self, node: usize) {
        let node = &mut self.model.nodes[node];
        node.outputs.clear();
        for id in std::mem::take(&mut node.inputs).into_iter().flatten() {
            self.uses[id.0 as usize] -= 1;
        }
    }
}

fn count_uses(nodes: &[Node], uses: &mut [u32]) {
    for node in nodes {
        for id in node.inputs.iter().flatten() {
            uses[id.0 as usize] += 1;
        }
        for (_, a) in &node.attributes {
            if let Attribute::Graph(g) = a {
                count_uses(&g.nodes, uses);
                for out in &g.outputs {
                    uses[out.0 as usize] += 1;
                }
            }
        }
    }
}

/// The value of an integer attribute.
fn int_attribute(node: &Node, name: &str) -> Option<i64> {
    node.attributes.iter().find_map(|(n, a)| match a {
        Attribute::Int(v) if *n == name => Some(*v),
        _ => None,
    })
}

/// The value of an attribute of integers.
fn ints_attribute<'n>(node: &'n Node, name: &str) -> Option<&'n [i64]> {
    node.attributes.iter().find_map(|(n, a)| match a {
        Attribute::Ints(v) if *n == name => Some(v.as_slice()),
        _ => None,
    })
}

//! Makes names unique, and stores each tensor once.

use super::super::graph::{Attribute, Data, Dim, ElemType, Initializer, Node, OnnxModel, Value, ValueId};
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashSet, HashTable};
use std::hash::BuildHasher;

/// Replaces initializers with the same bytes in other shapes by a Reshape of the first, then makes names unique.
pub(super) fn settle(model: &mut OnnxModel) {
    share(model);
    let mut fixed = vec![false; model.values.len()];
    for id in model.inputs.iter().chain(&model.outputs) {
        fixed[id.0 as usize] = true;
    }
    let mut alive = fixed.clone();
    mark(&model.nodes, &mut alive);
    for init in &model.initializers {
        alive[init.value.0 as usize] = true;
    }
    let clashing = clashes(model, &fixed, &alive);
    for (value, alive) in model.values.iter_mut().zip(&alive) {
        if !alive {
            value.name = None;
        }
    }
    if !clashing.is_empty() {
        rename(model, &clashing);
    }
}

/// Values whose name an earlier value has. Inputs and outputs come first.
fn clashes(model: &OnnxModel, fixed: &[bool], alive: &[bool]) -> Vec<usize> {
    // Holds indices instead of names, because on large graphs a look-up costs as much as the memory that it touches.
    let mut taken: HashTable<u32> = HashTable::with_capacity(model.values.len());
    let hasher = DefaultHashBuilder::default();
    let name = |i: usize| model.values[i].name.as_deref().unwrap_or_default();
    let mut is_taken = |i: usize| {
        let (Ok(value), wanted) = (u32::try_from(i), name(i)) else { return false };
        let hash = |other: &u32| hasher.hash_one(name(*other as usize));
        match taken.entry(hasher.hash_one(wanted), |other| name(*other as usize) == wanted, hash) {
            Entry::Vacant(entry) => {
                entry.insert(value);
                false
            }
            Entry::Occupied(_) => true,
        }
    };
    let named = || (0..alive.len()).filter(|i| model.values[*i].name.is_some());
    for i in named().filter(|i| fixed[*i]) {
        is_taken(i);
    }
    named().filter(|i| alive[*i] && !fixed[*i] && is_taken(*i)).collect()
}

fn rename(model: &mut OnnxModel, clashing: &[usize]) {
    let mut taken: HashSet<String> = model.values.iter().filter_map(|v| v.name.clone()).collect();
    let mut next: HashMap<String, u64> = HashMap::new();
    for i in clashing {
        let Some(base) = model.values[*i].name.take() else { continue };
        let n = next.entry(base.clone()).or_insert(2);
        let name = loop {
            let name = format!("{base}_{n}");
            *n += 1;
            if taken.insert(name.clone()) {
                break name;
            }
        };
        model.values[*i].name = Some(name);
    }
}

/// Marks the outputs of nodes and the inputs of loop bodies.
fn mark(nodes: &[Node], alive: &mut [bool]) {
    for node in nodes {
        for id in node.outputs.iter().flatten() {
            alive[id.0 as usize] = true;
        }
        for (_, a) in &node.attributes {
            if let Attribute::Graph(body) = a {
                for id in &body.inputs {
                    alive[id.0 as usize] = true;
                }
                mark(&body.nodes, alive);
            }
        }
    }
}

fn share(model: &mut OnnxModel) {
    let mut first: HashMap<(i32, u64, u64), ValueId> = HashMap::new();
    let mut reshapes = Vec::new();
    let mut kept = Vec::with_capacity(model.initializers.len());
    for init in std::mem::take(&mut model.initializers) {
        let Data::Unchanged(range) = &init.data else {
            kept.push(init);
            continue;
        };
        let key = (model.values[init.value.0 as usize].elem as i32, range.start, range.end);
        match first.get(&key) {
            None => {
                first.insert(key, init.value);
                kept.push(init);
            }
            Some(original) => reshapes.push((*original, init.value)),
        }
    }
    model.initializers = kept;
    let mut nodes = Vec::with_capacity(reshapes.len());
    for (original, copy) in reshapes {
        let dims: Vec<i64> = model.values[copy.0 as usize]
            .dims
            .iter()
            .map(|d| if let Dim::Known(n) = d { *n as i64 } else { -1 })
            .collect();
        let shape = literal_ints(model, &dims);
        nodes.push(Node {
            op: "Reshape",
            name: String::new(),
            origin: None,
            inputs: [Some(original), Some(shape)].as_slice().into(),
            outputs: [Some(copy)].as_slice().into(),
            attributes: vec![],
        });
    }
    if !nodes.is_empty() {
        nodes.append(&mut model.nodes);
        model.nodes = nodes;
    }
}

/// An int64 vector as a new initializer.
pub(super) fn literal_ints(model: &mut OnnxModel, values: &[i64]) -> ValueId {
    let id = ValueId(u32::try_from(model.values.len()).expect("fewer than 2^32 values"));
    let dims = [Dim::Known(values.len() as u64)].as_slice().into();
    model.values.push(Value { name: None, elem: ElemType::Int64, dims });
    let data = Data::Owned(values.iter().flat_map(|v| v.to_le_bytes()).collect());
    model.initializers.push(Initializer { value: id, data });
    id
}

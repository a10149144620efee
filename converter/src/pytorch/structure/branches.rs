//! Chains inside of what stays as it is: the branches of a network, from where they part to where they meet again.
//!
//! The regions between a value and the nearest earlier one that all its data comes through ([`Tree`]) follow each other in
//! chains, and so they repeat as the segments of a whole network do.

use super::Network;
use super::segments::{Places, Segment};
use crate::pytorch::python::code::{Code, Read};
use crate::pytorch::python::expr::{Expr, StateId, ValueId};
use std::collections::{HashMap, HashSet};

/// Larger regions are not looked at.
const LARGEST: usize = 60;

/// Regions, and how they follow each other.
pub(super) struct Chains {
    /// The region that ends with each value.
    ends: HashMap<ValueId, Segment>,
    /// The exit of the region that alone reads a value.
    next: HashMap<ValueId, ValueId>,
    order: Vec<ValueId>,
}

impl Chains {
    /// Regions none of which has values in `taken`.
    pub(super) fn new(network: &Network<'_>, taken: &HashSet<ValueId>) -> Self {
        let finder = Finder::new(network);
        let mut chains = Self { ends: HashMap::new(), next: HashMap::new(), order: finder.places.order.clone() };
        for v in &chains.order {
            let Some(region) = finder.region(*v, taken) else { continue };
            if let Some(entry) = region.entry.filter(|e| finder.inside(&region.values, *e)) {
                chains.next.insert(entry, *v);
            }
            chains.ends.insert(*v, region);
        }
        chains
    }

    /// The region before one, if only it reads what that one makes.
    fn before(&self, exit: ValueId) -> Option<ValueId> {
        let entry = self.ends.get(&exit)?.entry?;
        (self.ends.contains_key(&entry) && self.next.get(&entry) == Some(&exit)).then_some(entry)
    }

    /// The chain that ends with a value.
    pub(super) fn to(&self, exit: ValueId) -> Vec<&Segment> {
        let exits = std::iter::successors(Some(exit), |v| self.before(*v));
        let mut chain: Vec<&Segment> = exits.filter_map(|v| self.ends.get(&v)).collect();
        chain.reverse();
        chain
    }

    /// All whole chains.
    pub(super) fn all(&self) -> Vec<Vec<Segment>> {
        let after = |s: &Segment| self.next.get(&s.exit).and_then(|v| self.ends.get(v));
        let firsts = self.order.iter().filter(|v| self.ends.contains_key(v) && self.before(**v).is_none());
        firsts.map(|v| std::iter::successors(self.ends.get(v), |s| after(s)).cloned().collect()).collect()
    }
}

struct Finder<'n> {
    network: &'n Network<'n>,
    places: Places<'n>,
    tree: Tree,
    outputs: HashSet<ValueId>,
    listed: HashSet<ValueId>,
}

impl<'n> Finder<'n> {
    fn new(network: &'n Network<'n>) -> Self {
        let places = Places::new(network);
        let listed: HashSet<ValueId> = places.order.iter().copied().collect();
        let mut tree = Tree::new(network.body.values.len());
        for (i, value) in network.body.values.iter().enumerate() {
            if matches!(&*value.expr, Expr::Local(name) if places.arguments.contains(&**name)) {
                tree.add(ValueId(i as u32), None);
            }
        }
        for v in &places.order {
            let mut nearest: Option<Option<ValueId>> = None;
            for Read { value: o, weakly } in places.code(*v).reads().iter().copied() {
                let data = tree.has(o) || !(places.source[o.0 as usize] || network.body.values[o.0 as usize].is_atom);
                if data && !weakly {
                    let known = tree.has(o).then_some(o);
                    nearest = Some(nearest.map_or(known, |n| tree.common(n, known)));
                }
            }
            if !places.source[v.0 as usize] {
                tree.add(*v, nearest.flatten());
            }
        }
        Self { network, places, tree, outputs: network.outputs.iter().copied().collect(), listed }
    }

    fn code(&self, v: ValueId) -> &'n Code {
        self.network.body.code(v)
    }

    /// The region that ends with a value, if it can be a module of its own.
    fn region(&self, exit: ValueId, taken: &HashSet<ValueId>) -> Option<Segment> {
        let entry = self.tree.parent(exit)?;
        let mut region = Segment::between(Some(entry), exit);
        let outside = |v: ValueId| {
            let is_atom = self.network.body.values[v.0 as usize].is_atom;
            self.places.source[v.0 as usize] && self.places.uses.of(v) > 1 && !is_atom
        };
        if taken.contains(&exit) || !region.collect(self.network.body, LARGEST, &outside) {
            return None;
        }
        let mut states: HashMap<StateId, u32> = HashMap::new();
        for v in &region.values {
            self.code(*v).states().iter().for_each(|s| *states.entry(*s).or_default() += 1);
        }
        let fits = |v: &ValueId| {
            let value = &self.network.body.values[v.0 as usize];
            let own = value.is_atom || *v == exit || self.inside(&region.values, *v) && !self.outputs.contains(v);
            own && !self.places.bound[v.0 as usize] && (value.is_atom || self.listed.contains(v) && !taken.contains(v))
        };
        region.closed = region.values.iter().all(fits);
        region.alone = region.closed && states.iter().all(|(s, n)| self.places.uses.of_state(*s) == *n);
        region.shows = self.outputs.contains(&exit);
        region.alone.then_some(region)
    }

    /// Do these values alone read a value?
    fn inside(&self, values: &[ValueId], v: ValueId) -> bool {
        let reads = |w: &ValueId| self.code(*w).values().filter(|o| *o == v).count() as u32;
        self.places.uses.of(v) == values.iter().map(reads).sum::<u32>()
    }
}

/// For each value, the nearest earlier one that all its data comes through.
struct Tree {
    nodes: Vec<Option<Node>>,
}

#[derive(Clone, Copy)]
struct Node {
    parent: Option<ValueId>,
    depth: u32,
    /// An ancestor further up; with it, the way up takes a logarithmic number of steps.
    jump: Option<ValueId>,
}

impl Tree {
    fn new(count: usize) -> Self {
        Self { nodes: vec![None; count] }
    }

    fn has(&self, v: ValueId) -> bool {
        self.nodes[v.0 as usize].is_some()
    }

    fn parent(&self, v: ValueId) -> Option<ValueId> {
        self.nodes[v.0 as usize].and_then(|n| n.parent)
    }

    fn node(&self, v: Option<ValueId>) -> Node {
        v.and_then(|v| self.nodes[v.0 as usize]).unwrap_or(Node { parent: None, depth: 0, jump: None })
    }

    fn add(&mut self, v: ValueId, parent: Option<ValueId>) {
        let above = self.node(parent);
        let (near, far) = (self.node(above.jump), self.node(self.node(above.jump).jump));
        let even = above.depth - near.depth == near.depth - far.depth;
        let jump = if even { self.node(above.jump).jump } else { parent };
        self.nodes[v.0 as usize] = Some(Node { parent, depth: above.depth + 1, jump });
    }

    /// The nearest value that is above both or one of them; `None` if there is none.
    fn common(&self, a: Option<ValueId>, b: Option<ValueId>) -> Option<ValueId> {
        let (mut a, mut b) = (a, b);
        if self.node(a).depth < self.node(b).depth {
            std::mem::swap(&mut a, &mut b);
        }
        while self.node(a).depth > self.node(b).depth {
            let node = self.node(a);
            a = if self.node(node.jump).depth >= self.node(b).depth { node.jump } else { node.parent };
        }
        while a != b {
            let (x, y) = (self.node(a), self.node(b));
            (a, b) = if x.jump == y.jump { (x.parent, y.parent) } else { (x.jump, y.jump) };
        }
        a
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_data_comes_through() {
        let mut tree = Tree::new(2000);
        let id = |n: u32| Some(ValueId(n));
        tree.add(ValueId(0), None);
        // Two chains, the even and the odd numbers, that part at 0.
        for n in 1..2000 {
            tree.add(ValueId(n), id(n.saturating_sub(2)));
        }
        assert_eq!(tree.common(id(1998), id(1999)), id(0));
        assert_eq!(tree.common(id(1998), id(500)), id(500));
        assert_eq!(tree.common(id(7), id(7)), id(7));
        assert_eq!(tree.common(id(7), None), None);
    }
}

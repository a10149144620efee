//! Builds the picture of a model.

use super::{
    Depth, Edge, Node, Picture, Role, overview, title,
    units::{Link, Units, components, is_delay},
};
use crate::{
    Amount, Symbols,
    graph::{Interface, needed},
    options::Outputs,
};
use cntk_parser::model::{FunctionId, FunctionKind, Source, ValidatedModel, VariableKind};
use hashbrown::{HashMap, HashSet};
use std::cell::RefCell;

/// The most nested blocks around a whole model that are opened. A deeper block is one box.
const OPENED: usize = 32;
/// The contents of boxes are drawn down to this depth.
const DEEPEST: usize = 4;

pub fn picture(model: &ValidatedModel<'_>, depth: Depth) -> Picture {
    let builder = Builder::new(model);
    let (functions, opened) = builder.whole();
    builder.picture(&functions, &opened, &Way::whole(depth == Depth::Deep))
}

pub fn layers(model: &ValidatedModel<'_>) -> Vec<Node> {
    let builder = Builder::new(model);
    let (functions, opened) = builder.whole();
    builder.parts(&functions, &opened, &Way::whole(false)).nodes
}

/// The picture with insides, and the layers.
pub fn picture_and_layers(model: &ValidatedModel<'_>) -> (Picture, Vec<Node>) {
    let builder = Builder::new(model);
    let (functions, opened) = builder.whole();
    let way = Way::whole(true);
    let parts = builder.parts(&functions, &opened, &way);
    let layers = parts.nodes.clone();
    (builder.draw(parts, &opened, &way), layers)
}

/// Settings of a picture.
struct Way {
    /// Is it a picture of the whole model, not of a part?
    whole: bool,
    /// Does it include pictures of what is in the boxes?
    deep: bool,
    /// Is a recurrence around one cell a single box?
    fold: bool,
    /// Are biases and activations part of the box of their product?
    fuse: bool,
    /// The number of boxes around it.
    level: usize,
}

impl Way {
    /// The picture of a whole model.
    fn whole(deep: bool) -> Self {
        Self { whole: true, deep, fold: true, fuse: true, level: 0 }
    }
}

/// The units of a picture, in an order in which producers come before consumers, with the node of each.
struct Parts {
    units: Units,
    order: Vec<usize>,
    nodes: Vec<Node>,
    /// Those against the order are marked as back links.
    links: Vec<Link>,
}

pub(super) struct Builder<'m, 'a> {
    pub(super) model: &'m ValidatedModel<'a>,
    /// The functions that inference needs.
    wanted: Vec<bool>,
    /// The functions that any output needs.
    live: Vec<bool>,
    /// For each value, the functions that read it.
    pub(super) takers: HashMap<Source, Vec<FunctionId>>,
    /// The outputs.
    pub(super) outputs: HashSet<Source>,
    symbols: RefCell<Symbols>,
}

impl<'m, 'a> Builder<'m, 'a> {
    fn new(model: &'m ValidatedModel<'a>) -> Self {
        let outputs: HashSet<Source> = model.outputs().iter().map(|o| o.source).collect();
        let live = needed(model, model.outputs().iter().map(|o| o.source));
        let wanted = match Interface::new(model, &Outputs::Inference) {
            Ok(interface) => needed(model, interface.outputs.iter().map(|o| o.source)),
            Err(_) => live.clone(),
        };
        let mut takers: HashMap<Source, Vec<FunctionId>> = HashMap::new();
        for f in model.order().iter().filter(|f| live[f.index()]) {
            for source in model.inputs(*f) {
                let takers = takers.entry(*source).or_default();
                if takers.last() != Some(f) {
                    takers.push(*f);
                }
            }
        }
        let mut symbols = Symbols::default();
        // The names of axes are those of the interface.
        for id in model.variable_ids() {
            if model.variable(id).kind == VariableKind::Input && model.is_known(Source::Variable(id)) {
                symbols.dynamic_axes(model.type_of(Source::Variable(id)));
            }
        }
        Self { model, wanted, live, takers, outputs, symbols: RefCell::new(symbols) }
    }

    pub(super) fn is_criterion(&self, f: FunctionId) -> bool {
        !self.wanted[f.index()]
    }

    /// Everything that the outputs need, and the blocks around nearly all of it, which are opened.
    fn whole(&self) -> (Vec<FunctionId>, HashSet<FunctionId>) {
        let functions: Vec<_> = self.model.order().iter().copied().filter(|f| self.live[f.index()]).collect();
        let mut opened = HashSet::new();
        for _ in 0..OPENED {
            let units = Units::new(self.model, &functions, &opened);
            let mut real = (0..units.len()).filter(|u| !units.functions[*u].iter().all(|f| self.is_criterion(*f)));
            let (first, second) = (real.next(), real.next());
            match first.map(|unit| units.keys[unit][0]) {
                Some(key) if second.is_none() && self.is_block(key) => opened.insert(key),
                _ => break,
            };
        }
        (functions, opened)
    }

    fn is_block(&self, f: FunctionId) -> bool {
        matches!(self.model.function(f).kind, FunctionKind::Block(_))
    }

    fn parts(&self, functions: &[FunctionId], opened: &HashSet<FunctionId>, way: &Way) -> Parts {
        let mut units = Units::new(self.model, functions, opened);
        if way.fold {
            units.fold_loops(self.model);
        }
        if way.fuse {
            units.fuse(self.model, &|f| self.is_criterion(f), &self.outputs);
        }
        let mut links = units.links(self.model);
        let order = sort(units.len(), &mut links);
        let nodes = order.iter().map(|unit| self.node(&units, *unit)).collect();
        Parts { units, order, nodes, links }
    }

    fn picture(&self, functions: &[FunctionId], opened: &HashSet<FunctionId>, way: &Way) -> Picture {
        self.draw(self.parts(functions, opened, way), opened, way)
    }

    fn draw(&self, parts: Parts, opened: &HashSet<FunctionId>, way: &Way) -> Picture {
        let Parts { units, order, mut nodes, links } = parts;
        if way.deep && way.level < DEEPEST {
            for (node, unit) in nodes.iter_mut().zip(&order) {
                node.inside = self.inside(&units.keys[*unit], node, opened, way);
            }
        }
        let mut place = vec![0; units.len()];
        order.iter().enumerate().for_each(|(i, unit)| place[*unit] = i);
        let links: Vec<Link> = links.iter().map(|l| Link { from: place[l.from], to: place[l.to], ..*l }).collect();
        let mut picture = self.assemble(nodes, &links, way);
        overview::fold(&mut picture);
        picture
    }

    /// The contents of a box, if it has more than one part.
    fn inside(
        &self,
        keys: &[FunctionId],
        node: &Node,
        opened: &HashSet<FunctionId>,
        way: &Way,
    ) -> Option<Box<Picture>> {
        if node.functions.len() < 2 {
            return None;
        }
        let mut opened = opened.clone();
        // A single block is opened, and so is the cell of a recurrence.
        let open = keys.len() == 1 || node.recurrence.is_some();
        opened.extend(keys.iter().filter(|_| open));
        let fuse = open;
        let fold = open && node.recurrence.is_none();
        let inner = Way { whole: false, deep: true, fold, fuse, level: way.level + 1 };
        let picture = self.picture(&node.functions, &opened, &inner);
        Some(Box::new(match picture.layers {
            1 if fuse => self.picture(&node.functions, &opened, &Way { fold: false, fuse: false, ..inner }),
            _ => picture,
        }))
    }

    fn node(&self, units: &Units, unit: usize) -> Node {
        let (model, functions, keys) = (self.model, &units.functions[unit], &units.keys[unit]);
        let mut seen = HashSet::new();
        let (mut weights, mut multiply_adds, mut parameters) = (vec![], Amount::default(), 0u64);
        for f in functions {
            if let Some(amount) = Amount::multiply_adds(model, *f) {
                multiply_adds.add(amount);
            }
            for source in model.inputs(*f) {
                if let Source::Variable(v) = source
                    && let Some(array) = &model.variable(*v).value
                    && seen.insert(*v)
                {
                    weights.push(*v);
                    parameters = parameters.saturating_add(array.shape.elements().unwrap_or(u64::MAX));
                }
            }
        }
        let recurrence = units.recurrence(model, unit);
        let value = self.given(units, unit);
        Node {
            name: title::name(model, keys),
            shape: value.map(|source| self.axes(source)).unwrap_or_default(),
            functions: functions.clone(),
            weights,
            parameters,
            multiply_adds,
            layers: 1,
            criterion: functions.iter().all(|f| self.is_criterion(*f)),
            recurrence,
            ..Node::new(Role::Layer, title::title(model, keys, functions, recurrence))
        }
    }

    /// The first value of a unit that is used outside of it; without one, its last value.
    fn given(&self, units: &Units, unit: usize) -> Option<Source> {
        let outputs = |f: FunctionId| (0..).take(self.model.output_types(f).len()).map(move |i| Source::Output(f, i));
        let outside = |source: &Source| {
            let takers = self.takers.get(source).map_or(&[][..], |t| t);
            self.outputs.contains(source)
                || takers.iter().any(|f| units.of(*f) != Some(unit) && !is_delay(self.model, *f))
        };
        let mut all = units.functions[unit].iter().flat_map(|f| outputs(*f));
        all.find(outside).or_else(|| units.functions[unit].last().and_then(|f| outputs(*f).next()))
    }

    pub(super) fn axes(&self, source: Source) -> String {
        self.symbols.borrow_mut().axes(self.model, source)
    }

    /// The nodes and edges, including values that enter or leave the picture. A repeated part is one node.
    fn assemble(&self, nodes: Vec<Node>, links: &[Link], way: &Way) -> Picture {
        let mut place = HashMap::new();
        for (i, node) in nodes.iter().enumerate() {
            place.extend(node.functions.iter().map(|f| (*f, i)));
        }
        let runs = if nodes.len() > 2 { self.runs(&nodes, links, &place) } else { vec![] };
        let mut picture = Picture { layers: nodes.len(), ..Picture::default() };
        // The node that shows each unit: one node for all units of a run.
        let mut shown = vec![0; nodes.len()];
        let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
        let mut at = 0;
        let mut runs = runs.into_iter().peekable();
        while at < nodes.len() {
            let target = picture.nodes.len();
            if let Some(run) = runs.next_if(|run| run.start == at) {
                let all: Vec<Node> = nodes[at..at + run.len()].iter_mut().filter_map(Option::take).collect();
                picture.nodes.push(self.repeated(all, at, links, &run));
                shown[at..at + run.len()].fill(target);
                at += run.len();
            } else {
                picture.nodes.extend(nodes[at].take());
                shown[at] = target;
                at += 1;
            }
        }
        let mut seen = HashSet::new();
        for link in links {
            let (from, to) = (shown[link.from], shown[link.to]);
            if from != to && seen.insert((from, to, link.value)) {
                let edge = Edge { from, to, value: Some(link.value), shape: self.axes(link.value), back: link.back };
                picture.edges.push(edge);
            }
        }
        self.outside(&mut picture, &place, &shown, way.whole);
        picture
    }
}

/// An order in which a unit comes after those that it reads. In a cycle some links must lead back: preferably links to delays.
fn sort(count: usize, links: &mut [Link]) -> Vec<usize> {
    // Only links within a cycle can lead back.
    let mut component = vec![0; count];
    for (i, members) in components(count, links).iter().enumerate() {
        members.iter().for_each(|unit| component[*unit] = i);
    }
    for link in links.iter_mut() {
        link.back &= component[link.from] == component[link.to];
    }
    let (mut after, mut before) = (vec![vec![]; count], vec![0usize; count]);
    for link in links.iter().filter(|l| !l.back) {
        after[link.from].push(link.to);
        before[link.to] += 1;
    }
    let mut ready: std::collections::BTreeSet<usize> = (0..count).filter(|unit| before[*unit] == 0).collect();
    let mut waiting: std::collections::BTreeSet<usize> = (0..count).filter(|unit| before[*unit] != 0).collect();
    let mut order = Vec::with_capacity(count);
    let mut place = vec![usize::MAX; count];
    // A cycle without a delay is broken at its first unit.
    while let Some(unit) = ready.pop_first().or_else(|| waiting.pop_first()) {
        place[unit] = order.len();
        order.push(unit);
        for &to in &after[unit] {
            before[to] = before[to].saturating_sub(1);
            if before[to] == 0 && waiting.remove(&to) {
                ready.insert(to);
            }
        }
    }
    for link in links.iter_mut() {
        link.back = place[link.from] > place[link.to];
    }
    order
}

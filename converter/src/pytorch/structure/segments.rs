//! Segments of a body: what lies between two values through which everything passes.

use super::Network;
use crate::pytorch::python::body::{Body, Item, each};
use crate::pytorch::python::code::{Code, Read};
use crate::pytorch::python::expr::{Expr, StateId, ValueId};
use crate::pytorch::python::uses::Uses;
use std::collections::{HashMap, HashSet};

/// No segment with more values becomes a class.
const LARGEST: usize = 400;

/// How many statements the network's first segment may take.
const NEAR: u32 = 100;

/// A region with one entry and one exit.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Where its data comes from; `None` where it has no single entry.
    pub(super) entry: Option<ValueId>,
    pub(super) exit: ValueId,
    /// Its values in the order of first use, starting from the exit's operands: equal segments have them in equal order.
    pub(super) values: Vec<ValueId>,
    /// What else it reads: lengths and masks.
    pub(super) context: Vec<ValueId>,
    /// What it holds, in the order of first use.
    pub(super) states: Vec<StateId>,
    /// Does nothing else read what it makes inside?
    pub(super) closed: bool,
    /// Can it be a module of its own?
    pub(super) alone: bool,
    /// Does the model give its exit away, too?
    pub(super) shows: bool,
    /// Is its entry an argument that it takes shapes and types from, as every segment does?
    pub(super) shapes: bool,
}

impl Segment {
    pub(super) fn between(entry: Option<ValueId>, exit: ValueId) -> Self {
        Self {
            entry,
            exit,
            values: Vec::new(),
            context: Vec::new(),
            states: Vec::new(),
            closed: true,
            alone: true,
            shows: false,
            shapes: false,
        }
    }

    /// What stands between two chains.
    pub(super) fn gap() -> Self {
        Self { closed: false, alone: false, ..Self::between(None, ValueId(0)) }
    }

    /// The same once expressions in it have changed.
    pub(super) fn again(&self, body: &Body) -> Self {
        let mut s = Self { values: Vec::new(), context: Vec::new(), states: Vec::new(), entry: self.entry, ..*self };
        let outside: HashSet<ValueId> = self.context.iter().copied().collect();
        s.collect(body, LARGEST, &|v| outside.contains(&v));
        s
    }

    /// With the segments right before it.
    pub(super) fn joined(&self, others: &[Self]) -> Self {
        let mut context: Vec<ValueId> = others.iter().chain([self]).flat_map(|s| &s.context).copied().collect();
        context.sort_unstable();
        context.dedup();
        Self {
            entry: others.first().map_or(self.entry, |s| s.entry),
            values: others.iter().chain([self]).flat_map(|s| &s.values).copied().collect(),
            context,
            states: Vec::new(),
            ..*self
        }
    }

    /// Gathers values, states and context from the exit backwards. `false` if they are too many.
    pub(super) fn collect(&mut self, body: &Body, most: usize, outside: &impl Fn(ValueId) -> bool) -> bool {
        let mut seen = HashSet::new();
        let mut stack = vec![(self.exit, false, false)];
        while let Some((v, done, weakly)) = stack.pop() {
            let code = body.code(v);
            if done {
                for id in code.states() {
                    if !self.states.contains(id) {
                        self.states.push(*id);
                    }
                }
                self.values.push(v);
                continue;
            }
            let is_entry = Some(v) == self.entry && !(self.shapes && weakly);
            if is_entry || !seen.insert(v) {
                continue;
            }
            if matches!(**code, Expr::Local(_)) || outside(v) {
                self.context.push(v);
                continue;
            }
            if seen.len() > most {
                return false;
            }
            stack.push((v, true, false));
            stack.extend(code.reads().iter().rev().map(|r| (r.value, false, r.weakly)));
        }
        true
    }
}

/// Where values are made and read.
pub(super) struct Places<'n> {
    network: &'n Network<'n>,
    /// How often values and pieces of state are read.
    pub(super) uses: Uses,
    /// Statement that makes each value.
    made: Vec<u32>,
    /// Last statement that reads each.
    last: Vec<u32>,
    /// Values that no data goes into: masks, numbers, shapes.
    pub(super) source: Vec<bool>,
    /// Values that read a variable of the body.
    pub(super) bound: Vec<bool>,
    /// Statements that are more than the computation of a value.
    barriers: Vec<u32>,
    /// Values made one at a time, in order.
    pub(super) order: Vec<ValueId>,
    /// Last statement that reads the data of an argument.
    strong: HashMap<ValueId, u32>,
    /// Sources that several segments read.
    shared: HashSet<ValueId>,
    pub(super) arguments: HashSet<&'n str>,
    lengths: HashSet<&'n str>,
}

/// The segments of a body, in order.
pub(super) fn find(network: &Network<'_>) -> Vec<Segment> {
    let mut places = Places::new(network);
    let cuts = places.cuts();
    let all = |places: &Places<'_>| {
        let mut segments: Vec<Segment> = Vec::new();
        let mut users = Users::default();
        for (i, exit) in cuts.iter().enumerate() {
            let entry = i.checked_sub(1).map(|i| cuts[i]);
            segments.push(places.segment(entry, *exit));
            users.see(network, &segments[i], i);
        }
        (segments, users)
    };
    // Masks and the like that several segments read are handed to each.
    let (_, users) = all(&places);
    let several = users.values.iter().filter(|(_, at)| at.is_none()).map(|(v, _)| *v);
    places.shared = several.filter(|v| places.source[v.0 as usize]).collect();
    let (mut segments, users) = all(&places);
    let outputs: HashSet<ValueId> = network.outputs.iter().copied().collect();
    // What these take shapes from stays where they find it.
    let watched: HashSet<ValueId> =
        places.shared.iter().flat_map(|v| places.code(*v).values()).filter(|v| !places.source[v.0 as usize]).collect();
    for (i, s) in segments.iter_mut().enumerate() {
        let own = |id: &StateId| {
            users.states.get(id) == Some(&Some(i)) && users.reads.get(id) == Some(&places.uses.of_state(*id))
        };
        s.closed &= s.values.iter().all(|v| {
            let is_atom = network.body.values[v.0 as usize].is_atom;
            let inside = is_atom || users.values.get(v) == Some(&Some(i));
            inside && (*v == s.exit || !outputs.contains(v) && !watched.contains(v))
        });
        s.alone = s.closed && s.states.iter().all(own);
        s.shows = outputs.contains(&s.exit);
    }
    segments
}

/// Which segment has what; `None` where several do.
#[derive(Default)]
struct Users {
    states: HashMap<StateId, Option<usize>>,
    values: HashMap<ValueId, Option<usize>>,
    /// How often segments read a piece of state.
    reads: HashMap<StateId, u32>,
}

impl Users {
    fn see(&mut self, network: &Network<'_>, segment: &Segment, i: usize) {
        for s in &segment.states {
            self.states.entry(*s).and_modify(|at| *at = at.filter(|k| *k == i)).or_insert(Some(i));
        }
        for v in &segment.values {
            self.values.entry(*v).and_modify(|at| *at = at.filter(|k| *k == i)).or_insert(Some(i));
            let code = network.body.code(*v);
            code.states().iter().for_each(|s| *self.reads.entry(*s).or_default() += 1);
        }
    }
}

impl<'n> Places<'n> {
    pub(super) fn new(network: &'n Network<'n>) -> Self {
        let count = network.body.values.len();
        let mut places = Self {
            network,
            uses: network.body.uses(network.outputs),
            made: vec![0; count],
            last: vec![0; count],
            source: vec![false; count],
            bound: vec![false; count],
            barriers: Vec::new(),
            order: Vec::new(),
            strong: HashMap::new(),
            shared: HashSet::new(),
            arguments: network.arguments.iter().map(String::as_str).collect(),
            lengths: network.lengths.iter().map(String::as_str).collect(),
        };
        for i in 0..count {
            places.bound[i] = places.is_bound(i);
        }
        for (at, item) in (1..).zip(network.body.items()) {
            places.visit(item, at);
        }
        places
    }

    pub(super) fn expr(&self, v: ValueId) -> &'n Expr {
        self.network.body.expr(v)
    }

    pub(super) fn code(&self, v: ValueId) -> &'n Code {
        self.network.body.code(v)
    }

    /// Does it read a variable that is no argument?
    fn is_bound(&self, i: usize) -> bool {
        let value = &self.network.body.values[i];
        let mut found = false;
        value.expr.each(&mut |e| match e {
            Expr::Local(name) => {
                found |= !self.arguments.contains(&**name) && !self.lengths.contains(&**name);
            }
            Expr::Value(v) if self.network.body.values[v.0 as usize].is_atom => found |= self.bound[v.0 as usize],
            Expr::Stub(_) => found = true,
            _ => {}
        });
        found
    }

    fn visit(&mut self, item: &'n Item, at: u32) {
        match item {
            Item::Let(id) if self.uses.needs(*id) => {
                self.made[id.0 as usize] = at;
                self.order.push(*id);
                self.source[id.0 as usize] = self.is_source(*id);
                self.read(self.code(*id), at);
            }
            Item::Unpack(ids, e) if ids.iter().any(|v| self.uses.needs(*v)) => {
                ids.iter().for_each(|v| self.made[v.0 as usize] = at);
                self.barriers.push(at);
                self.read(e, at);
            }
            Item::Let(_) | Item::Unpack(..) => {}
            _ => {
                self.barriers.push(at);
                let mut inner = Vec::new();
                each(std::slice::from_ref(item), &mut |i| inner.push(i));
                for i in inner {
                    match i {
                        Item::Let(id) if self.uses.needs(*id) => self.read(self.code(*id), at),
                        Item::Unpack(_, e) => self.read(e, at),
                        other => other.kept().into_iter().for_each(|e| self.read(e, at)),
                    }
                }
            }
        }
    }

    fn read(&mut self, code: &Code, at: u32) {
        for Read { value: v, weakly } in code.reads().iter().copied() {
            self.last[v.0 as usize] = at;
            if !weakly && self.network.body.values[v.0 as usize].is_atom {
                self.strong.insert(v, at);
            }
        }
    }

    /// Does no data go into it, but lengths, shapes and weights at most?
    fn is_source(&self, id: ValueId) -> bool {
        let mut data = self.bound[id.0 as usize];
        for Read { value: v, weakly } in self.code(id).reads().iter().copied() {
            let value = &self.network.body.values[v.0 as usize];
            data |= !weakly
                && match &*value.expr {
                    Expr::Local(name) => self.arguments.contains(&**name),
                    _ if value.is_atom => self.bound[v.0 as usize],
                    _ => !self.source[v.0 as usize],
                };
        }
        let mut layer = false;
        if !self.code(id).states().is_empty() {
            self.expr(id).each(&mut |e| layer |= matches!(e, Expr::Layer(..)));
        }
        !data && !layer
    }

    /// Values that everything after them goes through.
    fn cuts(&self) -> Vec<ValueId> {
        let mut cuts = Vec::new();
        let mut furthest = 0;
        // Values made several at a time and inside loops are read past their statement, too.
        let others = self.others();
        let mut others = others.iter().peekable();
        if let Some(first) = self.order.iter().find(|v| !self.source[v.0 as usize]) {
            furthest = self.begins(*first);
        }
        for v in &self.order {
            let at = self.made[v.0 as usize];
            while let Some((_, last)) = others.next_if(|(made, _)| *made < at) {
                furthest = furthest.max(*last);
            }
            if self.source[v.0 as usize] {
                continue;
            }
            if furthest <= at {
                cuts.push(*v);
            }
            furthest = furthest.max(self.last[v.0 as usize]);
        }
        cuts
    }

    /// Up to where the argument that the first data comes from is read as data, if that is not far from there.
    fn begins(&self, first: ValueId) -> u32 {
        let mut argument = None;
        for Read { value: v, weakly } in self.code(first).reads().iter().copied() {
            let is_argument = matches!(self.expr(v), Expr::Local(name) if self.arguments.contains(&**name));
            if is_argument && !weakly {
                argument = argument.or(Some(v));
            }
        }
        let last = argument.and_then(|v| self.strong.get(&v)).copied().unwrap_or(0);
        if last <= self.made[first.0 as usize] + NEAR { last } else { 0 }
    }

    /// Where values are made that stand in no statement of their own, and where they are read last.
    fn others(&self) -> Vec<(u32, u32)> {
        let mut found = Vec::new();
        for item in self.network.body.items() {
            if let Item::Unpack(ids, _) = item {
                found.extend(ids.iter().map(|v| (self.made[v.0 as usize], self.last[v.0 as usize])));
            }
        }
        found
    }

    fn segment(&self, entry: Option<ValueId>, exit: ValueId) -> Segment {
        let from = entry.map_or(0, |v| self.made[v.0 as usize]);
        let to = self.made[exit.0 as usize];
        let mut s = Segment::between(entry, exit);
        let first = self.barriers.partition_point(|b| *b <= from);
        s.closed &= self.barriers.get(first).is_none_or(|b| *b > to);
        if entry.is_none() {
            s.entry = self.argument(exit);
            s.closed &= s.entry.is_some();
        }
        let shared = |v| self.shared.contains(&v) && !self.network.body.values[v.0 as usize].is_atom;
        s.closed &= s.collect(self.network.body, LARGEST, &shared);
        s.closed &= !s.values.iter().any(|v| self.bound[v.0 as usize]);
        s
    }

    /// The only argument that data of the first segment comes from.
    fn argument(&self, exit: ValueId) -> Option<ValueId> {
        let mut found: Option<ValueId> = None;
        let mut stack = vec![exit];
        let mut seen = HashSet::new();
        while let Some(v) = stack.pop() {
            if !seen.insert(v) {
                continue;
            }
            if seen.len() > LARGEST {
                return None;
            }
            for Read { value: r, weakly } in self.code(v).reads().iter().copied() {
                match self.expr(r) {
                    Expr::Local(name) if self.arguments.contains(&**name) && !weakly => {
                        if found.is_some_and(|f| f != r) {
                            return None;
                        }
                        found = Some(r);
                    }
                    _ => stack.push(r),
                }
            }
        }
        found
    }
}

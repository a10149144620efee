//! Finds rounds: from the result of one to that of the next, backwards over what both read.

use super::rounds::{Rounds, Tail};
use crate::pytorch::python::expr::{Argument, Expr, StateId, Subscript, ValueId};
use crate::pytorch::structure::beside::added;
use crate::pytorch::structure::segments::Places;
use crate::pytorch::structure::{Network, form};
use std::cell::RefCell;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// The most values of a round.
const LARGEST: usize = 60;

/// How many earlier values that are computed alike are tried as the result of the round before.
const TRIED: usize = 4;

/// How many of those whose operands are computed alike, too, are tried first.
const ALIKE: usize = 2;

/// Values that are computed alike, in order.
type Alike = HashMap<u64, Vec<ValueId>>;

/// A round beside the one before: pairs of what corresponds.
struct Pair {
    entry: ValueId,
    values: Vec<(ValueId, ValueId)>,
    states: Vec<(StateId, StateId)>,
    fixed: Vec<ValueId>,
}

/// What the search looks up.
pub(super) struct Finder<'n> {
    pub(super) network: &'n Network<'n>,
    pub(super) places: Places<'n>,
    /// The place of each value among those computed one at a time, from 1 on.
    pub(super) at: Vec<u32>,
    /// Equal for values that are computed alike.
    pub(super) keys: Vec<u64>,
    /// The values that read each, where they are needed.
    pub(super) readers: HashMap<ValueId, Vec<ValueId>>,
    pub(super) outputs: HashSet<ValueId>,
    /// May numbers in expressions differ from round to round?
    loose: bool,
    /// Equal for pieces of state that differ in weights and sizes alone.
    shapes: RefCell<HashMap<StateId, Option<Rc<str>>>>,
}

impl<'n> Finder<'n> {
    /// Looks up what is computed alike with the same numbers.
    pub(super) fn new(network: &'n Network<'n>) -> Self {
        let places = Places::new(network);
        let count = network.body.values.len();
        let (mut at, mut keys) = (vec![0; count], vec![0; count]);
        let mut readers: HashMap<ValueId, Vec<ValueId>> = HashMap::new();
        for (v, place) in places.order.iter().zip(1..) {
            at[v.0 as usize] = place;
            keys[v.0 as usize] = key(places.expr(*v), false);
            for read in places.code(*v).values() {
                readers.entry(read).or_default().push(*v);
            }
        }
        let outputs = network.outputs.iter().copied().collect();
        Self { network, places, at, keys, readers, outputs, loose: false, shapes: RefCell::default() }
    }

    /// From now on numbers in expressions may differ.
    pub(super) fn loosen(&mut self) {
        self.loose = true;
        for v in &self.places.order {
            self.keys[v.0 as usize] = key(self.places.expr(*v), true);
        }
    }

    /// All rounds that share no values with each other or those in `claimed`, the last ones first.
    pub(super) fn all(&self, mut claimed: HashSet<ValueId>) -> Vec<Rounds> {
        let (mut alike, mut closely): (Alike, Alike) = Default::default();
        for v in &self.places.order {
            alike.entry(self.keys[v.0 as usize]).or_default().push(*v);
            closely.entry(self.close_key(*v)).or_default().push(*v);
        }
        let mut found = Vec::new();
        // A round rather ends with what joins the results of layers than with a layer.
        for layers in [false, true] {
            let mut tried: HashSet<ValueId> = HashSet::new();
            for v in self.places.order.iter().rev() {
                let is_layer = self.places.code(*v).calls().layers > 0;
                if is_layer != layers || claimed.contains(v) || tried.contains(v) || self.places.source[v.0 as usize] {
                    continue;
                }
                let before = |same: &Alike, key: u64, most: usize| -> Vec<ValueId> {
                    let Some(same) = same.get(&key) else { return Vec::new() };
                    let before = same.partition_point(|u| self.at[u.0 as usize] < self.at[v.0 as usize]);
                    same[..before].iter().rev().take(most).copied().collect()
                };
                let mut candidates = before(&closely, self.close_key(*v), ALIKE);
                let others = before(&alike, self.keys[v.0 as usize], TRIED);
                candidates.extend(others.into_iter().filter(|u| !candidates.contains(u)).collect::<Vec<_>>());
                for u in candidates {
                    let pairs = self.chain(u, *v, &claimed);
                    // Each chain is followed once, whether it comes to something or not.
                    tried.extend(pairs.iter().map(|pair| pair.values[0].1));
                    // The first of them may be no round, but what comes before.
                    let others = &pairs[..pairs.len().saturating_sub(1)];
                    let whole = self.whole(&pairs, &claimed).or_else(|| self.whole(others, &claimed));
                    if let Some(rounds) = whole {
                        claimed.extend(rounds.tail.iter().flat_map(Tail::values));
                        claimed.extend(rounds.values.iter().flatten());
                        claimed.extend(rounds.gathered.iter().filter_map(|g| g.join));
                        found.push(rounds);
                        break;
                    }
                }
            }
        }
        found
    }

    /// Equal for values that are computed alike from values that are.
    fn close_key(&self, v: ValueId) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.keys[v.0 as usize].hash(&mut hasher);
        self.places.code(v).values().for_each(|o| self.keys[o.0 as usize].hash(&mut hasher));
        hasher.finish()
    }

    /// Rounds of which nothing else is read than the last result and what is gathered.
    fn whole(&self, pairs: &[Pair], claimed: &HashSet<ValueId>) -> Option<Rounds> {
        let mut rounds = self.rounds(pairs)?;
        if !self.gather(&mut rounds, claimed) {
            return None;
        }
        rounds.tail = self.tail(&rounds, claimed);
        Some(rounds)
    }

    /// The rounds that end with `v`, of which the last but one ends with `u`, each beside the one before.
    fn chain(&self, u: ValueId, v: ValueId, claimed: &HashSet<ValueId>) -> Vec<Pair> {
        let Some(first) = self.pair(u, v) else { return Vec::new() };
        let mut pairs = vec![first];
        let mut seen: HashSet<ValueId> = HashSet::new();
        let mut result = u;
        let free = |v: &ValueId, seen: &mut HashSet<ValueId>| {
            let is_atom = self.network.body.values[v.0 as usize].is_atom;
            !claimed.contains(v) && (is_atom || seen.insert(*v))
        };
        let both = |pair: &Pair| pair.values.iter().flat_map(|(a, b)| [*a, *b]).collect::<Vec<_>>();
        if !both(&pairs[0]).iter().all(|v| free(v, &mut seen)) {
            return Vec::new();
        }
        loop {
            let last = &pairs[pairs.len() - 1];
            let entry = last.entry;
            if self.keys[entry.0 as usize] != self.keys[v.0 as usize] || self.at[entry.0 as usize] == 0 {
                break;
            }
            let Some(next) = self.pair(entry, result) else { break };
            let same = next.values.iter().map(|(_, b)| b).eq(last.values.iter().map(|(a, _)| a))
                && next.states.iter().map(|(_, b)| b).eq(last.states.iter().map(|(a, _)| a));
            if !same || !next.values.iter().all(|(a, _)| free(a, &mut seen)) {
                break;
            }
            result = entry;
            pairs.push(next);
        }
        pairs
    }

    fn rounds(&self, pairs: &[Pair]) -> Option<Rounds> {
        let first = pairs.last()?;
        let mut values: Vec<Vec<ValueId>> = vec![first.values.iter().map(|(a, _)| *a).collect()];
        // In the order of their calls, most of the time.
        let mut states: Vec<Vec<StateId>> = vec![first.states.iter().rev().map(|(a, _)| *a).collect()];
        for pair in pairs.iter().rev() {
            values.push(pair.values.iter().map(|(_, b)| *b).collect());
            states.push(pair.states.iter().rev().map(|(_, b)| *b).collect());
        }
        let entry = first.entry;
        let fixed: HashSet<ValueId> = pairs.iter().flat_map(|p| &p.fixed).copied().collect();
        let mut held: HashSet<StateId> = HashSet::new();
        let own = states.iter().flatten().all(|s| held.insert(*s));
        let inside: HashSet<&ValueId> = values.iter().flatten().collect();
        let apart = !fixed.contains(&entry) && !inside.contains(&entry) && fixed.iter().all(|v| !inside.contains(v));
        let is_tensor = !self.places.source[entry.0 as usize];
        // A sum of what does not depend on earlier rounds is no round.
        let mut only_added = entry;
        let reader = |v: ValueId| {
            let mut all = values[0].iter().filter(|r| self.places.code(**r).values().any(|o| o == v));
            let one = all.next().filter(|r| added(self.places.expr(**r)).is_some());
            one.copied().filter(|_| all.next().is_none())
        };
        while only_added != values[0][0]
            && let Some(sum) = reader(only_added)
        {
            only_added = sum;
        }
        let goes_on = only_added != values[0][0];
        (own && apart && is_tensor && goes_on).then_some(Rounds {
            entry,
            values,
            states,
            fixed,
            gathered: Vec::new(),
            tail: None,
        })
    }

    /// The round from `u` to `v`, and the one to `u` that is computed alike.
    fn pair(&self, u: ValueId, v: ValueId) -> Option<Pair> {
        let mut entry: Option<ValueId> = None;
        let mut known: HashMap<ValueId, ValueId> = HashMap::new();
        let mut states: HashMap<StateId, StateId> = HashMap::new();
        let mut pair = Pair { entry: v, values: Vec::new(), states: Vec::new(), fixed: Vec::new() };
        let mut stack = vec![(u, v)];
        while let Some((a, b)) = stack.pop() {
            if a == b {
                pair.fixed.push(a);
                continue;
            }
            if b == u {
                if entry.is_some_and(|e| e != a) {
                    return None;
                }
                entry = Some(a);
                continue;
            }
            match known.entry(b) {
                Entry::Occupied(known) if *known.get() == a => continue,
                Entry::Occupied(_) => return None,
                Entry::Vacant(place) => {
                    place.insert(a);
                }
            }
            if pair.values.len() == LARGEST || !self.fits(a) || !self.fits(b) {
                return None;
            }
            pair.values.push((a, b));
            self.compare(a, b, &mut states, &mut pair.states, &mut stack)?;
        }
        pair.entry = entry?;
        Some(pair)
    }

    /// Can a value be computed in a loop?
    pub(super) fn fits(&self, v: ValueId) -> bool {
        let listed = self.at[v.0 as usize] > 0 || self.network.body.values[v.0 as usize].is_atom;
        listed && !self.places.bound[v.0 as usize]
    }

    /// Are two values computed alike from what is added to `stack`, with pieces of state that go together?
    pub(super) fn compare(
        &self,
        a: ValueId,
        b: ValueId,
        known: &mut HashMap<StateId, StateId>,
        states: &mut Vec<(StateId, StateId)>,
        stack: &mut Vec<(ValueId, ValueId)>,
    ) -> Option<()> {
        if self.keys[a.0 as usize] != self.keys[b.0 as usize] {
            return None;
        }
        let (mut x, mut y) = (Vec::new(), Vec::new());
        self.places.expr(a).each(&mut |e| x.push(e));
        self.places.expr(b).each(&mut |e| y.push(e));
        if x.len() != y.len() {
            return None;
        }
        for (x, y) in x.into_iter().zip(y) {
            let held = match (x, y) {
                (Expr::Value(a), Expr::Value(b)) => {
                    stack.push((*a, *b));
                    None
                }
                (Expr::State(s), Expr::State(t)) => Some((*s, *t)),
                (Expr::Layer(s, w, xs), Expr::Layer(t, u, ys)) if w == u && named_alike(xs, ys) => Some((*s, *t)),
                _ if same(x, y, self.loose) => None,
                _ => return None,
            };
            if let Some((s, t)) = held.filter(|(s, t)| s != t) {
                match known.entry(t) {
                    // It is read once in each round.
                    Entry::Occupied(_) => return None,
                    Entry::Vacant(place) => place.insert(s),
                };
                if !self.alike(s, t) {
                    return None;
                }
                states.push((s, t));
            }
        }
        Some(())
    }

    /// Do two pieces of state differ in weights and sizes alone, and is each read once?
    fn alike(&self, s: StateId, t: StateId) -> bool {
        let shape = |s: StateId| -> Option<Rc<str>> {
            let mut shapes = self.shapes.borrow_mut();
            let made = || Some(Rc::from(form::of_state(&self.network.states[s.0 as usize])?.0));
            shapes.entry(s).or_insert_with(made).clone()
        };
        let once = |s: StateId| self.places.uses.of_state(s) == 1;
        once(s) && once(t) && shape(s).is_some_and(|x| shape(t) == Some(x))
    }
}

/// Are two expressions the same apart from their parts, and from numbers of the same sign if these may differ?
fn same(x: &Expr, y: &Expr, loose: bool) -> bool {
    match (x, y) {
        (Expr::Int(a), Expr::Int(b)) if loose => (*a < 0) == (*b < 0),
        (Expr::Attribute(_, a), Expr::Attribute(_, b)) => a == b,
        (Expr::Call(_, a), Expr::Call(_, b)) => named_alike(a, b),
        (Expr::Index(_, a), Expr::Index(_, b)) => {
            let kind = |s: &Subscript| match s {
                Subscript::At(_) => (0, false, false, None),
                Subscript::New => (1, false, false, None),
                Subscript::Ellipsis => (2, false, false, None),
                Subscript::Range(from, to, step) => (3, from.is_some(), to.is_some(), *step),
            };
            a.iter().map(kind).eq(b.iter().map(kind))
        }
        (Expr::Unary(a, _), Expr::Unary(b, _)) => a == b,
        (Expr::Binary(a, ..), Expr::Binary(b, ..)) => a == b,
        (Expr::Tuple(a), Expr::Tuple(b)) | (Expr::List(a), Expr::List(b)) | (Expr::Bare(a), Expr::Bare(b)) => {
            a.len() == b.len()
        }
        (Expr::If(_), Expr::If(_)) => true,
        (Expr::Repeat(..) | Expr::Layer(..) | Expr::State(_) | Expr::Value(_), _) => false,
        (a, b) => a == b,
    }
}

fn named_alike(a: &[Argument], b: &[Argument]) -> bool {
    a.iter().map(|a| a.name).eq(b.iter().map(|b| b.name))
}

/// Equal for expressions that are the same apart from the values and pieces of state that they read.
fn key(expr: &Expr, loose: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    expr.each(&mut |e| {
        std::mem::discriminant(e).hash(&mut hasher);
        match e {
            Expr::Local(name) | Expr::Number(name) | Expr::Class(name) => name.hash(&mut hasher),
            Expr::Torch(module, name) => (module, name).hash(&mut hasher),
            Expr::Attribute(_, name) => name.hash(&mut hasher),
            Expr::Helper(name) => name.hash(&mut hasher),
            Expr::Int(n) if loose => (*n < 0).hash(&mut hasher),
            Expr::Int(n) => n.hash(&mut hasher),
            Expr::Binary(op, ..) => op.hash(&mut hasher),
            Expr::Call(_, all) | Expr::Layer(_, _, all) => all.len().hash(&mut hasher),
            _ => {}
        }
    });
    hasher.finish()
}

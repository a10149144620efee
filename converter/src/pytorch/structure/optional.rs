//! Parts that some blocks have and others lack: the projection on a shortcut.
//!
//! Where one segment adds what a few layers make of its entry and another one the entry as it is, both compute
//! `self.shortcut(x)`, and have one form: a chain without layers gives what it takes. Where the layers take another value,
//! both compute `x if self.shortcut is None else self.shortcut(y)`. What no segment lacks is a part of its own, too, where it
//! is a projection.

use super::Network;
use super::beside::added;
use super::form::{self, Form, link};
use super::segments::Segment;
use crate::pytorch::python::body::Body;
use crate::pytorch::python::code::{Code, Read};
use crate::pytorch::python::expr::{Argument, Binary, Expr, StateId, ValueId, nn};
use crate::pytorch::python::uses::Uses;
use crate::pytorch::state::{Held, Kind, State};
use std::collections::HashMap;

/// The most layers of an optional part.
const LONGEST: usize = 4;

/// Larger segments are not compared with others.
const LARGEST: usize = 60;

/// How many values of a segment are tried as what a part that it lacks would read.
const TRIED: usize = 4;

/// How many parts are tried in segments that may lack them.
const PARTS: usize = 8;

/// How many sums of a segment are looked at, from its exit on.
const SUMS: usize = 4;

/// How many segments before one may belong to it: where the part reads what they make, they are none of its own.
const BEFORE: usize = 3;

/// What computed a value before.
pub(super) type Before = (ValueId, Code);

/// A part: a chain of layers whose result is added to something else.
#[derive(Clone)]
struct Part {
    /// The value that adds it.
    reader: ValueId,
    /// What the chain makes, and from what.
    result: ValueId,
    source: ValueId,
    constructors: Vec<Expr>,
    /// What its layers hold.
    links: Vec<Option<StateId>>,
}

/// Which segments have a part.
#[derive(Clone, Copy, PartialEq)]
enum Presence {
    /// This one and all others.
    All,
    /// This one and some others.
    This,
    /// Some others.
    Others,
}

/// A segment written with a part that is there or not.
struct Variant {
    at: usize,
    /// How many segments before it are part of it.
    joins: usize,
    before: Before,
    after: Code,
    /// The part, and what it is written as.
    part: Part,
    state: StateId,
    presence: Presence,
    segment: Segment,
    form: Form,
}

impl Variant {
    /// Is the part no more than a convolution, normalized, that brings the entry to the right size?
    fn projects(&self) -> bool {
        let is = |e: &Expr, what: &str| match e {
            Expr::Call(function, _) => matches!(&**function, Expr::Torch(_, name) if name.starts_with(what)),
            _ => false,
        };
        let whole = Some(self.part.source) == self.segment.entry;
        whole && matches!(self.part.constructors.as_slice(), [a, b] if is(a, "Conv") && is(b, "BatchNorm"))
    }

    /// The tensors of the part.
    fn tensors(&self, states: &[State]) -> Vec<Held> {
        let kind = &states[self.state.0 as usize].kind;
        let chain = matches!(kind, Kind::Module(made) | Kind::Optional(_, made, _) if form::is_chain(made));
        let mut tensors = Vec::new();
        let links = self.part.links.iter().enumerate().filter(|_| self.presence != Presence::Others);
        for (i, state) in links {
            for held in state.iter().flat_map(|s| &states[s.0 as usize].tensors) {
                let suffix = if chain { format!("{i}.{}", held.suffix) } else { held.suffix.clone() };
                tensors.push(Held { suffix, ..held.clone() });
            }
        }
        tensors
    }
}

/// Gives segments that differ in such a part one form. What computed the changed values before is given back.
pub(super) fn unify(
    network: &mut Network<'_>,
    segments: &mut Vec<Segment>,
    forms: &mut Vec<Option<Form>>,
) -> Vec<Before> {
    let uses = network.body.uses(network.outputs);
    let mut with: HashMap<String, Vec<Variant>> = HashMap::new();
    let mut order: Vec<(String, Part)> = Vec::new();
    for (i, segment) in segments.iter().enumerate().filter(|(i, s)| fits(s, forms[*i].as_ref())) {
        let parts = parts(network, segment, &uses);
        let joined = if parts.is_empty() { 0 } else { before(segments, forms, i) };
        for (joins, part) in (0..=joined).flat_map(|joins| parts.iter().map(move |p| (joins, p))) {
            let segment = segment.joined(&segments[i - joins..i]);
            let Some(variant) = variant(network, i, &segment, part, Presence::This) else { continue };
            let key = variant.form.shape.to_string();
            if !with.contains_key(&key) && order.len() < PARTS {
                order.push((key.clone(), part.clone()));
            }
            with.entry(key).or_default().push(Variant { joins, ..variant });
        }
    }
    let mut changed: Vec<Variant> = Vec::new();
    let mut everywhere: Vec<Vec<Variant>> = Vec::new();
    let mut taken = vec![false; segments.len()];
    for (key, part) in order {
        if !with.contains_key(&key) {
            continue;
        }
        let mut lacking = Vec::new();
        for (i, segment) in segments.iter().enumerate().filter(|(i, s)| fits(s, forms[*i].as_ref())) {
            if !taken[i] {
                lacking.extend(without(network, i, segment, &part, &key));
            }
        }
        let having = with.remove(&key).unwrap_or_default();
        if lacking.is_empty() {
            everywhere.push(having);
            continue;
        }
        for v in lacking.into_iter().chain(having) {
            let whole = &mut taken[v.at - v.joins..=v.at];
            if whole.iter().all(|t| !t) {
                whole.fill(true);
                changed.push(v);
            }
        }
    }
    for having in everywhere {
        let all: Vec<Variant> = having.into_iter().filter(|v| v.joins == 0 && !taken[v.at] && v.projects()).collect();
        for v in all.iter().filter(|_| all.len() > 1) {
            let again = variant(network, v.at, &segments[v.at], &v.part, Presence::All);
            taken[v.at] = again.is_some();
            changed.extend(again);
        }
    }
    let mut before = Vec::new();
    let mut gone = vec![false; segments.len()];
    for v in changed {
        network.states[v.state.0 as usize].tensors = v.tensors(network.states);
        network.body.values[v.before.0.0 as usize].expr = v.after;
        segments[v.at] = v.segment;
        forms[v.at] = Some(v.form);
        gone[v.at - v.joins..v.at].fill(true);
        before.push(v.before);
    }
    let mut stays = gone.iter();
    segments.retain(|_| stays.next() == Some(&false));
    let mut stays = gone.iter();
    forms.retain(|_| stays.next() == Some(&false));
    before
}

/// How many segments before this one may belong to it: single layers whose results are read in it alone.
fn before(segments: &[Segment], forms: &[Option<Form>], i: usize) -> usize {
    let single = |k: &usize| forms[*k].as_ref().is_some_and(|f| f.straight) && !segments[*k].shows;
    (i.saturating_sub(BEFORE)..i).rev().take_while(single).count()
}

fn fits(segment: &Segment, form: Option<&Form>) -> bool {
    form.is_some_and(|f| !f.straight && f.layers > 0) && segment.values.len() <= LARGEST
}

/// The parts of a segment that another one may lack.
fn parts(network: &Network<'_>, segment: &Segment, uses: &Uses) -> Vec<Part> {
    let mut found = Vec::new();
    for (reader, operands) in sums(network.body, segment) {
        found.extend(operands.into_iter().filter_map(|result| part(network, segment, uses, reader, result)));
    }
    found
}

/// The sums of a segment, the last ones first.
fn sums(body: &Body, segment: &Segment) -> Vec<(ValueId, [ValueId; 2])> {
    segment.values.iter().rev().filter_map(|v| Some((*v, added(body.expr(*v))?))).take(SUMS).collect()
}

fn part(network: &Network<'_>, segment: &Segment, uses: &Uses, reader: ValueId, result: ValueId) -> Option<Part> {
    let mut links = Vec::new();
    let mut source = result;
    while links.len() < LONGEST && Some(source) != segment.entry && uses.of(source) == 1 {
        let code = network.body.code(source);
        let [Read { value: x, .. }] = *code.reads() else { break };
        let Some(constructor) = link(code, x, network.states) else { break };
        links.push((constructor, code.states().last().copied()));
        source = x;
    }
    // It branches off from where others read, too.
    if Some(source) != segment.entry && uses.of(source) == 1 {
        return None;
    }
    links.reverse();
    let (constructors, links): (Vec<Expr>, Vec<Option<StateId>>) = links.into_iter().unzip();
    links.iter().any(Option::is_some).then_some(Part { reader, result, source, constructors, links })
}

/// The segment with `part` as one that may be missing.
fn variant(
    network: &mut Network<'_>,
    at: usize,
    segment: &Segment,
    part: &Part,
    presence: Presence,
) -> Option<Variant> {
    let entry = segment.entry?;
    let present = presence != Presence::Others;
    let whole = part.source == entry;
    let absent = if whole { nn("Sequential", Vec::new()) } else { Expr::Nothing };
    let constructor = match part.constructors.as_slice() {
        [one] if !whole => one.clone(),
        all => nn("Sequential", all.iter().cloned().map(Argument::from).collect()),
    };
    let kind = match presence {
        Presence::All => Kind::Module(constructor),
        _ => Kind::Optional(Expr::Bool(present), constructor, absent),
    };
    let wanted = Some("shortcut".to_owned());
    let first = part.links.iter().flatten().next().filter(|_| present);
    let within = first.map_or_else(Vec::new, |s| network.states[s.0 as usize].within.clone());
    network.states.push(State { within, ..State::of(kind, wanted, "shortcut") });
    let state = StateId(network.states.len() as u32 - 1);
    let absent = Expr::binary(Binary::Is, Expr::State(state), Expr::Nothing);
    let given = Expr::layer(state, vec![part.source.into()]);
    let either = if whole || presence == Presence::All {
        given
    } else {
        Expr::If(Box::new([absent, Expr::Value(entry), given]))
    };
    let value = &mut network.body.values[part.reader.0 as usize];
    let mut first = true;
    let after = value.expr.rewrite(&mut |e| {
        let is = *e == Expr::Value(part.result) && std::mem::take(&mut first);
        is.then(|| either.clone())
    });
    let after = Code::from(after);
    let before = std::mem::replace(&mut value.expr, after.clone());
    let segment = segment.again(network.body);
    let form = form::of(network, &segment);
    network.body.values[part.reader.0 as usize].expr = before.clone();
    if form.is_none() {
        network.states.pop();
    }
    let before = (part.reader, before);
    Some(Variant { at, joins: 0, before, after, part: part.clone(), state, presence, segment, form: form? })
}

/// The segment as one that lacks a part, if it then has the wanted form.
fn without(network: &mut Network<'_>, at: usize, segment: &Segment, part: &Part, key: &str) -> Option<Variant> {
    let entry = segment.entry?;
    for (reader, _) in sums(network.body, segment).into_iter().filter(|(_, operands)| operands.contains(&entry)) {
        let sources = std::iter::once(entry).chain(segment.values.iter().copied().take(TRIED));
        for source in sources.filter(|s| *s != reader && *s != segment.exit) {
            let part = Part { reader, result: entry, source, ..part.clone() };
            match variant(network, at, segment, &part, Presence::Others) {
                Some(found) if &*found.form.shape == key => return Some(found),
                Some(_) => {
                    network.states.pop();
                }
                None => {}
            }
        }
    }
    None
}

//! How a body is written down: which values are written where they are used, and what the others are called.
//!
//! A value used once goes into the expression that uses it as long as the line stays readable; a statement calls at most
//! one layer. Values that the model does not name share a few short names, each free again after its last use.

use super::body::{Body, Item};
use super::expr::{Expr, Part, Prec, StateId, ValueId};
use super::names::Names;
use super::wrap::Lines;
use std::collections::{HashMap, HashSet};

/// How wide an expression may grow by taking in others.
const WIDEST: usize = 62;
/// Names for values that have none of their own.
const SHORT: &[&str] = &["x", "y", "z", "u", "v", "w", "p", "q", "r"];

/// A body with its decisions.
pub(crate) struct Plan<'b> {
    body: &'b Body,
    states: &'b HashMap<StateId, String>,
    needed: Vec<bool>,
    inlined: Vec<bool>,
    names: HashMap<ValueId, String>,
    typed: HashSet<String>,
    untyped: HashSet<String>,
}

impl<'b> Plan<'b> {
    /// Decides for a method that returns `outputs`. `names` holds the arguments and whatever else is taken.
    pub(crate) fn new(
        body: &'b Body,
        outputs: &[ValueId],
        states: &'b HashMap<StateId, String>,
        names: &mut Names,
    ) -> Self {
        let needed = body.needed(outputs);
        let mut plan = Self {
            body,
            states,
            needed,
            inlined: vec![false; body.values.len()],
            names: HashMap::new(),
            typed: HashSet::new(),
            untyped: HashSet::new(),
        };
        plan.choose_inline(outputs);
        plan.choose_names(outputs, names);
        plan
    }

    fn choose_inline(&mut self, outputs: &[ValueId]) {
        let mut uses = vec![0u32; self.body.values.len()];
        let mut count = |e: &Expr| e.values().for_each(|v| uses[v.0 as usize] += 1);
        self.statements(self.body.items(), 0, &mut |_, e| count(e));
        outputs.iter().for_each(|v| uses[v.0 as usize] += 1);
        let unpacked: HashSet<ValueId> = self.unpacked();
        let mut users: Vec<(u32, Expr, Option<ValueId>)> = Vec::new();
        self.consumers(self.body.items(), 0, &mut |block, e, own| users.push((block, e.clone(), own)));
        let mut width = vec![0usize; self.body.values.len()];
        let mut heavy: Vec<bool> = self.body.values.iter().map(|v| v.heavy).collect();
        for (block, expr, own) in users {
            let mut held: Vec<ValueId> = expr
                .values()
                .filter(|v| {
                    let value = &self.body.values[v.0 as usize];
                    uses[v.0 as usize] == 1 && !value.is_atom && value.block == block && !unpacked.contains(v)
                })
                .collect();
            let is_heavy = own.is_some_and(|o| heavy[o.0 as usize]);
            // At most one layer in a statement: the operand's goes first.
            let mut layers = usize::from(is_heavy);
            held.retain(|v| {
                layers += usize::from(heavy[v.0 as usize]);
                !heavy[v.0 as usize] || layers <= 1
            });
            loop {
                let total = self.width(&expr, &held, &width);
                if total <= WIDEST || held.is_empty() || expr.parts.len() == 1 {
                    if let Some(o) = own {
                        width[o.0 as usize] = total;
                        heavy[o.0 as usize] |= held.iter().any(|v| heavy[v.0 as usize]);
                    }
                    break;
                }
                let widest = (0..held.len()).max_by_key(|i| width[held[*i].0 as usize]).unwrap_or(0);
                held.remove(widest);
            }
            held.iter().for_each(|v| self.inlined[v.0 as usize] = true);
        }
    }

    fn width(&self, expr: &Expr, held: &[ValueId], widths: &[usize]) -> usize {
        expr.parts
            .iter()
            .map(|p| match p {
                Part::Text(t) => t.len(),
                Part::State(s) => self.states.get(s).map_or(4, String::len) + 5,
                Part::Weight(_) => 0,
                Part::Value(v, _) if held.contains(v) => widths[v.0 as usize] + 2,
                Part::Value(v, _) => {
                    let value = &self.body.values[v.0 as usize];
                    if value.is_atom {
                        self.width(&value.expr, &[], widths)
                    } else {
                        value.hint.as_ref().map_or(1, String::len)
                    }
                }
            })
            .sum()
    }

    /// Values that are made several at a time.
    fn unpacked(&self) -> HashSet<ValueId> {
        let mut found = HashSet::new();
        super::body::each(self.body.items(), &mut |item| {
            if let Item::Unpack(ids, _) = item {
                found.extend(ids.iter().copied());
            }
        });
        found
    }

    /// Every expression that is kept, with its block.
    fn statements(&self, items: &[Item], block: u32, f: &mut impl FnMut(u32, &Expr)) {
        self.consumers(items, block, &mut |b, e, _| f(b, e));
    }

    /// The same, with the value that it computes.
    fn consumers(&self, items: &[Item], block: u32, f: &mut impl FnMut(u32, &Expr, Option<ValueId>)) {
        for item in items {
            match item {
                Item::Let(id) if self.needed[id.0 as usize] => {
                    f(block, &self.body.values[id.0 as usize].expr, Some(*id));
                }
                Item::Unpack(ids, e) if ids.iter().any(|v| self.needed[v.0 as usize]) => f(block, e, None),
                Item::Line(e) | Item::Set(_, e) => f(block, e, None),
                Item::Block(head, inner, items) => {
                    f(block, head, None);
                    self.consumers(items, *inner, f);
                }
                _ => {}
            }
        }
    }

    fn choose_names(&mut self, outputs: &[ValueId], names: &mut Names) {
        let mut order = Order::default();
        self.walk(self.body.items(), &mut order);
        let end = order.at + 1;
        for o in outputs {
            self.reads(&Expr::parse("$0", &[*o], &[]), &mut |v| order.used.push((v, end)));
        }
        let mut last: HashMap<ValueId, u32> = HashMap::new();
        for (v, at) in &order.used {
            let made = order.made.get(v).copied().unwrap_or(0);
            // Used inside a block that it was not made in: needed until that block ends, as it may run again.
            let until = order.blocks.iter().filter(|(b, e)| made < *b && b <= at && at <= e).map(|(_, e)| *e).max();
            let until = until.unwrap_or(*at).max(*at);
            let entry = last.entry(*v).or_insert(until);
            *entry = (*entry).max(until);
        }
        let mut made: Vec<(u32, ValueId)> = order.made.iter().map(|(v, at)| (*at, *v)).collect();
        made.sort_unstable();
        let mut pool: Vec<(String, u32)> = Vec::new();
        let hinted: HashSet<&str> =
            made.iter().filter_map(|(_, v)| self.body.values[v.0 as usize].hint.as_deref()).collect();
        let mut short = SHORT.iter().map(|s| (*s).to_owned()).chain((1..).map(|n| format!("x{n}")));
        let mut short = short.by_ref().filter(|n| !hinted.contains(n.as_str()));
        for (at, v) in made {
            if let Some(hint) = &self.body.values[v.0 as usize].hint {
                let name = names.unique(hint);
                self.names.insert(v, name);
                continue;
            }
            let until = last.get(&v).copied().unwrap_or(at);
            let free = pool.iter_mut().find(|(_, busy)| *busy <= at);
            let name = match free {
                Some((name, busy)) => {
                    *busy = until;
                    name.clone()
                }
                None => {
                    let name = short.by_ref().find(|n| names.take(n)).unwrap_or_default();
                    pool.push((name.clone(), until));
                    name
                }
            };
            self.names.insert(v, name);
        }
    }

    fn walk(&self, items: &[Item], order: &mut Order) {
        for item in items {
            order.at += 1;
            let at = order.at;
            match item {
                Item::Let(id) if self.needed[id.0 as usize] && !self.inlined[id.0 as usize] => {
                    self.reads(&self.body.values[id.0 as usize].expr, &mut |v| order.used.push((v, at)));
                    order.made.insert(*id, at);
                }
                Item::Unpack(ids, e) if ids.iter().any(|v| self.needed[v.0 as usize]) => {
                    self.reads(e, &mut |v| order.used.push((v, at)));
                    for id in ids.iter().filter(|v| self.needed[v.0 as usize]) {
                        order.made.insert(*id, at);
                        // Two targets of one statement never share a name.
                        order.used.push((*id, at + 1));
                    }
                    order.at += 1;
                }
                Item::Line(e) | Item::Set(_, e) => self.reads(e, &mut |v| order.used.push((v, at))),
                Item::Block(head, _, inner) => {
                    self.reads(head, &mut |v| order.used.push((v, at)));
                    self.walk(inner, order);
                    order.at += 1;
                    order.blocks.push((at, order.at));
                }
                _ => {}
            }
        }
    }

    /// The named values that an expression reads once others are written out in it.
    fn reads(&self, expr: &Expr, f: &mut impl FnMut(ValueId)) {
        for v in expr.values() {
            let value = &self.body.values[v.0 as usize];
            if value.is_atom || self.inlined[v.0 as usize] {
                self.reads(&value.expr, f);
            } else {
                f(v);
            }
        }
    }

    /// The text of an expression.
    pub(crate) fn text(&self, expr: &Expr) -> String {
        expr.parts
            .iter()
            .map(|p| match p {
                Part::Text(t) => t.clone(),
                Part::State(s) => format!("self.{}", self.states.get(s).map_or("_", String::as_str)),
                Part::Value(v, need) => self.operand(*v, *need),
                Part::Weight(_) => String::new(),
            })
            .collect()
    }

    fn operand(&self, v: ValueId, need: Prec) -> String {
        let value = &self.body.values[v.0 as usize];
        if !value.is_atom && !self.inlined[v.0 as usize] {
            return self.names.get(&v).cloned().unwrap_or_default();
        }
        let text = self.text(&value.expr);
        if self.bound(&value.expr) < need { format!("({text})") } else { text }
    }

    /// How tightly the text of an expression binds: one that is nothing but a hole binds as what fills it.
    fn bound(&self, expr: &Expr) -> Prec {
        match expr.parts.as_slice() {
            [Part::Value(v, _)] if self.body.values[v.0 as usize].is_atom || self.inlined[v.0 as usize] => {
                self.bound(&self.body.values[v.0 as usize].expr)
            }
            _ => expr.prec,
        }
    }

    /// Is the type of this expression's text plain to a type checker?
    fn typed(text: &str) -> bool {
        const KNOWN: &[&str] =
            &["torch.", "F.relu(", "F.elu(", "F.leaky_relu(", "F.softmax(", "F.log_softmax(", "F.conv", "F.pad("];
        let own =
            super::super::helpers::ALL.iter().any(|h| text.strip_prefix(h.name).is_some_and(|r| r.starts_with('(')));
        let known = own || KNOWN.iter().any(|k| text.starts_with(k));
        // One call and nothing behind it.
        known && text.ends_with(')') && super::wrap::is_one_call(text)
    }

    /// The statements as lines, at the given depth of indentation.
    pub(crate) fn write(&mut self, lines: &mut Lines, depth: usize) {
        let body = self.body;
        self.find_untyped(body.items());
        self.write_items(body.items(), lines, depth);
    }

    /// Names that are given a value of which a type checker does not know the type.
    fn find_untyped(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Let(id) if self.needed[id.0 as usize] && !self.inlined[id.0 as usize] => {
                    if let Some(name) = self.names.get(id)
                        && !Self::typed(&self.text(&self.body.values[id.0 as usize].expr))
                    {
                        self.untyped.insert(name.clone());
                    }
                }
                Item::Block(_, _, inner) => self.find_untyped(inner),
                _ => {}
            }
        }
    }

    fn write_items(&mut self, items: &[Item], lines: &mut Lines, depth: usize) {
        for item in items {
            match item {
                Item::Let(id) if self.needed[id.0 as usize] && !self.inlined[id.0 as usize] => {
                    let value = &self.body.values[id.0 as usize];
                    let name = self.names.get(id).cloned().unwrap_or_default();
                    let first = self.typed.insert(name.clone());
                    let text = self.text(&value.expr);
                    let mark = if first && self.untyped.contains(&name) { ": Tensor" } else { "" };
                    if text != name {
                        lines.statement(depth, &format!("{name}{mark} = "), &text);
                    }
                }
                Item::Unpack(ids, e) if ids.iter().any(|v| self.needed[v.0 as usize]) => {
                    let targets: Vec<String> =
                        ids.iter().map(|v| self.names.get(v).cloned().unwrap_or_else(|| "_".to_owned())).collect();
                    self.typed.extend(targets.iter().cloned());
                    let text = self.text(e);
                    lines.statement(depth, &format!("{} = ", targets.join(", ")), &text);
                }
                Item::Line(e) => lines.statement(depth, "", &self.text(e)),
                Item::Set(name, e) => {
                    self.typed.insert(name.clone());
                    lines.statement(depth, &format!("{name} = "), &self.text(e));
                }
                Item::Block(head, _, inner) => {
                    lines.push(depth, &format!("{}:", self.text(head)));
                    self.write_items(inner, lines, depth + 1);
                }
                _ => {}
            }
        }
    }

    /// What a return statement says, and whether a type checker knows its type.
    pub(crate) fn output(&self, id: ValueId) -> (String, bool) {
        let written = self.inlined[id.0 as usize];
        let text = self.operand(id, Prec::Lowest);
        let typed = !written || Self::typed(&text);
        (text, typed)
    }
}

#[derive(Default)]
struct Order {
    at: u32,
    made: HashMap<ValueId, u32>,
    used: Vec<(ValueId, u32)>,
    /// First and last place of each block.
    blocks: Vec<(u32, u32)>,
}

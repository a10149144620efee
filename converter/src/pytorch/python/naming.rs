//! Names the values of a body: with their names in the model, or with a few short names that are reused after their
//! last use.

use super::body::Item;
use super::expr::{Expr, ValueId};
use super::names::Names;
use super::plan::Plan;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

/// Names for values that have none of their own.
const SHORT: &[&str] = &["x", "y", "z", "u", "v", "w", "p", "q", "r"];

impl Plan<'_> {
    pub(super) fn choose_names(&mut self, outputs: &[ValueId], names: &mut Names) {
        let mut order = Order::default();
        self.walk(self.body.items(), &mut order);
        order.at += 1;
        for o in outputs {
            self.read(*o, &mut |v| order.read(v));
        }
        let mut last: HashMap<ValueId, u32> = HashMap::new();
        for (v, at, block) in &order.used {
            let made = order.made.get(v).copied().unwrap_or(0);
            // A value from outside of a loop is needed until the loop ends, because the next step may read it again.
            let mut until = *at;
            let mut around = *block;
            while let Some(block) = around.map(|b| &order.blocks[b]).filter(|b| made < b.begin) {
                until = until.max(block.end);
                around = block.around;
            }
            let entry = last.entry(*v).or_insert(until);
            *entry = (*entry).max(until);
        }
        let mut made: Vec<(u32, ValueId)> = order.made.iter().map(|(v, at)| (*at, *v)).collect();
        made.sort_unstable();
        let hinted: HashSet<&str> =
            made.iter().filter_map(|(_, v)| self.body.values[v.0 as usize].hint.as_deref()).collect();
        let short = SHORT.iter().map(|s| (*s).to_owned()).chain((1..).map(|n| format!("x{n}")));
        let mut short = short.filter(|n| !hinted.contains(n.as_str()));
        // All names in the order in which they were taken, the free ones, and the ends of use of the others.
        let mut pool: Vec<String> = Vec::new();
        let mut free: BTreeSet<usize> = BTreeSet::new();
        let mut busy: BinaryHeap<Reverse<(u32, usize)>> = BinaryHeap::new();
        let going_on = self.going_on();
        for (at, v) in made {
            if let Some(argument) = going_on.get(&v) {
                self.names.insert(v, argument.clone());
                continue;
            }
            if let Some(hint) = &self.body.values[v.0 as usize].hint {
                self.names.insert(v, names.unique(hint));
                continue;
            }
            while let Some(Reverse((until, i))) = busy.peek().copied()
                && until <= at
            {
                busy.pop();
                free.insert(i);
            }
            let i = free.pop_first().unwrap_or_else(|| {
                pool.push(short.by_ref().find(|n| names.take(n)).unwrap_or_default());
                pool.len() - 1
            });
            busy.push(Reverse((last.get(&v).copied().unwrap_or(at), i)));
            self.names.insert(v, pool[i].clone());
        }
    }

    /// Loops over modules that start from an argument which nothing else reads, and its name: they go on with it.
    fn going_on(&self) -> HashMap<ValueId, String> {
        let fold = |item: &Item| {
            let Item::Fold(id) = item else { return None };
            let Expr::Value(start) = self.fold(*id).1.first()?.value else { return None };
            let Expr::Local(name) = self.body.expr(start) else { return None };
            (self.uses.of(start) == 1).then(|| (*id, name.clone()))
        };
        self.body.items().iter().filter_map(fold).collect()
    }

    fn walk(&self, items: &[Item], order: &mut Order) {
        for item in items {
            order.at += 1;
            match item {
                Item::Let(id) if self.uses.needs(*id) && !self.inlined[id.0 as usize] => {
                    self.reads(self.body.code(*id).values(), &mut |v| order.read(v));
                    order.made.insert(*id, order.at);
                }
                Item::Fold(id) if self.uses.needs(*id) => {
                    let Some((start, others)) = self.fold(*id).1.split_first() else { continue };
                    self.reads(start.value.values(), &mut |v| order.read(v));
                    order.made.insert(*id, order.at);
                    // What every call reads is read after the name is taken.
                    order.at += 1;
                    others.iter().for_each(|a| self.reads(a.value.values(), &mut |v| order.read(v)));
                }
                Item::Unpack(ids, e) if ids.iter().any(|v| self.uses.needs(*v)) => {
                    self.reads(e.values(), &mut |v| order.read(v));
                    let made = || ids.iter().filter(|v| self.uses.needs(**v));
                    made().for_each(|id| {
                        order.made.insert(*id, order.at);
                    });
                    // Two targets of one statement never share a name.
                    order.at += 1;
                    made().for_each(|id| order.read(*id));
                }
                Item::Do(e) | Item::Set(_, e) | Item::Move(_, e) => self.reads(e.values(), &mut |v| order.read(v)),
                Item::For(_, count, _, inner) => {
                    let block = order.blocks.len();
                    let around = order.inside.replace(block);
                    order.blocks.push(Loop { begin: order.at, end: order.at, around });
                    self.reads(count.values(), &mut |v| order.read(v));
                    self.walk(inner, order);
                    order.at += 1;
                    order.blocks[block].end = order.at;
                    order.inside = around;
                }
                Item::Let(_) | Item::Fold(_) | Item::Unpack(..) => {}
            }
        }
    }

    /// Calls `f` with the named values among those that an expression reads, after the others are written out in it.
    fn reads(&self, values: impl IntoIterator<Item = ValueId>, f: &mut impl FnMut(ValueId)) {
        values.into_iter().for_each(|v| self.read(v, f));
    }

    fn read(&self, v: ValueId, f: &mut impl FnMut(ValueId)) {
        if self.is_written_out(v) {
            self.reads(self.body.code(v).values(), f);
        } else {
            f(v);
        }
    }
}

/// For each value, the statements in which it is computed and used, counted from the first.
#[derive(Default)]
struct Order {
    at: u32,
    made: HashMap<ValueId, u32>,
    /// With the loop that the use stands in.
    used: Vec<(ValueId, u32, Option<usize>)>,
    blocks: Vec<Loop>,
    inside: Option<usize>,
}

impl Order {
    fn read(&mut self, v: ValueId) {
        self.used.push((v, self.at, self.inside));
    }
}

struct Loop {
    begin: u32,
    end: u32,
    around: Option<usize>,
}

//! Decides how a body is written: which values are written where they are used, and the names of the others.
//!
//! A value used once goes into the expression that uses it as long as the line stays readable; a statement calls at most
//! one layer and one block of layers. Values that the model does not name share a few short names, each free again after its last use.

use super::body::{Body, Item};
use super::calls::Calls;
use super::expr::{Argument, Binary, Expr, Prec, StateId, ValueId};
use super::names::Names;
use super::print;
use super::uses::Uses;
use super::wrap::Lines;
use std::collections::{HashMap, HashSet};

/// How wide an expression may become by including others.
const WIDEST: usize = 62;

/// How wide one with a block of layers may become. Parentheses are counted around every operand, whether it needs them or not.
const WITH_BLOCK: usize = 74;

/// A body with its decisions.
pub(crate) struct Plan<'b> {
    pub(super) body: &'b Body,
    states: &'b HashMap<StateId, String>,
    pub(super) uses: Uses,
    pub(super) inlined: Vec<bool>,
    pub(super) names: HashMap<ValueId, String>,
    typed: HashSet<String>,
    untyped: HashSet<String>,
    /// The loop variable for lists of modules.
    layer: String,
}

impl<'b> Plan<'b> {
    /// Decides for a method that returns `outputs`. `names` has the names that are taken, such as those of the
    /// arguments.
    pub(crate) fn new(
        body: &'b Body,
        outputs: &[ValueId],
        states: &'b HashMap<StateId, String>,
        names: &mut Names,
    ) -> Self {
        let mut plan = Self {
            body,
            states,
            uses: body.uses(outputs),
            inlined: vec![false; body.values.len()],
            names: HashMap::new(),
            typed: HashSet::new(),
            untyped: HashSet::new(),
            layer: String::new(),
        };
        if body.items().iter().any(|i| matches!(i, Item::Fold(_))) {
            plan.layer = names.unique("layer");
        }
        plan.choose_inline(outputs);
        plan.choose_names(outputs, names);
        plan
    }

    fn choose_inline(&mut self, outputs: &[ValueId]) {
        let count = self.body.values.len();
        let mut users: Vec<User<'b>> = Vec::new();
        self.users(self.body.items(), 0, &mut users);
        let mut uses = vec![0u32; count];
        let mut unpacked = vec![false; count];
        let mut reads: Vec<Measured> = Vec::with_capacity(users.len());
        for user in &users {
            let measured = self.measure(user.expr);
            measured.values.iter().for_each(|v| uses[v.0 as usize] += 1);
            reads.push(measured);
        }
        outputs.iter().for_each(|v| uses[v.0 as usize] += 1);
        super::body::each(self.body.items(), &mut |item| match item {
            Item::Unpack(ids, _) => ids.iter().for_each(|v| unpacked[v.0 as usize] = true),
            Item::Fold(id) => unpacked[id.0 as usize] = true,
            _ => {}
        });
        let addend = self.addend(outputs, &uses);
        let mut width = vec![0usize; count];
        let mut calls: Vec<Calls> = self.body.values.iter().map(|v| v.expr.calls()).collect();
        for (user, reads) in users.iter().zip(reads) {
            let mut held: Vec<ValueId> = Vec::new();
            let mut total = reads.width + user.before;
            // The layers of the operand are called first.
            let mut together = user.makes.map(|o| calls[o.0 as usize]).unwrap_or_default();
            for v in &reads.values {
                let (i, value) = (v.0 as usize, &self.body.values[v.0 as usize]);
                let mut may = uses[i] == 1 && !value.is_atom && value.block == user.block && !unpacked[i];
                if may {
                    together = together.and(calls[i]);
                    // What is added to the result is computed by a statement of its own, which may call two layers.
                    let two = user.makes == addend && addend.is_some() && together == Calls { layers: 2, blocks: 0 };
                    may = calls[i] == Calls::default() || together.fit_a_statement() || two;
                    may &= Some(*v) != addend;
                }
                if may {
                    total += width[i] + 2;
                    held.push(*v);
                } else {
                    total += self.width_of_name(*v);
                }
            }
            // If the line is too wide, the widest operands get names first; of equally wide ones, the last.
            let mut order: Vec<usize> = (0..held.len()).collect();
            order.sort_by_key(|i| (width[held[*i].0 as usize], *i));
            let widest = if together.blocks > 0 { WITH_BLOCK } else { WIDEST };
            while total > widest && !matches!(user.expr, Expr::Value(_)) {
                let Some(last) = order.pop() else { break };
                total = total - width[held[last].0 as usize] - 2 + self.width_of_name(held[last]);
            }
            for i in order {
                self.inlined[held[i].0 as usize] = true;
                if let Some(o) = user.makes {
                    calls[o.0 as usize] = calls[o.0 as usize].and(calls[held[i].0 as usize]);
                }
            }
            if let Some(o) = user.makes {
                width[o.0 as usize] = total;
            }
        }
        // A value that is computed last and returned needs no name if a type checker knows that it is a tensor.
        if let ([out], Some(Item::Let(last))) = (outputs, self.body.items().last()) {
            let value = &self.body.values[out.0 as usize];
            let may = out == last && uses[out.0 as usize] == 1 && value.hint.is_none() && !value.is_atom;
            self.inlined[out.0 as usize] = may && self.gives_tensor(&value.expr);
        }
        // So does what is added to an argument and returned last of several.
        if let ([.., _, out], Some(Item::Let(last))) = (outputs, self.body.items().last()) {
            let value = &self.body.values[out.0 as usize];
            let added = matches!(&*value.expr, Expr::Binary(Binary::Plus, a, _) if self.is_argument(a));
            self.inlined[out.0 as usize] = added && out == last && uses[out.0 as usize] == 1 && value.hint.is_none();
        }
    }

    fn is_argument(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Value(v) if matches!(self.body.expr(*v), Expr::Local(_)))
    }

    /// The width of an expression without the values that it reads, and these values.
    fn measure(&self, expr: &Expr) -> Measured {
        let mut measure = Measure { states: self.states, values: Vec::new() };
        let mut text = String::new();
        print::write(expr, &mut measure, &mut text);
        Measured { width: text.len(), values: measure.values }
    }

    /// The width of a value that is not written out.
    fn width_of_name(&self, v: ValueId) -> usize {
        let value = &self.body.values[v.0 as usize];
        if value.is_atom { self.measure(&value.expr).width } else { value.hint.as_ref().map_or(1, String::len) }
    }

    /// Every expression that is kept, in order.
    fn users(&self, items: &'b [Item], block: u32, found: &mut Vec<User<'b>>) {
        for item in items {
            let mut push = |expr, makes, before| found.push(User { block, expr, makes, before });
            match item {
                Item::Let(id) | Item::Fold(id) if self.uses.needs(*id) => {
                    push(&self.body.values[id.0 as usize].expr, Some(*id), 0);
                }
                Item::Unpack(ids, e) if ids.iter().any(|v| self.uses.needs(*v)) => push(e, None, 0),
                Item::Do(e) | Item::Set(_, e) => push(e, None, 0),
                Item::Move(names, e) => push(e, None, names.join(", ").len() + " = ".len()),
                Item::For(variables, over, inner, items) => {
                    push(over, None, "for  in :".len() + variables.len());
                    self.users(items, *inner, found);
                }
                Item::Let(_) | Item::Fold(_) | Item::Unpack(..) => {}
            }
        }
    }

    pub(super) fn is_written_out(&self, v: ValueId) -> bool {
        self.body.values[v.0 as usize].is_atom || self.inlined[v.0 as usize]
    }

    /// The list of modules that computes a value, and the arguments of each call.
    pub(super) fn fold(&self, id: ValueId) -> (Option<StateId>, &'b [Argument]) {
        match self.body.expr(id) {
            Expr::Layer(list, _, arguments) => (Some(*list), arguments),
            _ => (None, &[]),
        }
    }

    /// The text of an expression.
    fn text(&self, expr: &Expr) -> String {
        let mut out = String::new();
        print::write(expr, &mut &*self, &mut out);
        out
    }

    /// The precedence of an expression. One that is only a value has the precedence of that value's text.
    fn precedence(&self, expr: &Expr) -> Prec {
        match expr {
            Expr::Value(v) if self.is_written_out(*v) => self.precedence(&self.body.values[v.0 as usize].expr),
            _ => expr.precedence(),
        }
    }

    /// The layer's result that is added to something to make the only output: a statement that names it lets the sum be
    /// returned as it is.
    fn addend(&self, outputs: &[ValueId], uses: &[u32]) -> Option<ValueId> {
        let ([out], Some(Item::Let(last))) = (outputs, self.body.items().last()) else { return None };
        let value = &self.body.values[out.0 as usize];
        let Expr::Binary(Binary::Plus, a, b) = &*value.expr else { return None };
        let (Expr::Value(a), Expr::Value(b)) = (&**a, &**b) else { return None };
        let layer = |v: &ValueId| uses[v.0 as usize] == 1 && self.body.values[v.0 as usize].expr.calls().layers == 1;
        let found = [(a, b), (b, a)].into_iter().find(|(v, other)| layer(v) && !layer(other));
        let may = out == last && uses[out.0 as usize] == 1 && value.hint.is_none();
        found.filter(|_| may).map(|(v, _)| *v)
    }

    /// Writes the statements as lines with this indentation.
    fn write(&mut self, lines: &mut Lines, depth: usize) {
        let body = self.body;
        self.find_untyped(body.items());
        self.write_items(body.items(), lines, depth);
    }

    /// Finds names that are assigned a value whose type a type checker does not know.
    fn find_untyped(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Let(id) if self.uses.needs(*id) && !self.inlined[id.0 as usize] => {
                    if let Some(name) = self.names.get(id)
                        && !self.is_plainly_tensor(&self.body.values[id.0 as usize].expr)
                    {
                        self.untyped.insert(name.clone());
                    }
                }
                Item::Fold(id) if self.uses.needs(*id) => {
                    if let Some(name) = self.names.get(id) {
                        self.untyped.insert(name.clone());
                    }
                }
                Item::For(_, _, _, inner) => self.find_untyped(inner),
                _ => {}
            }
        }
    }

    fn write_items(&mut self, items: &[Item], lines: &mut Lines, depth: usize) {
        for item in items {
            match item {
                Item::Let(id) if self.uses.needs(*id) && !self.inlined[id.0 as usize] => {
                    let value = &self.body.values[id.0 as usize];
                    let name = self.names.get(id).cloned().unwrap_or_default();
                    let first = self.typed.insert(name.clone());
                    let text = self.text(&value.expr);
                    let mark = if first && self.untyped.contains(&name) { ": Tensor" } else { "" };
                    if text != name {
                        lines.statement(depth, &format!("{name}{mark} = "), &text);
                    }
                }
                Item::Fold(id) if self.uses.needs(*id) => self.write_fold(*id, lines, depth),
                Item::Unpack(ids, e) if ids.iter().any(|v| self.uses.needs(*v)) => {
                    let targets: Vec<String> =
                        ids.iter().map(|v| self.names.get(v).cloned().unwrap_or_else(|| "_".to_owned())).collect();
                    self.typed.extend(targets.iter().cloned());
                    let text = self.text(e);
                    lines.statement(depth, &format!("{} = ", targets.join(", ")), &text);
                }
                Item::Do(e) => lines.statement(depth, "", &self.text(e)),
                Item::Move(names, e) => {
                    lines.statement(depth, "", &format!("{} = {}", names.join(", "), self.text(e)));
                }
                Item::Set(name, e) => {
                    let first = self.typed.insert(name.clone());
                    let mark = if first && !self.gives_tensor(e) && !e.is_list() { ": Tensor" } else { "" };
                    let text = self.text(e);
                    // An argument that a loop goes on with.
                    if text != *name {
                        lines.statement(depth, &format!("{name}{mark} = "), &text);
                    }
                }
                Item::For(variables, over, _, inner) => {
                    lines.opening(depth, &format!("for {variables} in "), &self.text(over));
                    self.write_items(inner, lines, depth + 1);
                }
                Item::Let(_) | Item::Fold(_) | Item::Unpack(..) => {}
            }
        }
    }

    fn write_fold(&mut self, id: ValueId, lines: &mut Lines, depth: usize) {
        let (Some(list), [start, others @ ..]) = self.fold(id) else { return };
        let name = self.names.get(&id).cloned().unwrap_or_default();
        let text = self.text(&start.value);
        let mark = if self.typed.insert(name.clone()) { ": Tensor" } else { "" };
        if text != name {
            lines.statement(depth, &format!("{name}{mark} = "), &text);
        }
        let mut arguments = name.clone();
        for a in others {
            arguments.push_str(", ");
            arguments.push_str(&self.text(&a.value));
        }
        let layer = self.layer.clone();
        lines.push(depth, &format!("for {layer} in {}:", self.text(&Expr::State(list))));
        lines.statement(depth + 1, &format!("{name} = "), &format!("{layer}({arguments})"));
    }

    /// Writes the statements of a method that returns `outputs`.
    pub(crate) fn method(mut self, lines: &mut Lines, depth: usize, outputs: &[ValueId], locals: &mut Names) {
        self.write(lines, depth);
        let mut results = Vec::new();
        for id in outputs {
            let (text, typed) = self.output(*id);
            // The type of a tuple is not asked for.
            results.push(if typed || outputs.len() > 1 {
                text
            } else {
                let out = locals.unique("out");
                lines.statement(depth, &format!("{out}: Tensor = "), &text);
                out
            });
        }
        lines.returned(depth, &results);
    }

    /// The text of a returned value, and whether a type checker knows its type.
    fn output(&self, id: ValueId) -> (String, bool) {
        let expr = Expr::Value(id);
        let typed = !self.inlined[id.0 as usize] || self.gives_tensor(&expr);
        (self.text(&expr), typed)
    }
}

impl print::Names for &Plan<'_> {
    fn value(&mut self, id: ValueId, need: Prec, out: &mut String) {
        if !self.is_written_out(id) {
            return out.push_str(self.names.get(&id).map_or("", String::as_str));
        }
        let expr = &self.body.values[id.0 as usize].expr;
        let loose = self.precedence(expr) < need;
        if loose {
            out.push('(');
        }
        print::write(expr, self, out);
        if loose {
            out.push(')');
        }
    }

    fn state(&mut self, id: StateId, out: &mut String) {
        out.push_str(self.states.get(&id).map_or("_", String::as_str));
    }
}

/// An expression that is kept.
struct User<'b> {
    block: u32,
    expr: &'b Expr,
    /// The value that it computes.
    makes: Option<ValueId>,
    /// The width of the text before it on its line.
    before: usize,
}

/// An expression's own width, and the values in it.
struct Measured {
    width: usize,
    values: Vec<ValueId>,
}

/// Collects values instead of writing them.
struct Measure<'s> {
    states: &'s HashMap<StateId, String>,
    values: Vec<ValueId>,
}

impl print::Names for Measure<'_> {
    fn value(&mut self, id: ValueId, _: Prec, _: &mut String) {
        self.values.push(id);
    }

    fn state(&mut self, id: StateId, out: &mut String) {
        out.push_str(self.states.get(&id).map_or("name", String::as_str));
    }
}

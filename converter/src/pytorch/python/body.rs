//! The body of a method under construction: values in order, each an expression of earlier ones.

use super::code::Code;
use super::expr::{Expr, ValueId};
use std::collections::{HashMap, HashSet};

/// One value.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// The expression that computes it.
    pub(crate) expr: Code,
    /// Its name in the model, as an identifier.
    pub(crate) hint: Option<String>,
    /// Is it written out wherever it is used? So are names, literals and parameters.
    pub(crate) is_atom: bool,
    /// The block in which it is computed.
    pub(crate) block: u32,
}

/// One line of a body.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// Computes a value.
    Let(ValueId),
    /// Computes a value by calling the modules of a list one after another. Its expression is a call of the list.
    Fold(ValueId),
    /// Computes several values: `a, b = …`.
    Unpack(Vec<ValueId>, Box<Code>),
    /// An expression statement, kept for its side effect.
    Do(Box<Code>),
    /// Sets a variable that lives longer than one statement.
    Set(String, Box<Code>),
    /// Sets several such variables at once, to a [`Expr::Bare`] of as many.
    Move(Vec<String>, Box<Code>),
    /// A loop: its variables, what it goes over, the number of its block, and its statements.
    For(String, Box<Code>, u32, Vec<Item>),
}

impl Item {
    /// An expression statement.
    pub(crate) fn act(expr: Expr) -> Self {
        Self::Do(boxed(expr))
    }

    /// Sets a variable.
    pub(crate) fn set(name: String, expr: Expr) -> Self {
        Self::Set(name, boxed(expr))
    }

    /// The expression that is kept even if nothing reads its value.
    pub(crate) fn kept(&self) -> Option<&Code> {
        match self {
            Self::Do(e) | Self::Set(_, e) | Self::Move(_, e) | Self::For(_, e, ..) => Some(e),
            Self::Let(_) | Self::Fold(_) | Self::Unpack(..) => None,
        }
    }
}

/// A loop over values that are computed now.
pub(crate) struct Repeat {
    /// What it computes each time.
    pub(crate) values: Vec<ValueId>,
    /// The value in whose place, or right before whose, it stands.
    pub(crate) place: ValueId,
    /// The variables that it sets before the first time, and each time at the end.
    pub(crate) begins: Vec<(String, Expr)>,
    pub(crate) ends: Vec<Item>,
    /// What it goes over, and the variables for that.
    pub(crate) variables: String,
    pub(crate) over: Expr,
    /// The value that is then in one of the variables.
    pub(crate) result: ValueId,
    pub(crate) name: String,
}

/// A body.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) values: Vec<Value>,
    /// Open blocks, outermost first.
    open: Vec<(u32, Vec<Item>)>,
    blocks: u32,
}

impl Body {
    pub(crate) fn new() -> Self {
        Self { values: Vec::new(), open: vec![(0, Vec::new())], blocks: 0 }
    }

    fn push(&mut self, expr: impl Into<Code>) -> ValueId {
        let expr = expr.into();
        let block = self.open.last().map_or(0, |(b, _)| *b);
        let is_atom = expr.is_atom();
        let id = ValueId(self.values.len() as u32);
        self.values.push(Value { expr, hint: None, is_atom, block });
        id
    }

    fn add(&mut self, item: Item) {
        if let Some((_, items)) = self.open.last_mut() {
            items.push(item);
        }
    }

    /// Computes an expression.
    pub(crate) fn compute(&mut self, expr: Expr) -> ValueId {
        let id = self.push(expr);
        if !self.values[id.0 as usize].is_atom {
            self.add(Item::Let(id));
        }
        id
    }

    /// Computes `count` values at once.
    pub(crate) fn unpack(&mut self, count: usize, expr: Expr) -> Vec<ValueId> {
        let expr = Code::from(expr);
        let ids: Vec<ValueId> = (0..count)
            .map(|_| {
                let id = self.push(expr.clone());
                self.values[id.0 as usize].is_atom = false;
                id
            })
            .collect();
        self.add(Item::Unpack(ids.clone(), expr.into()));
        ids
    }

    /// A name, literal or piece of state.
    pub(crate) fn atom(&mut self, expr: Expr) -> ValueId {
        let id = self.push(expr);
        self.values[id.0 as usize].is_atom = true;
        id
    }

    /// Adds an expression statement for its side effect.
    pub(crate) fn act(&mut self, expr: Expr) {
        self.add(Item::act(expr));
    }

    /// Sets several variables at once.
    pub(crate) fn set_all(&mut self, names: Vec<String>, values: Vec<Expr>) {
        self.add(Item::Move(names, boxed(Expr::Bare(values))));
    }

    /// Sets a variable.
    pub(crate) fn set(&mut self, name: &str, expr: Expr) {
        self.add(Item::set(name.to_owned(), expr));
    }

    /// Opens a loop.
    pub(crate) fn begin(&mut self) {
        self.blocks += 1;
        self.open.push((self.blocks, Vec::new()));
    }

    /// Closes the innermost loop, over `count` steps called `step`.
    pub(crate) fn end(&mut self, step: String, count: Expr) {
        if let Some((block, items)) = self.open.pop() {
            self.add(Item::For(step, boxed(Expr::local("range").call(vec![count.into()])), block, items));
        }
    }

    /// Puts values into loops.
    pub(crate) fn repeat(&mut self, loops: Vec<Repeat>) {
        let mut inside: HashMap<ValueId, usize> = HashMap::new();
        let first = self.blocks + 1;
        for (i, l) in loops.iter().enumerate() {
            self.blocks += 1;
            for v in &l.values {
                self.values[v.0 as usize].block = self.blocks;
                inside.insert(*v, i);
            }
            let result = &mut self.values[l.result.0 as usize];
            (result.expr, result.is_atom) = (Expr::Local(l.name.clone()).into(), true);
        }
        let mut places: HashMap<ValueId, usize> = loops.iter().zip(0..).map(|(l, i)| (l.place, i)).collect();
        let gone: HashSet<ValueId> = loops.iter().map(|l| l.result).collect();
        let mut loops: Vec<Option<Repeat>> = loops.into_iter().map(Some).collect();
        let Some((_, items)) = self.open.first_mut() else { return };
        let mut inner: Vec<Vec<Item>> = loops.iter().map(|_| Vec::new()).collect();
        let mut outer = Vec::with_capacity(items.len());
        let all = std::mem::take(items);
        for item in &all {
            if let Item::Let(id) = item
                && let Some(i) = inside.get(id)
            {
                inner[*i].push(item.clone());
            }
        }
        for item in all {
            if let Item::Let(id) = item {
                if let Some(i) = places.remove(&id)
                    && let Some(l) = loops[i].take()
                {
                    outer.extend(l.begins.into_iter().map(|(name, e)| Item::set(name, e)));
                    let mut inner = std::mem::take(&mut inner[i]);
                    inner.extend(l.ends);
                    outer.push(Item::For(l.variables, boxed(l.over), first + i as u32, inner));
                }
                if inside.contains_key(&id) || gone.contains(&id) {
                    continue;
                }
            }
            outer.push(item);
        }
        *items = outer;
    }

    /// Computes values all at once, where the last of them was computed.
    pub(crate) fn unpack_later(&mut self, values: &[ValueId], expr: Expr) {
        let together: HashSet<ValueId> = values.iter().copied().collect();
        let Some((_, items)) = self.open.first_mut() else { return };
        let is_one = |item: &Item| matches!(item, Item::Let(id) if together.contains(id));
        let Some(last) = items.iter().rposition(is_one) else { return };
        let expr = Code::from(expr);
        items[last] = Item::Unpack(values.to_vec(), expr.clone().into());
        items.retain(|item| !is_one(item));
        values.iter().for_each(|v| self.values[v.0 as usize].expr = expr.clone());
    }

    /// The expression of a value.
    pub(crate) fn expr(&self, v: ValueId) -> &Expr {
        self.code(v)
    }

    /// The expression of a value, with what it reads.
    pub(crate) fn code(&self, v: ValueId) -> &Code {
        &self.values[v.0 as usize].expr
    }

    /// Suggests a name.
    pub(crate) fn hint(&mut self, id: ValueId, hint: String) {
        let value = &mut self.values[id.0 as usize];
        if value.hint.is_none() && !value.is_atom {
            value.hint = Some(hint);
        }
    }

    /// Turns the computation of these values into loops over lists of modules.
    pub(crate) fn fold(&mut self, values: &[ValueId]) {
        let values: HashSet<ValueId> = values.iter().copied().collect();
        for item in self.open.iter_mut().flat_map(|(_, items)| items) {
            if let Item::Let(id) = item
                && values.contains(id)
            {
                *item = Item::Fold(*id);
            }
        }
    }

    /// The statements, once every block is closed.
    pub(crate) fn items(&self) -> &[Item] {
        self.open.first().map_or(&[], |(_, items)| items)
    }
}

fn boxed(expr: Expr) -> Box<Code> {
    Box::new(expr.into())
}

/// Calls `f` with every statement, including those inside of blocks.
pub(crate) fn each<'i>(items: &'i [Item], f: &mut impl FnMut(&'i Item)) {
    for item in items {
        f(item);
        if let Item::For(_, _, _, inner) = item {
            each(inner, f);
        }
    }
}

//! The numbers in which equal units differ: what a constructor takes, and how a run is made with it.

use super::derived::{self, Derived};
use super::filling::{Filling, SIZES, Turns};
use super::form::{self, Slot, is_sequential};
use super::series;
use crate::pytorch::python::expr::{Argument, Expr, StateId, args, nn};
use crate::pytorch::python::names::Names;
use crate::pytorch::python::print::constant;
use crate::pytorch::state::{Kind, State};
use std::collections::HashMap;
use std::ops::Range;

/// How much of a line is left for what makes a run, after `self.layers1 = `.
const LINE: usize = 65;

/// How long what a comprehension on several lines goes over may be.
const CLAUSE: usize = 50;

/// An argument of the constructor.
#[derive(Clone)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) ty: &'static str,
    /// What it is where it is left out.
    pub(super) default: Option<Expr>,
}

impl Parameter {
    /// As a signature has it.
    pub(super) fn text(&self) -> String {
        let default = self.default.iter().map(|d| format!(" = {}", constant(d)));
        format!("{}: {}", self.name, self.ty) + &default.collect::<String>()
    }
}

/// The numbers of all units, slot by slot.
pub(super) struct Columns {
    /// What stands in each slot instead of the first unit's number, over the parameters as [`Expr::Local`].
    pub(super) templates: Vec<Option<Expr>>,
    pub(super) parameters: Vec<Parameter>,
    /// In how many ways the units differ: in the parameters, and in what follows from the size of a kernel.
    pub(super) ways: usize,
    /// The values of each parameter, unit by unit.
    values: Vec<Vec<Expr>>,
}

impl Columns {
    pub(super) fn new(slots: &[Vec<Slot>]) -> Self {
        let count = slots[0].len();
        let mut made = Maker::default();
        let mut parts: Vec<Option<Part>> = vec![None; count];
        // Columns that units without an optional part leave open fit in with the others.
        for open in [false, true] {
            for (j, part) in parts.iter_mut().enumerate() {
                let column: Vec<Option<&Expr>> = slots.iter().map(|s| s[j].value.as_ref()).collect();
                if column.iter().any(Option::is_none) == open {
                    *part = made.column(slots[0][j].name, &column);
                }
            }
        }
        let derived = derived::find(&made.labels, &made.values);
        let mut names = Names::of_variables();
        let (mut parameters, mut values, mut named) = (Vec::new(), Vec::new(), vec![Expr::Nothing; derived.len()]);
        let label = |p: usize| called(&made.labels[p]);
        let defaults = |p: usize| default(label(p)).filter(|d| made.values[p].contains(d));
        let (last, first): (Vec<usize>, Vec<usize>) =
            (0..derived.len()).filter(|p| derived[*p].is_none()).partition(|p| defaults(*p).is_some());
        for p in first.into_iter().chain(last) {
            let (name, ty) = (names.unique(label(p)), ty(&made.values[p]));
            named[p] = Expr::local(name.clone());
            parameters.push(Parameter { name, ty, default: defaults(p) });
            values.push(made.values[p].clone());
        }
        for (p, follows) in derived.iter().enumerate() {
            // A condition may compare a width that follows itself.
            named[p] = follows.map_or_else(|| named[p].clone(), |d| d.expr(&|q| named[q].clone()));
        }
        let named = |p: &Part| match p {
            Part::Parameter(p) => named[*p].clone(),
            Part::Constant(e) => e.clone(),
            Part::Tuple(_) => Expr::Tuple(Vec::new()),
        };
        let templates = parts.iter().map(|part| {
            Some(match part.as_ref()? {
                Part::Tuple(parts) => Expr::Tuple(parts.iter().map(named).collect()),
                part => named(part),
            })
        });
        let halves = derived.iter().filter(|d| matches!(d, Some(Derived::Half(_)))).count();
        let ways = parameters.len() + halves;
        Self { templates: templates.collect(), parameters, ways, values }
    }

    /// The arguments of one unit.
    fn arguments(&self, unit: usize) -> Vec<Expr> {
        self.values.iter().map(|v| v[unit].clone()).collect()
    }

    /// What makes some of the units by calls, one after the other.
    pub(super) fn container(
        &self,
        call: &impl Fn(Vec<Expr>) -> Expr,
        units: Range<usize>,
        holder: &'static str,
    ) -> Expr {
        let all: Vec<Vec<Expr>> = units.map(|u| self.arguments(u)).collect();
        if let ([one], false) = (all.as_slice(), holder.ends_with("List")) {
            return call(one.clone());
        }
        let hold = |items: Vec<Expr>| hold(holder, items);
        let pieces = series::pieces(&all, call);
        let several = pieces.len() > 1;
        let pieces = hold(pieces);
        if constant(&pieces).len() <= LINE {
            return pieces;
        }
        let Some(each) = series::each(&all, &["n", "m"], call) else { return pieces };
        let short = matches!(&each, Expr::Repeat(_, _, over) if constant(over).len() <= CLAUSE);
        let each = hold(vec![each]);
        let fits = constant(&each).len() <= LINE || several && short && holder.ends_with("List");
        if fits { each } else { pieces }
    }

    /// A call for a unit with these arguments, without those at the end that may be left out.
    pub(super) fn call(&self, function: &Expr, values: &[Expr]) -> Expr {
        let left_out = |(p, v): &(&Parameter, &Expr)| p.default.as_ref() == Some(*v);
        let count = values.len() - self.parameters.iter().zip(values).rev().take_while(left_out).count();
        function.clone().call(values[..count].iter().cloned().map(Argument::from).collect())
    }

    /// A loop that makes the stages of some of the units, in a list of this kind.
    pub(super) fn stages(&self, function: &Expr, units: Range<usize>, holder: &'static str) -> Option<Filling> {
        let all: Vec<Vec<Expr>> = units.map(|u| self.arguments(u)).collect();
        let names: Vec<&str> = self.parameters.iter().map(|p| p.name.as_str()).collect();
        let stages = series::stages(&all, &names)?;
        let list = || Expr::State(StateId(0));
        let [first, next] = [stages.first, stages.next].map(|values| self.call(function, &values));
        let (first, others) = if first == next { (None, stages.others + 1) } else { (Some(first), stages.others) };
        let mut statements: Vec<Expr> = first.into_iter().map(|first| list().method("append", args![first])).collect();
        statements.push(match others {
            1 => list().method("append", args![next]),
            _ => list().method("extend", args![Expr::List(vec![series::repeat(next, "_", others)])]),
        });
        let before: Vec<Expr> = all[..stages.before].iter().map(|values| self.call(function, values)).collect();
        let made = if before.is_empty() { nn(holder, Vec::new()) } else { hold(holder, before) };
        let lists = vec![(StateId(0), made)];
        let turns = Turns { variables: stages.variables, over: stages.over, statements };
        Some(Filling { lists, sizes: None, turns: Some(turns) })
    }

    /// Some of the units in a list of this kind, from a table of their sizes, and whether that is a chain.
    pub(super) fn table(&self, function: &Expr, units: Range<usize>, holder: &'static str) -> Option<(Filling, bool)> {
        let all: Vec<Vec<Expr>> = units.map(|u| self.arguments(u)).collect();
        let series::Table { sizes, made, chain } = series::table(&all, SIZES, &|values| self.call(function, &values))?;
        let lists = vec![(StateId(0), hold(holder, vec![made]))];
        Some((Filling { lists, sizes: Some((SIZES.to_owned(), sizes)), turns: None }, chain))
    }

    /// A loop over all units, of which there are so many.
    pub(super) fn repeated(&self, count: usize, call: &impl Fn(Vec<Expr>) -> Expr) -> Option<Expr> {
        let all: Vec<Vec<Expr>> = (0..count).map(|u| self.arguments(u)).collect();
        match <[Expr; 1]>::try_from(series::pieces(&all, call)) {
            Ok([one @ Expr::Repeat(..)]) => Some(one),
            _ => {
                let names = series::changing(&all).into_iter().map(|i| &*self.parameters[i].name);
                series::each(&all, &names.collect::<Vec<_>>(), call)
            }
        }
    }

    /// A constructor over the parameters, for the units that have these values.
    pub(super) fn made(&self, constructor: &Expr, values: &[Expr]) -> Expr {
        constructor.rewrite(&mut |e| {
            let Expr::Local(name) = e else { return None };
            let p = self.parameters.iter().position(|p| p.name == *name)?;
            values.get(p).cloned()
        })
    }

    /// A state whose constructor has the arguments that differ as parameters.
    pub(super) fn state(&self, state: &State, slot: &mut usize) -> State {
        let mut state = state.clone();
        state.kind = match state.kind {
            Kind::Module(constructor) => Kind::Module(self.constructor(&constructor, slot)),
            Kind::Optional(present, constructor, absent) => {
                *slot += 1;
                let present = self.templates[*slot - 1].clone().unwrap_or(present);
                Kind::Optional(present, self.constructor(&constructor, slot), absent)
            }
            other => other,
        };
        state
    }

    /// A constructor with the arguments that differ as parameters.
    fn constructor(&self, constructor: &Expr, slot: &mut usize) -> Expr {
        let Some((function, arguments, _)) = constructor.construction() else { return constructor.clone() };
        if is_sequential(function) {
            let inner = arguments.iter().map(|a| self.constructor(&a.value, slot).into()).collect();
            return replaced(constructor, inner);
        }
        let mut made: Vec<Argument> = Vec::new();
        let mut next = || {
            *slot += 1;
            self.templates[*slot - 1].clone()
        };
        for a in arguments.iter().filter(|a| a.name.is_none()) {
            made.push(next().unwrap_or_else(|| a.value.clone()).into());
        }
        let mut differ: Vec<(&'static str, Expr)> = Vec::new();
        for name in form::defaulted() {
            if let Some(parameter) = next() {
                differ.push((name, parameter));
            }
        }
        let mut named: Vec<Argument> = Vec::new();
        for a in arguments.iter().filter(|a| a.name.is_some()) {
            let at = differ.iter().position(|(name, _)| a.name == Some(*name));
            let value = at.map_or_else(|| a.value.clone(), |at| differ.remove(at).1);
            named.push(Argument { name: a.name, value });
        }
        made.extend(differ.into_iter().map(|(name, value)| Argument { name: Some(name), value }));
        made.extend(named);
        replaced(constructor, made)
    }
}

/// A list of this kind with these modules.
fn hold(holder: &'static str, items: Vec<Expr>) -> Expr {
    if holder.ends_with("List") {
        nn(holder, vec![Expr::List(items).into()])
    } else {
        nn(holder, items.into_iter().map(Argument::from).collect())
    }
}

/// A constructor with other arguments.
fn replaced(constructor: &Expr, arguments: Vec<Argument>) -> Expr {
    match constructor {
        Expr::Call(function, _) => match &**function {
            Expr::Attribute(made, method) => replaced(made, arguments).attribute(method.clone()).call(Vec::new()),
            other => other.clone().call(arguments),
        },
        other => other.clone(),
    }
}

/// What stands in a slot.
#[derive(Clone)]
enum Part {
    Parameter(usize),
    Constant(Expr),
    /// A tuple of the others.
    Tuple(Vec<Self>),
}

/// Parameters in the making.
#[derive(Default)]
struct Maker {
    /// What layers call the arguments that each stands for.
    labels: Vec<Vec<&'static str>>,
    values: Vec<Vec<Expr>>,
    known: HashMap<String, usize>,
}

impl Maker {
    /// What stands for a column: nothing where it is one number.
    fn column(&mut self, label: &'static str, column: &[Option<&Expr>]) -> Option<Part> {
        let first = column.iter().flatten().next()?;
        if column.iter().flatten().all(|e| e == first) {
            let given = column.iter().any(Option::is_none) && default(label).as_ref() != Some(*first);
            return self.akin(label, column).filter(|_| given);
        }
        let Some(length) = tuples(column) else { return Some(self.parameter(label, column)) };
        let parts = (0..length).map(|k| {
            let column: Vec<Option<&Expr>> = column
                .iter()
                .map(|e| match e {
                    Some(Expr::Tuple(all)) => all.get(k),
                    other => *other,
                })
                .collect();
            let first = column.iter().flatten().next().copied();
            match first {
                Some(first) if column.iter().flatten().all(|e| *e == first) => Part::Constant(first.clone()),
                _ => self.parameter(label, &column),
            }
        });
        Some(Part::Tuple(parts.collect()))
    }

    /// A parameter of the same meaning that has the values of a column.
    fn akin(&self, label: &'static str, column: &[Option<&Expr>]) -> Option<Part> {
        let mut all = self.labels.iter().zip(&self.values);
        all.position(|(labels, values)| labels.iter().any(|l| meaning(l) == meaning(label)) && fits(column, values))
            .map(Part::Parameter)
    }

    fn parameter(&mut self, label: &'static str, column: &[Option<&Expr>]) -> Part {
        let open = column.iter().any(Option::is_none);
        let key = || column.iter().flatten().map(|e| constant(e)).collect::<Vec<_>>().join(";");
        let found =
            if open { self.values.iter().position(|v| fits(column, v)) } else { self.known.get(&key()).copied() };
        let p = found.unwrap_or_else(|| {
            let any = column.iter().flatten().next();
            self.values.push(column.iter().filter_map(|e| e.as_ref().or(any)).map(|e| (*e).clone()).collect());
            self.labels.push(Vec::new());
            self.known.extend((!open).then(|| (key(), self.labels.len() - 1)));
            self.labels.len() - 1
        });
        self.labels[p].push(label);
        Part::Parameter(p)
    }
}

/// Has a parameter the values of a column, where there are any?
fn fits(column: &[Option<&Expr>], values: &[Expr]) -> bool {
    column.iter().zip(values).all(|(a, b)| a.is_none_or(|a| a == b))
}

/// What kind of number an argument is.
fn meaning(label: &str) -> &str {
    if label.ends_with("channels") { "channels" } else { label }
}

/// The length of the tuples in a column that has some, if they are equally long and the rest numbers that stand for as many.
fn tuples(column: &[Option<&Expr>]) -> Option<usize> {
    let mut length = None;
    for e in column.iter().flatten() {
        match e {
            Expr::Tuple(all) if length.is_none_or(|n| n == all.len()) => length = Some(all.len()),
            Expr::Int(_) => {}
            _ => return None,
        }
    }
    length
}

/// What an argument is where it is left out.
fn default(name: &str) -> Option<Expr> {
    if matches!(name, "shortcut" | "residual") { Some(Expr::Bool(false)) } else { form::default(name) }
}

/// The type of an argument that has all these values.
fn ty(values: &[Expr]) -> &'static str {
    let is = |f: fn(&Expr) -> bool| values.iter().all(f);
    let has = |f: fn(&Expr) -> bool| values.iter().any(f);
    if is(|v| matches!(v, Expr::Bool(_))) {
        "bool"
    } else if is(|v| matches!(v, Expr::Int(_))) {
        "int"
    } else if has(|v| matches!(v, Expr::Tuple(_))) {
        if is(|v| matches!(v, Expr::Tuple(_))) { "tuple[int, ...]" } else { "int | tuple[int, ...]" }
    } else {
        "float"
    }
}

/// What to call a parameter that stands for all these arguments.
fn called(labels: &[&'static str]) -> &'static str {
    let has = |name: &str| labels.contains(&name);
    match labels {
        _ if has("in_channels") && has("out_channels") => "channels",
        _ if has("in_features") && has("out_features") => "features",
        _ if has("in_channels") => "in_channels",
        // Of a convolution and its normalization.
        _ if has("out_channels") && has("channels") => "channels",
        _ if has("kernel_size") => "kernel",
        _ if has("dilation") => "dilation",
        [first, ..] => first,
        [] => "size",
    }
}

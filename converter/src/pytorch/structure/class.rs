//! The text of a class for what is repeated, or of a function that makes it.

use super::columns::{Columns, Parameter};
use super::form::link;
use super::site::Site;
use crate::pytorch::helpers::Needs;
use crate::pytorch::python::body::Body;
use crate::pytorch::python::expr::{Argument, Expr, StateId, ValueId, nn};
use crate::pytorch::python::names::Names;
use crate::pytorch::python::plan::Plan;
use crate::pytorch::python::print::constant;
use crate::pytorch::python::wrap::Lines;
use crate::pytorch::state::{Kind, State, name_all};
use std::collections::HashMap;

/// What makes repeated blocks: a class, or a function where `nn.Sequential` does.
pub(crate) struct Block {
    name: String,
    /// What `nn.Sequential` holds.
    chain: Option<Vec<Expr>>,
    parameters: Vec<Parameter>,
    /// What it holds, with names.
    pub(super) states: Vec<(String, State)>,
    body: Body,
    arguments: Vec<String>,
    outputs: Vec<ValueId>,
    /// Parameters that the method reads.
    fields: Vec<usize>,
}

/// What a class is made of: the expressions of one unit.
pub(super) struct Writer<'w> {
    pub(super) body: &'w Body,
    pub(super) states: &'w [State],
    pub(super) site: &'w Site<'w>,
    pub(super) columns: &'w Columns,
}

impl Writer<'_> {
    pub(super) fn block(
        self,
        name: &str,
        unit: usize,
        period: usize,
        own: &[StateId],
        wanted: Vec<Option<String>>,
    ) -> Block {
        let mut draft = Draft::new(self.columns, own);
        if let Some(entry) = self.site.segments[unit].entry {
            draft.argument(Some(entry), "x");
        }
        for v in self.site.context(unit, period) {
            draft.given(self.body, v);
        }
        for (segment, form) in self.site.segments[unit..unit + period].iter().zip(&self.site.forms[unit..]) {
            let end = draft.slot + form.as_ref().map_or(0, |f| f.slots.len());
            for s in &segment.states {
                let wanted = wanted.get(draft.states.len()).cloned().flatten();
                draft.state(&self.states[s.0 as usize], wanted);
            }
            for v in &segment.values {
                let value = &self.body.values[v.0 as usize];
                draft.value(*v, &value.expr, value.is_atom);
            }
            debug_assert_eq!(draft.slot, end, "the form has other slots");
            draft.slot = end;
        }
        let output = draft.values[&self.site.segments[unit + period - 1].exit];
        draft.finish(name, self.site.is_straight(unit, period), vec![output])
    }
}

/// A class in the making.
pub(super) struct Draft<'c> {
    columns: &'c Columns,
    body: Body,
    /// What stands for values and pieces of state of the network.
    values: HashMap<ValueId, ValueId>,
    ids: HashMap<StateId, StateId>,
    states: Vec<State>,
    names: Names,
    arguments: Vec<String>,
    fields: Vec<usize>,
    /// How many of the numbers that may differ have been written.
    slot: usize,
}

impl<'c> Draft<'c> {
    /// The class of a unit with this state.
    pub(super) fn new(columns: &'c Columns, own: &[StateId]) -> Self {
        Self {
            columns,
            body: Body::new(),
            values: HashMap::new(),
            ids: own.iter().zip(0..).map(|(s, i)| (*s, StateId(i))).collect(),
            states: Vec::new(),
            names: Names::of_variables(),
            arguments: Vec::new(),
            fields: Vec::new(),
            slot: 0,
        }
    }

    /// Takes an argument, which stands for a value.
    pub(super) fn argument(&mut self, v: Option<ValueId>, wanted: &str) -> ValueId {
        let name = self.names.unique(wanted);
        self.arguments.push(name.clone());
        let argument = self.body.atom(Expr::Local(name));
        self.values.extend(v.map(|v| (v, argument)));
        argument
    }

    /// Takes a value of the network as an argument.
    pub(super) fn given(&mut self, network: &Body, v: ValueId) {
        let value = &network.values[v.0 as usize];
        let wanted = match &*value.expr {
            Expr::Local(name) => name.clone(),
            _ => value.hint.clone().unwrap_or_else(|| "given".to_owned()),
        };
        self.argument(Some(v), &wanted);
    }

    /// Holds a piece of state.
    pub(super) fn state(&mut self, state: &State, wanted: Option<String>) {
        self.states.push(State { wanted, ..self.columns.state(state, &mut self.slot) });
    }

    /// Computes a value.
    pub(super) fn value(&mut self, v: ValueId, expr: &Expr, is_atom: bool) {
        let expr = expr.rewrite(&mut |e| match e {
            Expr::Value(v) => self.values.get(v).map(|v| Expr::Value(*v)),
            Expr::Int(n) => {
                self.slot += 1;
                let template = self.columns.templates[self.slot - 1].clone()?;
                let template = if *n < 0 { -template } else { template };
                Some(template.rewrite(&mut |e| {
                    let Expr::Local(name) = e else { return None };
                    let p = self.columns.parameters.iter().position(|p| p.name == *name)?;
                    if !self.fields.contains(&p) {
                        self.fields.push(p);
                    }
                    Some(Expr::local("self").attribute(name.clone()))
                }))
            }
            _ => None,
        });
        let expr = with_states(&expr, &self.ids);
        let new = if is_atom { self.body.atom(expr) } else { self.body.compute(expr) };
        self.values.insert(v, new);
    }

    /// What stands for a value.
    pub(super) fn of(&self, v: ValueId) -> Option<ValueId> {
        self.values.get(&v).copied()
    }

    /// Adds one value of the class to another one.
    pub(super) fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.body.compute(Expr::from(a) + b)
    }

    /// The class, or a function where `nn.Sequential` does.
    pub(super) fn finish(mut self, name: &str, straight: bool, outputs: Vec<ValueId>) -> Block {
        let mut names = Names::of_attributes();
        let parameters = self.columns.parameters.clone();
        self.fields.iter().for_each(|p| {
            names.take(&parameters[*p].name);
        });
        let used: Vec<StateId> = (0..self.states.len() as u32).map(StateId).collect();
        let named = name_all(&self.states, &used, &mut names);
        let mut states: Vec<(String, State)> =
            used.iter().zip(std::mem::take(&mut self.states)).map(|(id, state)| (named[id].clone(), state)).collect();
        let chain = straight.then(|| chain(&self.body, &mut states)).flatten();
        let Self { body, arguments, fields, .. } = self;
        Block { chain, name: name.to_owned(), parameters, states, body, arguments, outputs, fields }
    }
}

/// The modules of a straight body, in which the states are called by their places.
fn chain(body: &Body, states: &mut [(String, State)]) -> Option<Vec<Expr>> {
    let own: Vec<State> = states.iter().map(|(_, s)| s.clone()).collect();
    let mut links = Vec::new();
    for (i, value) in body.values.iter().enumerate().skip(1) {
        let link = link(&value.expr, ValueId(i as u32 - 1), &own)?;
        value.expr.states().iter().for_each(|s| states[s.0 as usize].0 = links.len().to_string());
        links.push(link.rewrite(&mut |e| match e {
            // A field of a class is an argument of a function.
            Expr::Attribute(object, name) if **object == Expr::local("self") => Some(Expr::local(name.clone())),
            _ => None,
        }));
    }
    Some(links)
}

/// An expression over other pieces of state.
fn with_states(expr: &Expr, ids: &HashMap<StateId, StateId>) -> Expr {
    expr.rewrite(&mut |e| match e {
        Expr::State(s) => ids.get(s).map(|s| Expr::State(*s)),
        Expr::Layer(s, weighs, list) => {
            let list = list.iter().map(|a| Argument { name: a.name, value: with_states(&a.value, ids) });
            Some(Expr::Layer(*ids.get(s)?, *weighs, list.collect()))
        }
        _ => None,
    })
}

impl Block {
    /// Takes in what the class calls.
    pub(crate) fn see(&self, needs: &mut Needs) {
        if let Some(links) = &self.chain {
            return links.iter().for_each(|e| needs.see(e));
        }
        self.body.each_needed(&self.outputs, &mut |e| needs.see(e));
        self.states.iter().for_each(|(name, state)| state.init(name).iter().for_each(|i| i.see(needs)));
    }

    /// The class.
    pub(crate) fn text(&self) -> String {
        let mut out = Lines::default();
        if let Some(links) = &self.chain {
            let arguments: Vec<String> = self.parameters.iter().map(Parameter::text).collect();
            out.signature(0, &self.name, &arguments, "nn.Sequential");
            let links = nn("Sequential", links.iter().cloned().map(Argument::from).collect());
            out.statement(1, "return ", &constant(&links));
            return out.finish();
        }
        out.push(0, &format!("class {}(nn.Module):", self.name));
        let buffers = || self.states.iter().filter(|(_, s)| s.kind == Kind::Buffer);
        buffers().for_each(|(name, _)| out.push(1, &format!("{name}: Tensor")));
        if buffers().next().is_some() {
            out.push(0, "");
        }
        let mut arguments = vec!["self".to_owned()];
        arguments.extend(self.parameters.iter().map(Parameter::text));
        out.signature(1, "__init__", &arguments, "None");
        out.push(2, "super().__init__()");
        for p in &self.fields {
            out.push(2, &format!("self.{0} = {0}", self.parameters[*p].name));
        }
        self.states.iter().for_each(|(name, state)| state.write(name, &mut out));
        out.push(0, "");
        let mut arguments = vec!["self".to_owned()];
        arguments.extend(self.arguments.iter().map(|a| format!("{a}: Tensor")));
        let result = match self.outputs.len() {
            1 => "Tensor".to_owned(),
            several => format!("tuple[{}]", vec!["Tensor"; several].join(", ")),
        };
        out.signature(1, "forward", &arguments, &result);
        let named: HashMap<StateId, String> =
            self.states.iter().zip(0..).map(|((name, _), i)| (StateId(i), name.clone())).collect();
        let mut locals = Names::of_variables();
        self.arguments.iter().for_each(|a| {
            locals.take(a);
        });
        let outputs = &self.outputs;
        Plan::new(&self.body, outputs, &named, &mut locals).method(&mut out, 2, outputs, &mut locals);
        out.finish()
    }
}

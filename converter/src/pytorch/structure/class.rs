//! The text of a class for what is repeated, or of a function that makes it.

use super::block::{Site, context};
use super::columns::{Columns, Parameter};
use super::form::link;
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
    output: ValueId,
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
        let mut body = Body::new();
        let mut values: HashMap<ValueId, ValueId> = HashMap::new();
        let ids: HashMap<StateId, StateId> = own.iter().zip(0..).map(|(s, i)| (*s, StateId(i))).collect();
        let mut arguments = Names::of_variables();
        let mut given = Vec::new();
        let mut argument = |body: &mut Body, wanted: &str| {
            let name = arguments.unique(wanted);
            given.push(name.clone());
            body.atom(Expr::Local(name))
        };
        if let Some(entry) = self.site.segments[unit].entry {
            values.insert(entry, argument(&mut body, "x"));
        }
        for v in context(self.site, unit, period) {
            let value = &self.body.values[v.0 as usize];
            let wanted = match &*value.expr {
                Expr::Local(name) => name.clone(),
                _ => value.hint.clone().unwrap_or_else(|| "given".to_owned()),
            };
            values.insert(v, argument(&mut body, &wanted));
        }
        let mut states = Vec::new();
        let mut fields = Vec::new();
        let mut slot = 0;
        for (segment, form) in self.site.segments[unit..unit + period].iter().zip(&self.site.forms[unit..]) {
            let end = slot + form.as_ref().map_or(0, |f| f.slots.len());
            for s in &segment.states {
                let wanted = wanted.get(states.len()).cloned().flatten();
                states.push(State { wanted, ..self.columns.state(&self.states[s.0 as usize], &mut slot) });
            }
            for v in &segment.values {
                let value = &self.body.values[v.0 as usize];
                let expr = value.expr.rewrite(&mut |e| match e {
                    Expr::Value(v) => values.get(v).map(|v| Expr::Value(*v)),
                    Expr::Int(n) => {
                        slot += 1;
                        let template = self.columns.templates[slot - 1].clone()?;
                        let template = if *n < 0 { -template } else { template };
                        Some(template.rewrite(&mut |e| {
                            let Expr::Local(name) = e else { return None };
                            let p = self.columns.parameters.iter().position(|p| p.name == *name)?;
                            if !fields.contains(&p) {
                                fields.push(p);
                            }
                            Some(Expr::local("self").attribute(name.clone()))
                        }))
                    }
                    _ => None,
                });
                let expr = with_states(&expr, &ids);
                let new = if value.is_atom { body.atom(expr) } else { body.compute(expr) };
                values.insert(*v, new);
            }
            debug_assert_eq!(slot, end, "the form has other slots");
            slot = end;
        }
        let output = values[&self.site.segments[unit + period - 1].exit];
        let mut names = Names::of_attributes();
        let parameters = self.columns.parameters.clone();
        fields.iter().for_each(|p| {
            names.take(&parameters[*p].name);
        });
        let used: Vec<StateId> = (0..states.len() as u32).map(StateId).collect();
        let named = name_all(&states, &used, &mut names);
        let mut states: Vec<(String, State)> =
            used.iter().zip(states).map(|(id, state)| (named[id].clone(), state)).collect();
        let chain = self.site.is_straight(unit, period).then(|| chain(&body, &mut states)).flatten();
        Block { chain, name: name.to_owned(), parameters, states, body, arguments: given, output, fields }
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
        self.body.each_needed(&[self.output], &mut |e| needs.see(e));
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
        out.signature(1, "forward", &arguments, "Tensor");
        let named: HashMap<StateId, String> =
            self.states.iter().zip(0..).map(|((name, _), i)| (StateId(i), name.clone())).collect();
        let mut locals = Names::of_variables();
        self.arguments.iter().for_each(|a| {
            locals.take(a);
        });
        Plan::new(&self.body, &[self.output], &named, &mut locals).method(&mut out, 2, &[self.output], &mut locals);
        out.finish()
    }
}

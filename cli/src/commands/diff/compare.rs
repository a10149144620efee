//! Compares interface, structure and weights of two models.

use super::{
    matching::Matching,
    weights::{self, Change},
};
use cntk_parser::model::{Dim, FunctionId, Source, ValidatedModel, ValueType, Variable, VariableKind};
use serde_json::Value;

/// All differences.
#[derive(Default)]
pub struct Comparison {
    /// Differences of inputs and outputs.
    pub interface: Vec<Difference>,
    /// Differences of functions: which exist, their operators and attributes, and their inputs.
    pub structure: Vec<Difference>,
    /// Tensors that differ, by the name of the parameter or constant.
    pub weights: Vec<(String, Change)>,
    /// The number of equal tensors.
    pub equal_weights: u64,
}

pub enum Difference {
    Added(String),
    Removed(String),
    Changed { what: String, from: String, to: String },
}

impl Comparison {
    pub fn of(a: &ValidatedModel<'_>, b: &ValidatedModel<'_>) -> Self {
        let matching = Matching::of(a, b);
        let mut comparison = Self::default();
        comparison.outputs(a, b, &matching);
        comparison.variables(a, b, &matching);
        comparison.functions(a, b, &matching);
        comparison
    }

    pub fn is_equal(&self) -> bool {
        self.interface.is_empty() && self.structure.is_empty() && self.weights.is_empty()
    }

    /// Compares the outputs in CNTK's order, which is a part of the interface.
    fn outputs(&mut self, a: &ValidatedModel<'_>, b: &ValidatedModel<'_>, matching: &Matching) {
        let (one, other) = (a.outputs(), b.outputs());
        for i in 0..one.len().max(other.len()) {
            match (one.get(i), other.get(i)) {
                (Some(p), Some(q)) => {
                    let what = format!("output {i}");
                    let named = |o: &cntk_parser::model::Output<'_>| label(&o.name, &o.uid);
                    if p.name != q.name || !matching.same(p.source, q.source) && p.uid != q.uid {
                        self.interface.push(changed(what, named(p), named(q)));
                    } else {
                        let types = (a.type_of(p.source), b.type_of(q.source));
                        self.types(&format!("{what} ({})", named(p)), types);
                    }
                }
                (Some(p), None) => {
                    self.interface.push(Difference::Removed(format!("output {}", label(&p.name, &p.uid))))
                }
                (None, Some(q)) => self.interface.push(Difference::Added(format!("output {}", label(&q.name, &q.uid)))),
                (None, None) => {}
            }
        }
    }

    fn types(&mut self, what: &str, (one, other): (&ValueType, &ValueType)) {
        let (from, to) = (kind(one), kind(other));
        if from != to {
            self.interface.push(changed(what.to_owned(), from, to));
        }
    }

    fn variables(&mut self, a: &ValidatedModel<'_>, b: &ValidatedModel<'_>, matching: &Matching) {
        for (id, v) in a.variable_ids().map(|id| (id, a.variable(id))) {
            let Some(other) = matching.variables.to.get(&id) else {
                if v.kind != VariableKind::Placeholder {
                    self.list(v).push(Difference::Removed(of_variable(v)));
                }
                continue;
            };
            let w = b.variable(*other);
            let what = of_variable(v);
            if v.kind != w.kind || v.name != w.name {
                self.list(v).push(changed(what.clone(), of_variable(v), of_variable(w)));
            }
            if v.kind == VariableKind::Input {
                let types = (a.type_of(Source::Variable(id)), b.type_of(Source::Variable(*other)));
                self.types(&what, types);
                if v.is_sparse != w.is_sparse {
                    let word = |sparse| if sparse { "sparse" } else { "dense" }.to_owned();
                    self.interface.push(changed(what, word(v.is_sparse), word(w.is_sparse)));
                }
            } else if v.needs_gradient != w.needs_gradient {
                let word = |trained| if trained { "trained" } else { "fixed" }.to_owned();
                self.structure.push(changed(what.clone(), word(v.needs_gradient), word(w.needs_gradient)));
            }
            match (&v.value, &w.value) {
                (Some(one), Some(other)) => match weights::compare(one, other) {
                    Some(change) => self.weights.push((of_variable(v), change)),
                    None => self.equal_weights += 1,
                },
                (None, None) => {}
                (one, _) => {
                    let form = |has: bool| if has { "a value" } else { "no value" }.to_owned();
                    let (from, to) = (form(one.is_some()), form(one.is_none()));
                    self.weights.push((of_variable(v), Change::Form { from, to }));
                }
            }
        }
        for (id, w) in b.variable_ids().map(|id| (id, b.variable(id))) {
            if w.kind != VariableKind::Placeholder && !matching.variables.is_taken(id) {
                self.list(w).push(Difference::Added(of_variable(w)));
            }
        }
    }

    /// The list to which differences of a variable belong.
    fn list(&mut self, variable: &Variable<'_>) -> &mut Vec<Difference> {
        if variable.kind == VariableKind::Input { &mut self.interface } else { &mut self.structure }
    }

    fn functions(&mut self, a: &ValidatedModel<'_>, b: &ValidatedModel<'_>, matching: &Matching) {
        for id in a.order() {
            match matching.functions.to.get(id) {
                Some(other) => self.function((a, *id), (b, *other), matching),
                None => self.structure.push(Difference::Removed(of_function(a, *id))),
            }
        }
        for id in b.order().iter().filter(|id| !matching.functions.is_taken(**id)) {
            self.structure.push(Difference::Added(of_function(b, *id)));
        }
    }

    fn function(
        &mut self,
        (a, f): (&ValidatedModel<'_>, FunctionId),
        (b, g): (&ValidatedModel<'_>, FunctionId),
        matching: &Matching,
    ) {
        let what = of_function(a, f);
        let (one, other) = (a.operator(f), b.operator(g));
        if one.name() != other.name() {
            self.structure.push(changed(what, one.name().to_owned(), other.name().to_owned()));
            return;
        }
        if one != other {
            let (from, to) = (serde_json::to_value(one), serde_json::to_value(other));
            self.attributes(&what, &from.unwrap_or_default(), &to.unwrap_or_default());
        }
        let (inputs, others) = (a.inputs(f), b.inputs(g));
        for (i, (p, q)) in inputs.iter().zip(others).enumerate() {
            if !matching.same(*p, *q) {
                self.structure.push(changed(format!("input {i} of {what}"), of_source(a, *p), of_source(b, *q)));
            }
        }
        if inputs.len() != others.len() {
            let count = |n: usize| format!("{n} inputs");
            self.structure.push(changed(what, count(inputs.len()), count(others.len())));
        }
    }

    /// Adds the leaves of attributes that differ.
    fn attributes(&mut self, what: &str, from: &Value, to: &Value) {
        match (from, to) {
            (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
                for ((key, p), (_, q)) in one.iter().zip(other).filter(|((_, p), (_, q))| p != q) {
                    // Leave out the outermost key, the operator's name, which is already in the text.
                    let inner = p.is_object() && q.is_object();
                    let what = if inner { what.to_owned() } else { format!("{key} of {what}") };
                    self.attributes(&what, p, q);
                }
            }
            _ => self.structure.push(changed(what.to_owned(), from.to_string(), to.to_string())),
        }
    }
}

fn changed(what: String, from: String, to: String) -> Difference {
    Difference::Changed { what, from, to }
}

fn label(name: &str, uid: &str) -> String {
    if name.is_empty() { format!("\"{uid}\"") } else { format!("\"{name}\"") }
}

fn of_variable(variable: &Variable<'_>) -> String {
    let kind = match variable.kind {
        VariableKind::Input => "input",
        VariableKind::Parameter => "parameter",
        VariableKind::Constant => "constant",
        VariableKind::Placeholder => "placeholder",
    };
    format!("{kind} {}", label(variable.name, variable.uid))
}

fn of_function(model: &ValidatedModel<'_>, id: FunctionId) -> String {
    let function = model.function(id);
    format!("{} {}", model.operator(id).name(), label(function.name, function.uid))
}

fn of_source(model: &ValidatedModel<'_>, source: Source) -> String {
    match source {
        Source::Variable(id) => of_variable(model.variable(id)),
        Source::Output(id, 0) => of_function(model, id),
        Source::Output(id, i) => format!("output {i} of {}", of_function(model, id)),
    }
}

/// Type, shape and dynamic axes of a value, in text.
fn kind(of: &ValueType) -> String {
    let mut dims = vec![];
    dims.extend(of.axes.batch.then(|| "batch".to_owned()));
    dims.extend(of.axes.sequence.map(|_| "sequence".to_owned()));
    dims.extend(of.shape.iter().map(|dim| match dim {
        Dim::Known(n) => n.to_string(),
        Dim::Free(_) => "free".to_owned(),
    }));
    format!("{:?}[{}]", of.data_type, dims.join(", "))
}

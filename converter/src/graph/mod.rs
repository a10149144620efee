//! The part of a validated model that the wanted outputs need, and the names of its inputs and outputs.
//!
//! Knows neither ONNX nor PyTorch. Blocks are already resolved, by [`ValidatedModel`].

pub(crate) mod asked;
mod criteria;
mod fixed;
pub mod literal;
mod node;
mod outputs;
pub mod paths;
pub mod sampling;
pub mod sign;

pub(crate) use node::{Lowered, Node};

use crate::options::{Options, Outputs};
use crate::report::{Reason, Refusal};
use cntk_parser::model::{DataType, FunctionId, Source, ValidatedModel, VariableId, VariableKind};
use cntk_parser::ops::Operator;
use hashbrown::{HashMap, HashSet};

/// A wanted output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name in the converted model.
    pub name: String,
    /// The name that it has if nothing is renamed.
    pub given: String,
    /// CNTK's uid.
    pub uid: String,
    /// What computes it.
    pub source: Source,
}

/// An input of the converted model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name in the converted model.
    pub name: String,
    /// The name that it has if nothing is renamed.
    pub given: String,
    /// The variable.
    pub variable: VariableId,
    /// Its last axis is one-hot, and the converted model takes indices into it: how many there are.
    pub classes: Option<u64>,
}

/// The needed part of a model.
pub struct Graph<'m, 'a> {
    /// The whole model.
    pub model: &'m ValidatedModel<'a>,
    /// The arguments of the wanted outputs, in file order.
    pub arguments: Vec<Argument>,
    /// The wanted outputs, each once.
    pub outputs: Vec<Wanted>,
    /// The outputs that were left out by default, each with the reason.
    pub dropped: Vec<String>,
    /// Notes for the user on the choice of outputs.
    pub notes: Vec<String>,
    live: Vec<bool>,
}

/// The interface of a converted model: its inputs and outputs, and their names.
pub struct Interface {
    /// The arguments of the wanted outputs, in file order.
    pub arguments: Vec<Argument>,
    /// The wanted outputs, each once.
    pub outputs: Vec<Wanted>,
    /// The outputs that were left out by default, each with the reason.
    pub dropped: Vec<String>,
    /// Notes for the user on the choice of outputs.
    pub notes: Vec<String>,
}

impl Interface {
    /// The interface of a model with the wanted outputs.
    pub fn new(model: &ValidatedModel<'_>, outputs: &Outputs) -> Result<Self, Refusal> {
        let selected = outputs::select(model, outputs).map_err(|reasons| Refusal { reasons })?;
        let used = listed(model, selected.outputs.iter().map(|o| o.source));
        let mut seen = HashSet::new();
        let wanted: Vec<_> = selected.outputs.into_iter().filter(|o| seen.insert(o.uid.clone())).collect();
        let arguments: Vec<VariableId> = model
            .variable_ids()
            .filter(|v| {
                used[v.index()] && matches!(model.variable(*v).kind, VariableKind::Input | VariableKind::Placeholder)
            })
            .collect();
        if wanted.is_empty() {
            return Err(Refusal { reasons: vec![Reason::new("outputs", "the model has no outputs")] });
        }
        let names = Names::new(model, &arguments, &wanted);
        let named = |o: outputs::Selected| {
            let name = names.output(&o);
            Wanted { given: name.clone(), name, uid: o.uid, source: o.source }
        };
        let argument = |v: &VariableId| {
            let name = names.argument(model, *v);
            Argument { given: name.clone(), name, variable: *v, classes: None }
        };
        Ok(Self {
            arguments: arguments.iter().map(argument).collect(),
            outputs: wanted.into_iter().map(named).collect(),
            dropped: selected.dropped,
            notes: selected.notes,
        })
    }

    /// The interface that is asked for: names, and which inputs are indices.
    pub fn asked(model: &ValidatedModel<'_>, options: &Options) -> Result<Self, Refusal> {
        let mut interface = Self::new(model, &options.outputs)?;
        let reasons = asked::apply(model, options, &mut interface);
        if reasons.is_empty() { Ok(interface) } else { Err(Refusal { reasons }) }
    }
}

impl<'m, 'a> Graph<'m, 'a> {
    /// Prunes `model` to the outputs that `options` asks for.
    pub fn new(model: &'m ValidatedModel<'a>, options: &Options) -> Result<Self, Refusal> {
        let Interface { arguments, outputs, dropped, notes } = Interface::asked(model, options)?;
        let live = needed(model, outputs.iter().map(|o| o.source));
        let mut reasons = packed_indices_read(model, &live, &outputs);
        reasons.extend(untyped(model, &live, &arguments));
        if !reasons.is_empty() {
            return Err(Refusal { reasons });
        }
        Ok(Self { model, arguments, outputs, dropped, notes, live })
    }

    /// Does a wanted output need this function?
    pub fn is_live(&self, id: FunctionId) -> bool {
        self.live[id.index()]
    }

    /// The needed functions, producers before consumers; members of a loop are consecutive.
    pub fn functions(&self) -> impl Iterator<Item = FunctionId> + '_ {
        self.model.order().iter().copied().filter(|f| self.is_live(*f))
    }

    /// Does a delay take its initial state from its own recurrence? That state would be needed before it is computed.
    pub fn starts_itself(&self, delay: FunctionId) -> bool {
        let loop_of = |f| self.model.loop_of(f);
        let initial = self.model.inputs(delay).get(1);
        loop_of(delay).is_some() && matches!(initial, Some(Source::Output(f, _)) if loop_of(*f) == loop_of(delay))
    }
}

/// Refusals for the needed values whose type is not known (user-defined functions and open placeholders). Nothing that
/// depends on them has a type either.
fn untyped(model: &ValidatedModel<'_>, live: &[bool], arguments: &[Argument]) -> Vec<Reason> {
    let foreign = model.order().iter().filter(|f| live[f.index()]).filter_map(|f| {
        let why = match model.operator(*f) {
            Operator::User => "a user-defined function is code that the file does not contain",
            Operator::Foreign(foreign) => foreign.why,
            _ => return None,
        };
        let function = model.function(*f);
        let (op, uid, name) = (model.operator(*f).name(), function.uid, function.name);
        let reason = Reason::new("", why);
        Some(Reason { op: op.to_owned(), uid: uid.to_owned(), name: name.to_owned(), ..reason })
    });
    let is_open = |argument: &&Argument| {
        let source = Source::Variable(argument.variable);
        !model.is_known(source) || model.type_of(source).data_type == DataType::Unknown
    };
    let open = arguments.iter().filter(is_open).map(|argument| {
        let uid = model.variable(argument.variable).uid;
        let what = "neither its record nor the functions around it say the type of this placeholder";
        let hint = format!(
            "{what}: say it with --placeholder, as in --placeholder \"{}=float[batch, 3]\"",
            uid.escape_debug()
        );
        Reason { uid: uid.to_owned(), ..Reason::new("", hint) }
    });
    foreign.chain(open).collect()
}

/// Refusals for readers of a packed index other than GatherPacked and ScatterPacked: the index is a position in CNTK's
/// minibatch and means nothing outside of CNTK.
fn packed_indices_read(model: &ValidatedModel<'_>, live: &[bool], outputs: &[Wanted]) -> Vec<Reason> {
    let packed =
        |source: &Source| matches!(source, Source::Output(f, _) if matches!(model.operator(*f), Operator::PackedIndex));
    let what = "reads a packed index, a position in CNTK's minibatch that only GatherPacked and ScatterPacked can use";
    let mut reasons = Vec::new();
    for f in model.order().iter().copied().filter(|f| live[f.index()]) {
        let takes = |i| i == 1 && matches!(model.operator(f), Operator::GatherPacked | Operator::ScatterPacked);
        if model.inputs(f).iter().enumerate().any(|(i, source)| packed(source) && !takes(i)) {
            let function = model.function(f);
            let (op, uid, name) = (model.operator(f).name(), function.uid, function.name);
            let reason = Reason::new("", what);
            reasons.push(Reason { op: op.to_owned(), uid: uid.to_owned(), name: name.to_owned(), ..reason });
        }
    }
    let asked = outputs.iter().filter(|o| packed(&o.source));
    let named = |o: &Wanted| if o.name == o.uid { String::new() } else { o.name.clone() };
    reasons.extend(asked.map(|o| Reason { uid: o.uid.clone(), name: named(o), ..Reason::new("outputs", what) }));
    reasons
}

/// For each function, do the outputs need it?
pub fn needed(model: &ValidatedModel<'_>, outputs: impl Iterator<Item = Source>) -> Vec<bool> {
    let mut live = Reached::new(model);
    live.walk(model, outputs, false);
    live.functions
}

/// The variables that CNTK lists as arguments of the outputs. They include all arguments of a block, even those that
/// its inner graph does not use.
fn listed(model: &ValidatedModel<'_>, outputs: impl Iterator<Item = Source>) -> Vec<bool> {
    let mut listed = Reached::new(model);
    listed.walk(model, outputs, true);
    listed.variables
}

/// What was reached on a walk from the outputs to their inputs.
struct Reached {
    functions: Vec<bool>,
    variables: Vec<bool>,
}

impl Reached {
    fn new(model: &ValidatedModel<'_>) -> Self {
        Self {
            functions: vec![false; model.model().functions.len()],
            variables: vec![false; model.model().variables.len()],
        }
    }

    fn walk(&mut self, model: &ValidatedModel<'_>, from: impl Iterator<Item = Source>, through_blocks: bool) {
        let mut stack: Vec<Source> = from.collect();
        while let Some(source) = stack.pop() {
            match source {
                Source::Variable(v) => self.variables[v.index()] = true,
                Source::Output(f, _) => {
                    let mut next = Some(f);
                    while let Some(f) = next {
                        if std::mem::replace(&mut self.functions[f.index()], true) {
                            break;
                        }
                        stack.extend(model.inputs(f));
                        next = if through_blocks { model.parent(f) } else { None };
                    }
                }
            }
        }
    }
}

/// The naming rule: the CNTK name if it is not empty and unique among all inputs and outputs, else the uid.
struct Names {
    count: HashMap<String, usize>,
}

impl Names {
    fn new(model: &ValidatedModel<'_>, arguments: &[VariableId], wanted: &[outputs::Selected]) -> Self {
        let mut count = HashMap::new();
        let given = arguments.iter().map(|v| model.variable(*v).name.to_owned());
        let asked = wanted.iter().map(|o| o.name.clone());
        // Uids count as taken, so that no name hides the uid of something else.
        let uids =
            arguments.iter().map(|v| model.variable(*v).uid.to_owned()).chain(wanted.iter().map(|o| o.uid.clone()));
        for name in given.chain(asked).chain(uids.collect::<HashSet<_>>()) {
            *count.entry(name).or_insert(0) += 1;
        }
        Self { count }
    }

    fn is_unique(&self, name: &str, uid: &str) -> bool {
        let taken = self.count.get(name).copied().unwrap_or(0);
        !name.is_empty() && (taken == 1 || (name == uid && taken == 2))
    }

    fn argument(&self, model: &ValidatedModel<'_>, id: VariableId) -> String {
        let v = model.variable(id);
        if self.is_unique(v.name, v.uid) { v.name.to_owned() } else { v.uid.to_owned() }
    }

    fn output(&self, o: &outputs::Selected) -> String {
        if self.is_unique(&o.name, &o.uid) {
            o.name.clone()
        } else if matches!(o.source, Source::Variable(_)) {
            format!("{}_output", o.uid)
        } else {
            o.uid.clone()
        }
    }
}

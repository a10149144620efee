//! The state of the module: parameters, buffers and submodules, with the weights that fill them.

use super::python::expr::{Argument, Expr, Module, StateId, args, keyword, shape};
use super::python::names::{Names, identifier};
use super::python::print::constant;
use super::python::wrap::Lines;
use super::weights::Weight;
use crate::weights::{Data, ElemType};
use cntk_parser::model::{FunctionId, VariableId};
use std::collections::HashMap;

/// What a loop over the modules of a list calls each.
pub(crate) const LAYER: &str = "layer";

/// A tensor of the `state_dict`.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// The key after the state's name: empty, or such as `weight` for a tensor of a submodule.
    pub(crate) suffix: String,
    pub(crate) elem: ElemType,
    pub(crate) dims: Vec<u64>,
    pub(crate) data: Data,
    /// The CNTK variable that it comes from.
    pub(crate) variable: Option<VariableId>,
    pub(crate) layout: String,
    pub(crate) trainable: bool,
}

/// The kind of a piece of state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Parameter,
    Buffer,
    /// A submodule and the expression that creates it.
    Module(Expr),
    /// A submodule that only some blocks have: the condition, the expression that creates it, and what others have.
    Optional(Expr, Expr, Expr),
    /// Blocks of a class of this file, and the expression that creates them. The blocks themselves freeze what is not
    /// trained.
    Blocks(Expr),
    /// A list of equal modules or parameters: the expression that creates it, and what is done with each module,
    /// as a `layer`.
    List(Expr, Vec<Expr>),
}

/// A piece of state.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) kind: Kind,
    /// The name in the model.
    pub(crate) wanted: Option<String>,
    /// The name to use otherwise, with a number.
    pub(crate) fallback: &'static str,
    pub(crate) tensors: Vec<Held>,
    /// A comment before it.
    pub(crate) remark: Option<String>,
    /// The blocks of the model that it is part of, innermost first.
    pub(crate) within: Vec<FunctionId>,
}

impl State {
    /// A parameter or buffer in CNTK's own layout.
    pub(crate) fn plain(id: VariableId, weight: &Weight, wanted: Option<String>) -> Self {
        let held = Held {
            suffix: String::new(),
            elem: weight.elem,
            dims: weight.dims.clone(),
            data: weight.whole(),
            variable: Some(id),
            layout: "as in CNTK".to_owned(),
            trainable: weight.trainable,
        };
        let kind = if weight.constant { Kind::Buffer } else { Kind::Parameter };
        let fallback = if weight.constant { "constant" } else { "weight" };
        Self { kind, wanted, fallback, tensors: vec![held], remark: None, within: Vec::new() }
    }

    /// A buffer filled with one number.
    pub(crate) fn number(elem: ElemType, dims: &[u64], value: f64) -> Self {
        let empty = Self {
            kind: Kind::Buffer,
            wanted: None,
            fallback: "constant",
            tensors: Vec::new(),
            remark: None,
            within: Vec::new(),
        };
        empty.filled("", elem, dims, value)
    }

    /// A submodule.
    pub(crate) fn module(constructor: Expr, wanted: Option<String>, fallback: &'static str) -> Self {
        Self::of(Kind::Module(constructor), wanted, fallback)
    }

    /// A piece of state of this kind, without tensors.
    pub(crate) fn of(kind: Kind, wanted: Option<String>, fallback: &'static str) -> Self {
        Self { kind, wanted, fallback, tensors: Vec::new(), remark: None, within: Vec::new() }
    }

    /// Adds a tensor of a submodule.
    pub(crate) fn tensor(
        mut self,
        suffix: &str,
        from: (VariableId, &Weight),
        dims: &[u64],
        data: Data,
        layout: &str,
    ) -> Self {
        self.tensors.push(Held {
            suffix: suffix.to_owned(),
            elem: from.1.elem,
            dims: dims.to_vec(),
            data,
            variable: Some(from.0),
            layout: layout.to_owned(),
            trainable: from.1.trainable,
        });
        self
    }

    /// Adds a tensor that PyTorch needs but CNTK does not have.
    pub(crate) fn filled(mut self, suffix: &str, elem: ElemType, dims: &[u64], value: f64) -> Self {
        let count = dims.iter().product::<u64>() as usize;
        let mut bytes = Vec::new();
        (0..count).for_each(|_| elem.encode(value, &mut bytes));
        self.tensors.push(Held {
            suffix: suffix.to_owned(),
            elem,
            dims: dims.to_vec(),
            data: Data::Owned(bytes),
            variable: None,
            layout: format!("filled with {value}"),
            trainable: false,
        });
        self
    }

    /// The state_dict key of a tensor.
    pub(crate) fn key(name: &str, held: &Held) -> String {
        if held.suffix.is_empty() { name.to_owned() } else { format!("{name}.{}", held.suffix) }
    }

    /// What creates it, and the statements that freeze the module that [`LAYER`] stands for; `None` where that is no single
    /// expression and calls.
    pub(crate) fn parts(&self) -> Option<(Expr, Vec<Expr>)> {
        if !matches!(self.kind, Kind::Module(_) | Kind::Parameter) {
            return None;
        }
        let mut all = self.init(LAYER).into_iter();
        let Init::Set(own, constructor) = all.next()? else { return None };
        let freeze = all.map(|init| match init {
            Init::Do(e) => Some(e.rewrite(&mut |part| (*part == own).then(|| Expr::local(LAYER)))),
            _ => None,
        });
        Some((constructor, freeze.collect::<Option<_>>()?))
    }

    /// Its statements in `__init__`, without the comment before them.
    pub(crate) fn init(&self, name: &str) -> Vec<Init> {
        let own = || Expr::local("self").attribute(name.to_owned());
        let zeros = |held: &Held| {
            let mut arguments = shape(held.dims.iter().map(|n| (*n).into()).collect());
            arguments.extend(dtype(held.elem));
            super::python::expr::torch("zeros", arguments)
        };
        match (&self.kind, self.tensors.first()) {
            (Kind::Parameter, Some(held)) => {
                let mut arguments = args![zeros(held)];
                arguments.extend((!held.trainable).then(|| keyword("requires_grad", false)));
                vec![Init::Set(own(), super::python::expr::nn("Parameter", arguments))]
            }
            (Kind::Buffer, Some(held)) => {
                let register = Expr::local("self").attribute("register_buffer");
                vec![Init::Do(register.call(args![Expr::Quoted(name.to_owned()), zeros(held)]))]
            }
            (Kind::Module(constructor), _) => {
                let mut all = vec![Init::Set(own(), constructor.clone())];
                all.extend(self.frozen(&own()));
                all
            }
            (Kind::Optional(present, constructor, absent), _) => {
                vec![Init::Choose(own(), present.clone(), constructor.clone(), absent.clone())]
            }
            (Kind::Blocks(constructor), _) => vec![Init::Set(own(), constructor.clone())],
            (Kind::List(list, freeze), _) => {
                let mut all = vec![Init::Set(own(), list.clone())];
                all.extend((!freeze.is_empty()).then(|| Init::Each(own(), freeze.clone())));
                all
            }
            _ => Vec::new(),
        }
    }

    /// Writes its statements of `__init__`.
    pub(crate) fn write(&self, name: &str, lines: &mut Lines) {
        if let Some(remark) = &self.remark {
            lines.push(2, &format!("# {remark}"));
        }
        for statement in self.init(name) {
            match statement {
                Init::Set(target, value) => {
                    lines.statement(2, &format!("{} = ", constant(&target)), &constant(&value));
                }
                Init::Do(e) => lines.statement(2, "", &constant(&e)),
                Init::Choose(target, present, value, absent) => {
                    let [target, present, value, absent] = [target, present, value, absent].map(|e| constant(&e));
                    lines.push(2, &format!("{target} = {absent}"));
                    lines.push(2, &format!("if {present}:"));
                    lines.statement(3, &format!("{target} = "), &value);
                }
                Init::Each(list, statements) => {
                    lines.push(2, &format!("for {LAYER} in {}:", constant(&list)));
                    statements.iter().for_each(|e| lines.statement(3, "", &constant(e)));
                }
                Init::Freeze(module, stem) => {
                    lines.push(2, &format!("for name, weight in {}.named_parameters():", constant(&module)));
                    lines.push(3, &format!("weight.requires_grad_(not name.startswith(\"{stem}\"))"));
                }
            }
        }
    }

    /// The statements that freeze tensors of a submodule that CNTK does not train.
    fn frozen(&self, own: &Expr) -> Vec<Init> {
        let counted = |h: &&Held| !h.suffix.contains("running_") && !h.suffix.contains("num_batches");
        let parameters: Vec<&Held> = self.tensors.iter().filter(counted).collect();
        let frozen: Vec<&&Held> = parameters.iter().filter(|h| !h.trainable).collect();
        let freeze = |what: Expr| what.method("requires_grad_", args![false]);
        // The stem that the same tensor of all layers and directions shares.
        let stem = |h: &Held| h.suffix.split("_l").next().map(str::to_owned);
        let common = frozen.first().and_then(|h| stem(h));
        let alike = common.filter(|c| parameters.iter().all(|h| (stem(h).as_ref() == Some(c)) != h.trainable));
        match (frozen.len(), alike) {
            (0, _) => Vec::new(),
            (all, _) if all == parameters.len() => vec![Init::Do(freeze(own.clone()))],
            (3.., Some(stem)) => vec![Init::Freeze(own.clone(), stem)],
            _ => frozen.iter().map(|h| Init::Do(freeze(own.clone().attribute(h.suffix.clone())))).collect(),
        }
    }
}

/// A statement of `__init__`.
#[derive(Clone, Debug)]
pub(crate) enum Init {
    Set(Expr, Expr),
    Do(Expr),
    /// Sets it to an expression if a condition holds, else to another one.
    Choose(Expr, Expr, Expr, Expr),
    /// Does something with each of the modules of a list.
    Each(Expr, Vec<Expr>),
    /// Freezes the parameters of a module whose names begin with this text.
    Freeze(Expr, String),
}

/// The `dtype` argument of a tensor; `None` for float32.
pub(crate) fn dtype(elem: ElemType) -> Option<Argument> {
    let name = match elem {
        ElemType::Double => "float64",
        ElemType::Float16 => "float16",
        ElemType::Int64 => "int64",
        _ => return None,
    };
    Some(keyword("dtype", Expr::Torch(Module::Torch, name.into())))
}

/// Names the states in `used`.
pub(crate) fn name_all(states: &[State], used: &[StateId], names: &mut Names) -> HashMap<StateId, String> {
    let mut named = HashMap::new();
    // States with a name in the model come first, whatever the order of use.
    for id in used {
        if let Some(wanted) = states[id.0 as usize].wanted.as_deref().and_then(identifier) {
            named.insert(*id, names.unique(&wanted));
        }
    }
    for id in used {
        if !named.contains_key(id) {
            named.insert(*id, names.numbered(states[id.0 as usize].fallback));
        }
    }
    named
}

impl Init {
    /// Records what the statement calls.
    pub(crate) fn see(&self, needs: &mut super::helpers::Needs) {
        match self {
            Self::Set(_, e) | Self::Do(e) | Self::Choose(_, _, e, _) => needs.see(e),
            Self::Each(_, all) => all.iter().for_each(|e| needs.see(e)),
            Self::Freeze(..) => {}
        }
    }
}
